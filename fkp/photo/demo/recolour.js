// Lips and irises in another colour, after fkp/photo/recolour.py and surfaces.py: in CIE L*a*b*,
// where a pixel's L* + 16 over the mean of its surface is the shading, which stays.

import { bounds } from "./warp.js";

const OPACITY = 0.6, LIGHTNESS = 0.65;
const SOFT = 0.02; // width of the soft edge, which lies inside of the outline, over the region's
const SHUT_EYE = 0.1, SHUT_MOUTH = 0.03; // openness: thinner outlines are closed
const IRIS = 0.21; // radius over the width of the eye
const LIGHT = [0.9505, 1, 1.089]; // the white point, D65
const XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041]];
const RGB = [[3.2404542, -1.5371385, -0.4985314], [-0.969266, 1.8760108, 0.041556],
  [0.0556434, -0.2040259, 1.0572252]];
const LINEAR = Float32Array.from({ length: 256 }, (_, v) =>
  v > 10.31475 ? ((v / 255 + 0.055) / 1.055) ** 2.4 : v / 255 / 12.92);

const scratch = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

/**
 * Paint the lips and irises of a face on a canvas.
 *
 * context: of the canvas; points: [[x, y]] of the 68; regions: see finder.js;
 * colours: {lips, eyes}, "#rrggbb", or null for what stays as it is.
 */
export function recolour(context, points, regions, { lips, eyes }) {
  const corners = (region) => regions[region].map((i) => points[i]);
  const paint = (outline, colour, amounts) => {
    const { low, high, size } = bounds(outline), { width: w, height: h } = context.canvas;
    const [x, y] = low.map((l) => Math.max(0, Math.floor(l) - 2));
    const [right, bottom] = high.map((l, i) => Math.min([w, h][i], Math.ceil(l) + 3));
    if (right <= x || bottom <= y || Math.max(...size) < 2) return;
    const patch = context.getImageData(x, y, right - x, bottom - y);
    const shifted = (line) => line.map(([u, v]) => [u - x, v - y]);
    const amount = amounts(patch, shifted(outline), shifted);
    if (amount && blend(patch.data, amount, colour)) context.putImageData(patch, x, y);
  };
  if (lips)
    paint(corners("outer_lips"), lips, (patch, outline, shifted) =>
      mask(patch, outline, shifted(corners("inner_lips"))));
  for (const eye of eyes ? ["right_eye", "left_eye"] : []) paint(corners(eye), eyes, iris);
}

/** How much of each pixel, 0 to 1, lies inside of a soft outline and outside of an open hole. */
function mask({ width, height }, outline, hole = null) {
  const { canvas } = scratch, wide = SOFT * Math.max(...bounds(outline).size);
  canvas.width = Math.max(canvas.width, width); // grows to the largest; its size also clears it
  canvas.height = Math.max(canvas.height, height);
  scratch.globalCompositeOperation = "source-over";
  scratch.fill(smooth(outline));
  scratch.globalCompositeOperation = "destination-out";
  scratch.globalAlpha = 0.5;
  for (const lines of [2, 4]) {
    scratch.lineWidth = lines * wide;
    scratch.stroke(smooth(outline));
  }
  scratch.globalAlpha = 1;
  if (hole && openness(hole) > SHUT_MOUTH) scratch.fill(smooth(hole));
  const { data } = scratch.getImageData(0, 0, width, height);
  return Float32Array.from({ length: width * height }, (_, i) => data[4 * i + 3] / 255);
}

/** A smooth path through corners; the first and the one half way round stay sharp. */
function smooth(corners) {
  const path = new Path2D(), n = corners.length, half = n / 2;
  path.moveTo(...corners[0]);
  for (let i = 0; i < n; i++) {
    const at = (k) => corners[(k + n) % n], [a, b] = [at(i), at(i + 1)];
    const before = i % half ? at(i - 1) : a, after = (i + 1) % half ? at(i + 2) : b;
    const near = a.map((v, c) => v + (b[c] - before[c]) / 6);
    path.bezierCurveTo(...near, ...b.map((v, c) => v - (after[c] - a[c]) / 6), ...b);
  }
  return path;
}

/** Area of an outline over its width squared. */
function openness(corners) {
  const area = corners.reduce((sum, [x, y], i) => {
    const [u, v] = corners[(i + 1) % corners.length];
    return sum + (x * v - u * y) / 2;
  }, 0);
  return Math.abs(area) / Math.max(...bounds(corners).size, 1e-6) ** 2;
}

/** How much of each pixel is iris: the darkest disc between the lids, without its pupil and glints. */
function iris(patch, eye) {
  if (openness(eye) < SHUT_EYE) return null;
  const { width, data } = patch, lids = mask(patch, eye), wide = Math.max(...bounds(eye).size);
  const light = lids.map((_, i) => lab(data[4 * i], data[4 * i + 1], data[4 * i + 2])[0]);
  const place = darkest(light, lids, width, eye, IRIS * wide);
  if (!place) return null;
  const far = lids.map((_, i) =>
    Math.hypot((i % width) - place[0], Math.floor(i / width) - place[1]) / (IRIS * wide));
  const ball = (when) => [...light.filter((_, i) => lids[i] > 0.5 && when(far[i]))].sort((a, b) => a - b);
  const inner = ball((f) => f < 0.9), outer = ball((f) => f > 1.15);
  const dark = inner[inner.length >> 1];
  const contrast = outer.length ? Math.max(outer[(outer.length * 3) >> 2] - dark, 15) : 100 - dark;
  return lids.map((inside, i) => {
    const edge = unit(((1.1 - far[i]) * IRIS) / (2 * SOFT) + 0.5), pupil = unit((0.45 - far[i]) / 0.2);
    return inside * edge * (1 - pupil) * (1 - unit(((light[i] - dark) / contrast - 0.35) / 0.4));
  });
}

/** The middle of the disc with the most dark and the fewest bright pixels; null if none is dark.
 * It is likely near the middle of the eye, above all between the lids. */
function darkest(light, lids, width, eye, radius) {
  const { middle, size } = bounds(eye), wide = Math.max(...size);
  const ball = [...light.filter((_, i) => lids[i] > 0.5)].sort((a, b) => a - b);
  const low = ball[Math.floor(0.1 * ball.length)], high = ball[Math.floor(0.85 * ball.length)];
  const dark = light.map((l, i) => lids[i] * (unit((high - l) / Math.max(high - low, 1e-3)) - 0.5));
  const step = Math.max(1, Math.round(radius / 6)); // of large eyes not every pixel is looked at
  let best = 0, place = null;
  for (let y = 0; y * width < light.length; y += step)
    for (let x = 0; x < width; x += step) {
      if (lids[y * width + x] <= 0.5) continue;
      let sum = 0;
      for (let v = -radius; v <= radius; v += step)
        for (let u = -radius; u <= radius; u += step)
          if (u * u + v * v <= radius * radius)
            sum += dark[Math.round(y + v) * width + Math.round(x + u)] ?? 0;
      const along = (x - middle[0]) / wide / 0.3, across = (y - middle[1]) / wide / 0.1;
      const score = sum * Math.exp(-(along ** 2 + across ** 2) / 2);
      if (score > best) [best, place] = [score, [x, y]];
    }
  return place;
}

/** Blend a colour into RGBA pixels, in place, by amounts of 0 to 1; false where there is none. */
function blend(data, amount, colour) {
  const total = amount.reduce((sum, a) => sum + a, 0);
  if (!total) return false;
  const old = Array.from(amount, (a, i) => a > 0 && lab(data[4 * i], data[4 * i + 1], data[4 * i + 2]));
  const target = lab(...[1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)));
  const mean = old.reduce((sum, o, i) => sum + (o ? amount[i] * (o[0] + 16) : 0), 0) / total;
  const level = mean + LIGHTNESS * (target[0] + 16 - mean);
  old.forEach((was, i) => {
    if (!was) return;
    const light = was[0] + 16, gain = light < mean ? level / mean : Math.min(level / mean, 1);
    const chroma = Math.min(light / mean, mean / light);
    const now = [level + gain * (light - mean) - 16, chroma * target[1], chroma * target[2]];
    data.set(rgb(was.map((v, c) => v + OPACITY * amount[i] * (now[c] - v))), 4 * i);
  });
  return true;
}

const unit = (value) => Math.min(Math.max(value, 0), 1);
const times = (matrix, v) => matrix.map((row) => row[0] * v[0] + row[1] * v[1] + row[2] * v[2]);

/** RGB, 0 to 255, -> CIE L* (0 to 100), a*, b*. */
function lab(r, g, b) {
  const [x, y, z] = times(XYZ, [LINEAR[r], LINEAR[g], LINEAR[b]]).map((v, i) => {
    const share = v / LIGHT[i];
    return share > 0.008856 ? Math.cbrt(share) : 7.787 * share + 16 / 116;
  });
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** CIE L*, a*, b* -> RGB, 0 to 255. */
function rgb([l, a, b]) {
  const y = (l + 16) / 116;
  const linear = [y + a / 500, y, y - b / 200].map((f, i) =>
    LIGHT[i] * (f > 0.2069 ? f ** 3 : (f - 16 / 116) / 7.787));
  return times(RGB, linear).map((v) =>
    255 * unit(v > 0.0031308 ? 1.055 * v ** (1 / 2.4) - 0.055 : 12.92 * Math.max(v, 0)));
}
