// A result in memory: frames, people, the film camera. Metres, z up; pixels of the source.

import { unpack } from "viewer/unpack.js";

export class Clip {
  /** Unpack what `pipeline/viewer/content.py` gathered. */
  static async open(content) {
    const clip = new Clip();
    Object.assign(clip, {
      name: content.name, width: content.width, height: content.height, fps: content.fps,
      joints: content.joints, keypoints: content.keypoints, angles: content.angles,
      about: content.about, verdicts: content.verdicts, limits: content.limits,
    });
    [clip.times, clip.frameNumbers] = await Promise.all([
      unpack(content.times, Float64Array), unpack(content.frames, Int32Array)]);
    clip.camera = content.camera && await openCamera(content.camera);
    clip.people = await Promise.all(content.people.map((person) => Person.open(person, clip)));
    return clip;
  }

  get frames() {
    return this.times.length;
  }

  get start() {
    return this.times[0] ?? 0;
  }

  /** Seconds from the start of the first frame to the end of the last one. */
  get duration() {
    return this.frames ? this.frameEnd(this.frames - 1) - this.start : 0;
  }

  /** When a frame gives way to the next one. */
  frameEnd(frame) {
    const { times, frames } = this;
    if (frame + 1 < frames) return times[frame + 1];
    return times[frame] + (frames > 1 ? times[frame] - times[frame - 1] : 1 / this.fps);
  }

  /** The frame whose time is nearest. */
  frameAt(time) {
    let low = 0;
    let high = this.frames - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.times[middle] + this.times[middle + 1]) / 2 <= time) low = middle + 1;
      else high = middle;
    }
    return Math.max(low, 0);
  }

  person(id) {
    return this.people.find((person) => person.id === id) ?? null;
  }

  /** Rotation (9, camera axes to world axes, row by row) and position (3) of the film camera. */
  cameraAt(frame) {
    const { camera } = this;
    if (!camera) return null;
    const at = camera.position.length > 3 ? frame : 0;
    return {
      rotation: camera.rotation.subarray(9 * at, 9 * at + 9),
      position: camera.position.subarray(3 * at, 3 * at + 3),
      lens: camera.lens, width: this.width, height: this.height,
    };
  }
}

async function openCamera({ rotation, position, lens }) {
  return { rotation: await unpack(rotation), position: await unpack(position), lens };
}

/** One person: rows of arrays, and which row is of which frame. */
export class Person {
  static async open(content, clip) {
    const person = new Person();
    person.id = content.id;
    person.hue = content.hue;
    person.rowFrames = await unpack(content.rows, Int32Array);
    const [root, joints, sigma, keypoints, scores, contacts, angles, error] = await Promise.all([
      unpack(content.root, Float64Array), unpack(content.joints), unpack(content.sigma),
      unpack(content.keypoints), unpack(content.scores), unpack(content.contacts, Uint8Array),
      unpack(content.angles), content.error ? unpack(content.error) : null]);
    person.rows = new Int32Array(clip.frames).fill(-1);
    person.rowFrames.forEach((frame, row) => { person.rows[frame] = row; });
    const J = (person.J = clip.joints.names.length);
    for (let i = 0; i < joints.length; i++) joints[i] += root[3 * Math.floor(i / (3 * J)) + (i % 3)];
    person.K = clip.keypoints.names.length;
    person.A = clip.angles.length;
    Object.assign(person, { joints, sigma, keypoints, scores, contacts, angles, error });
    return person;
  }

  /** The row of a frame, -1 where the person is out of view. */
  row(frame) {
    return this.rows[frame] ?? -1;
  }

  /** A joint's position [x, y, z], metres; NaN where it is not known. */
  joint(row, joint) {
    const at = 3 * (row * this.J + joint);
    return [this.joints[at], this.joints[at + 1], this.joints[at + 2]];
  }

  /** Whether the person's position in the world is known in a row. */
  isKnown(row) {
    return row >= 0 && Number.isFinite(this.joints[3 * row * this.J]);
  }

  /** A keypoint's position [x, y] in px of the source. */
  keypoint(row, keypoint) {
    const at = 2 * (row * this.K + keypoint);
    return [this.keypoints[at], this.keypoints[at + 1]];
  }

  /** How sure the detector is of a keypoint, 0…1; 0 where it was filled in. */
  score(row, keypoint) {
    return this.scores[row * this.K + keypoint];
  }
}
