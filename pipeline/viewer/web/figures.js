// What the 3D view shows of clips in a frame: people, halos, trails, contacts, the film camera.

import { Batch } from "viewer/renderer.js";
import { colour, look } from "viewer/theme.js";
import { add, length, subtract } from "viewer/vectors.js";

const BONE_M = 0.026;
const THIN_M = 0.018; // of feet and forearms
const JOINT_M = 0.034;
const SMALL_M = 0.022;
const HEAD_M = 0.1;
const TRAIL_S = 2;
const CONTACTS = ["l_heel", "l_toe", "r_heel", "r_toe"];
const ANKLES = ["l_ankle", "l_ankle", "r_ankle", "r_ankle"];

export const TRAILS = {
  pelvis: ["pelvis"], hands: ["l_wrist", "r_wrist"], feet: ["l_ankle", "r_ankle"], head: ["head_top"],
};

export class Figures {
  floor = { reach: new Float32Array(4), surface: new Float32Array(4), line: new Float32Array(4) };
  segments = new Batch();
  spheres = new Batch();
  discs = new Batch();
  halos = new Batch();

  clear() {
    for (const batch of [this.segments, this.spheres, this.discs, this.halos]) batch.clear();
  }

  setFloor([x, y], radius) {
    this.floor.reach.set([x, y, radius, 0]);
    this.floor.surface.set(look().floor);
    this.floor.line.set(look().line);
  }

  /**
   * One person in a row.
   * @param {Clip} clip and
   * @param {Person} person in it.
   * @param {(joint: number) => number[]} at where the joint is drawn.
   * @param {number} alpha 1, or less for a ghost.
   */
  person(clip, person, at, alpha = 1) {
    const { names, parents, sides } = clip.joints;
    parents.forEach((parent, joint) => {
      const [a, b] = parent < 0 ? [null, at(joint)] : [at(parent), at(joint)];
      if (!Number.isFinite(b[0])) return;
      const name = names[joint];
      const isThin = /wrist|heel|toe/.test(name);
      const tint = colour(person.hue, sides[joint]);
      if (a) this.segments.segment(a, b, isThin ? THIN_M : BONE_M, tint, alpha);
      if (name === "head_top" && a) this.spheres.round(add(a, subtract(b, a), 0.42), HEAD_M, tint, alpha);
      else this.spheres.round(b, /heel|toe|head/.test(name) ? SMALL_M : JOINT_M, tint, alpha);
    });
  }

  /** How far off joints may be: spheres in which they lie in 68 of 100 cases. */
  uncertainty(clip, person, row) {
    for (let joint = 1; joint < person.J; joint++) {
      const sigma = person.sigma[row * person.J + joint];
      const at = person.joint(row, joint);
      if (sigma > 0.01 && Number.isFinite(at[0])) {
        this.halos.round(at, sigma, colour(person.hue, clip.joints.sides[joint]), -0.28);
      }
    }
  }

  /** Where feet rest on the ground. */
  contacts(clip, person, row) {
    const { names } = clip.joints;
    CONTACTS.forEach((name, which) => {
      if (!person.contacts[4 * row + which]) return;
      const joint = names.includes(name) ? names.indexOf(name) : names.indexOf(ANKLES[which]);
      const [x, y, z] = person.joint(row, joint);
      // as high as what the foot rests on
      const height = names.includes(name) ? Math.max(z, 0) : Math.max(z - 0.08, 0);
      this.discs.round([x, y, (height < 0.04 ? 0 : height) + 0.006], 0.085, colour(person.hue, which < 2 ? "l" : "r"), 0.9);
    });
  }

  /** The paths of some joints over the last seconds, fading. */
  trail(clip, person, frame, joints) {
    const { times } = clip;
    for (const name of joints) {
      const joint = clip.joints.names.indexOf(name);
      let newer = null;
      for (let f = frame; f >= 0 && times[frame] - times[f] < TRAIL_S; f--) {
        const row = person.row(f);
        const at = row < 0 ? [NaN] : person.joint(row, joint);
        if (newer && Number.isFinite(at[0]) && Number.isFinite(newer[0])) {
          const fade = 1 - (times[frame] - times[f]) / TRAIL_S;
          this.segments.segment(newer, at, 1.6, colour(person.hue, clip.joints.sides[joint]), fade, true);
        }
        newer = at;
      }
    }
  }

  /** The film camera as a pyramid `depth` metres deep. */
  camera(film, depth = 0.6) {
    const { rotation: r, position, lens, width, height } = film;
    const eye = [...position];
    const corner = (u, v) => {
      const ray = [(u - lens.cx) / lens.fx, (v - lens.cy) / lens.fy, 1].map((value) => value * depth);
      return [0, 1, 2].map((i) => eye[i] + r[3 * i] * ray[0] + r[3 * i + 1] * ray[1] + r[3 * i + 2] * ray[2]);
    };
    const corners = [corner(0, 0), corner(width, 0), corner(width, height), corner(0, height)];
    const tint = look().frustum;
    corners.forEach((at, i) => {
      this.segments.segment(eye, at, 1.1, tint, 0.8, true);
      this.segments.segment(at, corners[(i + 1) % 4], 1.1, tint, 0.8, true);
    });
    const above = [0, 1, 2].map((i) => (corners[0][i] + corners[1][i]) / 2 - 0.25 * depth * r[3 * i + 1]);
    this.segments.segment(corners[0], above, 1.1, tint, 0.8, true);
    this.segments.segment(corners[1], above, 1.1, tint, 0.8, true);
  }
}

/** Where people of a clip are, over all frames or in one: middle, radius, and some of the points. */
export function extent(clip, isShown = () => true, frame = null) {
  const points = [];
  const low = [Infinity, Infinity, 0];
  const high = [-Infinity, -Infinity, 0];
  for (const person of clip.people) {
    if (!isShown(person.id)) continue;
    const rows = frame === null ? person.rowFrames.length : 1;
    const every = Math.max(1, Math.floor(rows / 200));
    for (let i = 0; i < rows; i += every) {
      const row = frame === null ? i : person.row(frame);
      if (!person.isKnown(row)) continue;
      for (let joint = 0; joint < person.J; joint++) {
        const at = person.joint(row, joint);
        at.forEach((value, axis) => {
          low[axis] = Math.min(low[axis], value);
          high[axis] = Math.max(high[axis], value);
        });
        points.push(at);
      }
    }
  }
  if (!Number.isFinite(low[0])) return { middle: [0, 0, 0.9], radius: 2, points, isEmpty: true };
  const size = subtract(high, low);
  return { middle: add(low, size, 0.5), radius: Math.max(0.5 * length(size), 0.8), points, isEmpty: false };
}
