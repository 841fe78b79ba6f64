// The tab "Can I trust this?": a verdict a measure with its reason, and where to look.

import { Chart } from "viewer/chart.js";
import { clock, make } from "viewer/dom.js";
import { errorOf, sigmaOf } from "viewer/series.js";
import { colour, css } from "viewer/theme.js";

const ORDER = ["bad", "look", "good"];
const LEVELS = { good: ["✓", "good"], look: ["!", "have a look"], bad: ["✕", "don't trust"] };

export function addTrust(viewer) {
  viewer.addTab({ id: "trust", title: "Can I trust this?", build: (page) => build(viewer, page) });
}

function build(viewer, page) {
  const verdicts = make("div", { class: "verdicts" });
  const about = make("div", { class: "about" });
  const charts = [
    ["How far the 3D joints are from what was seen, % of the person's size", (person) => errorOf(person)?.map((share) => 100 * share), "reprojection"],
    ["How far off joints may be (σ, mean of all), cm", (person) => sigmaOf(person).map((metres) => 100 * metres), "uncertainty"],
  ].map(([label, of, name]) => {
    const chart = new Chart(viewer, { label, height: 84 });
    return { chart, of, name, element: make("div", { class: "plot" }, make("div", { class: "plot-head" }, make("span", {}, label)), chart.element) };
  });
  page.append(verdicts, ...charts.map(({ element }) => element), about);

  function refresh() {
    const { clip, selected } = viewer;
    const person = clip.person(selected);
    const own = clip.verdicts.filter((verdict) => verdict.track_id === null || verdict.track_id === selected);
    verdicts.replaceChildren(
      make("h2", {}, person ? `Person ${person.id}: ${inShort(own)}` : "There is nobody to be judged"),
      ...ORDER.flatMap((level) => own.filter((verdict) => verdict.level === level)).map((verdict) => card(viewer, verdict)));
    for (const { chart, of, name } of charts) {
      const limits = clip.limits[name].map((limit) => 100 * limit);
      const values = person && of(person);
      chart.set({
        lines: values ? [{ times: clip.times, values, colour: css(colour(person.hue)) }] : [], limits, floor: 0,
      });
    }
    about.replaceChildren(...aboutLines(clip));
  }
  for (const name of ["select", "clip", "show"]) viewer.on(name, refresh);
  viewer.on("frame", () => !page.hidden && charts.forEach(({ chart }) => chart.moveHead()));
  refresh();
}

function inShort(verdicts) {
  const count = (level) => verdicts.filter((verdict) => verdict.level === level).length;
  const [bad, look] = [count("bad"), count("look")];
  if (bad) return `don't trust ${bad} of ${verdicts.length} answers below`;
  return look ? `good, but have a look at ${look} of ${verdicts.length} answers below` : "all good";
}

function card(viewer, { title, level, text, reason, spans }) {
  const [mark, word] = LEVELS[level];
  return make("article", { class: `verdict ${level}` },
    make("h3", {}, title, make("span", { class: "level" }, make("span", { "aria-hidden": "true" }, `${mark} `), word)),
    make("p", {}, text), make("p", { class: "quiet" }, reason),
    spans.length ? make("p", { class: "spans" }, "Look at ", ...spans.map(([start, stop]) => make("button", {
      type: "button", title: `Go to ${clock(start)}`, onClick: () => viewer.playback.seekTime(start),
    }, stop > start ? `${clock(start)}–${clock(stop)}` : clock(start)))) : null);
}

function aboutLines(clip) {
  const { about } = clip;
  return [
    make("h2", {}, "How it was made"),
    make("p", {}, `${about.frames} frames of ${clip.width} × ${clip.height} px; detector ${about.detector}; ${about.grounding}.`),
    ...(about.warnings.length ? [make("ul", {}, ...about.warnings.map((line) => make("li", {}, line)))] : []),
  ];
}
