// Building blocks. Text is always set as text: nothing that a publisher wrote becomes markup.
import { t } from "./words.js";

export const byId = (id) => document.getElementById(id);

export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** The sign of a state: its shape says what its colour says. */
export function sign(shape, colour) {
  const shapes = {
    circle: () => svg("circle", { cx: 8, cy: 8, r: 6 }),
    ring: () => svg("circle", { cx: 8, cy: 8, r: 5, fill: "none", "stroke-width": 2.5 }),
    triangle: () => svg("path", { d: "M8 1.5 15 14H1z" }),
    square: () => svg("rect", { x: 2, y: 2, width: 12, height: 12 }),
    bar: () => svg("rect", { x: 1, y: 4, width: 14, height: 8 }),
  };
  const node = svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, shapes[shape]());
  node.style.fill = `var(--${colour})`;
  node.style.stroke = shape === "ring" ? `var(--${colour})` : "none";
  return node;
}

export const state = (tone, shape, colour, text) => el("span", { class: `state ${tone}` }, sign(shape, colour), text);

/** Replaces what is in a node only when it would look different, so that focus and reading are not disturbed. */
export function show(node, ...children) {
  const next = el("div", {}, ...children);
  if (node.innerHTML !== next.innerHTML) node.replaceChildren(...next.childNodes);
}

export function problem(node, text) {
  node.hidden = !text;
  if (node.textContent !== text) node.textContent = text;
}

export const failure = (error) => t("failed", { why: error instanceof Refusal ? error.message : t("failed.network") });

/** The service answered, and refused. */
export class Refusal extends Error {
  constructor(body) {
    super(body.message ?? "");
    this.violations = body.violations ?? [];
  }
}

export async function ask(path, options) {
  const answer = await fetch(path, { credentials: "same-origin", cache: "no-cache", ...options });
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({ message: `HTTP ${answer.status}.` }));
  throw new Refusal(body);
}
