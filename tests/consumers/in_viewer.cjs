// Runs in node: opens a page of `--export html` in Chromium, off the net, and says what it finds as
// one line of JSON.
//
//     node in_viewer.cjs MODULES FILE CHECK [JSON]
//
// CHECK is a function below; JSON is what it is given.
const fs = require("fs");
const path = require("path");

const [modules, file, what, given] = process.argv.slice(2);
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 800 };

/** What is on the page once it is ready. */
async function contents(page) {
  return page.evaluate(() => ({
    people: viewer.clip.people.map((person) => person.id),
    frames: viewer.clip.frames,
    times: [...viewer.clip.times],
    video: document.querySelector("video") && [
      document.querySelector("video").videoWidth, document.querySelector("video").videoHeight],
    joints: viewer.clip.people.map((person) => [...person.joints]),
    keypoints: viewer.clip.people.map((person) => [...person.keypoints]),
    rowFrames: viewer.clip.people.map((person) => [...person.rowFrames]),
    shift: viewer.comparison?.shift ?? null,
  }));
}

/**
 * Frames by which the pose on the screen is off from the video's picture, which has the number of
 * each frame as bits in its top row: while playing at some rates, and after seeks.
 */
async function sync(page, { bits, numbers, rates, seeks, pictures }) {
  await page.evaluate(({ bits, numbers }) => {
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const catchUp = viewer.playback.catchUp.bind(viewer.playback);
    viewer.playback.catchUp = () => {
      window.begunAt = performance.now();
      catchUp();
    };
    window.shownFrame = () => {
      const video = document.querySelector("video");
      const side = video.videoWidth / bits;
      [canvas.width, canvas.height] = [video.videoWidth, Math.ceil(side)];
      context.drawImage(video, 0, 0);
      window.lookedAt = performance.now();
      let number = 0;
      for (let bit = 0; bit < bits; bit++) {
        const [level] = context.getImageData(Math.floor((bit + 0.5) * side), Math.floor(side / 2), 1, 1).data;
        number = 2 * number + (level > 127 ? 1 : 0);
      }
      return numbers.indexOf(number);
    };
  }, { bits, numbers });
  const played = {};
  for (const rate of rates) {
    played[rate] = await page.evaluate(async ({ rate, pictures }) => {
      const { playback } = viewer;
      playback.seek(0);
      await new Promise((done) => setTimeout(done, 300));
      playback.setRate(rate);
      await playback.play();
      const offsets = [];
      // a video goes on while a machine is busy, so frames that take as long as this look are no fault
      const stop = viewer.on("overlay", ({ frame }) => {
        const shown = window.shownFrame();
        const passed = Math.floor(((window.lookedAt - window.begunAt) / 1000) * rate * viewer.clip.fps);
        offsets.push(shown < 0 ? 99 : Math.max(0, Math.abs(frame - shown) - passed));
      });
      for (let wait = 0; wait < 100 && offsets.length < pictures && playback.isPlaying; wait++) {
        await new Promise((done) => setTimeout(done, 200));
      }
      stop();
      playback.pause();
      return { worst: Math.max(...offsets), count: offsets.length, reached: viewer.drawnFrame };
    }, { rate, pictures });
  }
  const sought = await page.evaluate(async ({ seeks }) => {
    const { playback } = viewer;
    const offsets = [];
    for (const frame of seeks) {
      playback.seek(frame);
      for (let wait = 0; wait < 500 && viewer.drawnFrame !== frame; wait++) {
        await new Promise((done) => setTimeout(done, 30));
      }
      offsets.push([Math.abs(viewer.drawnFrame - frame), Math.abs(window.shownFrame() - frame)]);
    }
    return offsets;
  }, { seeks });
  return { played, sought };
}

/** What a user does, by mouse and keys, and what becomes of it. */
async function use(page) {
  const state = () => page.evaluate(() => ({
    frame: viewer.playback.wanted, azimuth: viewer.orbit.azimuth, elevation: viewer.orbit.elevation,
    distance: viewer.orbit.distance, target: [...viewer.orbit.target], isFilm: Boolean(viewer.orbit.film),
    selected: viewer.selected, follows: viewer.follows, shows: { ...viewer.shows }, theme: document.documentElement.dataset.theme,
  }));
  const settle = () => page.waitForTimeout(500);
  const seen = { start: await state() };
  const box = await page.locator("#world").boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const drag = async (options) => {
    await page.mouse.move(x, y);
    await page.mouse.down(options);
    await page.mouse.move(x + 60, y + 30, { steps: 4 });
    await page.mouse.up(options);
  };
  await drag();
  seen.dragged = await state();
  await drag({ button: "right" });
  seen.panned = await state();
  await page.mouse.wheel(0, -300);
  seen.zoomed = await state();
  for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft"]) await page.keyboard.press(key);
  await settle();
  seen.stepped = await state();
  await page.keyboard.press("Shift+ArrowLeft");
  seen.turned = await state();
  await page.keyboard.press("2");
  seen.film = await state();
  for (const key of ["o", "u", "c", "t", "f"]) await page.keyboard.press(key);
  await settle();
  seen.toggled = await state();
  const pixels = () => page.evaluate(() => {
    viewer.playback.pause();
    viewer.redraw();
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
      const copy = document.createElement("canvas");
      [copy.width, copy.height] = [96, 54];
      const context = copy.getContext("2d");
      viewer.redraw();
      requestAnimationFrame(() => {
        context.drawImage(document.getElementById("world"), 0, 0, 96, 54);
        done([...context.getImageData(0, 0, 96, 54).data]);
      });
    })));
  });
  await page.keyboard.press("1");
  await settle();
  const all = await pixels();
  await page.locator("#people .eye").first().click();
  const fewer = await pixels();
  seen.changedPixels = all.filter((value, i) => Math.abs(value - fewer[i]) > 8).length;
  await page.locator("#people .eye").first().click();
  await page.locator("#people .name").last().click();
  seen.chosen = await state();
  const chart = await page.locator(".chart").first().boundingBox();
  await page.mouse.click(chart.x + chart.width * 0.75, chart.y + chart.height / 2);
  await settle();
  seen.sought = await state();
  await page.locator("#theme").click();
  seen.themed = await state();
  await page.keyboard.press("?");
  seen.help = await page.locator("dialog[open] dt").count();
  await page.keyboard.press("Escape");
  await page.locator("#tab-trust").click();
  seen.verdicts = await page.locator(".verdict").count();
  return seen;
}

/** Whether all can be reached on a phone, and what axe finds there and on a desk. */
async function layout(page) {
  const axe = fs.readFileSync(path.join(modules, "axe-core", "axe.min.js"), "utf8");
  await page.evaluate(axe);
  const found = {};
  for (const [name, size] of Object.entries({ desk: DESK, phone: PHONE })) {
    await page.setViewportSize(size);
    for (const tab of await page.locator("#tabs button").all()) {
      await tab.click();
      await page.waitForTimeout(200);
      const { violations } = await page.evaluate(() => window.axe.run());
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      (found[name] ??= { serious: [] }).serious.push(
        ...serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("; ").slice(0, 200)}`));
    }
    Object.assign(found[name], await page.evaluate(() => {
      const box = (selector) => {
        const { left, right, top, bottom } = document.querySelector(selector).getBoundingClientRect();
        return { left, right, top, bottom, width: right - left, height: bottom - top };
      };
      return {
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        film: document.querySelector("video") ? box("#film") : null, space: box("#space"), play: box("#play"), scrub: box("#scrub"),
      };
    }));
  }
  return found;
}

/**
 * Milliseconds to draw a picture with all that can be shown: the script's part of 200 by the clock
 * (median, 95th percentile), and processor time of the page's and of the GPU's process, which in
 * software draws itself.
 */
async function speed(page, given, browser) {
  const session = await browser.newBrowserCDPSession();
  const used = async (kind) => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    return processInfo.filter(({ type }) => type.toLowerCase() === kind).reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  };
  const before = [await used("renderer"), await used("gpu")];
  const times = await page.evaluate(async () => {
    const found = [];
    for (const name of ["halos", "contacts"]) viewer.set(name, true);
    viewer.set("trails", "feet");
    for (let i = 0; i < 200; i++) {
      viewer.playback.frame = i % viewer.clip.frames;
      viewer.playback.emit("frame", viewer.playback.frame);
      await new Promise(requestAnimationFrame);
      found.push(viewer.lastDrawMs);
    }
    return found.sort((a, b) => a - b);
  });
  const after = [await used("renderer"), await used("gpu")];
  return {
    median: times[100], p95: times[190],
    page: 5 * (after[0] - before[0]), gpu: 5 * (after[1] - before[1]),
  };
}

/** What the second of two results adds to a picture, and where it is. */
async function compare(page) {
  await page.locator("#tab-compare").click();
  return page.evaluate(async () => {
    viewer.playback.seek(60);
    await new Promise((done) => setTimeout(done, 1500));
    const drawn = { bones: 0, first: null, person(clip, person, at) {
      this.first ??= at(0);
      this.bones = clip.joints.names.filter((_, joint) => Number.isFinite(at(joint)[0])).length;
    } };
    viewer.ghost(drawn, viewer.playback.frame);
    const main = viewer.clip.person(viewer.selected);
    const at = main.joint(main.row(viewer.playback.frame), 0);
    return {
      shift: viewer.comparison.shift, ghostBones: drawn.bones,
      apart_m: Math.hypot(...at.map((value, axis) => value - drawn.first[axis])),
      rows: document.querySelectorAll(".differences tr").length,
    };
  });
}

const CHECKS = { compare, contents, sync, use, layout, speed };

async function main() {
  const { chromium } = require(path.join(modules, "playwright-core"));
  const args = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--autoplay-policy=no-user-gesture-required"];
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args });
  try {
    const context = await browser.newContext({ viewport: DESK, offline: true, bypassCSP: what === "layout" });
    const page = await context.newPage();
    const errors = [];
    const asked = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    page.on("request", (request) => /^(data|blob):/.test(request.url()) || asked.push(request.url()));
    await page.goto(`file://${file}`);
    await page.waitForFunction(() => window.viewer?.isReady, null, { timeout: 120000 });
    await page.waitForFunction(() => (document.querySelector("video")?.readyState ?? 4) >= 2, null, { timeout: 120000 });
    const said = await CHECKS[what](page, JSON.parse(given ?? "null"), browser);
    return { said, errors, asked };
  } finally {
    await browser.close();
  }
}

main().then(
  (said) => console.log(JSON.stringify(said)),
  (error) => { console.error(error); process.exit(1); },
);
