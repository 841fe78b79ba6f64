// The gallery: uploads, the queue with its progress, results. What is shown is what the server says,
// asked for twice a second, so that all tabs show the same.

const element = (id) => document.getElementById(id);
const POLL_MS = 500;
const LIVE_MS = 200;
const STAGES = {
  starting: "Loading the networks", detect: "Finding people", lift: "Lifting to 3D",
  render: "Drawing the video", page: "Preparing the viewer", film: "Opening the camera",
};
let known = { options: [], formats: [], upload_bytes: Infinity };
const uploads = new Map(); // name → share sent, of this tab
const cards = new Map(); // id → { element, shown }

/** An element: properties and attributes (`class`, `aria-…`, `on…` listeners), children. */
function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2).toLowerCase(), value);
    else if (name === "class" || name.includes("-")) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

async function ask(path, options = {}) {
  const answer = await fetch(path, options);
  if (!answer.ok) throw new Error((await answer.text()).trim() || `the program answers ${answer.status}`);
  return answer;
}

const say = (text) => { element("said").textContent = text; };
const sayToo = (text) => say([element("said").textContent, text].filter(Boolean).join("; "));

/** Do something that may fail, and say so. */
async function attempt(work) {
  try {
    say("");
    return await work();
  } catch (error) {
    say(error.message);
    return null;
  } finally {
    refresh();
  }
}

// Options

function fields(values = {}) {
  return known.options.map((option) => {
    const value = values[option.name] ?? option.default;
    const common = { name: option.name, id: "" };
    const title = make("b", {}, option.name.replaceAll("_", " "));
    if (option.kind === "switch") {
      return make("label", { class: "field switch" },
        make("input", { ...common, type: "checkbox", checked: value === true }), title, make("small", {}, option.help));
    }
    const input = option.kind === "choice"
      ? make("select", common, ...option.choices.map((one) => make("option", { value: one, selected: one === value }, one)))
      : make("input", { ...common, type: "text", value: String(value), placeholder: option.placeholder,
          inputMode: option.kind === "number" ? "decimal" : "text" });
    return make("label", { class: "field" }, title, input, make("small", {}, option.help + (option.unit ? `, ${option.unit}` : "")));
  });
}

/** What differs from the defaults. */
function chosen(form) {
  const values = {};
  for (const option of known.options) {
    const input = form.querySelector(`[name="${option.name}"]`);
    const value = option.kind === "switch" ? input.checked : input.value.trim();
    if (value !== option.default && value !== String(option.default)) values[option.name] = value;
  }
  return values;
}

// Uploads

function upload(file) {
  if (file.size > known.upload_bytes) {
    sayToo(`${file.name}: clips of more than ${known.upload_bytes / 1e9} GB are not taken; --app-upload-gb says how large`);
    return;
  }
  const query = new URLSearchParams({ name: file.name, options: JSON.stringify(chosen(element("options"))) });
  const request = new XMLHttpRequest();
  request.open("POST", `/api/clips?${query}`);
  uploads.set(file.name, 0);
  request.upload.onprogress = ({ loaded, total }) => { uploads.set(file.name, loaded / total); };
  request.onloadend = () => {
    uploads.delete(file.name);
    if (request.status !== 201) sayToo(`${file.name}: ${request.responseText.trim() || "the upload failed"}`);
    refresh();
  };
  request.send(file);
  refresh();
}

function addAll(files) {
  say("");
  for (const file of files) upload(file);
}

// The gallery

function stateOf(clip) {
  if (clip.is_live) return "Filming: people are lifted as they come";
  const { stage, count, total } = clip.progress ?? { stage: "starting" };
  const share = total ? ` ${Math.floor(100 * Math.min(1, count / total))} %` : "";
  if (clip.status === "stopping") return `Ending; the viewer is prepared${share}`;
  if (clip.status === "waiting") return clip.mends ? "Waiting, to be lifted again" : "Waiting";
  if (clip.status === "running") return `${STAGES[stage] ?? stage}${share}`;
  if (clip.status === "failed") return clip.reason;
  if (clip.status === "cancelled") return "Cancelled";
  const people = clip.people === 1 ? "1 person" : `${clip.people} people`;
  return `${people}, ${clip.frames === 1 ? "1 frame" : `${clip.frames} frames`}${clip.is_corrected ? ", corrected by hand" : ""}`;
}

function card(clip) {
  const base = `/clips/${clip.id}/`;
  const isBusy = ["waiting", "running", "stopping"].includes(clip.status);
  const poster = clip.is_live ? livePicture(base) : clip.has_poster
    ? make("img", { src: `${base}poster.jpg`, alt: "", loading: "lazy" })
    : make("span", {}, isBusy ? "…" : "no picture");
  const { count = 0, total = null } = clip.progress ?? {};
  const bar = make("progress", { max: 1, "aria-label": `${clip.name}: ${stateOf(clip)}` });
  if (total) bar.value = Math.min(1, count / total);
  const options = Object.entries(clip.options).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`).join(", ");
  const act = (path, method = "POST") => attempt(() => ask(`/api/clips/${clip.id}${path}`, { method }));
  return [
    clip.has_result
      ? make("a", { class: "poster", href: base, "aria-label": `${clip.name}: look at it` }, poster)
      : make("div", { class: "poster" }, poster),
    make("div", { class: "body" },
      make("h2", {}, clip.name),
      make("p", { class: `state ${clip.status === "failed" ? "bad" : ""}` }, stateOf(clip)),
      isBusy ? bar : null,
      options ? make("p", {}, options) : null,
      ...(clip.status === "done" ? clip.warnings.map((text) => make("p", {}, text)) : []),
      make("div", { class: "row" },
        clip.has_result ? make("a", { class: "button main", href: base }, "Look at it") : null,
        clip.is_live ? make("button", { type: "button", class: "main", onClick: () => act("/stop") }, "Stop") : null,
        isBusy ? make("button", { type: "button", onClick: () => act("/cancel") }, "Cancel") : null,
        isBusy && clip.camera ? null : make("button", { type: "button", onClick: () => runAgain(clip) }, "Run again…"),
        make("button", { type: "button", onClick: () => confirm(`Delete ${clip.name} and its results?`) && act("", "DELETE") }, "Delete")),
      clip.has_result ? downloads(clip, base) : null),
  ];
}

/** What a camera shows, the newest picture as soon as the one before is there. */
function livePicture(base) {
  const picture = make("img", { alt: "The camera's picture beside its people in 3D" });
  const next = () => { picture.src = `${base}live.jpg?${Date.now()}`; };
  const later = () => setTimeout(() => picture.isConnected && next(), LIVE_MS);
  picture.addEventListener("load", later);
  picture.addEventListener("error", later);
  next();
  return picture;
}

function downloads(clip, base) {
  const files = clip.drawn.map((name) => make("a", { class: "button", href: `${base}files/${encodeURIComponent(name)}` }, name,
    make("small", {}, "what was drawn")));
  const formats = known.formats.map(({ name, about }) => make("button", { type: "button", onClick: () => download(`${base}export/${name}`, name) },
    name, make("small", {}, about)));
  return make("details", {}, make("summary", {}, "Download"), make("div", { class: "formats" }, ...files, ...formats));
}

function download(path, name) {
  return attempt(async () => {
    say(`Making ${name} …`);
    const answer = await ask(path);
    const named = /filename\*?=(?:utf-8'')?"?([^";]+)/i.exec(answer.headers.get("content-disposition") ?? "");
    const link = make("a", { href: URL.createObjectURL(await answer.blob()), download: decodeURIComponent(named?.[1] ?? name) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    say("");
  });
}

function runAgain(clip) {
  const dialog = element("again");
  element("again-options").replaceChildren(...fields(clip.options));
  dialog.returnValue = "";
  dialog.onclose = () => {
    if (dialog.returnValue !== "run") return;
    const body = JSON.stringify(chosen(element("again-options")));
    attempt(() => ask(`/api/clips/${clip.id}/again`, { method: "POST", body }));
  };
  dialog.showModal();
}

function show(clips) {
  const list = element("clips");
  const sent = [...uploads].map(([name, share]) => ({ id: `upload ${name}`, name, share }));
  element("none").hidden = clips.length + sent.length > 0;
  const ids = new Set();
  for (const clip of [...sent, ...clips]) {
    ids.add(clip.id);
    const shown = JSON.stringify(clip);
    let entry = cards.get(clip.id);
    if (!entry) cards.set(clip.id, (entry = { element: make("li", { class: "clip" }), shown: "" }));
    if (entry.shown !== shown) {
      const isOpen = entry.element.querySelector("details")?.open ?? false;
      const focused = entry.element.contains(document.activeElement) ? document.activeElement.textContent : null;
      entry.element.replaceChildren(...("share" in clip ? uploadCard(clip) : card(clip)));
      entry.element.dataset.id = clip.id;
      entry.element.dataset.status = clip.status ?? "uploading";
      entry.element.dataset.live = String(clip.is_live ?? false);
      const details = entry.element.querySelector("details");
      if (details) details.open = isOpen;
      if (focused) [...entry.element.querySelectorAll("button, a")].find((one) => one.textContent === focused)?.focus();
      entry.shown = shown;
    }
  }
  for (const [id, entry] of cards) {
    if (!ids.has(id)) {
      entry.element.remove();
      cards.delete(id);
    }
  }
  [...ids].forEach((id, index) => {
    const wanted = cards.get(id).element;
    if (list.children[index] !== wanted) list.insertBefore(wanted, list.children[index] ?? null);
  });
}

const uploadCard = ({ name, share }) => [
  make("div", { class: "poster" }, make("span", {}, "…")),
  make("div", { class: "body" }, make("h2", {}, name), make("p", {}, `Copying ${Math.floor(100 * share)} %`),
    make("progress", { max: 1, value: share, "aria-label": `${name} is copied` })),
];

let asked = 0;
async function refresh() {
  const number = ++asked;
  try {
    const clips = await (await ask("/api/clips")).json();
    if (number === asked) show(clips);
  } catch (error) {
    say(error instanceof TypeError ? "The program does not answer: was it ended? Open the address that it prints at its next start." : error.message);
  }
}

async function start() {
  element("film").addEventListener("submit", (event) => {
    event.preventDefault();
    const body = JSON.stringify({ camera: element("camera").value, options: chosen(element("options")) });
    attempt(() => ask("/api/cameras", { method: "POST", body }));
  });
  const drop = element("drop");
  element("files").addEventListener("change", ({ target }) => {
    addAll(target.files);
    target.value = "";
  });
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) document.addEventListener(name, () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    addAll(event.dataTransfer.files);
  });
  known = await (await ask("/api/options")).json();
  element("options").append(...fields());
  element("limit").textContent = `Videos and pictures up to ${known.upload_bytes / 1e9} GB`;
  refresh();
  setInterval(refresh, POLL_MS);
}

start().catch((error) => say(error.message));
