// Sets language and theme before the first paint, so that nothing flashes.
"use strict";
(() => {
  const kept = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const root = document.documentElement;
  root.lang = kept("sas.language") === "en" ? "en" : "fr";
  const theme = kept("sas.theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
})();
