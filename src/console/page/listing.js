// A table that is sorted, filtered and paged by the service: the first page comes with every update, any other is asked for.
import { byId, el, show, problem, failure, ask } from "./dom.js";
import { t, number } from "./words.js";

const ROWS = 25;
const FILTER_PAUSE_MS = 200;
const OTHER_PAGE_EVERY = 5;

export class Listing {
  /** `columns`: [key, sort key or null, class, cell(row)]; the first column names its row. */
  constructor(name, columns) {
    Object.assign(this, { name, columns, page: 0, sort: "", down: false, filter: "", total: 0, asked: 0, updates: 0 });
    this.body = document.querySelector(`#${name}-table tbody`);
    this.filterBox = byId(`${name}-filter`);
    this.filterBox.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => { this.filter = this.filterBox.value.trim(); this.go(0); }, FILTER_PAUSE_MS);
    });
    byId(`${name}-before`).addEventListener("click", () => this.go(this.page - 1));
    byId(`${name}-next`).addEventListener("click", () => this.go(this.page + 1));
    this.head();
  }

  head() {
    const cells = this.columns.map(([key, sort, kind]) => {
      const label = t(`${this.name}.${key}`);
      const isSorted = sort && this.sort === sort;
      const order = isSorted ? (this.down ? "descending" : "ascending") : sort ? "none" : undefined;
      const arrow = isSorted ? el("span", { "aria-hidden": "true" }, this.down ? " ▼" : " ▲") : "";
      const inner = sort ? el("button", { type: "button", "data-sort": sort }, label, arrow) : label;
      return el("th", { scope: "col", class: kind, "aria-sort": order }, inner);
    });
    const row = byId(`${this.name}-head`);
    const focused = row.contains(document.activeElement) ? document.activeElement.dataset.sort : null;
    row.replaceChildren(...cells);
    for (const button of row.querySelectorAll("button")) {
      button.addEventListener("click", () => this.sortBy(button.dataset.sort));
      if (button.dataset.sort === focused) button.focus();
    }
  }

  sortBy(key) {
    this.down = this.sort === key && !this.down;
    this.sort = key;
    this.head();
    this.go(0);
  }

  isFirstPage() { return this.page === 0 && !this.sort && !this.filter; }

  go(page) {
    this.page = Math.max(0, page);
    return this.load();
  }

  /** What came with an update. */
  update(listed) {
    this.updates += 1;
    byId(`${this.name}-more`).textContent = listed.left_out ? t(`${this.name}.left_out`, { count: listed.left_out }) : "";
    if (this.isFirstPage()) this.draw(listed);
    else if (this.updates % OTHER_PAGE_EVERY === 0) this.load();
  }

  async load() {
    const asked = ++this.asked;
    const query = new URLSearchParams({ page: this.page, sort: this.sort, order: this.down ? "desc" : "asc", q: this.filter });
    try {
      const listed = await (await ask(`console/${this.name}?${query}`)).json();
      if (asked !== this.asked) return;
      problem(byId(`${this.name}-problem`), "");
      this.draw(listed);
    } catch (error) {
      if (asked === this.asked) problem(byId(`${this.name}-problem`), failure(error));
    }
  }

  draw({ total, rows }) {
    this.total = total;
    this.rows = rows;
    const lines = rows.map((row) => el("tr", {}, this.columns.map(([, , kind, cell], at) =>
      el(at === 0 ? "th" : "td", { class: kind, scope: at === 0 ? "row" : undefined }, cell(row)))));
    const empty = el("tr", {}, el("td", { colspan: this.columns.length, class: "soft" }, t(this.filter ? "page.no_match" : "page.none")));
    showRows(this.body, lines.length ? lines : [empty]);
    const from = this.page * ROWS;
    const text = total ? t("page", { from: number(from + 1), to: number(from + rows.length), total: number(total) }) : "";
    show(byId(`${this.name}-page`), text);
    byId(`${this.name}-before`).disabled = this.page === 0;
    byId(`${this.name}-next`).disabled = from + ROWS >= total;
  }

  redraw() {
    this.head();
    if (this.rows) this.draw({ total: this.total, rows: this.rows });
  }
}

/** Rows that did not change stay the nodes that they are. */
export function showRows(body, lines) {
  lines.forEach((line, at) => {
    const old = body.children[at];
    if (!old) body.append(line);
    else if (old.innerHTML !== line.innerHTML) old.replaceWith(line);
  });
  while (body.children.length > lines.length) body.lastChild.remove();
}
