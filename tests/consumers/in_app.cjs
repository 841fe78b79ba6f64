// Runs in node: a person at the page of `--app`, in Chromium; says what they saw as one line of JSON.
//
//     node in_app.cjs MODULES URL CLIP FOLDER CLIPS     FOLDER gets pictures, downloads and the result; CLIPS has the app's
const fs = require("fs");
const path = require("path");

const [modules, url, clip, folder, clips] = process.argv.slice(2);
const LONG = 300_000;

async function visit(page, said) {
  await page.goto(url);
  said.address = page.url();
  await page.waitForSelector("#options .field", { state: "attached" });
  await page.setInputFiles("#files", clip);
  const card = page.locator("#clips li[data-status]").first();
  const states = new Set();
  for (let status = ""; status !== "done"; ) {
    if (status === "failed") throw new Error(await card.locator(".state").textContent());
    status = (await card.getAttribute("data-status", { timeout: LONG })) ?? "";
    states.add((await card.locator(".state").textContent({ timeout: LONG }).catch(() => "")).replace(/ \d+ %$/, ""));
    await page.waitForTimeout(50);
  }
  said.states = [...states];
  said.id = await card.getAttribute("data-id");
}

async function download(page, format) {
  await page.locator("#clips details summary").first().click();
  const [file] = await Promise.all([
    page.waitForEvent("download", { timeout: LONG }),
    page.getByRole("button", { name: format }).first().click()]);
  const to = path.join(folder, file.suggestedFilename());
  await file.saveAs(to);
  return to;
}

/** Drag a keypoint of a person in a frame by some px of the source; where it was put. */
async function drag(page, { id, frame, joint, by }) {
  const [from, to] = await page.evaluate(async ([id, frame, joint, by]) => {
    const { viewer } = window;
    viewer.playback.pause();
    viewer.playback.seek(frame);
    while (viewer.drawnFrame !== frame) await new Promise(requestAnimationFrame);
    viewer.select(id);
    const person = viewer.clip.person(id);
    const at = person.keypoint(person.row(frame), viewer.clip.keypoints.names.indexOf(joint));
    const box = viewer.overlay.canvas.getBoundingClientRect();
    const onPage = (point) => viewer.overlay.toCanvas(point).map((value, axis) => value + [box.left, box.top][axis]);
    return [onPage(at), onPage([at[0] + by[0], at[1] + by[1]])];
  }, [id, frame, joint, by]);
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move((from[0] + to[0]) / 2, (from[1] + to[1]) / 2);
  await page.mouse.move(...to);
  await page.mouse.up();
}

/** Wait until a function is true in the page; the page's policy forbids Playwright's own way. */
async function until(page, isTrue, argument) {
  for (const end = Date.now() + LONG; !(await page.evaluate(isTrue, argument)); ) {
    if (Date.now() > end) throw new Error(`never true: ${isTrue}`);
    await page.waitForTimeout(50);
  }
}

const ready = (page) => until(page, () => Boolean(window.viewer?.isReady && window.viewer.pictures > 0));
const lifted = (page, text) => until(page, (text) => document.querySelector("#page-mend [role=status]")?.textContent === text, text);

/** What axe finds that keeps people out. */
async function violations(page) {
  await page.evaluate(fs.readFileSync(path.join(modules, "axe-core", "axe.min.js"), "utf8"));
  const found = await page.evaluate(() => window.axe.run());
  return found.violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ").slice(0, 300)}`);
}

/** Sides, contacts and people: a range is marked by keys, a split lifts all at once and is undone. */
async function mendPeople(page, said) {
  const { seek, people } = {
    seek: (frame) => page.evaluate((frame) => window.viewer.playback.seek(frame), frame),
    people: () => page.evaluate(() => window.viewer.clip.people.map((person) => [person.id, person.rowFrames.length])),
  };
  const at = (frame) => until(page, (frame) => window.viewer.playback.frame === frame, frame);
  await page.evaluate(() => window.viewer.select(1));
  for (const [frame, key] of [[3, ","], [8, "."]]) {
    await seek(frame);
    await at(frame);
    await page.locator("#world").press(key);
  }
  await page.getByLabel("Which joints change sides").selectOption("arms");
  await page.locator("#swap-sides").click();
  await page.getByLabel("Part of the foot").selectOption("right_toe");
  await page.locator("#contact-off").click();
  await seek(10);
  await at(10);
  await page.locator("#split-here").click();
  await until(page, () => window.viewer.clip.people.length === 3);
  said.split = await people();
  said.marked = await page.evaluate(async () => (await fetch(`${window.viewer.settings.api}/corrections`)).json());
  await until(page, () => !document.querySelector("#undo-edit").disabled);
  await page.locator("#undo-edit").click();
  await until(page, () => window.viewer.clip.people.length === 2);
  said.together = await people();
  await until(page, () => !document.querySelector("#undo-all").disabled);
}

async function mend(page, said) {
  await page.getByRole("tab", { name: "Mend" }).click();
  await page.locator("#drag-points").click();
  await drag(page, { id: 2, frame: 12, joint: "left_wrist", by: [25, -30] });
  said.edits = await page.locator("#edits li").allTextContents();
  await page.screenshot({ path: path.join(folder, "mend.png") });
  said.isHeld = await page.evaluate(() => {
    document.querySelector("#lift-again").click();
    return ["#lift-again", "#undo-edit", "#undo-all"].every((id) => document.querySelector(id).disabled);
  });
  await lifted(page, "Lifted again.");
  said.mended = await page.evaluate(() => {
    const { clip } = window.viewer;
    const person = clip.person(2);
    return person.keypoint(person.row(12), clip.keypoints.names.indexOf("left_wrist"));
  });
  said.corrections = await page.evaluate(async () => (await fetch(`${window.viewer.settings.api}/corrections`)).json());
}

/** Correct in a tab that was opened before another one corrected, and leave it. */
async function correctTooLate(page, said) {
  await page.getByRole("tab", { name: "Mend" }).click();
  for (const key of [",", "."]) await page.locator("#world").press(key);
  await page.locator("#swap-sides").click();
  await page.locator("#lift-again").click();
  await until(page, () => document.querySelector("#page-mend .bad"));
  said.late = await page.locator("#page-mend .bad").textContent();
  said.errors = said.errors.filter((text) => !text.includes("412"));
  const [dialog] = await Promise.all([page.waitForEvent("dialog"), page.close({ runBeforeUnload: true })]);
  said.leaving = dialog.type();
  await dialog.accept();
}

async function main() {
  const { chromium } = require(path.join(modules, "playwright-core"));
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  const said = { errors: [] };
  try {
    const context = await browser.newContext({ acceptDownloads: true, viewport: { width: 1280, height: 860 } });
    context.on("page", (page) => {
      page.on("pageerror", (error) => said.errors.push(String(error)));
      page.on("console", (message) => message.type() === "error" && said.errors.push(message.text()));
    });
    const page = await context.newPage();
    await visit(page, said);
    const other = await context.newPage();
    await other.goto(said.address);
    await other.waitForSelector("#clips li");
    said.other = await other.locator("#clips li .state").allTextContents();
    said.bvh = await download(page, "bvh");
    await page.screenshot({ path: path.join(folder, "gallery.png") });
    await page.locator("#settings summary").click();
    said.barriers = await violations(page);
    await page.getByRole("link", { name: "Look at it", exact: true }).click();
    await ready(page);
    said.people = await page.evaluate(() => window.viewer.clip.people.map((person) => person.id));
    await page.screenshot({ path: path.join(folder, "viewer.png") });
    const late = await context.newPage();
    await late.goto(page.url());
    await ready(late);
    await mend(page, said);
    await correctTooLate(late, said);
    await until(other, () => document.querySelector(".state")?.textContent.includes("corrected by hand"));
    const original = await context.newPage();
    await original.goto(new URL("original", page.url()).href);
    await ready(original);
    said.original = await original.evaluate(() => document.querySelector("#tab-mend") === null);
    fs.cpSync(path.join(clips, said.id, "result"), path.join(folder, "result"), { recursive: true });
    said.barriers.push(...(await violations(page)));
    await mendPeople(page, said);
    await page.locator("#undo-all").click();
    await lifted(page, "As it was found.");
    said.undone = {
      edits: await page.locator("#edits li").count(),
      isMended: fs.existsSync(path.join(clips, said.id, "result", "mended")),
    };
    await page.goto(said.address);
    page.on("dialog", (dialog) => dialog.accept());
    await page.getByRole("button", { name: "Delete" }).click();
    await page.waitForSelector("#none:not([hidden])");
    return said;
  } finally {
    await browser.close();
  }
}

main().then(
  (said) => console.log(JSON.stringify(said)),
  (error) => { console.error(error); process.exit(1); },
);
