// What is seen in 2D, drawn over the video: keypoints as the lifter got them.

import { cleared } from "viewer/dom.js";
import { colour, css } from "viewer/theme.js";

const SURE = 0.6;
const SHOWN = 0.05;

export class Overlay {
  /**
   * @param {HTMLCanvasElement} canvas over the video.
   * @param {() => {width: number, height: number}} size of the source's picture, px.
   */
  constructor(canvas, size) {
    this.canvas = canvas;
    this.sourceSize = size;
    this.isOn = true;
  }

  /** Whether the canvas takes pointers, which otherwise go through to the video. */
  setActive(isActive) {
    this.canvas.style.pointerEvents = isActive ? "auto" : "none";
  }

  /** CSS px of the canvas for a px of the source. */
  get scale() {
    const { width, height } = this.sourceSize();
    return Math.min(this.canvas.clientWidth / width, this.canvas.clientHeight / height);
  }

  /** Where the picture's top left corner is on the canvas, CSS px: it is fitted into the middle. */
  get corner() {
    const { width, height } = this.sourceSize();
    const { scale } = this;
    return [(this.canvas.clientWidth - width * scale) / 2, (this.canvas.clientHeight - height * scale) / 2];
  }

  /** From px of the source to CSS px of the canvas. */
  toCanvas([x, y]) {
    const [left, top] = this.corner;
    return [left + x * this.scale, top + y * this.scale];
  }

  /** From a pointer's event to px of the source. */
  toSource(event) {
    const box = this.canvas.getBoundingClientRect();
    const [left, top] = this.corner;
    return [(event.clientX - box.left - left) / this.scale, (event.clientY - box.top - top) / this.scale];
  }

  /** Clear, and draw the people of a frame, with a share of the screen's pixels; returns the context, in CSS px. */
  draw(clip, frame, isShown, selected, share = 1) {
    const { context } = cleared(this.canvas, share);
    if (this.isOn) {
      for (const person of clip.people) {
        const row = person.row(frame);
        if (row >= 0 && isShown(person.id)) this.#person(context, clip, person, row, person.id === selected);
      }
    }
    return context;
  }

  #person(context, clip, person, row, isSelected) {
    const { links, sides, names } = clip.keypoints;
    const unit = Math.max(0.75, Math.min(this.canvas.clientHeight / 480, 1.6));
    const { scale, corner: [left, top] } = this;
    const points = names.map((_, k) => person.keypoint(row, k)).map(([x, y]) => [left + x * scale, top + y * scale]);
    const side = (a, b) => (sides[a] === sides[b] ? sides[a] : "m");
    const isDrawn = (k) => Number.isFinite(points[k][0]);
    context.lineCap = "round";
    for (const isEdge of [true, false]) {
      for (const [a, b] of links) {
        if (!isDrawn(a) || !isDrawn(b)) continue;
        const score = Math.min(person.score(row, a), person.score(row, b));
        const isSeen = score > SHOWN;
        context.setLineDash(isSeen ? [] : [4, 5]);
        context.lineWidth = ((score < SURE ? 1.6 : 3) + (isEdge ? 2 : 0)) * unit;
        context.strokeStyle = isEdge ? "rgb(0 0 0 / 0.55)" : css(colour(person.hue, side(a, b)));
        context.beginPath();
        context.moveTo(...points[a]);
        context.lineTo(...points[b]);
        context.stroke();
      }
    }
    context.setLineDash([]);
    points.forEach((point, k) => {
      if (!isDrawn(k)) return;
      const isSeen = person.score(row, k) > SHOWN;
      context.beginPath();
      context.arc(...point, (isSelected ? 3.4 : 2.6) * unit, 0, 2 * Math.PI);
      context.fillStyle = isSeen ? css(colour(person.hue, sides[k])) : "rgb(0 0 0 / 0.5)";
      context.strokeStyle = isSeen ? "rgb(0 0 0 / 0.6)" : css(colour(person.hue, sides[k]));
      context.lineWidth = 1;
      context.fill();
      context.stroke();
    });
  }
}
