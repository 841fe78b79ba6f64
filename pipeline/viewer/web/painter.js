// Draws what renderer.js draws, by a 2D canvas: for computers whose WebGL is slow or not there.
//
// The painter's algorithm: bones, balls and halos from the farthest to the nearest. What is round
// has a smaller shape in the light upon one in the shade.

const NEAR = 0.06;
const SHADE = 0.66;
const LIGHT = 0.9;
const CORE = 0.56; // how wide the lit part is
const ASIDE = 0.22; // how far it is off the middle, radii
const RINGS = 6; // by which the floor fades
const FADES_FROM = 0.35; // of the floor's radius
const TURN = 2 * Math.PI;

export class Painter {
  #context;
  #floor = document.createElement("canvas"); // as it was drawn last
  #floorOf = "";

  /** @param {HTMLCanvasElement} canvas that has no other context. */
  constructor(canvas) {
    this.canvas = canvas;
    this.#context = canvas.getContext("2d", { willReadFrequently: true });
  }

  /** See `Renderer.draw`. */
  draw(camera, scene) {
    const { canvas } = this;
    const context = this.#context;
    const lens = new Lens(camera, canvas);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    this.#drawFloor(camera, lens, scene.floor);
    for (const values of instances(scene.discs)) disc(context, lens, values);
    const shapes = [];
    for (const values of instances(scene.halos)) addBall(shapes, lens, values, halo);
    for (const values of instances(scene.segments)) addSegment(shapes, lens, values);
    for (const values of instances(scene.spheres)) addBall(shapes, lens, values, ball);
    shapes.sort((a, b) => b.depth - a.depth);
    for (const shape of shapes) shape.paint(context, shape);
    context.globalAlpha = 1;
  }

  /** The floor is drawn anew only when it, the view or the size is another. */
  #drawFloor(camera, lens, floor) {
    const { width, height } = this.canvas;
    if (!width || !height) return;
    const drawn = [width, height, ...camera.view, ...camera.projection, ...floor.reach, ...floor.surface, ...floor.line].join();
    if (drawn !== this.#floorOf) {
      this.#floorOf = drawn;
      const context = this.#floor.getContext("2d", { willReadFrequently: true });
      if (this.#floor.width !== width || this.#floor.height !== height) Object.assign(this.#floor, { width, height });
      context.clearRect(0, 0, width, height);
      paintFloor(context, lens, floor);
    }
    this.#context.drawImage(this.#floor, 0, 0);
  }
}

/** From the world to px of a canvas. */
class Lens {
  constructor({ view, projection }, { width, height, clientWidth }) {
    Object.assign(this, { view, projection, width, height, ratio: width / (clientWidth || width) });
    this.focal = 0.5 * projection[5] * height; // px a metre, at one metre's depth
  }

  /** [x right, y up, depth] in metres as the camera sees it. */
  see(x, y, z) {
    const v = this.view;
    return [
      v[0] * x + v[4] * y + v[8] * z + v[12], v[1] * x + v[5] * y + v[9] * z + v[13],
      -(v[2] * x + v[6] * y + v[10] * z + v[14])];
  }

  /** [x, y] in px of what is seen at a depth of more than 0. */
  place([x, y, depth]) {
    const p = this.projection;
    return [
      (0.5 + 0.5 * ((p[0] * x) / depth - p[8])) * this.width,
      (0.5 - 0.5 * ((p[5] * y) / depth - p[9])) * this.height];
  }

  /** Two points seen, cut off where they are behind the camera; null where both are. */
  inFront(a, b) {
    if (a[2] < NEAR && b[2] < NEAR) return null;
    if (a[2] < NEAR) return [between(a, b), b];
    return b[2] < NEAR ? [a, between(b, a)] : [a, b];
  }
}

/** Where the way from a point behind the camera to one before it comes into sight. */
function between(behind, before) {
  const share = (NEAR - behind[2]) / (before[2] - behind[2]);
  return behind.map((value, axis) => value + share * (before[axis] - value));
}

function* instances({ used, count }) {
  const floats = used.length / count;
  for (let i = 0; i < count; i++) yield used.subarray(floats * i, floats * (i + 1));
}

function tint([red, green, blue], light = 1) {
  const level = (value) => Math.min(255, Math.round(255 * light * value));
  return `rgb(${level(red)} ${level(green)} ${level(blue)})`;
}

// Shapes: their depth, and what paints them

function addSegment(shapes, lens, values) {
  const seen = lens.inFront(lens.see(...values.subarray(0, 3)), lens.see(...values.subarray(3, 6)));
  if (!seen) return;
  const [from, to] = seen.map((at) => lens.place(at));
  const depth = (seen[0][2] + seen[1][2]) / 2;
  const isFlat = values[7] > 0.5;
  const width = 2 * values[6] * (isFlat ? lens.ratio : lens.focal / depth);
  shapes.push({ paint: isFlat ? line : bone, depth, from, to, width, rgb: values.subarray(8, 11), alpha: values[11] });
}

function addBall(shapes, lens, values, paint) {
  const seen = lens.see(...values.subarray(0, 3));
  if (seen[2] < NEAR) return;
  const radius = (values[3] * lens.focal) / seen[2];
  const depth = paint === ball ? seen[2] - values[3] : seen[2]; // a ball hides the bones that end in it
  shapes.push({ paint, depth, at: lens.place(seen), radius, ratio: lens.ratio, rgb: values.subarray(4, 7), alpha: values[7] });
}

function stroke(context, { from, to, width, rgb }, { share = 1, light = 1, aside = [0, 0] }) {
  context.lineWidth = share * width;
  context.strokeStyle = tint(rgb, light);
  context.beginPath();
  context.moveTo(from[0] + aside[0], from[1] + aside[1]);
  context.lineTo(to[0] + aside[0], to[1] + aside[1]);
  context.stroke();
}

function line(context, shape) {
  context.globalAlpha = shape.alpha;
  context.lineCap = "butt";
  stroke(context, shape, {});
}

function bone(context, shape) {
  context.globalAlpha = shape.alpha;
  context.lineCap = "round";
  stroke(context, shape, { light: SHADE });
  if (shape.alpha < 1) return; // a ghost has no part that is twice as thick
  const [x, y] = [shape.to[0] - shape.from[0], shape.to[1] - shape.from[1]];
  // across the bone, to where the light comes from: above, a little left
  const aside = (Math.sign(x + 0.4 * y) * ASIDE * shape.width) / (2 * Math.hypot(x, y) || 1);
  stroke(context, shape, { share: CORE, light: LIGHT, aside: [y * aside, -x * aside] });
}

function ball(context, { at: [x, y], radius, rgb, alpha }) {
  context.globalAlpha = alpha;
  fillCircle(context, x, y, radius, tint(rgb, SHADE));
  if (alpha < 1) return;
  fillCircle(context, x - 0.4 * ASIDE * radius, y - ASIDE * radius, 1.15 * CORE * radius, tint(rgb, LIGHT));
}

/** A circle whose rim is stronger than its inside; its alpha is negative. */
function halo(context, { at: [x, y], radius, ratio, rgb, alpha }) {
  context.globalAlpha = -0.5 * alpha;
  fillCircle(context, x, y, radius, tint(rgb));
  context.globalAlpha = -alpha;
  context.lineWidth = 1.5 * ratio;
  context.strokeStyle = context.fillStyle;
  context.stroke();
}

function fillCircle(context, x, y, radius, style) {
  context.fillStyle = style;
  context.beginPath();
  context.arc(x, y, radius, 0, TURN);
  context.fill();
}

/** A level disc, small against its distance: a circle under the affine map near its centre. */
function disc(context, lens, [x, y, z, radius, red, green, blue, alpha]) {
  const seen = [lens.see(x, y, z), lens.see(x + radius, y, z), lens.see(x, y + radius, z)];
  if (seen.some(([, , depth]) => depth < NEAR)) return;
  const [middle, east, north] = seen.map((at) => lens.place(at));
  context.save();
  context.transform(east[0] - middle[0], east[1] - middle[1], north[0] - middle[0], north[1] - middle[1], ...middle);
  context.globalAlpha = 0.55 * alpha;
  fillCircle(context, 0, 0, 1, tint([red, green, blue]));
  context.globalAlpha = (0.45 * alpha) / (1 - 0.55 * alpha); // upon the inside it makes `alpha`
  context.strokeStyle = context.fillStyle;
  context.lineWidth = 0.3;
  context.beginPath();
  context.arc(0, 0, 0.85, 0, TURN);
  context.stroke();
  context.restore();
}

/** Rings that add up to a disc which fades, and lines every metre and half a metre. */
function paintFloor(context, lens, { reach: [x, y, radius], surface, line }) {
  const rings = Array.from({ length: RINGS }, (_, i) => FADES_FROM + ((1 - FADES_FROM) * (i + 0.5)) / RINGS);
  context.fillStyle = tint(surface);
  for (const share of rings) {
    // n layers of alpha a make 1 - (1 - a)ⁿ
    context.globalAlpha = 1 - (1 - surface[3]) ** (1 / RINGS);
    context.beginPath();
    outline(context, lens, x, y, share * radius);
    context.fill();
  }
  context.strokeStyle = tint(line);
  context.lineWidth = 1.1 * lens.ratio;
  rings.forEach((share, ring) => {
    const inner = ring ? rings[ring - 1] * radius : 0;
    const fade = 1 - (ring + 0.5) / RINGS;
    for (const [step, strength] of [[1, 1], [0.5, 0.35]]) {
      context.globalAlpha = strength * fade * line[3];
      context.beginPath();
      for (const [along, middle] of [[0, x], [1, y]]) {
        for (let at = Math.ceil((middle - share * radius) / step) * step; at < middle + share * radius; at += step) {
          if (step < 1 && Number.isInteger(at)) continue;
          const outside = Math.sqrt((share * radius) ** 2 - (at - middle) ** 2);
          const inside = Math.sqrt(Math.max(inner ** 2 - (at - middle) ** 2, 0));
          for (const [from, to] of inside ? [[-outside, -inside], [inside, outside]] : [[-outside, outside]]) {
            const ends = along === 0 ? [[at, y + from], [at, y + to]] : [[x + from, at], [x + to, at]];
            const seen = lens.inFront(...ends.map(([east, north]) => lens.see(east, north, 0)));
            if (!seen) continue;
            context.moveTo(...lens.place(seen[0]));
            context.lineTo(...lens.place(seen[1]));
          }
        }
      }
      context.stroke();
    }
  });
}

/** Trace a level circle on the floor, what is behind the camera cut off. */
function outline(context, lens, x, y, radius) {
  const corners = Array.from({ length: 48 }, (_, i) => (TURN * i) / 48)
    .map((angle) => lens.see(x + radius * Math.cos(angle), y + radius * Math.sin(angle), 0));
  let isFirst = true;
  corners.forEach((corner, i) => {
    const seen = lens.inFront(corner, corners[(i + 1) % corners.length]);
    for (const at of seen ?? []) {
      if (isFirst) context.moveTo(...lens.place(at));
      else context.lineTo(...lens.place(at));
      isFirst = false;
    }
  });
}
