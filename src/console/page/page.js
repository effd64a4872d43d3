// The page: takes the service's updates and shows them, and never says that it is live when it is not.
import { byId, el, state, show, problem, ask, failure } from "./dom.js";
import { t, word, number, percent, moment, length, clock, translate, zone } from "./words.js";
import { switches } from "./switches.js";
import { conditions } from "./conditions.js";
import { Listing, showRows } from "./listing.js";
import { bars, legend } from "./chart.js";
import { PlacesMap } from "./map.js";
import { Trial } from "./trial.js";

const STALE_AFTER_MS = 7000;
const SERIES = [
  { label: "chart.found", colour: "s1", outcomes: ["APPOINTMENT", "WALK_IN"] },
  { label: "chart.remote", colour: "s2", outcomes: ["TELECONSULTATION", "HOME_VISIT"] },
  { label: "chart.advice", colour: "s6", outcomes: ["MEDICAL_ADVICE"] },
  { label: "chart.emergency", colour: "s4", outcomes: ["EMERGENCY_DISPATCH", "EMERGENCY_DEPARTMENT"] },
  { label: "chart.none", colour: "s5", outcomes: ["NO_SLOT_IN_TIME"] },
].map((one) => ({ ...one, of: (minute) => one.outcomes.reduce((sum, code) => sum + (minute.answers[code] ?? 0), 0) }));
const CLAIMS = [
  { label: "claims.holds", colour: "s1", of: (minute) => minute.holds },
  { label: "claims.conflicts", colour: "s5", of: (minute) => minute.conflicts },
];
const TONES = {
  MET: ["good", "circle", "met"], TENSE: ["warn", "triangle", "tense"], NONE_FREE: ["bad", "square", "none"], UNKNOWN: ["soft", "ring", "unknown"],
  CERTAIN: ["good", "circle", "met"], UNCERTAIN: ["warn", "triangle", "tense"], HIDDEN: ["bad", "square", "none"],
  current: ["good", "circle", "met"], behind: ["warn", "triangle", "tense"], silent: ["soft", "ring", "unknown"], differs: ["bad", "square", "none"],
  unknown: ["soft", "ring", "unknown"],
};
const told = (family, code) => state(...TONES[code], word(family, code));

let board = null;
let receivedAt = 0;
let full = null;
let map = null;
let trial = null;

const tension = new Listing("tension", [
  ["territory", "territory", "", (row) => [row.name, el("span", { class: "id" }, row.territory)]],
  ["specialty", "specialty", "", (row) => el("span", { title: row.label, lang: "fr" }, row.label || row.need, el("span", { class: "id" }, row.need))],
  ["age", "age", "nowrap", (row) => word("band", row.age)],
  ["wait", "wait", "num", (row) => (row.wait_s === null ? "—" : length(row.wait_s))],
  ["threshold", "threshold", "num", (row) => length(row.threshold_s)],
  ["free", "free", "num", (row) => number(row.free)],
  ["schedules", "schedules", "num", (row) => [number(row.schedules), row.silent ? el("span", { class: "id" }, t("tension.silent", { count: row.silent })) : ""]],
  ["state", "state", "nowrap", (row) => told("state", row.state)],
]);
const sources = new Listing("sources", [
  ["id", "id", "", (row) => row.id],
  ["state", "state", "nowrap", (row) => told("source", row.state)],
  ["heard", "heard", "num", (row) => (row.heard_s === null ? "—" : length(row.heard_s))],
  ["lease", null, "num", (row) => (row.lease_s === null ? t("sources.no_lease") : length(row.lease_s))],
  ["hides", "hides", "num", (row) => (row.hides_ms === null ? "—" : moment(row.hides_ms))],
  ["schedules", "schedules", "num", (row) => number(row.schedules)],
]);
const INSTANCE_COLUMNS = [
  ["id", "", (row) => [el("span", { class: "mono" }, row.id), row.is_self ? el("span", { class: "id" }, t("instances.self")) : ""]],
  ["state", "nowrap", (row) => told("instance", row.state)],
  ["version", "", (row) => row.version || "—"],
  ["address", "", (row) => row.address || "—"],
  ["position", "num", (row) => row.position],
  ["lag", "num", (row) => (row.lag_changes === null ? "—" : `${t("instances.changes", { count: row.lag_changes })}, ${number(row.lag_ms)} ms`)],
  ["digest", "mono", (row) => row.digest || "—"],
  ["heard", "nowrap", (row) => (row.heard_s === null ? "—" : t("ago", { age: length(row.heard_s) }))],
];

function drawConditions() {
  show(byId("conditions-body"), board.conditions.length ? conditions(board.conditions) : el("p", { class: "notice good" }, t("conditions.none")));
}

function drawTiles() {
  const minutes = board.activity;
  const sum = (of) => minutes.reduce((all, minute) => all + of(minute), 0);
  const asked = sum((minute) => SERIES.reduce((all, one) => all + one.of(minute), 0));
  const found = sum(SERIES[0].of) + sum(SERIES[1].of);
  const searched = found + sum(SERIES[4].of);
  const last = minutes.at(-2);
  const tiles = [
    ["tile.questions", last ? SERIES.reduce((all, one) => all + one.of(last), 0) : "—"],
    ["tile.found", searched ? percent(found / searched) : "—"],
    ["tile.live_holds", board.live_holds],
    ["tile.holds", sum((minute) => minute.holds)],
    ["tile.conflicts", sum((minute) => minute.conflicts)],
    ["tile.confirms", sum((minute) => minute.confirms)],
    ["tile.tense", board.tension.tense, el("small", {}, ` ${t("tile.needs", { total: board.tension.total + board.tension.left_out })}`)],
    ["tile.schedules", board.schedules],
    ["tile.position", board.position],
  ];
  show(byId("tiles"), tiles.map(([key, value, more]) => {
    const told = typeof value === "number" ? number(value) : value;
    return el("div", {}, el("dt", {}, t(key, { count: typeof value === "number" ? value : 2 })), el("dd", {}, told, more));
  }));
  return asked;
}

function drawActivity(asked) {
  const minutes = board.activity;
  const per = (minute) => SERIES.reduce((all, one) => all + one.of(minute), 0);
  const sum = (one) => minutes.reduce((all, minute) => all + one.of(minute), 0);
  bars(byId("chart"), minutes, SERIES, { height: 150, label: t("activity.chart", { total: asked, most: Math.max(0, ...minutes.map(per)) }) });
  legend(byId("chart-legend"), SERIES, SERIES.map(sum));
  bars(byId("claims-chart"), minutes, CLAIMS, { height: 90, label: t("claims.chart", { holds: sum(CLAIMS[0]), conflicts: sum(CLAIMS[1]) }) });
  legend(byId("claims-legend"), CLAIMS, CLAIMS.map(sum));
  if (!byId("activity-details").open) return;
  const heads = [t("activity.minute"), t("activity.total"), ...SERIES.map((one) => t(one.label)), ...CLAIMS.map((one) => t(one.label)), t("claims.confirms"), t("claims.expired")];
  show(document.querySelector("#activity-table thead tr"), heads.map((text) => el("th", { scope: "col" }, text)));
  const lines = [...minutes].reverse().map((minute) => {
    const cells = [per(minute), ...SERIES.map((one) => one.of(minute)), ...CLAIMS.map((one) => one.of(minute)), minute.confirms, minute.expired];
    return el("tr", {}, el("th", { scope: "row" }, clock(minute.at)), cells.map((value) => el("td", { class: "num" }, number(value))));
  });
  showRows(document.querySelector("#activity-table tbody"), lines);
}

function drawInstances() {
  show(byId("instances-head"), INSTANCE_COLUMNS.map(([key, kind]) => el("th", { scope: "col", class: kind === "num" ? kind : undefined }, t(`instances.${key}`))));
  const lines = board.instances.map((row) => el("tr", {}, INSTANCE_COLUMNS.map(([, kind, cell], at) =>
    el(at ? "td" : "th", { class: kind, scope: at ? undefined : "row" }, cell(row)))));
  showRows(document.querySelector("#instances-table tbody"), lines);
  problem(byId("instances-problem"), board.unseen_s === null ? "" : t("instances.unseen", { age: length(board.unseen_s) }));
}

function draw() {
  if (!board) return;
  drawConditions();
  drawActivity(drawTiles());
  drawInstances();
  byId("tension-seen").textContent = t("tension.seen", { age: length(Math.round(board.tension_age_ms / 1000)) });
  tension.update(board.tension);
  sources.update(board.sources);
  const size = number(board.bytes);
  byId("about").textContent = t("about", { version: board.version, instance: board.instance, zone, id: board.id, size });
}

/** Says how live the page is; a screen reader hears it when that changes, not every second. */
function tellLiveness() {
  const age = board ? Date.now() - receivedAt + board.age_ms : 0;
  const now = full ? "full" : board && Date.now() - receivedAt < STALE_AFTER_MS ? "live" : board || performance.now() > STALE_AFTER_MS ? "stale" : "starting";
  const node = byId("live");
  const texts = {
    full: () => t("live.full", { max: full }), live: () => t("live.live"), starting: () => t("live.starting"),
    stale: () => (board ? t("live.stale", { age: length(Math.floor(age / 5000) * 5) }) : t("live.never")),
  };
  node.dataset.state = now;
  document.body.classList.toggle("stale", now === "stale" || now === "full");
  const text = texts[now]();
  if (byId("live-text").textContent !== text) byId("live-text").textContent = text;
}

function listen() {
  const events = new EventSource("console/events");
  events.addEventListener("board", (event) => {
    board = { ...JSON.parse(event.data), id: event.lastEventId, bytes: event.data.length };
    receivedAt = Date.now();
    full = null;
    draw();
    map?.update(board.map);
    tellLiveness();
  });
  events.addEventListener("full", (event) => { full = JSON.parse(event.data).max; tellLiveness(); });
  // Only a refused connection ends for good: the browser itself tries again after any other.
  events.addEventListener("error", () => {
    tellLiveness();
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}

async function start() {
  translate();
  listen();
  setInterval(tellLiveness, 1000);
  try {
    const codes = await (await ask("console/codes")).json();
    map = new PlacesMap(codes.departments, { tileUrl: codes.tile_url, onPick: (latitude, longitude) => trial?.pick(latitude, longitude) });
    trial = new Trial(codes, map);
    map.legend();
    if (board) map.update(board.map);
    document.body.dataset.ready = "yes";
  } catch (error) {
    problem(byId("map-problem"), failure(error));
  }
}

function redraw() {
  tension.redraw();
  sources.redraw();
  draw();
  map?.translate();
  map?.draw();
  trial?.translate();
  byId("live-text").textContent = "";
  tellLiveness();
}

switches({ onLanguage: redraw, onTheme: () => map?.draw() });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => map?.draw());
byId("activity-details").addEventListener("toggle", draw);
start();
