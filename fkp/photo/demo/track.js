// Faces over the pictures of a camera: followed, their points steady, as fkp/photo/track.py does.

import { overlap } from "./detect.js";
import { doubtful } from "./finder.js";
import { bounds } from "./warp.js";

const STILL = 1, FASTER = 40, SLOPE = 1; // Hz; the second for each size of the face and second
const EVERY = 1, AGAIN = 0.08; // s between looks of the detector; the latter while there is no face
const SAME = 0.3, TWICE = 0.6; // overlap above which two boxes are, two tracks follow, one face

/** The 1 € filter: averages long while a point stands still, and hardly while it moves fast. */
class OneEuro {
  step(points, time, unit) {
    const passed = Math.max(time - this.time, 1e-3);
    this.slope ??= points.map(() => [0, 0]);
    this.value = !this.value ? points : points.map((point, i) => {
      const old = this.value[i], slope = this.slope[i];
      point.forEach((p, c) => (slope[c] += part(SLOPE, passed) * ((p - old[c]) / passed - slope[c])));
      const share = part(STILL + (FASTER * Math.hypot(...slope)) / unit, passed);
      return point.map((p, c) => old[c] + share * (p - old[c]));
    });
    this.time = time;
    return this.value;
  }
}

/** Weight of a new value in a low-pass filter, by cut-off (Hz) and time passed (s). */
const part = (cutoff, passed) => 1 / (1 + 1 / (2 * Math.PI * cutoff * passed));

export class Tracker {
  constructor(finder) {
    Object.assign(this, { finder, tracks: [], looked: -Infinity });
  }

  /** The faces of the next picture, at a time in s. */
  async next(pixels, shade, time) {
    const before = this.tracks;
    this.tracks = [];
    for (const { face, smooth } of before) {
      const found = await this.finder.at(shade, face.box, face.points);
      const now = { ...found, box: follow(face, found), score: face.score };
      if (this.stays(now, face, pixels)) this.tracks.push({ face: now, smooth });
    }
    const lost = this.tracks.length < before.length;
    if (lost || time - this.looked >= (this.tracks.length ? EVERY : AGAIN)) {
      this.looked = time;
      for (const face of await this.finder.find(pixels, shade, true))
        if (!this.has(face.box, SAME)) this.tracks.push({ face, smooth: new OneEuro() });
    }
    return this.tracks.map(({ face, smooth }) => {
      const unit = Math.sqrt(face.box[2] * face.box[3]);
      return { ...face, points: smooth.step(face.points, time, unit) };
    });
  }

  has(box, least) {
    return this.tracks.some(({ face }) => overlap(face.box, box) > least);
  }

  stays(now, before, { width, height }) {
    const [x, y] = bounds(now.points).middle, inside = x >= 0 && y >= 0 && x < width && y < height;
    const same = overlap(now.box, before.box) > SAME && !this.has(now.box, TWICE);
    return inside && same && !doubtful(now);
  }
}

/** The box of a face that has moved on: it lies to its points as before. */
function follow(before, face) {
  const was = bounds(before.points), is = bounds(face.points);
  const scale = Math.max(...is.size) / Math.max(...was.size, 1e-6);
  const corner = is.middle.map((m, i) => m + (before.box[i] - was.middle[i]) * scale);
  return [...corner, before.box[2] * scale, before.box[3] * scale];
}
