// Vectors [x, y, z] and 4 × 4 matrices, column by column as WebGL takes them.

export const add = (a, b, share = 1) => [a[0] + b[0] * share, a[1] + b[1] * share, a[2] + b[2] * share];
export const subtract = (a, b) => add(a, b, -1);
export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a, b) => [
  a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
export const length = (a) => Math.hypot(a[0], a[1], a[2]);
export const unit = (a) => {
  const l = length(a) || 1;
  return [a[0] / l, a[1] / l, a[2] / l];
};
export const mix = (a, b, share) => add(a, subtract(b, a), share);

/** World → view (x right, y up, -z forward) of a camera at `eye` with unit axes. */
export function viewMatrix(eye, right, up, forward) {
  return new Float32Array([
    right[0], up[0], -forward[0], 0, right[1], up[1], -forward[1], 0,
    right[2], up[2], -forward[2], 0, -dot(right, eye), -dot(up, eye), dot(forward, eye), 1]);
}

/** Perspective from the tangents of half the fields of view, and a shift of the image centre. */
export function perspective(tanX, tanY, near, far, shiftX = 0, shiftY = 0) {
  return new Float32Array([
    1 / tanX, 0, 0, 0, 0, 1 / tanY, 0, 0,
    shiftX, shiftY, (near + far) / (near - far), -1, 0, 0, (2 * near * far) / (near - far), 0]);
}

export function multiply(a, b) {
  const product = new Float32Array(16);
  for (let column = 0; column < 4; column++) {
    for (let row = 0; row < 4; row++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += a[4 * k + row] * b[4 * column + k];
      product[4 * column + row] = sum;
    }
  }
  return product;
}

/** Where a world point is on a screen of a size: [x, y, depth], depth ≤ 0 behind the camera. */
export function toScreen(matrix, [x, y, z], width, height) {
  const m = matrix;
  const w = m[3] * x + m[7] * y + m[11] * z + m[15];
  return [
    (0.5 + (0.5 * (m[0] * x + m[4] * y + m[8] * z + m[12])) / w) * width,
    (0.5 - (0.5 * (m[1] * x + m[5] * y + m[9] * z + m[13])) / w) * height, w];
}
