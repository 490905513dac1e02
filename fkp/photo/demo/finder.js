// Points of faces, each with the error that the model expects, as fkp/photo/finder.py finds them.
// A face is {points: [[x, y]], error: [px], box: [x, y, w, h], score}, in pixels of the picture.

import { about, compiled } from "./litert.js";
import { ROOM, around, bounds, composed, cut, determinant, frame, inverse, moved } from "./warp.js";

const DOUBT = 0.06; // mean expected error, as a share of the box, beyond which nothing is a face
const TURNED = 15; // degrees from which a face is set upright before it is looked at again
const [RIGHT_EYE, LEFT_EYE] = [36, 45]; // the outer corners, of the 68 points

export class Finder {
  /** A finder of the 68 points from a model file, an ArrayBuffer. */
  static async load(LiteRT, file, detector) {
    const finder = new Finder();
    const net = await compiled(LiteRT, file);
    return Object.assign(finder, { net, detector, about: await about(file), side: net.shape[1] });
  }

  /** The faces of a picture, the largest first. shade: the same picture in gray. */
  async find(pixels, shade, quick = false) {
    const faces = [];
    for (const { box, score } of await this.detector.boxes(pixels, quick)) {
      const face = { ...(await this.at(shade, box)), score };
      if (!doubtful(face)) faces.push(face);
    }
    return faces;
  }

  /** The face in a box; before: its points in the last picture of a video. */
  async at(shade, box, before = null) {
    const { picture: size, zoom, middle: place } = this.about, span = Math.max(box[2], box[3]);
    const middle = [0, 1].map((i) => box[i] + box[i + 2] / 2 - (place[i] - 0.5) * zoom * span);
    const picture = around(shade, middle, span, size);
    const map = inverse(frame(middle, span, 0, size, ROOM)); // from the picture of the face
    const first = frame([0, 1].map(() => (size - 1) / 2), size / ROOM, 0, this.side, zoom);
    const there = before
      ? moved(before, inverse(map))
      : moved((await this.look(picture, first)).points, inverse(first));
    const second = this.aligned(there, size, before ? 0 : TURNED);
    const { points, error } = await this.look(picture, second), back = composed(map, inverse(second));
    const scale = Math.sqrt(determinant(back));
    return { points: moved(points, back), error: error.map((e) => e * scale), box, score: null };
  }

  /** The map to the crop in which the face stands upright and in the middle. */
  aligned(there, size, least) {
    const { zoom } = this.about, [a, b] = [there[RIGHT_EYE], there[LEFT_EYE]];
    let degrees = (Math.atan2(b[1] - a[1], b[0] - a[0]) * 180) / Math.PI;
    if (Math.abs(degrees) < least) degrees = 0;
    const half = (size - 1) / 2, turn = frame([half, half], this.side / zoom, degrees, this.side, zoom);
    const { middle, size: lengths } = bounds(moved(there, turn));
    const [centre] = moved([middle], inverse(turn));
    return frame(centre, Math.max(...lengths), degrees, this.side, zoom);
  }

  async look(picture, map) {
    const crop = cut(picture, map, this.side);
    const [values] = await this.net.run(new Uint8Array(crop.data.buffer));
    const points = [], error = [];
    for (let i = 0; i < this.about.labels.length; i++) {
      points.push([values[3 * i], values[3 * i + 1]]);
      error.push(values[3 * i + 2]);
    }
    return { points, error };
  }
}

/** Whether a model expects so large errors that there is hardly a face. */
export function doubtful({ error, box }) {
  return mean(error) > DOUBT * Math.sqrt(box[2] * box[3]);
}

/** The mean of numbers. */
export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Region -> the numbers of its points: a label is its region's name and a number. */
export function regions(labels) {
  const found = {};
  labels.forEach((label, i) => (found[label.replace(/_\d+$/, "")] ??= []).push(i));
  return found;
}
