// Keys, and the help that lists them.

import { make } from "viewer/dom.js";

const TURN = 0.12;

export function addKeys(viewer) {
  const { playback, orbit } = viewer;
  const second = () => Math.max(1, Math.round(viewer.clip.fps));
  const others = (direction) => {
    const ids = viewer.clip.people.map((person) => person.id);
    if (ids.length) viewer.select(ids[(ids.indexOf(viewer.selected) + direction + ids.length) % ids.length]);
  };
  viewer.keys = {
    " ": ["Play, pause", () => playback.toggle()],
    ArrowLeft: ["Frame back", () => playback.step(-1)],
    ArrowRight: ["Frame ahead", () => playback.step(1)],
    j: ["Second back", () => playback.step(-second())],
    l: ["Second ahead", () => playback.step(second())],
    Home: ["To the start", () => playback.seek(0)],
    End: ["To the end", () => playback.seek(viewer.clip.frames - 1)],
    "[": ["Slower", () => changeRate(-1)],
    "]": ["Faster", () => changeRate(1)],
    "Shift+ArrowLeft": ["Turn to the left", () => orbit.turn(-TURN, 0)],
    "Shift+ArrowRight": ["Turn to the right", () => orbit.turn(TURN, 0)],
    "Shift+ArrowUp": ["Look from higher up", () => orbit.turn(0, TURN)],
    "Shift+ArrowDown": ["Look from lower down", () => orbit.turn(0, -TURN)],
    "+": ["Nearer", () => orbit.zoom(0.85)],
    "-": ["Farther away", () => orbit.zoom(1 / 0.85)],
    1: ["See all", () => viewer.lookFrom("start")],
    2: ["As the film camera", () => viewer.lookFrom("film")],
    3: ["From the front", () => viewer.lookFrom("front")],
    4: ["From the side", () => viewer.lookFrom("side")],
    5: ["From above", () => viewer.lookFrom("top")],
    n: ["Next person", () => others(1)],
    p: ["Previous person", () => others(-1)],
    f: ["Follow the person, or not", () => viewer.setFollows(!viewer.follows)],
    o: ["2D overlay", () => viewer.set("overlay", !viewer.shows.overlay)],
    u: ["Uncertainty", () => viewer.set("halos", !viewer.shows.halos)],
    c: ["Foot contacts", () => viewer.set("contacts", !viewer.shows.contacts)],
    t: ["Trails", () => viewer.set("trails", viewer.shows.trails ? "" : "pelvis")],
    "?": ["This help", () => showHelp(viewer)],
  };
  function changeRate(direction) {
    const rate = document.getElementById("rate");
    rate.selectedIndex = Math.max(0, Math.min(rate.length - 1, rate.selectedIndex + direction));
    playback.setRate(Number(rate.value));
  }
  viewer.addTool({ id: "help-button", title: "Keys (?)", text: "?", onPress: () => showHelp(viewer) });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const { target } = event;
    const isTyping = target.matches("input:not([type=range]):not([type=checkbox]), select, textarea");
    const isPressing = event.key === " " && target.matches("button, input, summary");
    if (isTyping || isPressing) return;
    const name = event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key;
    const known = viewer.keys[name] ?? viewer.keys[name.toLowerCase()];
    if (!known) return;
    event.preventDefault();
    known[1]();
  });
}

const SHOWN_AS = { " ": "space", ArrowLeft: "←", ArrowRight: "→" };

function showHelp(viewer) {
  const dialog = document.getElementById("help");
  const lines = Object.entries(viewer.keys).map(([key, [what]]) => {
    const shown = SHOWN_AS[key] ?? key.replace("Shift+Arrow", "shift ").replace("Left", "←")
      .replace("Right", "→").replace("Up", "↑").replace("Down", "↓");
    return make("div", {}, make("dt", {}, make("kbd", {}, shown)), make("dd", {}, what));
  });
  dialog.replaceChildren(
    make("h2", { id: "help-title" }, "Keys and mouse"),
    make("p", {}, "In the 3D view: drag to turn, shift or the right button to move, wheel to zoom; with two fingers move and zoom."),
    make("dl", {}, ...lines),
    make("form", { method: "dialog" }, make("button", { type: "submit" }, "Close")));
  dialog.showModal();
}
