// The map: points of places on a canvas of their own, gathered in cells where they would cover each other.
// Shape and colour say the same; the tension table says it as text. Needs no tiles: a graticule and the centres of departments.
import { byId, el, ask, problem, failure, sign, show } from "./dom.js";
import { t, word, number } from "./words.js";

const NONE_FREE = 0, TENSE = 1, MET = 2, UNKNOWN = 3;
const STATES = [
  [MET, "MET", "circle", "met"], [TENSE, "TENSE", "triangle", "tense"],
  [NONE_FREE, "NONE_FREE", "square", "none"], [UNKNOWN, "UNKNOWN", "ring", "unknown"],
];
const CELL_PX = 26;
const SINGLE_MAX = 2500;
const HULLS_FROM_ZOOM = 8;
const NAMES_FROM_ZOOM = 7;
const WORLD = 256;

/** Places as the service packs them: a head in JSON, then columns, little-endian. */
function unpack(buffer) {
  const bytes = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, bytes)));
  const start = 4 + bytes + ((4 - (bytes % 4)) % 4);
  const n = head.count;
  const latitude = new Int32Array(buffer, start, n);
  const longitude = new Int32Array(buffer, start + 4 * n, n);
  const territory = new Uint32Array(buffer, start + 8 * n, n);
  const states = new Uint8Array(buffer.slice(start + 12 * n, start + 13 * n));
  const x = new Float64Array(n), y = new Float64Array(n);
  for (let i = 0; i < n; i += 1) {
    x[i] = mercatorX(longitude[i] / 1e5);
    y[i] = mercatorY(latitude[i] / 1e5);
  }
  return { ...head, territory, states, x, y };
}

const mercatorX = (longitude) => (WORLD * (longitude + 180)) / 360;
function mercatorY(latitude) {
  const sine = Math.sin((Math.max(-85.05, Math.min(85.05, latitude)) * Math.PI) / 180);
  return WORLD * (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI));
}

/** The convex hull of points [x, y], by Andrew's chain. */
function hullOf(points) {
  points.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const turn = (o, a, b) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
  const half = (list) => {
    const chain = [];
    for (const point of list) {
      while (chain.length > 1 && turn(chain.at(-2), chain.at(-1), point) <= 0) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(points), ...half([...points].reverse())];
}

/** What stands for many places: trouble shows as soon as it is a quarter of them. */
function gathered(counts) {
  const all = counts[0] + counts[1] + counts[2] + counts[3];
  if (counts[NONE_FREE] * 4 >= all) return NONE_FREE;
  if ((counts[NONE_FREE] + counts[TENSE]) * 4 >= all) return TENSE;
  return counts[UNKNOWN] * 2 > all ? UNKNOWN : MET;
}

export class PlacesMap {
  constructor(departments, { tileUrl, onPick }) {
    this.departments = departments.map((one) => ({ ...one, x: mercatorX(one.longitude), y: mercatorY(one.latitude) }));
    this.places = null;
    this.hasTiles = Boolean(tileUrl);
    const L = window.L;
    this.map = L.map("map", { zoomControl: false, attributionControl: this.hasTiles, minZoom: 2, maxZoom: 17, zoomSnap: 0.5, worldCopyJump: true });
    this.map.attributionControl?.setPrefix(false);
    if (tileUrl) L.tileLayer(tileUrl, { maxZoom: 17 }).addTo(this.map);
    this.canvas = el("canvas", { class: "points", "aria-hidden": "true" });
    this.map.getPanes().overlayPane.append(this.canvas);
    this.map.on("moveend zoomend resize viewreset", () => this.draw());
    this.map.on("zoomstart", () => { this.canvas.style.visibility = "hidden"; });
    this.map.on("click", ({ latlng }) => { this.mark(latlng.lat, latlng.lng); onPick(latlng.lat, latlng.lng); this.tell(latlng); });
    this.zoomControl();
    this.jumps();
    byId("jump").addEventListener("change", (event) => this.jump(event.target.value));
    this.jump("");
  }

  zoomControl() {
    this.zoom?.remove();
    this.zoom = window.L.control.zoom({ zoomInTitle: t("map.zoom_in"), zoomOutTitle: t("map.zoom_out") }).addTo(this.map);
  }

  jumps() {
    const kept = byId("jump").value;
    const choices = this.departments.map(({ code, name }) => el("option", { value: code }, `${code} ${name}`));
    byId("jump").replaceChildren(el("option", { value: "" }, t("map.mainland")), ...choices);
    byId("jump").value = kept;
  }

  jump(code) {
    const one = this.departments.find((department) => department.code === code);
    if (one) this.map.setView([one.latitude, one.longitude], 9, { animate: false });
    else this.map.fitBounds([[41.3, -5.2], [51.1, 9.6]], { animate: false });
  }

  center() { return this.map.getCenter(); }

  mark(latitude, longitude) {
    this.picked = Number.isFinite(latitude) && Number.isFinite(longitude) ? { x: mercatorX(longitude), y: mercatorY(latitude) } : null;
    this.draw();
  }

  /** Names the CPTS and the state of the nearest place, near enough to have been meant. */
  tell(latlng) {
    if (!this.places || this.isGathered) return;
    const scale = 2 ** this.map.getZoom();
    const [px, py] = [mercatorX(latlng.lng), mercatorY(latlng.lat)];
    let best = -1, least = (12 / scale) ** 2;
    for (let i = 0; i < this.places.count; i += 1) {
      const away = (this.places.x[i] - px) ** 2 + (this.places.y[i] - py) ** 2;
      if (away < least) { least = away; best = i; }
    }
    if (best < 0) return;
    const territory = this.places.territories[this.places.territory[best]]?.name ?? "—";
    const code = STATES.find(([value]) => value === this.places.states[best])[1];
    window.L.popup().setLatLng(latlng).setContent(el("div", {}, el("strong", {}, territory), el("br"), word("state", code))).openOn(this.map);
  }

  /** What an update says of the map: states that changed, or that the places are others. */
  async update(told) {
    const known = this.places;
    if (known && known.generation === told.generation && told.changed && known.revision >= told.since) {
      if (told.revision <= known.revision) return;
      for (let i = 0; i < told.changed.length; i += 2) known.states[told.changed[i]] = told.changed[i + 1];
      known.revision = Math.max(known.revision, told.revision);
      if (told.changed.length) { this.draw(); this.legend(); }
      return;
    }
    if (this.loading) return;
    this.loading = true;
    try {
      this.places = unpack(await (await ask("console/places")).arrayBuffer());
      this.hulls = null;
      problem(byId("map-problem"), "");
      this.draw();
      this.legend();
    } catch (error) {
      problem(byId("map-problem"), failure(error));
    } finally {
      this.loading = false;
    }
  }

  legend() {
    const counts = [0, 0, 0, 0];
    for (const one of this.places?.states ?? []) counts[one] += 1;
    show(byId("legend"), STATES.map(([value, code, shape, colour]) =>
      el("li", {}, sign(shape, colour), t("told", { what: word("state", code), value: counts[value] }))));
    const note = t(this.hasTiles ? "map.note_tiles" : "map.note", { places: this.places?.count ?? 0 });
    const left = this.places?.left_out ? ` ${t("map.left_out", { count: this.places.left_out })}` : "";
    byId("map-note").textContent = note + left;
  }

  translate() {
    this.zoomControl();
    this.jumps();
    this.legend();
  }

  draw() {
    const size = this.map.getSize();
    if (!size.x || !size.y) return;
    const ratio = window.devicePixelRatio || 1;
    Object.assign(this.canvas, { width: size.x * ratio, height: size.y * ratio });
    Object.assign(this.canvas.style, { width: `${size.x}px`, height: `${size.y}px`, visibility: "visible" });
    window.L.DomUtil.setPosition(this.canvas, this.map.containerPointToLayerPoint([0, 0]));
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const scale = 2 ** this.map.getZoom();
    const origin = this.map.project(this.map.getCenter()).subtract(size.divideBy(2));
    const view = { pen, size, scale, ox: origin.x, oy: origin.y, colour: (name) => style.getPropertyValue(`--${name}`).trim() };
    if (!this.hasTiles) this.drawGround(view);
    if (this.places) {
      if (this.map.getZoom() >= HULLS_FROM_ZOOM) this.drawHulls(view);
      this.drawPlaces(view);
    }
    if (this.picked) this.drawPicked(view);
  }

  drawGround({ pen, size, scale, ox, oy, colour }) {
    const zoom = this.map.getZoom();
    const step = zoom < 4 ? 10 : zoom < 6.5 ? 5 : zoom < 9 ? 1 : zoom < 12 ? 0.1 : 0.01;
    const bounds = this.map.getBounds();
    pen.lineWidth = 1;
    pen.strokeStyle = colour("grat");
    pen.fillStyle = colour("soft");
    pen.font = "10px system-ui, sans-serif";
    const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
    pen.beginPath();
    for (let k = Math.ceil(bounds.getWest() / step); k * step <= bounds.getEast(); k += 1) {
      const x = Math.round(mercatorX(k * step) * scale - ox) + 0.5;
      pen.moveTo(x, 0); pen.lineTo(x, size.y);
      pen.fillText(`${number(Math.abs(k * step), { maximumFractionDigits: digits })}° ${t(k < 0 ? "map.west" : "map.east")}`, x + 3, size.y - 4);
    }
    for (let k = Math.ceil(bounds.getSouth() / step); k * step <= bounds.getNorth(); k += 1) {
      const y = Math.round(mercatorY(k * step) * scale - oy) + 0.5;
      pen.moveTo(0, y); pen.lineTo(size.x, y);
      pen.textAlign = "right";
      if (y < size.y - 20) pen.fillText(`${number(Math.abs(k * step), { maximumFractionDigits: digits })}° ${t(k < 0 ? "map.south" : "map.north")}`, size.x - 4, y - 3);
    }
    pen.stroke();
    pen.textAlign = "center";
    for (const one of this.departments) {
      const x = one.x * scale - ox, y = one.y * scale - oy;
      if (x < 0 || y < 0 || x > size.x || y > size.y) continue;
      if (zoom >= 5) pen.fillText(zoom >= NAMES_FROM_ZOOM ? `${one.code} ${one.name}` : one.code, x, y + 3);
    }
    pen.textAlign = "start";
  }

  drawHulls({ pen, size, scale, ox, oy, colour }) {
    this.hulls ??= this.outlines();
    pen.strokeStyle = colour("hull");
    pen.lineWidth = 1.2;
    pen.setLineDash([5, 4]);
    pen.beginPath();
    for (const { hull, box } of this.hulls) {
      if (box[0] * scale > ox + size.x || box[2] * scale < ox || box[1] * scale > oy + size.y || box[3] * scale < oy) continue;
      hull.forEach(([x, y], at) => pen[at ? "lineTo" : "moveTo"](x * scale - ox, y * scale - oy));
      pen.closePath();
    }
    pen.stroke();
    pen.setLineDash([]);
  }

  outlines() {
    const { count, territory, territories, x, y } = this.places;
    const groups = territories.map(() => []);
    for (let i = 0; i < count; i += 1) groups[territory[i]]?.push([x[i], y[i]]);
    return groups.filter((points) => points.length > 2).map((points) => {
      const hull = hullOf(points);
      const xs = hull.map((one) => one[0]), ys = hull.map((one) => one[1]);
      return { hull, box: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] };
    });
  }

  drawPlaces({ pen, size, scale, ox, oy, colour }) {
    const { count, x, y, states } = this.places;
    const colours = [colour("none"), colour("tense"), colour("met"), colour("unknown")];
    const seen = [];
    for (let i = 0; i < count; i += 1) {
      const px = x[i] * scale - ox, py = y[i] * scale - oy;
      if (px > -20 && py > -20 && px < size.x + 20 && py < size.y + 20) seen.push(i);
    }
    this.isGathered = seen.length > SINGLE_MAX || this.map.getZoom() < 7;
    if (!this.isGathered) {
      for (const i of seen) glyph(pen, states[i], x[i] * scale - ox, y[i] * scale - oy, 4.5, colours);
      return;
    }
    const ground = colour("panel");
    const cells = new Map();
    for (const i of seen) {
      // Cells are fixed to the ground, so that panning does not shuffle them.
      const key = Math.floor((x[i] * scale) / CELL_PX) * 1e6 + Math.floor((y[i] * scale) / CELL_PX);
      let cell = cells.get(key);
      if (!cell) cells.set(key, (cell = { x: 0, y: 0, counts: [0, 0, 0, 0], all: 0 }));
      cell.x += x[i]; cell.y += y[i]; cell.all += 1; cell.counts[states[i]] += 1;
    }
    for (const cell of cells.values()) {
      const radius = Math.min(CELL_PX / 2 - 1, 3.5 + 1.6 * Math.log2(1 + cell.all));
      const x = (cell.x / cell.all) * scale - ox, y = (cell.y / cell.all) * scale - oy;
      const shown = gathered(cell.counts);
      glyph(pen, shown, x, y, radius, colours);
      // What is not the whole cell's state shows inside it, as large as its share.
      for (const state of [TENSE, NONE_FREE]) {
        if (state !== shown && cell.counts[state]) inner(pen, state, x, y, Math.max(2, radius * Math.sqrt(cell.counts[state] / cell.all)), colours, ground);
      }
    }
  }

  drawPicked({ pen, scale, ox, oy, colour }) {
    const x = this.picked.x * scale - ox, y = this.picked.y * scale - oy;
    for (const [width, style] of [[5, colour("panel")], [2, colour("text")]]) {
      pen.lineWidth = width;
      pen.strokeStyle = style;
      pen.beginPath();
      pen.arc(x, y, 8, 0, 2 * Math.PI);
      pen.moveTo(x - 14, y); pen.lineTo(x + 14, y);
      pen.moveTo(x, y - 14); pen.lineTo(x, y + 14);
      pen.stroke();
    }
  }
}

/** A sign on a sign, set off by the ground's colour. */
function inner(pen, state, x, y, radius, colours, ground) {
  glyph(pen, state, x, y, radius + 1.5, { ...colours, [state]: ground });
  glyph(pen, state, x, y, radius, colours);
}

function glyph(pen, state, x, y, radius, colours) {
  pen.fillStyle = pen.strokeStyle = colours[state];
  pen.beginPath();
  if (state === NONE_FREE) pen.rect(x - radius * 0.88, y - radius * 0.88, radius * 1.76, radius * 1.76);
  else if (state === TENSE) { pen.moveTo(x, y - radius * 1.1); pen.lineTo(x + radius, y + radius * 0.8); pen.lineTo(x - radius, y + radius * 0.8); pen.closePath(); }
  else pen.arc(x, y, radius, 0, 2 * Math.PI);
  if (state === UNKNOWN) { pen.lineWidth = 2; pen.stroke(); return; }
  pen.globalAlpha = 0.82;
  pen.fill();
  pen.globalAlpha = 1;
}
