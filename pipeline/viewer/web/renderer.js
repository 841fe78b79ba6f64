// Draws segments, spheres, discs and a floor by WebGL 2: everything a figure needs, a call a kind.
//
// Bones and joints are not meshes but squares that face the viewer, shaded as if they were round.

const COMMON = `#version 300 es
precision highp float;
uniform mat4 view, projection;
`;

const SEGMENT = {
  floats: 12,
  layout: { a: 3, b: 3, radius: 1, isFlat: 1, colour: 4 }, // radius in metres, of flat ones in px
  vertex: `${COMMON}
uniform float pixel; // metres a px, at one metre's depth
in vec3 a, b; in float radius, isFlat; in vec4 colour;
out vec2 at; out float span; out vec4 tint; out float flatness; out vec3 across, toEye;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  vec3 p = (view * vec4(a, 1.0)).xyz, q = (view * vec4(b, 1.0)).xyz;
  const float near = -0.06;
  if (p.z > near && q.z > near) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); return; }
  if (p.z > near) p = mix(p, q, (p.z - near) / (p.z - q.z));
  if (q.z > near) q = mix(q, p, (q.z - near) / (q.z - p.z));
  vec3 along = q - p;
  float l = length(along);
  along = l > 1e-6 ? along / l : vec3(1.0, 0.0, 0.0);
  vec3 end = corner.x < 0.5 ? p : q;
  float r = isFlat > 0.5 ? radius * pixel * -end.z : radius;
  vec3 side = cross(along, normalize(end));
  side = length(side) > 1e-4 ? normalize(side) : vec3(0.0, 1.0, 0.0);
  float sign = corner.y * 2.0 - 1.0;
  vec3 position = end + side * sign * r + along * (corner.x * 2.0 - 1.0) * r;
  at = vec2(corner.x < 0.5 ? -r : l + r, sign * r) / r;
  span = l / r;
  tint = colour; flatness = isFlat; across = side; toEye = -normalize(end);
  gl_Position = projection * vec4(position, 1.0);
}`,
  fragment: `${COMMON}
in vec2 at; in float span; in vec4 tint; in float flatness; in vec3 across, toEye;
out vec4 shown;
void main() {
  float beyond = at.x < 0.0 ? at.x : max(at.x - span, 0.0);
  float d = beyond * beyond + at.y * at.y;
  if (d > 1.0) discard;
  vec3 normal = normalize(across * at.y + toEye * sqrt(1.0 - min(at.y * at.y, 1.0)));
  float light = 0.52 + 0.5 * max(dot(normal, normalize(vec3(-0.35, 0.8, 0.55))), 0.0);
  shown = vec4(tint.rgb * mix(light, 1.0, flatness), tint.a);
}`,
};

const SPHERE = {
  floats: 8,
  layout: { centre: 3, radius: 1, colour: 4 }, // a negative alpha: a halo
  vertex: `${COMMON}
in vec3 centre; in float radius; in vec4 colour;
out vec2 at; out vec4 tint;
void main() {
  at = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
  vec4 middle = view * vec4(centre, 1.0);
  if (middle.z > -0.06) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); return; }
  middle.xy += at * radius;
  tint = colour;
  gl_Position = projection * middle;
}`,
  fragment: `${COMMON}
in vec2 at; in vec4 tint;
out vec4 shown;
void main() {
  float d = dot(at, at);
  if (d > 1.0) discard;
  vec3 normal = vec3(at, sqrt(1.0 - d));
  float light = 0.52 + 0.5 * max(dot(normal, normalize(vec3(-0.35, 0.8, 0.55))), 0.0);
  float rim = 0.45 + 0.55 * smoothstep(0.5, 1.0, d);
  shown = tint.a < 0.0 ? vec4(tint.rgb, -tint.a * rim) : vec4(tint.rgb * light, tint.a);
}`,
};

const DISC = {
  floats: 8,
  layout: { centre: 3, radius: 1, colour: 4 }, // level
  vertex: `${COMMON}
in vec3 centre; in float radius; in vec4 colour;
out vec2 at; out vec4 tint;
void main() {
  at = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
  tint = colour;
  gl_Position = projection * view * vec4(centre + vec3(at * radius, 0.0), 1.0);
}`,
  fragment: `${COMMON}
in vec2 at; in vec4 tint;
out vec4 shown;
void main() {
  float d = length(at);
  float edge = fwidth(d);
  float ring = smoothstep(1.0, 1.0 - edge, d) * mix(0.55, 1.0, smoothstep(0.7 - edge, 0.7, d));
  shown = vec4(tint.rgb, tint.a * ring);
}`,
};

const FLOOR = {
  vertex: `${COMMON}
uniform vec4 reach; // centre x, y, radius, 0
out vec2 ground; out vec2 at;
void main() {
  at = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
  ground = reach.xy + at * reach.z;
  gl_Position = projection * view * vec4(ground, 0.0, 1.0);
}`,
  fragment: `${COMMON}
uniform vec4 surface, line;
in vec2 ground; in vec2 at;
out vec4 shown;
float grid(float step) {
  vec2 cell = ground / step;
  vec2 wide = fwidth(cell);
  vec2 near = abs(fract(cell - 0.5) - 0.5) / max(wide, 1e-5);
  float strength = 1.0 - min(min(near.x, near.y), 1.0);
  return strength * clamp(1.2 - 2.0 * max(wide.x, wide.y), 0.0, 1.0);
}
void main() {
  float fade = 1.0 - smoothstep(0.35, 1.0, length(at));
  float strength = max(grid(1.0), 0.35 * grid(0.5)) * line.a;
  shown = vec4(mix(surface.rgb, line.rgb, strength), max(surface.a, strength) * fade);
}`,
};

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** Whether the browser draws WebGL 2 by a GPU: without one it has none, or counts fragments out by itself. */
export function hasGpu() {
  const gl = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  if (!gl) return false;
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  const name = gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return !SOFTWARE.test(name);
}

export class Renderer {
  #gl;
  #programs = new Map();

  /** @param {HTMLCanvasElement} canvas; throws where the browser has no WebGL 2. */
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: true });
    if (!gl) throw new Error("no WebGL 2");
    this.canvas = canvas;
    this.#gl = gl;
    for (const [name, kind] of Object.entries({ SEGMENT, SPHERE, DISC, FLOOR })) {
      this.#programs.set(name, this.#build(kind));
    }
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.BLEND);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  #build({ vertex, fragment, layout = {}, floats = 0 }) {
    const gl = this.#gl;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
      const logs = gl.getAttachedShaders(program).map((shader) => gl.getShaderInfoLog(shader));
      throw new Error([gl.getProgramInfoLog(program), ...logs].join("\n"));
    }
    const array = gl.createVertexArray();
    const buffer = gl.createBuffer();
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    let offset = 0;
    for (const [name, size] of Object.entries(layout)) {
      const at = gl.getAttribLocation(program, name);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, size, gl.FLOAT, false, 4 * floats, 4 * offset);
      gl.vertexAttribDivisor(at, 1);
      offset += size;
    }
    const where = (name) => gl.getUniformLocation(program, name);
    const uniforms = Object.fromEntries(
      ["view", "projection", "pixel", "reach", "surface", "line"].map((name) => [name, where(name)]));
    return { program, array, buffer, floats, uniforms };
  }

  /**
   * Draw a picture.
   * @param {{view, projection}} camera matrices.
   * @param {{floor: {reach, surface, line}, segments, spheres, discs, halos}} scene of `Batch`es.
   */
  draw(camera, scene) {
    const gl = this.#gl;
    const { width, height } = this.canvas;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.depthMask(false);
    const floor = this.#use("FLOOR", camera);
    gl.uniform4fv(floor.uniforms.reach, scene.floor.reach);
    gl.uniform4fv(floor.uniforms.surface, scene.floor.surface);
    gl.uniform4fv(floor.uniforms.line, scene.floor.line);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    this.#instances("DISC", camera, scene.discs);
    gl.depthMask(true);
    this.#instances("SEGMENT", camera, scene.segments);
    this.#instances("SPHERE", camera, scene.spheres);
    gl.depthMask(false);
    this.#instances("SPHERE", camera, scene.halos);
    gl.depthMask(true);
  }

  #use(name, { view, projection }) {
    const gl = this.#gl;
    const kind = this.#programs.get(name);
    gl.useProgram(kind.program);
    gl.bindVertexArray(kind.array);
    gl.uniformMatrix4fv(kind.uniforms.view, false, view);
    gl.uniformMatrix4fv(kind.uniforms.projection, false, projection);
    gl.uniform1f(kind.uniforms.pixel, 2 / (projection[5] * this.canvas.clientHeight));
    return kind;
  }

  #instances(name, camera, batch) {
    if (!batch.count) return;
    const gl = this.#gl;
    const kind = this.#use(name, camera);
    gl.bindBuffer(gl.ARRAY_BUFFER, kind.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, batch.used, gl.DYNAMIC_DRAW);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, batch.count);
  }
}

/** Instances to be drawn in one call; keeps its memory from picture to picture. */
export class Batch {
  #values = new Float32Array(1024);
  #length = 0;
  count = 0;

  get used() {
    return this.#values.subarray(0, this.#length);
  }

  clear() {
    this.#length = this.count = 0;
  }

  #add(values) {
    if (this.#length + values.length > this.#values.length) {
      const larger = new Float32Array(2 * this.#values.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values.set(values, this.#length);
    this.#length += values.length;
    this.count++;
  }

  /** A bone, metres thick; where `isFlat`, a line, px thick, without shade. */
  segment(a, b, radius, [red, green, blue], alpha = 1, isFlat = false) {
    this.#add([a[0], a[1], a[2], b[0], b[1], b[2], radius, isFlat ? 1 : 0, red, green, blue, alpha]);
  }

  /** A ball or a disc; with a negative alpha, a halo. */
  round(centre, radius, [red, green, blue], alpha = 1) {
    this.#add([centre[0], centre[1], centre[2], radius, red, green, blue, alpha]);
  }
}
