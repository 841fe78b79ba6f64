// Lines and bars over time, with the playhead; a click or a drag seeks.

import { cleared, make } from "viewer/dom.js";
import { look } from "viewer/theme.js";

const LEFT = 46;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 8;

export class Chart {
  /**
   * @param {Viewer} viewer
   * @param {{label: string, height: number}} options
   */
  constructor(viewer, { label, height }) {
    this.viewer = viewer;
    this.canvas = make("canvas", { role: "img", "aria-label": label });
    this.head = make("div", { class: "playhead" });
    this.element = make("div", { class: "chart" }, this.canvas, this.head);
    this.element.style.height = `${height}px`;
    const seek = (event) => {
      const box = this.canvas.getBoundingClientRect();
      const share = (event.clientX - box.left - LEFT) / Math.max(1, box.width - LEFT - RIGHT);
      const { clip, playback } = viewer;
      playback.seekTime(clip.start + Math.max(0, Math.min(1, share)) * clip.duration);
    };
    this.element.addEventListener("pointerdown", (event) => {
      this.element.setPointerCapture(event.pointerId);
      seek(event);
    });
    this.element.addEventListener("pointermove", (event) => event.buttons & 1 && seek(event));
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  /** Where a time is, CSS px. */
  x(time) {
    const { clip } = this.viewer;
    return LEFT + ((time - clip.start) / (clip.duration || 1)) * (this.canvas.clientWidth - LEFT - RIGHT);
  }

  moveHead() {
    const { playback } = this.viewer;
    this.head.style.transform = `translateX(${this.x(playback.time)}px)`;
  }

  /**
   * Set what is drawn.
   * @param {{lines?, bars?, unit?: string, limits?: number[], floor?: number}} what lines: {times,
   * values, colour, isDashed}; bars: {label, colour, spans: [start, stop][]}; limits: levels at
   * which a dotted line is drawn; floor: a value that the axis reaches down to.
   */
  set(what) {
    this.what = what;
    this.draw();
  }

  draw() {
    if (!this.what || !this.canvas.clientWidth) return;
    const { context, width, height } = cleared(this.canvas);
    context.font = "11px system-ui, sans-serif";
    if (this.what.bars) this.#bars(context, width, height);
    else this.#lines(context, width, height);
    this.moveHead();
  }

  #bars(context, width, height) {
    const { bars } = this.what;
    const step = (height - 4) / bars.length;
    context.textBaseline = "middle";
    context.textAlign = "right";
    bars.forEach(({ label, colour, spans }, i) => {
      const y = 2 + i * step;
      context.fillStyle = look().quiet;
      context.fillText(label, LEFT - 6, y + step / 2);
      context.fillStyle = look().rule;
      context.fillRect(LEFT, y + step / 2 - 0.5, width - LEFT - RIGHT, 1);
      context.fillStyle = colour;
      for (const [start, stop] of spans) {
        context.fillRect(this.x(start), y + 1.5, Math.max(1, this.x(stop) - this.x(start)), step - 3);
      }
    });
  }

  #lines(context, width, height) {
    const { lines, unit = "", limits = [], floor = null } = this.what;
    let [low, high] = [Infinity, -Infinity];
    for (const { values } of lines) {
      for (const value of values) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    if (low > high) [low, high] = [0, 1];
    if (floor !== null) low = Math.min(low, floor);
    if (limits.length && high < limits[0]) high = limits[0];
    if (high - low < 1e-6) high = low + 1;
    const steps = niceSteps(low, high, Math.max(2, Math.round(height / 26)));
    low = Math.min(low, steps[0]);
    high = Math.max(high, steps.at(-1));
    const y = (value) => TOP + (1 - (value - low) / (high - low)) * (height - TOP - BOTTOM);
    context.textBaseline = "middle";
    context.textAlign = "right";
    context.lineWidth = 1;
    for (const step of steps) {
      context.strokeStyle = look().rule;
      context.beginPath();
      context.moveTo(LEFT, Math.round(y(step)) + 0.5);
      context.lineTo(width - RIGHT, Math.round(y(step)) + 0.5);
      context.stroke();
      context.fillStyle = look().quiet;
      context.fillText(`${Number(step.toPrecision(6))}${unit}`, LEFT - 6, y(step));
    }
    context.setLineDash([2, 3]);
    for (const limit of limits.filter((value) => value >= low && value <= high)) {
      context.strokeStyle = look().quiet;
      context.beginPath();
      context.moveTo(LEFT, y(limit));
      context.lineTo(width - RIGHT, y(limit));
      context.stroke();
    }
    context.save();
    context.beginPath();
    context.rect(LEFT, 0, width - LEFT - RIGHT, height);
    context.clip();
    for (const { times, values, colour, isDashed } of lines) {
      context.setLineDash(isDashed ? [5, 4] : []);
      context.strokeStyle = colour;
      context.lineWidth = 1.6;
      context.lineJoin = "round";
      context.beginPath();
      this.#path(context, times, values, y, width);
      context.stroke();
    }
    context.restore();
  }

  /** A line; where there are more values than px, from the least to the greatest of each px. */
  #path(context, times, values, y, width) {
    const bucket = Math.max(1, Math.floor(values.length / Math.max(1, 1.5 * (width - LEFT - RIGHT))));
    let isDown = false;
    for (let i = 0; i < values.length; i += bucket) {
      let [low, high] = [NaN, NaN];
      for (let k = i; k < Math.min(i + bucket, values.length); k++) {
        if (!(values[k] >= low)) low = Number.isNaN(values[k]) ? low : values[k];
        if (!(values[k] <= high)) high = Number.isNaN(values[k]) ? high : values[k];
      }
      if (Number.isNaN(low)) {
        isDown = false;
        continue;
      }
      const x = this.x(times[i]);
      if (isDown) context.lineTo(x, y(low));
      else context.moveTo(x, y(low));
      if (high !== low) context.lineTo(x, y(high));
      isDown = true;
    }
  }
}

/** Round numbers between two values, about `count` of them. */
function niceSteps(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.7);
  const steps = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + 1e-9; value += step) steps.push(value);
  return steps.length ? steps : [low];
}
