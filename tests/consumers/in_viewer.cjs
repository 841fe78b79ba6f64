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
        film: document.querySelector("video") ? box("#film") : null, picture: box("#picture"), space: box("#space"), play: box("#play"), scrub: box("#scrub"),
      };
    }));
  }
  return found;
}

/**
 * Milliseconds a picture with all that can be shown takes a computer without a GPU (median, 95th
 * percentile of 300): from one to the next, as fast as they come, and the script's part of that;
 * and processor time of the page's process and of the one that puts the page together.
 */
async function speed(page, given, browser) {
  const session = await browser.newBrowserCDPSession();
  const used = async (kind) => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    return processInfo.filter(({ type }) => type.toLowerCase() === kind).reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  };
  await page.evaluate(() => {
    for (const name of ["halos", "contacts"]) viewer.set(name, true);
    viewer.set("trails", "feet");
  });
  const count = 300;
  const before = [await used("renderer"), await used("gpu")];
  const times = await page.evaluate(async (count) => {
    const found = { picture: [], script: [] };
    for (let i = 0, last = performance.now(); i < count; i++) {
      viewer.playback.frame = i % viewer.clip.frames;
      viewer.playback.emit("frame", viewer.playback.frame);
      await new Promise(requestAnimationFrame);
      found.picture.push(-last + (last = performance.now()));
      found.script.push(viewer.lastDrawMs);
    }
    return found;
  }, count);
  const after = [await used("renderer"), await used("gpu")];
  const at = (values, share) => values.sort((a, b) => a - b)[Math.floor(share * count)];
  return {
    renderer: await page.evaluate(() => viewer.renderer.constructor.name),
    picture: { median: at(times.picture, 0.5), p95: at(times.picture, 0.95) },
    script: { median: at(times.script, 0.5), p95: at(times.script, 0.95) },
    page: (1000 / count) * (after[0] - before[0]), gpu: (1000 / count) * (after[1] - before[1]),
  };
}

/**
 * What draws where no GPU is; share of the figures' pixels that it and WebGL have in common, a point
 * of view each; and how many pixels moving pictures get on a computer that is too slow by them, by
 * something else, or not, and one that is still.
 */
async function plain(page) {
  return page.evaluate(async () => {
    const { Renderer } = await import("viewer/renderer.js");
    const { Sharpness } = await import("viewer/sharpness.js");
    const world = document.getElementById("world");
    const canvas = document.createElement("canvas");
    document.body.append(canvas);
    [canvas.width, canvas.height] = [world.width, world.height];
    canvas.style.cssText = `position: fixed; top: 0; width: ${world.clientWidth}px; height: ${world.clientHeight}px`;
    const renderer = new Renderer(canvas);
    const common = {};
    const mask = (drawn) => {
      const copy = document.createElement("canvas");
      [copy.width, copy.height] = [world.width, world.height];
      const context = copy.getContext("2d");
      context.drawImage(drawn, 0, 0);
      return context.getImageData(0, 0, copy.width, copy.height).data.filter((_, i) => i % 4 === 3);
    };
    for (const view of ["start", "side", "top", "near"]) {
      viewer.lookFrom(view === "near" ? "start" : view, false);
      if (view === "near") viewer.orbit.look({ box: { middle: viewer.clip.people[0].joint(0, 0), radius: 0.4, points: [] } }, false);
      await new Promise((done) => setTimeout(done, 500));
      const { figures } = viewer;
      figures.floor.reach[2] = 0;
      for (const name of ["discs", "halos"]) figures[name].clear();
      const camera = viewer.orbit.matrices(world.clientWidth, world.clientHeight);
      const masks = [viewer.renderer, renderer].map((one) => {
        one.draw(camera, figures);
        return mask(one.canvas);
      });
      let [both, either] = [0, 0];
      for (let i = 0; i < masks[0].length; i++) {
        const [a, b] = [masks[0][i] > 127, masks[1][i] > 127];
        both += a && b;
        either += a || b;
      }
      common[view] = { share: both / either, pixels: either };
    }

    const [real, frame] = [performance.now, window.requestAnimationFrame];
    performance.now = () => 1e6;
    window.requestAnimationFrame = (callback) => callback();
    const costs = { slow: (share) => 90 * share ** 2, busy: () => 90, quick: () => 16 };
    const moving = Object.entries(costs).map(([name, cost]) => {
      const sharpness = new Sharpness(() => { sharpness.isRedrawn = true; });
      for (let i = 0; i < 200; i++) sharpness.drawn(1e6 - cost(sharpness.share));
      return [name, { sharpness, share: sharpness.share }];
    });
    [performance.now, window.requestAnimationFrame] = [real, frame];
    await new Promise((done) => setTimeout(done, 600));
    const shares = Object.fromEntries(moving.map(([name, { sharpness, share }]) =>
      [name, { moving: share, still: sharpness.share, isRedrawn: Boolean(sharpness.isRedrawn) }]));
    return { renderer: viewer.renderer.constructor.name, common, shares };
  });
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

/** Which picture of its video, by the bits in its top row, the second clip shows, and should. */
async function second(page, { bits, numbers, seeks }) {
  const films = await page.evaluate(() => document.getElementById("stage").dataset.films);
  const boxes = {};
  const areInSight = {};
  await page.evaluate(() => viewer.playback.seek(50)); // where both have a picture
  for (const shown of ["both", "second", "first"]) {
    await page.locator(`#films [data-films=${shown}]`).click();
    await page.waitForTimeout(400);
    boxes[shown] = await page.evaluate(() => [...document.querySelectorAll("#film video")].map((video) => {
      const { left, right, top, bottom } = video.getBoundingClientRect();
      const on = right > left && document.elementsFromPoint((left + right) / 2, (top + bottom) / 2).find((one) => one.tagName === "VIDEO");
      return on === video;
    }));
    areInSight[shown] = await page.evaluate(() => {
      const world = document.getElementById("world");
      const { both } = viewer.orbit.matrices(world.clientWidth, world.clientHeight);
      return viewer.box.points.every((point) => {
        const [x, y, depth] = [0, 1, 3].map((row) => [...point, 1].reduce((sum, at, i) => sum + both[row + 4 * i] * at, 0));
        return Math.abs(x) < depth && Math.abs(y) < depth;
      });
    });
  }
  await page.locator("#films [data-films=both]").click();
  const found = await page.evaluate(async ({ bits, numbers, seeks }) => {
    const { playback, clips: [clip, other], comparison } = viewer;
    const video = document.querySelector("#second video");
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const shownFrame = () => {
      const side = video.videoWidth / bits;
      [canvas.width, canvas.height] = [video.videoWidth, Math.ceil(side)];
      context.drawImage(video, 0, 0);
      let number = 0;
      for (let bit = 0; bit < bits; bit++) {
        number = 2 * number + (context.getImageData(Math.floor((bit + 0.5) * side), Math.floor(side / 2), 1, 1).data[0] > 127 ? 1 : 0);
      }
      return numbers.indexOf(number);
    };
    const isAway = () => document.getElementById("second").classList.contains("away");
    const wanted = () => other.frameAt(playback.time - comparison.shift);
    const pause = (ms) => new Promise((done) => setTimeout(done, ms));
    const sought = [];
    for (const frame of seeks) {
      playback.seek(frame);
      for (let wait = 0; wait < 100 && (viewer.drawnFrame !== frame || (!isAway() && shownFrame() !== wanted())); wait++) await pause(50);
      sought.push({ at: clip.times[frame], isAway: isAway(), off: isAway() ? null : shownFrame() - wanted() });
    }
    playback.seek(30);
    await pause(500);
    await playback.play();
    const offsets = [];
    for (let look = 0; look < 40 && playback.isPlaying; look++) {
      await pause(60);
      const time = playback.start + playback.video.currentTime - comparison.shift;
      if (look > 8) offsets.push(Math.abs(other.times[shownFrame()] - time));
    }
    playback.pause();
    for (let wait = 0; wait < 200 && !isAway() && shownFrame() !== wanted(); wait++) await pause(50);
    return { sought, isSettled: isAway() || shownFrame() === wanted(), offsets: offsets.sort((a, b) => a - b), duration: other.duration, shift: comparison.shift };
  }, { bits, numbers, seeks });
  return { films, boxes, areInSight, ...found };
}

const CHECKS = { compare, second, contents, sync, use, layout, plain, speed };
const SWIFTSHADER = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"];
const WITHOUT_GPU = ["--disable-gpu", "--disable-software-rasterizer", "--disable-frame-rate-limit", "--disable-gpu-vsync"];

/** Have the page take the software that draws here for a GPU. */
function pretendGpu() {
  const { getParameter } = WebGL2RenderingContext.prototype;
  WebGL2RenderingContext.prototype.getParameter = function parameter(name) {
    const value = getParameter.call(this, name);
    return typeof value === "string" ? value.replaceAll("SwiftShader", "GPU") : value;
  };
}

async function main() {
  const { chromium } = require(path.join(modules, "playwright-core"));
  const args = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", ...(what === "speed" ? WITHOUT_GPU : SWIFTSHADER)];
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args });
  try {
    const context = await browser.newContext({ viewport: DESK, offline: true, bypassCSP: what === "layout" });
    const page = await context.newPage();
    if (what !== "plain") await page.addInitScript(pretendGpu);
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
