// Pictures cut by affine maps, as fkp/prepare/warp.py and fkp/data/readers/crop.py cut them.
// A picture is {data, width, height}, a map [[a, b, x], [c, d, y]]; pixel centres are integers.

const { fround } = Math; // to 32 bits, in which OpenCV adds
export const ROOM = 2; // side of the picture of a face over the longer side of its box

/** The luminance of a picture of RGBA pixels. */
export function gray({ data, width, height }) {
  const light = new Uint8ClampedArray(width * height);
  for (let i = 0, j = 0; i < light.length; i++, j += 4)
    light[i] = (9798 * data[j] + 19235 * data[j + 1] + 3735 * data[j + 2] + 16384) >> 15;
  return { data: light, width, height };
}

/** A picture of RGBA pixels in another size, to the bit as OpenCV's INTER_AREA makes it: means of
 * the pixels that each new one covers; larger ones are interpolated, in whole numbers. */
export function resized({ data, width, height }, newWidth, newHeight) {
  const across = taps(width, newWidth), down = taps(height, newHeight), grows = newWidth > width;
  const row = new Float32Array(4 * newWidth), sums = new Float32Array(4 * newWidth * newHeight);
  let made = -1;
  for (const [from, to, share] of down) {
    if (from !== made) {
      row.fill(0);
      for (const [x, u, part] of across)
        for (let c = 0; c < 3; c++) row[4 * u + c] += fround(part * data[4 * (from * width + x) + c]);
      made = from;
    }
    for (let i = 0, j = 4 * newWidth * to; i < row.length; i++, j++)
      sums[j] += grows ? Math.floor((share * Math.floor(row[i] * 128)) / 32) : fround(share * row[i]);
  }
  const half = newWidth * 2 === width && newHeight * 2 === height ? 0.1 : 0; // then .5 becomes 1
  const level = grows ? (sum) => (sum + 2) >> 2 : (sum) => sum + half;
  return { data: Uint8ClampedArray.from(sums, level), width: newWidth, height: newHeight };
}

/** [[pixel, new pixel, share of it], ...] of one axis, in order of pixels. */
function taps(length, newLength) {
  const scale = length / newLength, found = [];
  for (let to = 0; to < newLength; to++) {
    const low = to * scale, first = Math.floor(low), high = Math.min(low + scale, length);
    if (scale < 1) {
      const beyond = first + 1 < length ? Math.max(0, to + 1 - (first + 1) / scale) % 1 : 0;
      const share = Math.round(2048 * beyond) / 2048, next = Math.min(first + 1, length - 1);
      found.push([first, to, 1 - share], [next, to, share]);
      continue;
    }
    for (let from = first; from < high; from++) {
      const part = Math.min(from + 1, high) - Math.max(from, low);
      if (part > 1e-3) found.push([from, to, fround(part / (high - low))]);
    }
  }
  return found.sort((a, b) => a[0] - b[0]);
}

/** The square `ROOM` times as wide as a box of that middle and span, scaled to `size`, of a gray
 * picture; strong shrinking first averages blocks of pixels. */
export function around(picture, middle, span, size) {
  const side = ROOM * span, block = Math.max(1, Math.round(side / size));
  let corner = middle.map((m) => m - side / 2), scale = size / side, source = picture;
  if (block > 1) {
    const ends = corner.map((c) => c + side), { blocks, first } = averaged(picture, block, corner, ends);
    source = blocks;
    corner = corner.map((c, i) => (c - (block - 1) / 2) / block - first[i]);
    scale *= block;
  }
  const [x, y] = corner.map((c) => -c * scale - 0.5);
  return cut(source, [[scale, 0, x], [0, scale, y]], size);
}

function averaged({ data, width, height }, block, low, high) {
  const many = [width, height].map((length) => Math.ceil(length / block));
  const within = (value, least, most) => Math.min(Math.max(value, least), most);
  const first = low.map((v, i) => within(Math.floor(v / block) - 1, 0, many[i] - 1));
  const last = high.map((v, i) => within(Math.ceil(v / block) + 1, first[i] + 1, many[i]));
  const [w, h] = last.map((end, i) => end - first[i]), means = new Uint8ClampedArray(w * h);
  for (let i = 0; i < means.length; i++) {
    const left = (first[0] + (i % w)) * block, top = (first[1] + Math.floor(i / w)) * block;
    let sum = 0;
    for (let y = top; y < top + block; y++)
      for (let x = left; x < left + block; x++)
        sum += data[Math.min(y, height - 1) * width + Math.min(x, width - 1)];
    means[i] = block === 2 ? (sum + 2) >> 2 : sum / block ** 2;
  }
  return { blocks: { data: means, width: w, height: h }, first };
}

/** side x side pixels of a gray picture through a map; beyond its edges they repeat. Places are
 * rounded to a 32nd of a pixel, as OpenCV rounds them. */
export function cut({ data, width, height }, map, side) {
  const [[a, b, e], [c, d, f]] = inverse(map), out = new Uint8ClampedArray(side * side);
  const within = (value, most) => (value < 0 ? 0 : value > most ? most : value);
  const fine = (value) => Math.round(1024 * value);
  for (let v = 0, i = 0; v < side; v++) {
    const startX = fine(b * v + e) + 16, startY = fine(d * v + f) + 16;
    for (let u = 0; u < side; u++, i++) {
      const x = (startX + fine(a * u)) >> 5, y = (startY + fine(c * u)) >> 5;
      const left = x >> 5, top = y >> 5, right = (x & 31) / 32, down = (y & 31) / 32;
      const x0 = within(left, width - 1), x1 = within(left + 1, width - 1);
      const y0 = within(top, height - 1) * width, y1 = within(top + 1, height - 1) * width;
      const upper = data[y0 + x0] + right * (data[y0 + x1] - data[y0 + x0]);
      const lower = data[y1 + x0] + right * (data[y1 + x1] - data[y1 + x0]);
      out[i] = Math.floor(upper + down * (lower - upper) + 0.5);
    }
  }
  return { data: out, width: side, height: side };
}

/** The map to a crop of that side about a middle, `zoom` times as wide as the span. */
export function frame([x, y], span, degrees, side, zoom) {
  const scale = side / (zoom * span), angle = (degrees * Math.PI) / 180;
  const a = scale * Math.cos(angle), b = scale * Math.sin(angle), half = (side - 1) / 2;
  return [[a, b, half - a * x - b * y], [-b, a, half + b * x - a * y]];
}

/** Points through a map. */
export function moved(points, [[a, b, e], [c, d, f]]) {
  return points.map(([x, y]) => [a * x + b * y + e, c * x + d * y + f]);
}

/** The map that does what `first` does, then what `last` does. */
export function composed([[a, b, e], [c, d, f]], [[p, q, r], [s, t, u]]) {
  return [
    [a * p + b * s, a * q + b * t, a * r + b * u + e],
    [c * p + d * s, c * q + d * t, c * r + d * u + f],
  ];
}

/** How many times as large a map makes areas. */
export const determinant = ([[a, b], [c, d]]) => a * d - b * c;

/** The map back. */
export function inverse(map) {
  const [[a, b, e], [c, d, f]] = map, det = determinant(map);
  return [
    [d / det, -b / det, (b * f - d * e) / det],
    [-c / det, a / det, (c * e - a * f) / det],
  ];
}

/** Corner and size of the box round points: {low, high, middle, size}, (x, y) each. */
export function bounds(points) {
  const low = [0, 1].map((i) => Math.min(...points.map((p) => p[i])));
  const high = [0, 1].map((i) => Math.max(...points.map((p) => p[i])));
  const middle = low.map((l, i) => (l + high[i]) / 2), size = low.map((l, i) => high[i] - l);
  return { low, high, middle, size };
}
