// Numbers over the frames of a clip: angles, heights, speeds, how sure; NaN where out of view.

const SIDES = { l: "left", r: "right" };
const words = (name) => name.replace(/^[lr]_/, "").replace(/_/g, " ");

/** What can be plotted of a clip: {id, title, unit, digits, parts: [{side, label, of(clip, person)}]}. */
export function quantities(clip) {
  const found = new Map();
  const put = (id, title, unit, digits, name, of) => {
    const side = /^[lr]_/.test(name) ? name[0] : "m";
    if (!found.has(id)) found.set(id, { id, title, unit, digits, parts: [] });
    found.get(id).parts.push({ side, label: SIDES[side] ?? "", of });
  };
  clip.angles.forEach(({ name }, angle) => {
    const what = words(name);
    put(`angle ${what}`, capital(what), "°", 0, name, (_, person) => angleOf(person, angle));
  });
  clip.joints.names.forEach((name, joint) => {
    const what = words(name);
    put(`height ${what}`, `Height of ${what}`, " m", 2, name, (_, person) => heightOf(person, joint));
  });
  clip.joints.names.forEach((name, joint) => {
    const what = words(name);
    put(`speed ${what}`, `Speed of ${what}`, " m/s", 2, name, (its, person) => speedOf(its, person, joint));
  });
  for (const quantity of found.values()) quantity.parts.sort((a, b) => b.side.localeCompare(a.side));
  return [...found.values()];
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

function overFrames(person, of) {
  return Float32Array.from(person.rows, (row) => (row < 0 ? NaN : of(row)));
}

function angleOf(person, angle) {
  return overFrames(person, (row) => person.angles[row * person.A + angle]);
}

function heightOf(person, joint) {
  return overFrames(person, (row) => person.joint(row, joint)[2]);
}

/** From the frames before and after, where the person is in view in them. */
function speedOf(clip, person, joint) {
  const { times } = clip;
  return Float32Array.from(person.rows, (row, frame) => {
    if (row < 0) return NaN;
    const before = person.row(frame - 1) < 0 ? frame : frame - 1;
    const after = person.row(frame + 1) < 0 ? frame : frame + 1;
    if (before === after) return NaN;
    const [a, b] = [person.joint(person.row(before), joint), person.joint(person.row(after), joint)];
    return Math.hypot(b[0] - a[0], b[1] - a[1], b[2] - a[2]) / (times[after] - times[before]);
  });
}

/** Mean σ of all joints but the pelvis, metres. */
export function sigmaOf(person) {
  return overFrames(person, (row) => {
    let sum = 0;
    for (let joint = 1; joint < person.J; joint++) sum += person.sigma[row * person.J + joint];
    return sum / (person.J - 1);
  });
}

/** Mean distance of joints from their keypoints, share of the person's size. */
export function errorOf(person) {
  return person.error ? overFrames(person, (row) => person.error[row]) : null;
}

/** Spans [start, stop] in seconds in which a part of a foot (0…3) is on the ground. */
export function contactSpans(clip, person, which) {
  const spans = [];
  let start = null;
  for (let frame = 0; frame <= clip.frames; frame++) {
    const row = frame < clip.frames ? person.row(frame) : -1;
    const isOn = row >= 0 && person.contacts[4 * row + which] > 0;
    if (isOn && start === null) start = clip.times[frame];
    if (!isOn && start !== null) {
      spans.push([start, frame < clip.frames ? clip.times[frame] : clip.frameEnd(clip.frames - 1)]);
      start = null;
    }
  }
  return spans;
}
