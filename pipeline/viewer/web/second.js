// The video of the second clip of two that are compared: beside the first one's or in its place, in
// the first one's time.

import { make, toggle } from "viewer/dom.js";
import { Overlay } from "viewer/overlay.js";
import { onShownFrames, showVideo } from "viewer/video.js";

const JUMP_S = 0.3; // a playing video farther off than that is sent where it belongs,
const GAIN = 2; // a nearer one goes faster or slower: by so much a second that it is off,
const MOST = 0.2; // and by this share at most

/**
 * Show it.
 * @param {Viewer} viewer of two clips, to which compare.js has been added.
 * @param {{url: string | null, start_s: number, is_picture: boolean}} content as `page.py` says it;
 * the url is null where both have one video.
 * @param {{url: string} | null} first what `showVideo` has made of the first clip's.
 */
export function addSecondVideo(viewer, content, first) {
  const [clip, other] = viewer.clips;
  const picture = make("div", { class: "picture" });
  const canvas = make("canvas", { "aria-hidden": "true" });
  const shot = make("div", { id: "second", class: "shot" }, picture, canvas,
    make("p", { class: "notice" }, `${other.name} has no picture at this time`));
  const stage = document.getElementById("stage");
  const film = document.getElementById("film");
  film.append(shot);
  shot.style.setProperty("--wide", String(other.width / other.height));
  const video = showVideo({ ...content, url: content.url ?? first.url }, picture);
  if (first) for (const [part, { name }] of [[film.firstElementChild, clip], [shot, other]]) part.append(make("span", { class: "name" }, name));
  const overlay = new Overlay(canvas, () => other);
  const follower = video.shown && new Follower(viewer, video.shown, video.start, other);

  viewer.on("overlay", () => {
    if (stage.dataset.films === "first") return;
    const frame = follower ? follower.frame : 0;
    shot.classList.toggle("away", follower ? !follower.isIn : false);
    overlay.isOn = viewer.shows.overlay;
    overlay.draw(other, frame, () => true, viewer.comparison.person, viewer.sharpness.share);
  });

  const show = (films) => {
    stage.dataset.films = films;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.films === films));
    const shown = films === "both" ? [clip, other] : films === "first" ? [clip] : [other];
    const aspect = shown.reduce((sum, { width, height }) => sum + width / height, 0);
    stage.style.setProperty("--film", String(Math.max(0.5, Math.min(aspect, films === "both" ? 3 : 2))));
    if (follower) follower.isShown = films !== "first";
    viewer.redraw();
  };
  const names = { both: "Both", first: clip.name, second: other.name };
  const buttons = Object.entries(names).map(([films, text]) =>
    toggle(text, false, () => show(films), { "data-films": films, title: films === "both" ? "Both videos" : `The video of ${text}` }));
  if (first) film.append(make("div", { id: "films", role: "group", "aria-label": "Videos" }, ...buttons));
  // two results of one video: the second differs by its overlay alone
  show(!first ? "second" : content.url === null ? "first" : "both");
}

/** A muted video that goes where the first one is. */
class Follower {
  #isShown = false;
  frame = 0; // of its clip, that is on the screen

  constructor(viewer, video, start, clip) {
    Object.assign(this, { viewer, video, start, clip });
    video.muted = true;
    const shown = (time) => {
      this.frame = clip.frameAt(start + time);
      viewer.redraw();
    };
    if (!onShownFrames(video, shown)) {
      for (const name of ["timeupdate", "seeked"]) video.addEventListener(name, () => shown(video.currentTime));
    }
    video.addEventListener("seeked", () => this.follow());
    viewer.playback.on("state", () => this.follow());
    for (const name of ["frame", "compare"]) viewer.on(name, () => this.follow());
  }

  /** Whether it is to be seen: where it is not, it stands still. */
  set isShown(isShown) {
    this.#isShown = isShown;
    this.follow();
  }

  /** Seconds on its clip's clock. */
  get #time() {
    const { playback, comparison } = this.viewer;
    const time = playback.isPlaying && playback.video ? playback.start + playback.video.currentTime : playback.time;
    return time - comparison.shift;
  }

  /** Whether it has a picture now. */
  get isIn() {
    const time = this.#time;
    return time >= this.clip.start - 1e-3 && time < this.clip.start + this.clip.duration;
  }

  follow() {
    const { video, clip, viewer: { playback } } = this;
    if (!this.#isShown || !this.isIn) {
      video.pause();
      return;
    }
    const time = this.#time;
    if (!playback.isPlaying) {
      video.pause();
      const frame = clip.frameAt(time);
      const goal = (clip.times[frame] + clip.frameEnd(frame)) / 2 - this.start;
      if (!video.seeking && Math.abs(video.currentTime - goal) > 1e-3) video.currentTime = goal;
      return;
    }
    const behind = time - this.start - video.currentTime;
    if (Math.abs(behind) > JUMP_S && !video.seeking) video.currentTime = time - this.start;
    const rate = playback.rate * (1 + Math.max(-MOST, Math.min(MOST, GAIN * behind)));
    if (Math.abs(rate - video.playbackRate) > 0.01) video.playbackRate = rate;
    if (video.paused) video.play().catch(() => {});
  }
}
