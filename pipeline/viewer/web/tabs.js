// Tabs by the pattern of the ARIA authoring practices: arrow keys go from one to the next.

import { make } from "viewer/dom.js";

export class Tabs {
  #tabs = new Map();

  constructor(list, pages) {
    this.list = list;
    this.pages = pages;
    this.shown = null;
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      const ids = [...this.#tabs.keys()];
      const next = ids[(ids.indexOf(this.shown) + step + ids.length) % ids.length];
      this.show(next);
      this.#tabs.get(next).button.focus();
    });
  }

  /** Add a tab; `build` is given its empty page when it is first shown. */
  add({ id, title, build }) {
    const page = make("div", { id: `page-${id}`, role: "tabpanel", class: "page", hidden: true, tabIndex: 0, "aria-labelledby": `tab-${id}` });
    const button = make("button", {
      type: "button", id: `tab-${id}`, role: "tab", "aria-selected": "false", tabIndex: -1,
      "aria-controls": page.id, onClick: () => this.show(id),
    }, title);
    this.list.append(button);
    this.pages.append(page);
    this.#tabs.set(id, { button, page, build, isBuilt: false });
    if (this.shown === null) this.show(id);
    return page;
  }

  show(id) {
    this.shown = id;
    for (const [name, tab] of this.#tabs) {
      const isShown = name === id;
      tab.page.hidden = !isShown;
      tab.button.setAttribute("aria-selected", String(isShown));
      tab.button.tabIndex = isShown ? 0 : -1;
      if (isShown && !tab.isBuilt) {
        tab.isBuilt = true;
        tab.build(tab.page);
      }
    }
  }
}
