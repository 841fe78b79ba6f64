// The page put together. `start` makes a Viewer; other modules are given it.
//
// Events: "frame" (its number), "select" (a person's id or null), "clip" (after `replaceClip`),
// "overlay" (after the 2D overlay is drawn), "show" (who is drawn, and what).

import { Clip } from "viewer/clip.js";
import { addComparison } from "viewer/compare.js";
import { addControls } from "viewer/controls.js";
import { cleared, fitCanvas, make } from "viewer/dom.js";
import { Events } from "viewer/events.js";
import { Figures, TRAILS, extent } from "viewer/figures.js";
import { addKeys } from "viewer/keys.js";
import { Orbit } from "viewer/orbit.js";
import { Overlay } from "viewer/overlay.js";
import { Painter } from "viewer/painter.js";
import { Playback } from "viewer/playback.js";
import { addPlots } from "viewer/plots.js";
import { Renderer, hasGpu } from "viewer/renderer.js";
import { addSecondVideo } from "viewer/second.js";
import { Sharpness } from "viewer/sharpness.js";
import { Tabs } from "viewer/tabs.js";
import { colour, css, firstTheme, look, setTheme } from "viewer/theme.js";
import { addTrust } from "viewer/trust.js";
import { length, subtract, toScreen } from "viewer/vectors.js";
import { showVideo } from "viewer/video.js";

const FAR_M = 8; // where people take up more than that to either side, one is followed
const element = (id) => document.getElementById(id);

export async function start(content) {
  setTheme(firstTheme());
  const clips = await Promise.all(content.clips.map((clip) => Clip.open(clip)));
  document.body.classList.toggle("without-video", !content.video && !content.second);
  const video = showVideo(content.video, element("picture"));
  const viewer = new Viewer(clips, video, content);
  window.viewer = viewer;
  addControls(viewer);
  addKeys(viewer);
  addPlots(viewer);
  addTrust(viewer);
  if (clips.length > 1) addComparison(viewer);
  if (content.second) addSecondVideo(viewer, content.second, video);
  for (const name of content.extras) {
    const module = await import(name);
    await module.default?.(viewer);
  }
  const first = Math.min(...viewer.clip.people.map((person) => person.rowFrames[0] ?? 0));
  if (first > 0 && Number.isFinite(first)) viewer.playback.seek(first); // there are no people before
  viewer.isReady = true;
  viewer.redraw();
}

/** Room for one person in any pose. */
function around([x, y, z]) {
  return [-0.95, 0.95].flatMap((up) => [-0.8, 0.8].flatMap((aside) => [[x + aside, y, z + up], [x, y + aside, z + up]]));
}

export class Viewer extends Events {
  #hidden = new Set();
  #isWaiting = false;
  #clipBox = null;
  #followedFrame = 0;

  constructor(clips, video, { settings }) {
    super();
    this.clips = clips;
    this.settings = settings;
    this.selected = null;
    this.follows = false;
    this.shows = { overlay: true, halos: false, contacts: true, trails: "", camera: true, numbers: true };
    this.ghost = null; // of compare.js: what is drawn of the second clip
    this.pictures = 0; // drawn so far
    this.playback = new Playback(this.clip, video?.shown ?? null, video?.start ?? 0);
    this.overlay = new Overlay(element("overlay"), () => this.clip);
    this.figures = new Figures();
    this.sharpness = new Sharpness(() => this.redraw());
    this.tabs = new Tabs(element("tabs"), element("pages"));
    this.orbit = new Orbit(element("world"));
    this.renderer = hasGpu() ? new Renderer(element("world")) : new Painter(element("world"));
    if (this.clip.people.length) this.selected = this.clip.people[0].id;
    this.orbit.on("change", () => this.redraw());
    this.playback.on("frame", (frame) => {
      this.emit("frame", frame);
      this.redraw();
    });
    video?.shown?.addEventListener("loadeddata", () => this.redraw());
    const resized = new ResizeObserver(() => {
      this.orbit.refit();
      this.redraw();
    });
    for (const id of ["stage", "world"]) resized.observe(element(id));
    this.#sizePanes();
    const { radius } = this.box;
    this.follows = radius > FAR_M;
    this.lookFrom("start", false);
  }

  get clip() {
    return this.clips[0];
  }

  /** What all people take up over the whole clip. */
  get box() {
    return (this.#clipBox ??= extent(this.clip));
  }

  isShown(id) {
    return !this.#hidden.has(id);
  }

  setShown(id, isShown) {
    if (isShown) this.#hidden.delete(id);
    else this.#hidden.add(id);
    this.emit("show");
    this.redraw();
  }

  select(id) {
    this.selected = id;
    this.emit("select", id);
    this.redraw();
  }

  /** Show or hide one of `shows`. */
  set(name, value) {
    this.shows[name] = value;
    this.overlay.isOn = this.shows.overlay;
    this.emit("show");
    this.redraw();
  }

  setFollows(isOn) {
    this.follows = isOn;
    this.emit("show");
    this.redraw();
  }

  /** Look from "start", "film", "front", "side" or "top". */
  lookFrom(name, moves = true) {
    const box = this.follows ? this.#followed() ?? this.box : this.box;
    const film = this.clip.cameraAt(this.playback.frame);
    // behind the film camera, to one side of it: left and right agree with the video
    const behind = film ? Math.atan2(-film.rotation[5], -film.rotation[2]) : -Math.PI / 2;
    const views = {
      start: { azimuth: behind + 0.32, elevation: 0.3, box },
      front: { azimuth: behind, elevation: 0.05, box },
      side: { azimuth: behind + Math.PI / 2, elevation: 0.05, box },
      top: { azimuth: behind, elevation: 1.55, box },
      film: film ? { film, box } : null,
    };
    if (views[name]) this.orbit.look(views[name], moves);
  }

  get hasFilm() {
    return Boolean(this.clip.camera);
  }

  /** Show another result of the same video. */
  async replaceClip(content) {
    const clip = await Clip.open(content);
    const time = this.playback.time;
    this.clips[0] = this.playback.clip = clip;
    this.#clipBox = null;
    this.playback.frame = clip.frameAt(time);
    if (!clip.person(this.selected)) this.selected = clip.people[0]?.id ?? null;
    this.emit("clip", clip);
    this.emit("select", this.selected);
    this.redraw();
  }

  addTab(tab) {
    return this.tabs.add(tab);
  }

  showTab(id) {
    this.tabs.show(id);
  }

  /** A button at the top right. */
  addTool({ id, title, text, onPress }) {
    const button = make("button", { type: "button", id, title, "aria-label": title, onClick: onPress }, text);
    element("tools").append(button);
    return button;
  }

  addStyle(text) {
    document.head.append(make("style", {}, text));
  }

  addKeys(keys) {
    Object.assign(this.keys, keys);
  }

  /** A short message, read to those who do not see it. */
  say(text) {
    element("said").textContent = text;
    element("said").classList.add("fresh");
    clearTimeout(this.saidTimer);
    this.saidTimer = setTimeout(() => element("said").classList.remove("fresh"), 4000);
  }

  redraw() {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    requestAnimationFrame(() => {
      this.#isWaiting = false;
      this.#draw();
    });
  }

  #sizePanes() {
    const { width, height } = this.clip;
    const stage = element("stage");
    stage.style.setProperty("--film", String(Math.max(0.5, Math.min(width / height, 2))));
    stage.style.setProperty("--wide", String(width / height));
    stage.style.setProperty("--aspect", `${width} / ${height}`);
  }

  #draw() {
    const begun = performance.now();
    this.playback.catchUp();
    const { clip, playback: { frame } } = this;
    const context = this.overlay.draw(clip, frame, (id) => this.isShown(id), this.selected, this.sharpness.share);
    this.emit("overlay", { context, frame, toCanvas: (at) => this.overlay.toCanvas(at) });
    this.#drawWorld(frame);
    this.drawnFrame = frame;
    this.pictures++;
    this.lastDrawMs = performance.now() - begun;
    this.sharpness.drawn(begun);
  }

  #drawWorld(frame) {
    const { clip, figures, orbit, shows } = this;
    const { width, height } = fitCanvas(this.renderer.canvas, this.sharpness.share);
    if (orbit.film) orbit.film = clip.cameraAt(frame) ?? orbit.film;
    else if (this.follows) this.#follow();
    figures.clear();
    const { radius, middle } = this.box;
    figures.setFloor(this.follows ? orbit.target : middle, Math.max(6, 2.5 * Math.max(radius, this.follows ? 4 : 0)));
    for (const person of clip.people) {
      const row = person.row(frame);
      if (!this.isShown(person.id)) continue;
      if (shows.trails) figures.trail(clip, person, frame, TRAILS[shows.trails]);
      if (!person.isKnown(row)) continue;
      figures.person(clip, person, (joint) => person.joint(row, joint));
      if (shows.halos) figures.uncertainty(clip, person, row);
      if (shows.contacts) figures.contacts(clip, person, row);
    }
    this.ghost?.(figures, frame);
    const film = clip.cameraAt(frame);
    if (shows.camera && film && !orbit.film) figures.camera(film, Math.min(0.6, 0.12 * radius + 0.25));
    const matrices = orbit.matrices(width, height);
    this.renderer.draw(matrices, figures);
    this.#drawLabels(matrices.both, frame);
  }

  #drawLabels(matrix, frame) {
    const canvas = element("labels");
    const { context, width, height } = cleared(canvas);
    if (!this.shows.numbers) return;
    const head = this.clip.joints.names.indexOf("head_top");
    context.font = "600 13px system-ui, sans-serif";
    context.textAlign = "center";
    for (const person of this.clip.people) {
      const row = person.row(frame);
      if (!person.isKnown(row) || !this.isShown(person.id)) continue;
      const [x, y, z] = person.joint(row, head);
      const [left, top, depth] = toScreen(matrix, [x, y, z + 0.16], width, height);
      if (depth <= 0) continue;
      context.lineWidth = 4;
      context.strokeStyle = look().ground;
      context.strokeText(person.id, left, top);
      context.fillStyle = css(colour(person.hue));
      context.fillText(person.id, left, top);
    }
  }

  /** The box around the selected person now, null where they are out of view. */
  #followed() {
    const person = this.clip.person(this.selected);
    const box = person && extent(this.clip, (id) => id === person.id, this.playback.frame);
    return box && !box.isEmpty ? { ...box, points: around(box.middle) } : null;
  }

  /** Bring the target nearer to the selected person. */
  #follow() {
    const person = this.clip.person(this.selected);
    const row = person?.row(this.playback.frame) ?? -1;
    if (!person?.isKnown(row)) return;
    const { target } = this.orbit;
    const way = subtract(person.joint(row, 0), target);
    const away = length(way);
    if (away < 0.02) return;
    // at once after a jump in time; up and down slowly, so that people are seen to jump
    const { frame } = this.playback;
    const share = away > 2 || Math.abs(frame - this.#followedFrame) > this.clip.fps / 2 ? [1, 1, 1] : [0.2, 0.2, 0.05];
    this.#followedFrame = frame;
    this.orbit.target = target.map((value, axis) => value + share[axis] * way[axis]);
    this.redraw();
  }
}
