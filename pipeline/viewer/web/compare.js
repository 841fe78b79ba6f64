// The tab "Compare": the second clip as a ghost in the first one's time, and how angles differ.
//
// `viewer.settings.compare` has `people`, the id in each clip, and `shift_s`, which is added to the
// second one's times. Event "compare": the shift or the people have changed.

import { Chart } from "viewer/chart.js";
import { make } from "viewer/dom.js";
import { quantities } from "viewer/series.js";
import { colour, css } from "viewer/theme.js";

const GHOST = 0.5;
const GAP_S = 0.1; // a frame of the second clip stands for a time if it is no farther away

export function addComparison(viewer) {
  const other = viewer.clips[1];
  const given = viewer.settings.compare;
  const state = { shift: given.shift_s, person: given.people[1], isInPlace: true };
  viewer.comparison = state;
  viewer.select(given.people[0]);

  const rowAt = (time) => {
    const frame = other.frameAt(time - state.shift);
    const isNear = Math.abs(other.times[frame] - (time - state.shift)) < Math.max(GAP_S, 1 / other.fps);
    return isNear ? other.person(state.person)?.row(frame) ?? -1 : -1;
  };
  state.rowAt = rowAt;

  viewer.ghost = (figures, frame) => {
    const person = other.person(state.person);
    const row = rowAt(viewer.clip.times[frame]);
    if (!person?.isKnown(row)) return;
    let move = [0, 0, 0];
    const main = viewer.clip.person(viewer.selected);
    const mainRow = main?.row(frame) ?? -1;
    if (state.isInPlace && main?.isKnown(mainRow)) {
      const [to, from] = [main.joint(mainRow, 0), person.joint(row, 0)];
      move = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
    }
    figures.person(other, person, (joint) => person.joint(row, joint).map((value, axis) => value + move[axis]), GHOST);
  };

  viewer.plotted = () => [
    { clip: viewer.clip, person: viewer.clip.person(viewer.selected), shift: 0 },
    { clip: other, person: other.person(state.person), shift: state.shift, isOther: true },
  ];
  viewer.addTab({ id: "compare", title: "Compare", build: (page) => build(viewer, page, state, other) });
}

function build(viewer, page, state, other) {
  const { clip } = viewer;
  const changed = () => {
    viewer.emit("compare");
    viewer.redraw();
  };
  const first = make("select", { "aria-label": `Person of ${clip.name}`, onChange: () => viewer.select(Number(first.value)) },
    ...clip.people.map(({ id }) => make("option", { value: id, selected: id === viewer.selected }, `Person ${id}`)));
  const second = make("select", {
    "aria-label": `Person of ${other.name}`,
    onChange: () => {
      state.person = Number(second.value);
      changed();
    },
  }, ...other.people.map(({ id }) => make("option", { value: id, selected: id === state.person }, `Person ${id}`)));
  const shift = make("input", {
    type: "number", step: 0.01, value: state.shift.toFixed(2), "aria-label": "Seconds by which the second is later",
    onInput: () => {
      state.shift = Number(shift.value) || 0;
      changed();
    },
  });
  const nudge = (text, frames) => make("button", {
    type: "button", title: `Move the second by ${frames} frame`,
    onClick: () => {
      state.shift += frames / other.fps;
      shift.value = state.shift.toFixed(2);
      changed();
    },
  }, text);
  const place = make("input", {
    type: "checkbox", checked: state.isInPlace,
    onChange: () => {
      state.isInPlace = place.checked;
      changed();
    },
  });
  const by = make("select", { "aria-label": "Angle", onChange: refresh });
  const chart = new Chart(viewer, { label: "", height: 96 });
  const table = make("table", { class: "differences" });
  page.append(
    make("div", { class: "row" },
      make("span", { class: "solid" }, clip.name), first, make("span", { class: "quiet" }, "and, as a ghost,"),
      make("span", { class: "ghost" }, other.name), second),
    make("div", { class: "row" },
      make("label", {}, "Later by ", shift, " s"), nudge("◂", -1), nudge("▸", 1),
      make("label", {}, place, "in the same place")),
    make("div", { class: "plot" }, make("div", { class: "plot-head" }, by, make("span", { class: "quiet" }, "second less first")), chart.element),
    table);

  function refresh() {
    const main = viewer.clip.person(viewer.selected);
    const ghost = other.person(state.person);
    if (!main || !ghost) return;
    first.value = String(main.id);
    const theirs = quantities(other).filter(({ id }) => id.startsWith("angle"));
    const rows = quantities(viewer.clip).filter(({ id }) => id.startsWith("angle")).map((quantity) => {
      const same = theirs.find(({ id }) => id === quantity.id);
      return {
        quantity,
        parts: quantity.parts.map((part, i) => ({
          ...part, values: same ? difference(viewer, state, part, same.parts[i], main, ghost, other) : new Float32Array(0),
        })),
      };
    });
    const chosen = by.value || "angle knee flexion";
    by.replaceChildren(...rows.map(({ quantity: { id, title } }) =>
      make("option", { value: id, selected: id === chosen }, title)));
    const { quantity, parts } = rows.find((row) => row.quantity.id === chosen) ?? rows[0];
    chart.canvas.setAttribute("aria-label", `${quantity.title}: second less first, over time`);
    chart.set({
      unit: "°", floor: 0,
      lines: parts.map(({ side, values }) => ({ times: viewer.clip.times, values, colour: css(colour(main.hue, side)) })),
    });
    table.replaceChildren(
      make("caption", {}, "How far angles are apart on average, degrees"),
      make("tr", {}, ...["Angle", "right", "left"].map((text) => make("th", { scope: "col" }, text))),
      ...rows.map((row) => make("tr", {}, make("th", { scope: "row" }, row.quantity.title),
        ...[0, 1].map((i) => make("td", {}, row.parts[i] ? meanSize(row.parts[i].values) : "")))));
  }
  for (const name of ["select", "compare", "show"]) viewer.on(name, refresh);
  viewer.on("frame", () => !page.hidden && chart.moveHead());
  refresh();
}

/** (frames of the first clip) degrees; NaN where one of them is not in view. */
function difference(viewer, state, part, theirPart, main, ghost, other) {
  const { clip } = viewer;
  const [ours, theirs] = [part.of(clip, main), theirPart.of(other, ghost)];
  return Float32Array.from(clip.times, (time, frame) => {
    const row = state.rowAt(time);
    if (row < 0) return NaN;
    const apart = theirs[ghost.rowFrames[row]] - ours[frame];
    return ((apart + 540) % 360) - 180;
  });
}

function meanSize(values) {
  let [sum, count] = [0, 0];
  for (const value of values) {
    if (Number.isFinite(value)) {
      sum += Math.abs(value);
      count++;
    }
  }
  return count ? (sum / count).toFixed(1) : "–";
}
