// The page while the ledger is opened: says what is waited for, and gives way to the console once that is there.
import { byId, el, show, ask } from "./dom.js";
import { t, translate } from "./words.js";
import { conditions } from "./conditions.js";
import { switches } from "./switches.js";

const EVERY_MS = 2000;

let missing = [];
let isReached = true;

function draw() {
  show(byId("waits"), missing.length ? conditions(missing) : el("p", { class: "soft" }, t("waiting")));
  byId("live").dataset.state = isReached ? "starting" : "stale";
  const text = t(isReached ? "start.live" : "live.never");
  if (byId("live-text").textContent !== text) byId("live-text").textContent = text;
}

async function look() {
  try {
    const told = await (await ask("console/start")).json();
    if (told.is_open) { location.reload(); return; }
    // Nothing is wrong with a start.
    missing = told.missing.map((one) => ({ ...one, degrades: false }));
    isReached = true;
  } catch {
    isReached = false;
  }
  draw();
  setTimeout(look, EVERY_MS);
}

translate();
switches({ onLanguage: draw, onTheme: () => {} });
look();
