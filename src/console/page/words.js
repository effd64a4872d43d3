// Words, numbers and times in the language of the page. A missing word shows its key, and a test looks for that.
// In a text `{count}` is a value, and `{count?lieu|lieux}` the form that goes with it.
import fr from "./fr.js";
import en from "./en.js";

const dictionaries = { fr, en };
const root = document.documentElement;
export const language = () => root.lang;
export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function t(key, values = {}) {
  const text = dictionaries[language()][key] ?? key;
  return text.replace(/\{(\w+)(?:\?([^|}]*)\|([^}]*))?\}/g, (_, name, one, many) => {
    const value = values[name] ?? "";
    if (one !== undefined) return new Intl.PluralRules(language()).select(value) === "one" ? one : many;
    return typeof value === "number" ? number(value) : value;
  });
}

export const has = (key) => key in dictionaries[language()];

/** A word for a code, else the code itself. */
export const word = (family, code) => (has(`${family}.${code}`) ? t(`${family}.${code}`) : String(code));

export const number = (value, options) => new Intl.NumberFormat(language(), options).format(value);
export const percent = (share) => number(share, { style: "percent", maximumFractionDigits: 0 });
export const clock = (ms) =>
  new Intl.DateTimeFormat(language(), { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(ms);
/** In the zone of the browser, unless another is given: where care is given, as the service's sentences say it. */
export function moment(ms, timeZone = zone) {
  const date = (at) => new Intl.DateTimeFormat("en", { dateStyle: "short", timeZone }).format(at);
  const sameDay = date(ms) === date(Date.now());
  const day = sameDay ? {} : { day: "2-digit", month: "2-digit" };
  const form = { ...day, hour: "2-digit", minute: "2-digit", timeZoneName: "short", timeZone };
  return new Intl.DateTimeFormat(language(), form).format(ms);
}

/** A length of time, short: 42 s, 5 min, 3 h 20, 2 d. */
export function length(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 90) return `${number(s)} s`;
  const minutes = Math.round(s / 60);
  if (minutes < 120) return `${number(minutes)} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")}`;
  return `${number(Math.round(hours / 24))} ${language() === "fr" ? "j" : "d"}`;
}

export function translate() {
  document.title = t("title");
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
}

export function setLanguage(next) {
  root.lang = next;
  keep("sas.language", next);
  translate();
}

export function keep(key, value) {
  // A browser that keeps nothing shows the page all the same.
  try { localStorage.setItem(key, value); } catch { /* nothing to do */ }
}
