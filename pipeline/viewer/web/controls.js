// Buttons: playback below the stage, points of view and what is drawn in it, people at the top.

import { clock, make, toggle } from "viewer/dom.js";
import { colour, css, setTheme, theme } from "viewer/theme.js";

const RATES = [0.25, 0.5, 1, 1.5, 2];
const element = (id) => document.getElementById(id);

export function addControls(viewer) {
  addTransport(viewer);
  addViews(viewer);
  addPeople(viewer);
  viewer.addTool({
    id: "theme", title: "Dark or light", text: "◐",
    onPress: () => {
      setTheme(theme() === "dark" ? "light" : "dark");
      viewer.emit("show");
      viewer.redraw();
    },
  });
  document.body.append(make("p", { id: "said", role: "status", "aria-live": "polite" }));
}

function addTransport(viewer) {
  const { playback } = viewer;
  const button = (id, title, text, onClick) =>
    make("button", { type: "button", id, title, "aria-label": title, onClick }, text);
  const play = button("play", "Play", "▶", () => playback.toggle());
  const scrub = make("input", {
    type: "range", id: "scrub", min: 0, step: 1, value: 0, "aria-label": "Frame",
    onInput: () => playback.seek(Number(scrub.value)),
  });
  const time = make("output", { id: "time", for: "scrub" });
  const rate = make("select", {
    id: "rate", "aria-label": "Speed", onChange: () => playback.setRate(Number(rate.value)),
  }, ...RATES.map((value) => make("option", { value, selected: value === 1 }, `${value}×`)));
  const sound = playback.video && toggle("♪", true, (isOn) => { playback.video.muted = !isOn; },
    { id: "sound", title: "Sound", "aria-label": "Sound" });
  element("transport").append(
    button("back", "Frame back (←)", "◂", () => playback.step(-1)), play,
    button("ahead", "Frame ahead (→)", "▸", () => playback.step(1)), scrub, time, rate,
    ...(sound ? [sound] : []));

  const refresh = () => {
    const { clip, isPlaying, wanted } = playback;
    play.textContent = isPlaying ? "❚❚" : "▶";
    play.title = isPlaying ? "Pause (space)" : "Play (space)";
    play.setAttribute("aria-label", isPlaying ? "Pause" : "Play");
    scrub.max = Math.max(clip.frames - 1, 0);
    scrub.value = wanted;
    const at = clip.times[wanted] ?? 0;
    time.textContent = `${clock(at)} · ${clip.frameNumbers[wanted] ?? 0}`;
    scrub.setAttribute("aria-valuetext", `${clock(at)}, frame ${clip.frameNumbers[wanted] ?? 0}`);
    document.body.classList.toggle("still", clip.frames < 2);
  };
  for (const name of ["state", "frame"]) playback.on(name, refresh);
  viewer.on("clip", refresh);
  refresh();
}

function addViews(viewer) {
  const views = element("views");
  const names = { start: "Home", film: "Camera", front: "Front", side: "Side", top: "Top" };
  for (const [name, text] of Object.entries(names)) {
    if (name === "film" && !viewer.hasFilm) continue;
    const title = { start: "All people, from behind the camera", film: "As the film camera saw it" }[name];
    views.append(make("button", { type: "button", "data-view": name, title: title ?? `From the ${name}`, onClick: () => viewer.lookFrom(name) }, text));
  }
  const shows = [
    ["overlay", "2D overlay"], ["halos", "Uncertainty"], ["contacts", "Foot contacts"],
    ["camera", "Camera"], ["numbers", "Numbers"],
  ].filter(([name]) => name !== "camera" || viewer.hasFilm);
  const list = make("div", { class: "menu" },
    ...shows.map(([name, text]) => make("label", {}, make("input", {
      type: "checkbox", "data-show": name, checked: viewer.shows[name],
      onChange: (event) => viewer.set(name, event.target.checked),
    }), text)),
    make("label", {}, make("input", {
      type: "checkbox", "data-show": "follow", checked: viewer.follows,
      onChange: (event) => viewer.setFollows(event.target.checked),
    }), "Follow selected"),
    make("label", {}, "Trails ", make("select", {
      "data-show": "trails", onChange: (event) => viewer.set("trails", event.target.value),
    }, make("option", { value: "" }, "none"),
    ...["pelvis", "hands", "feet", "head"].map((name) => make("option", { value: name }, name)))));
  views.append(make("details", { id: "shows" }, make("summary", {}, "Show"), list));
  viewer.on("show", () => {
    for (const box of list.querySelectorAll("input[data-show]")) {
      const { show } = box.dataset;
      box.checked = show === "follow" ? viewer.follows : viewer.shows[show];
    }
  });
}

function addPeople(viewer) {
  const refresh = () => {
    element("people").replaceChildren(...viewer.clip.people.map((person) => {
      const isSelected = person.id === viewer.selected;
      const chip = make("span", { class: isSelected ? "chip selected" : "chip" },
        toggle(viewer.isShown(person.id) ? "●" : "○", viewer.isShown(person.id),
          (isOn) => viewer.setShown(person.id, isOn),
          { class: "eye", title: `Show person ${person.id}`, "aria-label": `Show person ${person.id}`, "data-person": person.id }),
        make("button", {
          type: "button", class: "name", "aria-pressed": String(isSelected),
          title: `Plots and following are of person ${person.id}`, onClick: () => viewer.select(person.id),
        }, `Person ${person.id}`));
      chip.style.setProperty("--hue", css(colour(person.hue)));
      return chip;
    }));
    if (!viewer.clip.people.length) {
      element("people").append(make("span", { class: "quiet" }, "There is nobody in this video"));
    }
  };
  for (const name of ["show", "select", "clip"]) viewer.on(name, refresh);
  refresh();
}
