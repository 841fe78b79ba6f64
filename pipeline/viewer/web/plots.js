// The tab of plots: three quantities of the selected person, and when feet rest on the ground.

import { Chart } from "viewer/chart.js";
import { make } from "viewer/dom.js";
import { contactSpans, quantities } from "viewer/series.js";
import { colour, css } from "viewer/theme.js";

const FIRST = ["angle knee flexion", "speed pelvis", "height wrist"];
const FEET = ["left heel", "left toe", "right heel", "right toe"];

export function addPlots(viewer) {
  // what is plotted: compare.js adds the second clip's person, `shift` seconds later
  viewer.plotted = () => [{ clip: viewer.clip, person: viewer.clip.person(viewer.selected), shift: 0 }];
  viewer.addTab({ id: "plots", title: "Plots", build: (page) => build(viewer, page) });
}

function build(viewer, page) {
  const known = quantities(viewer.clip);
  const groups = { angle: "Angles", height: "Heights", speed: "Speeds" };
  const panels = FIRST.map((first, number) => {
    const select = make("select", { "aria-label": `Plot ${number + 1}`, onChange: () => fill(panel) },
      ...Object.entries(groups).map(([kind, title]) => {
        const group = make("optgroup", { label: title });
        for (const { id, title: name } of known.filter((one) => one.id.startsWith(kind))) {
          group.append(make("option", { value: id, selected: id === first }, name));
        }
        return group;
      }));
    const values = make("output", { class: "values" });
    const chart = new Chart(viewer, { label: "", height: 70 });
    const panel = { select, values, chart, lines: [] };
    page.append(make("div", { class: "plot" }, make("div", { class: "plot-head" }, select, values), chart.element));
    return panel;
  });
  const bars = new Chart(viewer, { label: "When heels and toes are on the ground", height: 52 });
  page.append(make("div", { class: "plot" },
    make("div", { class: "plot-head" }, make("span", {}, "On the ground")), bars.element));

  function fill(panel) {
    const quantity = known.find((one) => one.id === panel.select.value);
    panel.lines = [];
    for (const { clip, person, shift, isOther = false } of viewer.plotted()) {
      if (!person) continue;
      const times = shift ? clip.times.map((time) => time + shift) : clip.times;
      for (const { side, label, of } of quantity.parts) {
        panel.lines.push({
          times, clip, shift, side, label, values: of(clip, person), isDashed: isOther,
          colour: css(colour(person.hue, side)),
        });
      }
    }
    panel.quantity = quantity;
    panel.chart.canvas.setAttribute("aria-label", `${quantity.title} over time; values now stand beside it`);
    panel.chart.set({ lines: panel.lines, unit: quantity.unit.trim() === "°" ? "°" : "" });
    panel.values.replaceChildren(...panel.lines.map((line) => {
      const mark = make("i", { class: line.isDashed ? "dashed" : "" });
      mark.style.borderColor = line.colour;
      line.text = document.createTextNode("");
      return make("span", {}, mark, line.text);
    }));
    read(panel);
  }

  function read({ quantity, lines }) {
    for (const line of lines) {
      const value = line.values[line.clip.frameAt(viewer.playback.time - line.shift)];
      const text = Number.isFinite(value) ? `${value.toFixed(quantity.digits)}${quantity.unit}` : "–";
      line.text.data = `${line.label} ${text}`;
    }
  }

  function refresh() {
    panels.forEach(fill);
    const person = viewer.clip.person(viewer.selected);
    bars.set({
      bars: FEET.map((label, which) => ({
        label: label.replace("left", "L").replace("right", "R"),
        colour: person ? css(colour(person.hue, which < 2 ? "l" : "r")) : "none",
        spans: person ? contactSpans(viewer.clip, person, which) : [],
      })),
    });
  }

  for (const name of ["select", "clip", "show", "compare"]) viewer.on(name, refresh);
  viewer.on("frame", () => {
    if (page.hidden) return;
    bars.moveHead();
    for (const panel of panels) {
      panel.chart.moveHead();
      read(panel);
    }
  });
  refresh();
}
