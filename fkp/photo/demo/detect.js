// Where the faces of a picture are: BlazeFace, as fkp/photo/detect.py decodes it.

import { compiled } from "./litert.js";
import { resized } from "./warp.js";

const SIDES = [[1024, 256], [512, 128], [256]]; // px, of the longer side, that a picture is seen in
const ANCHORS = [[16, 2], [32, 6]]; // px between cells, boxes of each cell
const STEP = 32;
const SAME = 0.3, LEAST = 0.3;
const DOWN = 0.054, WIDE = 0.969, HIGH = 0.947; // from BlazeFace's square to brows and chin
const SCORE = 0.5;

export class Detector {
  /** file: of the model, an ArrayBuffer. */
  constructor(LiteRT, file) {
    Object.assign(this, { LiteRT, file, nets: new Map() });
  }

  /**
   * The faces of a picture of RGBA pixels, the largest first: [{box: [x, y, w, h], score}].
   * quick: look at the picture in one small size only, for a camera, whose faces are large.
   */
  async boxes(pixels, quick = false) {
    const longest = Math.max(pixels.width, pixels.height), found = [];
    const sides = quick ? SIDES.at(-1) : SIDES.find(([side]) => side <= longest) ?? SIDES.at(-1);
    let small = pixels;
    for (const side of sides) {
      const size = [pixels.width, pixels.height].map((n) => Math.max(1, even(n * side / longest)));
      small = resized(small, ...size);
      for (const { square, score } of await this.squares(small))
        found.push({ square: square.map((v) => (v * longest) / side), score });
    }
    return oneEach(found)
      .map(({ square: [x, y, w, h], score }) => {
        const width = w * WIDE, height = h * HIGH;
        const box = [x + (w - width) / 2, y + h * (0.5 + DOWN) - height / 2, width, height];
        return { box: box.map(Math.fround), score };
      })
      .sort((a, b) => b.box[2] - a.box[2]);
  }

  /** [{square: [x, y, w, h], score}] as the network gives them, many of one face. */
  async squares({ data, width, height }) {
    const [w, h] = [width, height].map((length) => Math.ceil(length / STEP) * STEP);
    const padded = new Float32Array(w * h * 3);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let c = 0; c < 3; c++)
          padded[3 * (y * w + x) + c] = data[4 * (y * width + x) + c] / 127.5 - 1;
    const outputs = await (await this.net(w, h)).run(padded);
    const [logits, moves] = outputs.sort((a, b) => a.length - b.length), found = [];
    logits.forEach((logit, i) => {
      const score = 1 / (1 + Math.exp(-logit));
      if (score <= LEAST) return;
      const [right, down, wide, high] = moves.subarray(16 * i, 16 * i + 4);
      const [x, y] = anchor(i, w, h);
      found.push({ square: [x + right - wide / 2, y + down - high / 2, wide, high], score });
    });
    return found;
  }

  /** The network for pictures of that size; the last three sizes are kept. */
  async net(w, h) {
    const key = `${w}x${h}`;
    if (!this.nets.has(key)) {
      const boxes = ANCHORS.reduce((sum, [step, n]) => sum + (w / step) * (h / step) * n, 0);
      const shapes = [[1, h, w, 3], [1, boxes, 16], [1, boxes, 1]];
      const net = await compiled(this.LiteRT, this.file, shapes);
      if (this.nets.size === 3) {
        const [oldest] = this.nets.keys();
        this.nets.get(oldest).delete();
        this.nets.delete(oldest);
      }
      this.nets.set(key, net);
    }
    return this.nets.get(key);
  }
}

/** The middle of the cell of the network's box i, px. */
function anchor(i, w, h) {
  for (const [step, boxes] of ANCHORS) {
    const columns = w / step, all = columns * (h / step) * boxes;
    if (i < all) {
      const cell = Math.floor(i / boxes);
      return [((cell % columns) + 0.5) * step, (Math.floor(cell / columns) + 0.5) * step];
    }
    i -= all;
  }
}

/** Boxes of one face become their mean, weighted by score, with the best of their scores. */
function oneEach(found) {
  const faces = [];
  let left = found.sort((a, b) => b.score - a.score);
  while (left.length && left[0].score >= SCORE) {
    const [best] = left, same = left.filter((b) => b === best || overlap(best.square, b.square) > SAME);
    const total = same.reduce((sum, b) => sum + b.score, 0);
    const mean = (i) => same.reduce((sum, b) => sum + b.square[i] * b.score, 0) / total;
    faces.push({ square: [0, 1, 2, 3].map(mean), score: best.score });
    left = left.filter((b) => !same.includes(b));
  }
  return faces;
}

/** Intersection over union of two boxes x, y, w, h. */
export function overlap(a, b) {
  const [w, h] = [0, 1].map((i) =>
    Math.max(0, Math.min(a[i] + a[i + 2], b[i] + b[i + 2]) - Math.max(a[i], b[i])));
  return (w * h) / (a[2] * a[3] + b[2] * b[3] - w * h);
}

/** Rounded as Python rounds: halves to even numbers. */
function even(value) {
  const low = Math.floor(value), rest = value - low;
  return rest === 0.5 ? low + (low % 2) : Math.round(value);
}
