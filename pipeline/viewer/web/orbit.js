// The point of view: about a target, by mouse, touch or keys; or that of the film camera.
//
// Events: "change".

import { Events } from "viewer/events.js";
import { add, cross, dot, mix, multiply, perspective, subtract, unit, viewMatrix } from "viewer/vectors.js";

const FIELD_OF_VIEW = (36 * Math.PI) / 180; // across the shorter side
const MOVE_MS = 300;
const STEEPEST = Math.PI / 2 - 0.01;
const NEAR = 0.05;
const FAR = 400;
const FILLED = 0.84; // share of the picture that people take who are brought in sight

/** Unit axes of a camera that stands in a direction from what it looks at. */
function axesOf(azimuth, elevation) {
  const level = Math.cos(elevation);
  const forward = [-level * Math.cos(azimuth), -level * Math.sin(azimuth), -Math.sin(elevation)];
  const right = unit(cross(forward, [0, 0, 1]));
  return { right, up: cross(right, forward), forward };
}

export class Orbit extends Events {
  #pointers = new Map();
  #moveId = 0;
  #inSight = null; // the box that is to fill the picture, until one turns, zooms or pans

  /** @param {HTMLCanvasElement} canvas that is dragged. */
  constructor(canvas) {
    super();
    this.canvas = canvas;
    this.target = [0, 0, 0.9];
    this.azimuth = -Math.PI / 2;
    this.elevation = 0.25;
    this.distance = 6;
    this.film = null; // Clip.cameraAt of the frame, while its view is taken
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, (event) => this.#pointers.delete(event.pointerId));
    }
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(Math.max(-100, Math.min(100, event.deltaY)) * 0.002));
    }, { passive: false });
  }

  /** Eye and unit axes. */
  get axes() {
    if (this.film) {
      const r = this.film.rotation;
      return {
        eye: [...this.film.position], right: [r[0], r[3], r[6]], up: [-r[1], -r[4], -r[7]],
        forward: [r[2], r[5], r[8]],
      };
    }
    const axes = axesOf(this.azimuth, this.elevation);
    return { eye: add(this.target, axes.forward, -this.distance), ...axes };
  }

  /** View and projection for a canvas of a size. */
  matrices(width, height) {
    const { eye, right, up, forward } = this.axes;
    const view = viewMatrix(eye, right, up, forward);
    const projection = this.film ? this.#filmProjection(width / height) : this.#projection(width / height);
    return { view, projection, both: multiply(projection, view) };
  }

  #projection(aspect) {
    const tan = Math.tan(FIELD_OF_VIEW / 2);
    return perspective(tan * Math.max(aspect, 1), tan * Math.max(1 / aspect, 1), NEAR, FAR);
  }

  /** The film camera's, wide enough to have all of its picture in sight. */
  #filmProjection(aspect) {
    const { lens, width, height } = this.film;
    let tanX = width / 2 / lens.fx;
    let tanY = height / 2 / lens.fy;
    if (tanX / tanY < aspect) tanX = tanY * aspect;
    else tanY = tanX / aspect;
    return perspective(tanX, tanY, NEAR, FAR,
      -(lens.cx - width / 2) / (lens.fx * tanX), (lens.cy - height / 2) / (lens.fy * tanY));
  }

  turn(azimuth, elevation) {
    this.leaveFilm();
    this.azimuth += azimuth;
    this.elevation = Math.max(-0.3, Math.min(STEEPEST, this.elevation + elevation));
    this.#changed();
  }

  zoom(factor) {
    this.leaveFilm();
    this.distance = Math.max(0.4, Math.min(120, this.distance * factor));
    this.#changed();
  }

  /** Move the target by px of the canvas. */
  pan(x, y) {
    this.leaveFilm();
    const { right, up } = this.axes;
    const metres = (2 * this.distance * Math.tan(FIELD_OF_VIEW / 2))
      / Math.min(this.canvas.clientWidth, this.canvas.clientHeight);
    this.target = add(add(this.target, right, -x * metres), up, y * metres);
    this.#changed();
  }

  /** Go on from the film camera's view as one that can be turned. */
  leaveFilm() {
    if (!this.film) return;
    const { eye, forward } = this.axes;
    this.film = null;
    this.elevation = Math.max(-0.3, Math.min(STEEPEST, Math.asin(-forward[2])));
    this.azimuth = Math.atan2(-forward[1], -forward[0]);
    this.target = add(eye, forward, this.distance);
  }

  /** Look from a direction, at all of a box where it is given. */
  look({ azimuth = this.azimuth, elevation = this.elevation, box = null, film = null }, moves = true) {
    const from = { ...this, target: [...this.target] };
    if (film) {
      this.film = film;
      this.distance = box ? Math.hypot(...box.middle.map((at, i) => at - film.position[i])) : this.distance;
      this.#changed();
      return;
    }
    this.leaveFilm();
    this.#inSight = box;
    let turn = (azimuth - from.azimuth) % (2 * Math.PI);
    if (turn > Math.PI) turn -= 2 * Math.PI;
    if (turn < -Math.PI) turn += 2 * Math.PI;
    const to = {
      azimuth: from.azimuth + turn, elevation,
      target: box ? box.middle : from.target,
      distance: box ? this.#fitting(box, azimuth, elevation) : from.distance,
    };
    const id = ++this.#moveId;
    const isCalm = !moves || matchMedia("(prefers-reduced-motion: reduce)").matches;
    const begun = performance.now();
    const move = (now) => {
      if (id !== this.#moveId) return;
      const share = isCalm ? 1 : Math.min((now - begun) / MOVE_MS, 1);
      const eased = share * share * (3 - 2 * share);
      for (const name of ["azimuth", "elevation", "distance"]) {
        this[name] = from[name] + (to[name] - from[name]) * eased;
      }
      this.target = mix(from.target, to.target, eased);
      this.emit("change");
      if (share < 1) requestAnimationFrame(move);
    };
    move(begun);
  }

  /** Go as far away as the canvas, which has another shape now, asks for. */
  refit() {
    if (this.#inSight && !this.film) this.distance = this.#fitting(this.#inSight, this.azimuth, this.elevation);
  }

  /** How far from a box's middle all of its points are in sight. */
  #fitting({ middle, radius, points }, azimuth, elevation) {
    if (!points.length) return radius / Math.sin(FIELD_OF_VIEW / 2);
    const { right, up, forward } = axesOf(azimuth, elevation);
    const aspect = (this.canvas.clientWidth || 1) / (this.canvas.clientHeight || 1);
    const tan = Math.tan(FIELD_OF_VIEW / 2) * FILLED;
    const [tanX, tanY] = [tan * Math.max(aspect, 1), tan * Math.max(1 / aspect, 1)];
    let distance = 1.5;
    for (const point of points) {
      const away = subtract(point, middle);
      const needed = Math.max(Math.abs(dot(away, right)) / tanX, Math.abs(dot(away, up)) / tanY);
      distance = Math.max(distance, needed - dot(away, forward));
    }
    return distance;
  }

  #changed() {
    this.#moveId++;
    this.#inSight = null;
    this.emit("change");
  }

  #down(event) {
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, [event.clientX, event.clientY]);
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    const others = [...this.#pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    this.#pointers.set(event.pointerId, now);
    const [x, y] = [now[0] - before[0], now[1] - before[1]];
    if (others.length) {
      const apart = (at) => Math.hypot(at[0] - others[0][0], at[1] - others[0][1]) || 1;
      this.zoom(apart(before) / apart(now));
      this.pan(x / 2, y / 2);
    } else if (event.buttons & 2 || event.buttons & 4 || event.shiftKey) {
      this.pan(x, y);
    } else {
      this.turn(-x * 0.008, y * 0.008);
    }
  }
}
