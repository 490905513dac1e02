// Faces drawn on their picture, and as text: CSV and JSON as `fkp predict --save` writes them.

const LINE = "#5ac8fa", POINT = "#fff", ERROR = "#ff8c3c";
const CLOSED = ["right_eye", "left_eye", "outer_lips", "inner_lips"];

/** Outlines blue, points white; around each point a ring as wide as its expected error. */
export function draw(context, faces, regions, { points, error }) {
  for (const face of faces) {
    const size = Math.sqrt(face.box[2] * face.box[3]), radius = Math.max(0.8, size / 120);
    const circles = (radii) => {
      const path = new Path2D();
      face.points.forEach(([x, y], i) => {
        path.moveTo(x + 0.5 + radii(i), y + 0.5); // pixel centres are integers
        path.arc(x + 0.5, y + 0.5, radii(i), 0, 2 * Math.PI);
      });
      return path;
    };
    context.lineWidth = Math.max(1, size / 150);
    if (error) {
      context.strokeStyle = ERROR;
      context.stroke(circles((i) => face.error[i]));
    }
    if (!points) continue;
    context.strokeStyle = LINE;
    for (const [name, region] of Object.entries(regions)) {
      context.beginPath();
      for (const i of region) context.lineTo(...face.points[i].map((v) => v + 0.5));
      if (CLOSED.includes(name)) context.closePath();
      context.stroke();
    }
    context.fillStyle = POINT;
    context.fill(circles(() => radius));
  }
}

/** A row a point: file, face, point, x, y, error. */
export function csv(file, faces, labels) {
  const name = /[",\n]/.test(file) ? `"${file.replaceAll('"', '""')}"` : file;
  const rows = faces.flatMap((face, n) => labels.map((label, i) =>
    [name, n + 1, label, ...[...face.points[i], face.error[i]].map((v) => v.toFixed(2))].join(",")));
  return ["file,face,point,x,y,error", ...rows, ""].join("\n");
}

/** [{file, width, height, faces: [{box, score, scheme, points, error}]}]; lengths are px. */
export function json(file, { width, height }, faces, scheme) {
  const short = (value, digits = 2) =>
    Array.isArray(value) ? value.map((v) => short(v, digits)) : +value.toFixed(digits);
  const plain = faces.map(({ box, score, points, error }) => ({
    box: short(box), score: short(score, 3), scheme, points: short(points), error: short(error),
  }));
  return JSON.stringify([{ file, width, height, faces: plain }], null, 1);
}
