// Bars a minute, stacked, as SVG; what they show stands in a table too.
import { svg, el, sign, show } from "./dom.js";
import { t, clock, number } from "./words.js";

const WIDTH = 720;
const LEFT = 34;
const TICKS = [0, 15, 30, 45, 59];

function ceiling(most) {
  for (let unit = 1; ; unit *= 10) for (const step of [1, 2, 5]) if (unit * step >= most) return unit * step;
}

/** `series`: [{ label key, colour, of(minute) }], stacked in this order. */
export function bars(node, minutes, series, { height, label }) {
  const bottom = height - 16;
  const most = Math.max(1, ...minutes.map((minute) => series.reduce((sum, one) => sum + one.of(minute), 0)));
  const top = ceiling(most);
  const step = (WIDTH - LEFT) / Math.max(1, minutes.length);
  const parts = [];
  for (const value of top >= 2 ? [top / 2, top] : [top]) {
    const y = bottom - (bottom - 8) * (value / top);
    parts.push(svg("line", { x1: LEFT, x2: WIDTH, y1: y, y2: y }));
    parts.push(svg("text", { x: LEFT - 5, y: y + 4, "text-anchor": "end" }, number(value)));
  }
  minutes.forEach((minute, at) => {
    let y = bottom;
    for (const one of series) {
      const tall = (bottom - 8) * (one.of(minute) / top);
      if (tall <= 0) continue;
      y -= tall;
      const bar = svg("rect", { x: (LEFT + at * step + 0.8).toFixed(1), y: y.toFixed(1), width: Math.max(1, step - 1.6).toFixed(1), height: tall.toFixed(1) });
      bar.style.fill = `var(--${one.colour})`;
      parts.push(bar);
    }
    if (TICKS.includes(at)) {
      const anchor = at === minutes.length - 1 ? "end" : "start";
      const x = anchor === "end" ? WIDTH : LEFT + at * step;
      parts.push(svg("text", { x: x.toFixed(1), y: height - 3, "text-anchor": anchor }, clock(minute.at)));
    }
  });
  parts.push(svg("line", { x1: LEFT, x2: WIDTH, y1: bottom, y2: bottom, class: "base" }));
  show(node, svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": label }, ...parts));
}

export function legend(node, series, totals) {
  show(node, series.map((one, at) => el("li", {}, sign("bar", one.colour), t("told", { what: t(one.label), value: totals[at] }))));
}
