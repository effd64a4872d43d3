// The trial: a question asked of the service without being counted, and the whole explanation of its answer.
import { byId, el, ask, failure, Refusal } from "./dom.js";
import { t, word, has, number, moment, length } from "./words.js";

const field = (name) => byId("try-form").elements[name];
const decimal = (text) => (text.trim() === "" ? undefined : Number(text.trim().replace(",", ".")));
const whole = (text) => (text.trim() === "" ? undefined : Number(text.trim()));

/** Where a refused field of the question is in the form. */
const PLACES = {
  position: "latitude", age: "age_number", needed_within_minutes: "needed_within_minutes", radius_m: "radius_km",
  territory_ids: "territory_id", modalities: "options_wanted", specialties: "specialty", motive: "motive",
};

export class Trial {
  constructor(codes, map) {
    this.codes = codes;
    this.map = map;
    this.fill();
    byId("try-form").addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    byId("try-center").addEventListener("click", () => { const { lat, lng } = map.center(); this.pick(lat, lng); map.mark(lat, lng); });
    for (const name of ["latitude", "longitude"]) {
      field(name).addEventListener("change", () => map.mark(decimal(field("latitude").value), decimal(field("longitude").value)));
    }
  }

  fill() {
    const options = (name, list, first, chosen) => {
      const kept = field(name).value || chosen;
      const choices = list.map(({ code, label }) => el("option", { value: code, lang: "fr" }, label ? `${code} ${label}` : code));
      field(name).replaceChildren(...(first ? [el("option", { value: "" }, t("try.any"))] : []), ...choices);
      field(name).value = kept;
    };
    options("care_level", this.codes.care_levels, false, "R3");
    options("priority", this.codes.priorities, false, "P2");
    options("motive", this.codes.motives, true, "");
    options("specialty", this.codes.specialties, false, "SM54");
    options("role", this.codes.roles, true, "");
  }

  pick(latitude, longitude) {
    field("latitude").value = latitude.toFixed(5);
    field("longitude").value = longitude.toFixed(5);
  }

  question() {
    const given = (name) => field(name).value.trim() || undefined;
    const latitude = decimal(field("latitude").value), longitude = decimal(field("longitude").value);
    const age = field("age_number").value.trim();
    const radius = decimal(field("radius_km").value);
    return {
      position: latitude === undefined && longitude === undefined ? undefined : { latitude: latitude ?? null, longitude: longitude ?? null },
      care_level: given("care_level"), priority: given("priority"), motive: given("motive"),
      age: age ? `P${age}${field("age_unit").value}` : undefined,
      specialties: [given("specialty")].filter(Boolean),
      modalities: [...document.querySelectorAll('#try-form [name="modality"]:checked')].map((box) => box.value),
      needed_within_minutes: whole(field("needed_within_minutes").value),
      radius_m: radius === undefined ? undefined : Math.round(radius * 1000),
      territory_ids: [given("territory_id")].filter(Boolean),
      role: given("role"), options_wanted: field("options_wanted").checked,
    };
  }

  async send() {
    const button = byId("try-send");
    button.disabled = true;
    button.textContent = t("try.sending");
    this.refuse(null);
    try {
      const body = JSON.stringify(this.question());
      const answer = await ask("console/try", { method: "POST", headers: { "content-type": "application/json" }, body });
      this.answer = await answer.json();
      this.show();
    } catch (error) {
      this.answer = null;
      byId("try-answer").replaceChildren();
      this.refuse(error);
    } finally {
      button.disabled = false;
      button.textContent = t("try.send");
    }
  }

  refuse(error) {
    for (const marked of document.querySelectorAll('#try-form [aria-invalid="true"]')) marked.removeAttribute("aria-invalid");
    const box = byId("try-problem");
    box.hidden = !error;
    if (!error) return box.replaceChildren();
    if (!(error instanceof Refusal) || !error.violations.length) return box.replaceChildren(failure(error));
    const lines = error.violations.map(({ field: path, message }) => el("li", {}, t("told", { what: path, value: "" }), el("span", { lang: "en" }, message)));
    box.replaceChildren(el("p", {}, t("try.refused")), el("ul", {}, lines));
    for (const { field: path } of error.violations) {
      const name = path.startsWith("position") ? "latitude" : PLACES[path.replace(/\[\d+\]$/, "")] ?? path;
      field(name)?.setAttribute?.("aria-invalid", "true");
    }
    document.querySelector('#try-form [aria-invalid="true"]')?.focus();
  }

  translate() {
    this.fill();
    if (this.answer) this.show();
  }

  show() {
    const a = this.answer;
    const french = (text) => el("span", { lang: "fr" }, text);
    const km = (metres) => `${number(metres / 1000, { maximumFractionDigits: 1 })} km`;
    const outcome = el("div", { class: "outcome" }, el("strong", {}, word("outcome", a.outcome)), el("span", { class: "badge" }, a.outcome),
      el("span", { class: "badge" }, a.rule_id), el("p", {}, french(a.sentence)));
    const options = table("try.options", ["rank", "who", "how", "begins", "wait", "travel", "distance", "territory", "data", "cost", "why"],
      a.options.map((one, at) => [number(at + 1), who(one), care(one), moment(one.begins_ms, one.zone), `${number(one.wait_minutes)} min`,
        `${number(one.travel_minutes)} min`, km(one.distance_m), word("preference", one.territory),
        `${length(one.data_age_seconds)}, ${word("confidence", one.confidence)}`, `${number(one.cost_seconds)} s`, el("span", {}, french(one.sentence), unknowns(one))]), "try.no_options");
    const near = table("try.near", ["rule", "who", "how", "begins", "why"],
      a.near_misses.map((one) => [word("rule", one.rule), who(one.option), care(one.option), moment(one.option.begins_ms, one.option.zone), french(one.sentence)]));
    const exclusions = table("try.exclusions", ["rule", "count"], a.exclusions.map((one) => [word("rule", one.rule), number(one.count)]));
    const sites = table("try.sites", ["site", "access", "travel", "distance", "why"],
      a.sites.map((one) => [one.name, word("access", one.access), `${number(one.travel_minutes)} min`, km(one.distance_m), french(one.sentence)]));
    const lines = (key, texts) => (texts.length ? [el("h3", {}, t(key)), el("ul", { class: "list" }, texts.map((text) => el("li", {}, text)))] : []);
    const gains = lines("try.what_ifs", a.what_ifs.map(french));
    const alike = lines("try.similar", a.alike.map((one) => t("told", { what: word("alike", one.likeness), value: one.count })));
    const doubts = lines("try.doubts", [...a.warnings.map(french), ...a.policy_rules.map((one) => el("span", {}, el("code", {}, one.id), " ", french(one.text))),
      ...(a.degraded ? [t("try.degraded")] : [])]);
    const stamp = t("try.stamp", { position: a.position, policy: a.policy_version, by: a.needed_by_ms ? moment(a.needed_by_ms) : "—", radius: a.radius_m ? km(a.radius_m) : "—" });
    const examined = t("try.examined", { count: a.examined_count, all: a.examined_all ? t("try.examined_all") : "" });
    byId("try-answer").replaceChildren(outcome, ...options, ...near, ...exclusions, ...alike, ...sites, ...gains, ...doubts, el("p", { class: "soft small" }, stamp, " ", examined));
  }
}

function who(option) {
  const name = option.practitioner ? `${option.practitioner}, ` : "";
  return el("span", {}, `${name}${option.place}`, el("span", { class: "id" }, [option.city, option.slot_id].filter(Boolean).join(" · ")));
}

const care = (option) => `${word("modality", option.modality)}, ${word("appointment", option.appointment_type)}`;

const unknowns = (option) => (option.unknowns.length ? el("span", { class: "id" }, t("try.unknowns", { what: option.unknowns.join(", ") })) : null);

const NUMBERS = new Set(["rank", "wait", "travel", "distance", "cost", "count"]);

function table(title, columns, rows, empty) {
  if (!rows.length) return empty && has(empty) ? [el("h3", {}, t(title)), el("p", { class: "soft" }, t(empty))] : [];
  const kind = (column) => (NUMBERS.has(column) ? "num" : undefined);
  const head = el("tr", {}, columns.map((column) => el("th", { scope: "col", class: kind(column) }, t(`col.${column}`))));
  const body = rows.map((row) => el("tr", {}, row.map((cell, at) => el(at ? "td" : "th", { class: kind(columns[at]), scope: at ? undefined : "row" }, cell))));
  const inner = el("table", {}, el("caption", { class: "hidden" }, t(title)), el("thead", {}, head), el("tbody", {}, body));
  return [el("h3", {}, t(title)), el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t(title) }, inner)];
}
