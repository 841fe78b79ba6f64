// Tables of numbers as `pipeline/viewer/packed.py` packs them.

const MISSING = -(2 ** 31);

/**
 * Unpack a table.
 * @param {{shape: [number, number], unit: number, order: 1 | 2, data: string}} packed
 * @param {Function} Kind of the array: Float32Array, Float64Array, Int32Array or Uint8Array.
 * @returns {Promise<Float32Array>} rows × columns, row by row; NaN where nothing is known.
 */
export async function unpack({ shape: [rows, columns], unit, order, data }, Kind = Float32Array) {
  const deflated = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const count = rows * columns;
  const values = new Kind(count);
  for (let column = 0; column < columns; column++) {
    let value = 0;
    let slope = 0;
    for (let row = 0; row < rows; row++) {
      const at = column * rows + row;
      const zigzag = bytes[at] | (bytes[at + count] << 8)
        | (bytes[at + 2 * count] << 16) | (bytes[at + 3 * count] << 24);
      const change = (zigzag >>> 1) ^ -(zigzag & 1);
      slope = order === 2 ? (slope + change) | 0 : change;
      value = (value + slope) | 0;
      values[row * columns + column] = value === MISSING ? NaN : value * unit;
    }
  }
  return values;
}
