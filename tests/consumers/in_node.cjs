// Runs in node: says what Khronos's validator or three.js in Chromium makes of a file, as one line of JSON.
//
//     node in_node.cjs MODULES validate FILE
//     node in_node.cjs MODULES joints FILE TIMES     seconds, comma-separated
const fs = require("fs");
const http = require("http");
const path = require("path");

const [modules, what, file, times] = process.argv.slice(2);

async function validate() {
  const validator = require(path.join(modules, "gltf-validator"));
  const report = await validator.validateBytes(new Uint8Array(fs.readFileSync(file)));
  return { ...report.issues, info: report.info };
}

const PAGE = `<!doctype html><script type="importmap">{"imports": {
  "three": "/modules/three/build/three.module.js", "three/addons/": "/modules/three/examples/jsm/"
}}</script><script type="module">
import * as THREE from "three";
import { BVHLoader } from "three/addons/loaders/BVHLoader.js";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

window.joints = async (name, times) => {
  let root, clip;
  if (name.endsWith(".bvh")) {
    const motion = await new BVHLoader().loadAsync("/file");
    root = motion.skeleton.bones[0];
    clip = motion.clip;
  } else {
    const scene = await new GLTFLoader().loadAsync("/file");
    root = scene.scene;
    clip = scene.animations[0];
  }
  const mixer = new THREE.AnimationMixer(root);
  const action = mixer.clipAction(clip);
  action.setLoop(THREE.LoopOnce);
  action.clampWhenFinished = true;
  action.play();
  return { duration: clip.duration, skins: count(root), frames: times.map((time) => {
    mixer.setTime(time);
    root.updateMatrixWorld(true);
    const at = {};
    root.traverse((node) => {
      (at[node.name] ??= []).push(new THREE.Vector3().setFromMatrixPosition(node.matrixWorld).toArray());
    });
    return at;
  }) };
};
const count = (root) => {
  let skins = 0;
  root.traverse((node) => { skins += node.isSkinnedMesh ? 1 : 0; });
  return skins;
};
window.isReady = true;
</script>`;

async function joints() {
  const { chromium } = require(path.join(modules, "playwright-core"));
  const server = http.createServer((request, response) => {
    const url = new URL(request.url, "http://127.0.0.1").pathname;
    const types = { ".js": "text/javascript" };
    if (url === "/") return response.setHeader("content-type", "text/html").end(PAGE);
    const from = url === "/file" ? file : path.join(modules, url.replace("/modules/", ""));
    if (!fs.existsSync(from)) return response.writeHead(404).end();
    response.setHeader("content-type", types[path.extname(from)] ?? "application/octet-stream");
    fs.createReadStream(from).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await page.waitForFunction("window.isReady", null, { timeout: 120000 });
    const said = await page.evaluate(([name, times]) => window.joints(name, times),
      [path.basename(file), times.split(",").map(Number)]);
    return { ...said, errors };
  } finally {
    await browser.close();
    server.close();
  }
}

({ validate, joints })[what]().then(
  (said) => console.log(JSON.stringify(said)),
  (error) => { console.error(error); process.exit(1); },
);
