// extra: corrections by hand, under the app: points, sides, people and contacts, then lift again.

import { make } from "viewer/dom.js";

const REACH_PX = 18; // how near to a keypoint a pointer has to come
const POLL_MS = 300;
const PARTS = ["left_heel", "left_toe", "right_heel", "right_toe"];
const PEOPLE_KINDS = ["split", "merge", "delete"]; // after which numbers may be others
const SWAPPED = {
  "all joints": null, "arms": ["shoulder", "elbow", "wrist"], "legs": ["hip", "knee", "ankle", "big_toe", "heel"],
};
const STYLE = `
#page-mend .quiet { margin-bottom: 8px; }
#page-mend .tools { display: flex; flex-wrap: wrap; gap: 8px 18px; align-items: center; margin-bottom: 10px; }
#page-mend fieldset { border: 1px solid var(--rule); border-radius: 9px; padding: 4px 10px 8px; display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin: 0; }
#page-mend legend { color: var(--quiet); font-size: 13px; padding: 0 4px; }
#page-mend input[type=number] { width: 6em; font: inherit; color: inherit; background: var(--raised); border: 1px solid var(--rule); border-radius: 7px; padding: 3px 6px; }
#page-mend ol { margin: 0; padding-left: 2em; }
#page-mend li button { padding: 0 7px; margin-left: 8px; }
#page-mend [role=status] { min-height: 1.5em; }
#page-mend a { color: var(--accent); }
#page-mend .bad { color: var(--bad); }
#page-mend button[aria-pressed=true], #lift-again:not(:disabled) { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
#page-mend button:disabled { opacity: 0.5; cursor: default; }
`;

export default async function addMending(viewer) {
  const { api, base, id } = viewer.settings;
  viewer.addStyle(STYLE);
  const mending = new Mending(viewer, api, base, id);
  await mending.load();
  viewer.addTool({ id: "all-clips", title: "All clips", text: "☰", onPress: () => location.assign("/") });
  viewer.addTab({ id: "mend", title: "Mend", build: (page) => mending.build(page) });
  viewer.addKeys({
    e: ["Drag keypoints, or not", () => { viewer.showTab("mend"); mending.setDragging(!mending.isDragging); }],
    ",": ["Range begins here", () => { viewer.showTab("mend"); mending.mark("first"); }],
    ".": ["Range ends here", () => { viewer.showTab("mend"); mending.mark("last"); }],
  });
}

class Mending {
  constructor(viewer, api, base, id) {
    Object.assign(this, { viewer, api, base, id, edits: [], lifted: new Set(), isDragging: false, isBusy: false, dragged: null });
    const { canvas } = viewer.overlay;
    canvas.addEventListener("pointerdown", (event) => this.#take(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", () => this.#drop());
    canvas.addEventListener("pointercancel", () => this.#drop());
    viewer.on("overlay", ({ context, frame, toCanvas }) => this.#drawHandle(context, frame, toCanvas));
    window.addEventListener("beforeunload", (event) => { if (!this.#isLifted()) event.preventDefault(); });
  }

  async load() {
    const answer = await fetch(`${this.api}/corrections`);
    if (answer.ok) this.edits = (await answer.json()).edits;
    this.version = answer.headers.get("ETag");
    this.lifted = new Set(this.edits);
  }

  /** Whether what is shown was lifted after just these edits. */
  #isLifted() {
    return this.edits.length === this.lifted.size && this.edits.every((edit) => this.lifted.has(edit));
  }

  build(page) {
    const { viewer } = this;
    const frame = viewer.clip.frameNumbers;
    const number = (label) => make("input", { type: "number", min: 0, max: frame[frame.length - 1], value: "", "aria-label": label });
    [this.first, this.last] = [number("First frame of the range"), number("Last frame of the range")];
    const button = (text, onClick, properties = {}) => make("button", { type: "button", onClick, ...properties }, text);
    const select = (label, names) => make("select", { "aria-label": label }, ...names.map((name) => make("option", { value: name }, name.replace("_", " "))));
    this.which = select("Which joints change sides", Object.keys(SWAPPED));
    this.part = select("Part of the foot", PARTS);
    this.other = make("select", { "aria-label": "Person to merge with" });
    this.dragButton = button("Drag points", () => this.setDragging(!this.isDragging), { id: "drag-points", "aria-pressed": "false", title: "Drag a keypoint in the video (e)" });
    this.list = make("ol", { id: "edits", "aria-label": "Corrections" });
    this.status = make("p", { role: "status" });
    this.liftButton = button("Lift again", () => this.lift(), { id: "lift-again" });
    this.undoButton = button("Undo", () => this.#remove(this.edits.length - 1), { id: "undo-edit" });
    this.clearButton = button("Undo all", () => { this.edits = []; this.lift(); }, { id: "undo-all" });
    const group = (title, ...children) => make("fieldset", {}, make("legend", {}, title), ...children);
    page.append(
      make("p", { class: "quiet" }, "Corrections are of the person who is selected at the top. “Lift again” shows what comes of them; the original stays as it was."),
      make("div", { class: "tools" },
        group("In this frame", this.dragButton, button("Split here", () => this.#add({ kind: "split", frame: this.#frame() }), { id: "split-here" })),
        group("Range of frames", this.first, button("begins here", () => this.mark("first"), { title: "Range begins here (,)" }),
          this.last, button("ends here", () => this.mark("last"), { title: "Range ends here (.)" })),
        group("In the range", this.which, button("Swap left and right", () => this.#swap(), { id: "swap-sides" }),
          this.part, button("on the ground", () => this.#contact(true), { id: "contact-on" }), button("not", () => this.#contact(false), { id: "contact-off" }),
          button("Delete there", () => this.#ranged("delete", {}), { id: "delete-range" })),
        group("The selected person", button("Delete", () => this.#add({ kind: "delete" }), { id: "delete-person" }),
          this.other, button("Merge", () => this.#merge(), { id: "merge-people" }))),
      make("div", { class: "tools" }, this.liftButton, this.undoButton, this.clearButton,
        make("a", { href: `${this.base}original`, target: "_blank", rel: "opener", id: "original" }, "The original"), this.status),
      this.list);
    viewer.on("select", () => this.#show());
    viewer.on("clip", () => this.#show());
    this.#show();
  }

  /** Whether a drag in the video moves a keypoint. */
  setDragging(isDragging) {
    this.isDragging = isDragging;
    this.viewer.overlay.setActive(isDragging);
    this.viewer.overlay.canvas.style.cursor = isDragging ? "crosshair" : "";
    this.viewer.overlay.canvas.style.touchAction = isDragging ? "none" : "";
    this.dragButton.setAttribute("aria-pressed", String(isDragging));
    if (isDragging) {
      this.viewer.playback.pause();
      this.viewer.set("overlay", true);
    }
  }

  mark(end) {
    this[end].value = this.#frame();
    const [first, last] = [this.first, this.last];
    if (first.value !== "" && last.value !== "" && Number(last.value) < Number(first.value)) {
      (end === "first" ? last : first).value = this.#frame();
    }
  }

  /** Have the people lifted again after all edits, and show what came of it. */
  async lift() {
    this.isBusy = true;
    this.#show();
    this.#say("Sending …");
    try {
      const body = JSON.stringify({ format_version: 1, edits: this.edits });
      const headers = { "If-Match": this.version };
      const answer = await ask(`${this.api}/corrections`, { method: "PUT", body, headers });
      this.version = answer.headers.get("ETag");
      await this.#await();
      this.lifted = new Set(this.edits);
      await this.#reload();
      this.#say(this.edits.length ? "Lifted again." : "As it was found.");
      this.viewer.say("Lifted again");
    } catch (error) {
      this.#say(error.message, true);
    } finally {
      this.isBusy = false;
      this.#show();
    }
  }

  async #await() {
    for (;;) {
      const clips = await (await ask("/api/clips")).json();
      const clip = clips.find((one) => one.id === this.id);
      if (!clip) throw new Error("this clip was deleted");
      if (clip.status === "done") return;
      if (clip.status === "failed") throw new Error(clip.reason);
      if (clip.status === "cancelled") throw new Error("cancelled");
      this.#say(clip.status === "waiting" ? "Waiting for another clip …" : "Lifting again …");
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  #frame() {
    return this.viewer.clip.frameNumbers[this.viewer.playback.frame];
  }

  /** Add an edit of the selected person, `fields` but its number. */
  #add(fields) {
    const { selected } = this.viewer;
    if (this.isBusy) return this.#say("Wait until people are lifted again.", true);
    if (selected === null) return this.#say("Select a person first.", true);
    const { kind, ...others } = fields;
    this.edits.push({ kind, person: selected, ...others });
    this.#show();
    if (PEOPLE_KINDS.includes(kind)) return this.lift();
    this.#say("Not lifted again yet.");
    return undefined;
  }

  #ranged(kind, fields) {
    if (this.first.value === "" || this.last.value === "") return this.#say("Say where the range begins and ends first.", true);
    return this.#add({ kind, first_frame: Number(this.first.value), last_frame: Number(this.last.value), ...fields });
  }

  #swap() {
    const joints = SWAPPED[this.which.value];
    return this.#ranged("swap", joints ? { joints } : {});
  }

  #contact(on) {
    return this.#ranged("contact", { part: this.part.value, on });
  }

  #merge() {
    if (this.other.value === "") return this.#say("There is no other person.", true);
    return this.#add({ kind: "merge", other: Number(this.other.value) });
  }

  /** Show the result as the server has it. */
  async #reload() {
    await this.viewer.replaceClip(await (await ask(`${this.base}content`)).json());
  }

  #remove(index) {
    if (this.isBusy || index < 0) return;
    const [edit] = this.edits.splice(index, 1);
    if (this.lifted.has(edit)) this.lift();
    else this.#preview();
  }

  /** Show the result as it was lifted last, with the points that were moved since. */
  async #preview() {
    const { viewer } = this;
    await this.#reload();
    const { clip } = viewer;
    for (const { kind, person: id, frame, joint, position_px: at } of this.edits.filter((edit) => !this.lifted.has(edit))) {
      const person = kind === "point" ? clip.person(id) : null;
      const row = person?.row(clip.frameNumbers.indexOf(frame)) ?? -1;
      if (row >= 0) person.keypoints.set(at, 2 * (row * person.K + clip.keypoints.names.indexOf(joint)));
    }
    viewer.redraw();
  }

  #say(text, isBad = false) {
    if (!this.status) return;
    this.status.textContent = text;
    this.status.classList.toggle("bad", isBad);
  }

  #show() {
    const { viewer, edits } = this;
    this.liftButton.disabled = this.isBusy || this.#isLifted();
    this.undoButton.disabled = this.clearButton.disabled = this.isBusy || !edits.length;
    const others = viewer.clip.people.map((person) => person.id).filter((id) => id !== viewer.selected);
    this.other.replaceChildren(...others.map((id) => make("option", { value: id }, `with ${id}`)));
    this.list.replaceChildren(...edits.map((edit, index) => make("li", {}, told(edit), this.lifted.has(edit) ? "" : " (not lifted yet)",
      make("button", { type: "button", "aria-label": `Undo: ${told(edit)}`, onClick: () => this.#remove(index) }, "×"))));
  }

  // Dragging

  #take(event) {
    if (!this.isDragging || this.isBusy) return;
    const { viewer } = this;
    const [x, y] = viewer.overlay.toSource(event);
    const reach = REACH_PX / viewer.overlay.scale;
    let nearest = null;
    for (const person of viewer.clip.people) {
      const row = person.row(viewer.playback.frame);
      if (row < 0 || !viewer.isShown(person.id)) continue;
      for (let k = 0; k < person.K; k++) {
        const [u, v] = person.keypoint(row, k);
        const away = Math.hypot(u - x, v - y) - (person.id === viewer.selected ? reach / 2 : 0);
        if (away < (nearest?.away ?? reach)) nearest = { away, person, row, k };
      }
    }
    if (!nearest) return;
    if (nearest.person.id !== viewer.selected) viewer.select(nearest.person.id);
    this.dragged = { ...nearest, frame: this.#frame(), at: null };
    viewer.overlay.canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
  }

  #move(event) {
    if (!this.dragged) return;
    const { person, row, k } = this.dragged;
    this.dragged.at = this.viewer.overlay.toSource(event);
    const at = 2 * (row * person.K + k);
    [person.keypoints[at], person.keypoints[at + 1]] = this.dragged.at;
    person.scores[row * person.K + k] = 1;
    this.viewer.redraw();
  }

  #drop() {
    const { dragged, viewer } = this;
    this.dragged = null;
    viewer.redraw();
    if (!dragged?.at) return;
    const [x, y] = dragged.at.map((value) => Math.round(value * 100) / 100);
    this.#add({ kind: "point", frame: dragged.frame, joint: viewer.clip.keypoints.names[dragged.k], position_px: [x, y] });
  }

  #drawHandle(context, frame, toCanvas) {
    if (!this.dragged) return;
    const { person, row, k } = this.dragged;
    context.beginPath();
    context.arc(...toCanvas(person.keypoint(row, k)), 11, 0, 2 * Math.PI);
    context.lineWidth = 2;
    context.strokeStyle = "#fff";
    context.stroke();
  }
}

/** An edit in words. */
function told({ kind, person, frame, first_frame: first, last_frame: last, ...edit }) {
  const range = first === undefined ? "" : `, frames ${first} to ${last}`;
  const who = `person ${person}`;
  switch (kind) {
    case "point": return `${who}: ${edit.joint.replaceAll("_", " ")} moved in frame ${frame}`;
    case "swap": return `${who}: left and right swapped${edit.joints ? ` (${edit.joints.join(", ").replaceAll("_", " ")})` : ""}${range}`;
    case "split": return `${who} is another one from frame ${frame} on`;
    case "merge": return `${who} and person ${edit.other} are one`;
    case "delete": return `${who} deleted${range}`;
    case "contact": return `${who}: ${edit.part.replaceAll("_", " ")} ${edit.on ? "on" : "not on"} the ground${range}`;
    default: return kind;
  }
}

async function ask(path, options = {}) {
  const answer = await fetch(path, options).catch(() => { throw new Error("The program does not answer: was it ended?"); });
  if (!answer.ok) throw new Error((await answer.text()).trim() || `the program answers ${answer.status}`);
  return answer;
}
