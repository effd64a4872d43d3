// The switches of every page: language and theme, which the browser keeps.
import { byId } from "./dom.js";
import { t, language, setLanguage, keep } from "./words.js";

const other = () => (language() === "fr" ? "en" : "fr");

function tellLanguage() {
  byId("language").textContent = t("other_language");
  byId("language").lang = other();
}

export function switches({ onLanguage, onTheme }) {
  tellLanguage();
  byId("language").addEventListener("click", () => {
    setLanguage(other());
    tellLanguage();
    onLanguage();
  });
  byId("theme").value = document.documentElement.dataset.theme ?? "auto";
  byId("theme").addEventListener("change", ({ target }) => {
    if (target.value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = target.value;
    keep("sas.theme", target.value);
    onTheme();
  });
}
