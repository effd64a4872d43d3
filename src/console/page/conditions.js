// What is not as it should be: what it means and what to do in the language of the page, then the service's own words, in English.
import { el } from "./dom.js";
import { t, word } from "./words.js";

export function conditions(told) {
  return el("ul", { class: "list" }, told.map((one) => el("li", { class: `notice ${one.degrades ? "bad" : ""}` },
    el("strong", {}, word("condition", one.code)), one.degrades ? ` (${t("conditions.degrades")})` : "",
    el("p", {}, word("remedy", one.code)),
    el("p", { class: "small" }, el("code", {}, one.code), " ", el("span", { lang: "en" }, one.message)))));
}
