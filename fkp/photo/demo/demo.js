// The page: pictures and the camera in, faces drawn, recoloured and written down.

import { Detector } from "./detect.js";
import { Finder, mean, regions } from "./finder.js";
import { start } from "./litert.js";
import { csv, draw, json } from "./predictions.js";
import { recolour } from "./recolour.js";
import { Tracker } from "./track.js";
import { gray } from "./warp.js";

const LARGEST = 16e6; // pixels of a picture; browsers refuse larger canvases
const MODELS = ["small", "tiny"];
const $ = (id) => document.getElementById(id);
const canvas = $("canvas"), shown = canvas.getContext("2d", { willReadFrequently: true });
const frame = document.createElement("canvas"); // the picture as it came
const pixelsOf = frame.getContext("2d", { willReadFrequently: true });
const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });

/** What the page knows: the finders by name, the faces now shown, and how long frames took, ms. */
export const state = {
  finders: {}, faces: [], file: "", frames: 0, times: new Float32Array(30), tracker: null,
  turn: Promise.resolve(),
};
const finder = () => state.finders[$("model").value];

/** Files beside the page, whole; a URL that fails is named. */
async function get(url, options) {
  const answer = await fetch(url, options);
  if (!answer.ok) throw new Error(`${url}: the server says ${answer.status}`);
  return answer;
}

async function load() {
  const places = await (await get("places.json")).json();
  const bytes = async (url, options) => (await get(url, options)).arrayBuffer();
  const { url, integrity } = places.detector;
  const [LiteRT, face, ...files] = await Promise.all([
    start(places), bytes(url, { integrity }), ...MODELS.map((name) => bytes(`${places.models}${name}.tflite`)),
  ]);
  state.runtime = LiteRT;
  const detector = new Detector(LiteRT, face);
  for (const [i, name] of MODELS.entries())
    state.finders[name] = await Finder.load(LiteRT, files[i], detector);
  state.regions = regions(finder().about.labels);
  $("terms").textContent = finder().about.terms;
  const { host } = new URL(places.runtime, location.href), from = host === location.host ? "here" : host;
  $("runtime").textContent = `They run in ${Object.keys(places.packages)[0]}, from ${from}, verified.`;
  for (const id of ["file", "camera", "drawn"]) $(id).disabled = false;
  say("Ready.");
}

function say(text, fault = false) {
  $("status").textContent = text;
  $("status").classList.toggle("fault", fault);
}

/** Take a picture in: an ImageBitmap or a video's present frame. */
function take(source, width, height) {
  if (frame.width !== width || frame.height !== height) {
    Object.assign(frame, { width, height });
    Object.assign(canvas, { width, height });
  }
  pixelsOf.clearRect(0, 0, width, height);
  pixelsOf.drawImage(source, 0, 0);
  $("empty").hidden = $("hint").hidden = true;
  canvas.hidden = false;
}

/** Find the faces of the picture taken in, one look after the other. tracker: of a camera. */
function look(tracker = null) {
  const looked = async () => {
    if (tracker !== state.tracker) return;
    const begun = performance.now();
    const pixels = pixelsOf.getImageData(0, 0, frame.width, frame.height), shade = gray(pixels);
    state.faces = await (tracker
      ? tracker.next(pixels, shade, begun / 1000)
      : finder().find(pixels, shade));
    show();
    state.times[state.frames++ % state.times.length] = performance.now() - begun;
  };
  return (state.turn = state.turn.catch(() => {}).then(looked));
}

function show() {
  shown.clearRect(0, 0, canvas.width, canvas.height);
  shown.drawImage(frame, 0, 0);
  const colours = Object.fromEntries(
    ["lips", "eyes"].map((part) => [part, $(part).checked ? $(`${part}-colour`).value : null]));
  for (const face of state.faces) recolour(shown, face.points, state.regions, colours);
  draw(shown, state.faces, state.regions, { points: $("points").checked, error: $("errors").checked });
}

/** The figures below the picture, in words; of a camera they change twice a second. */
function tell() {
  const { faces, frames, times } = state, taken = [...times.subarray(0, frames)].sort((a, b) => a - b);
  const median = taken[taken.length >> 1];
  $("time").textContent = taken.length ? `${median.toFixed(median < 10 ? 1 : 0)} ms` : "–";
  const errors = faces.flatMap((face) => face.error), most = Math.max(...errors);
  const label = finder().about.labels[errors.indexOf(most) % finder().about.labels.length];
  $("error").textContent = faces.length
    ? `${mean(errors).toFixed(1)} px in the mean, ${most.toFixed(1)} px at most (${label})` : "–";
  const found = `${faces.length || "No"} face${faces.length === 1 ? "" : "s"} found`;
  canvas.setAttribute("aria-label", `${state.file}: ${found}`);
  for (const id of ["csv", "json"]) $(id).disabled = !faces.length;
  list();
  return found;
}

function list() {
  if (!$("list").open) return;
  const rows = state.faces.flatMap(({ points, error }, n) => points.map(([x, y], i) => {
    const row = document.createElement("tr");
    for (const text of [n + 1, finder().about.labels[i], x.toFixed(1), y.toFixed(1), error[i].toFixed(1)])
      row.insertCell().textContent = text;
    return row;
  }));
  $("list").querySelector("tbody").replaceChildren(...rows);
}

/** Look at the picture again, as a still; frames so far are of another kind. */
async function still() {
  state.frames = 0;
  await look();
  const found = tell();
  say(state.faces.length ? `${found} in ${state.file}.`
    : `${found} in ${state.file}. Faces should look at the camera and be at least 30 pixels wide.`);
}

/** A picture, of a file or an element. */
async function open(source, name) {
  stop();
  let bitmap;
  try {
    bitmap = await createImageBitmap(source);
  } catch {
    return say(`${name} is no picture that this browser can open; expected a JPEG, PNG or WebP.`, true);
  }
  const { width, height } = bitmap;
  if (width * height > LARGEST)
    return say(`${name} has ${width} x ${height} pixels; at most ${LARGEST / 1e6} million fit.`, true);
  say(`Looking at ${name} …`);
  take(bitmap, width, height);
  bitmap.close();
  state.file = name;
  await still();
}

async function watch() {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
  } catch (error) {
    const why = error.name === "NotFoundError" ? "there is none" : `the browser refused it (${error.name})`;
    return say(`No camera: ${why}. Allow it for this page, or choose a picture.`, true);
  }
  for (const track of stream.getTracks()) track.onended = stop; // unplugged
  video.srcObject = stream;
  await video.play();
  Object.assign(state, { file: "camera", frames: 0, tracker: new Tracker(finder()) });
  $("camera").setAttribute("aria-pressed", "true");
  $("camera").textContent = "Stop the camera";
  say("The camera is on; its pictures stay here.");
  const { tracker } = state;
  let told = 0;
  const next = safely(async (now) => {
    if (state.tracker !== tracker) return;
    take(video, video.videoWidth, video.videoHeight);
    await look(tracker);
    if (state.tracker !== tracker) return;
    if (now - told > 500) [told] = [now, tell()];
    requestAnimationFrame(next);
  });
  next(performance.now());
}

function stop() {
  if (!state.tracker) return;
  state.tracker = null;
  video.srcObject.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
  $("camera").setAttribute("aria-pressed", "false");
  $("camera").textContent = "Use the camera";
  say("The camera is off; its last picture stays.");
}

function save(text, kind) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: kind }));
  link.download = `predictions.${kind === "text/csv" ? "csv" : "json"}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** The same action; a fault is said on the page. */
function safely(action) {
  return async (...given) => action(...given).catch((error) => say(error.message, true));
}

const chosen = safely(async (file) => file && open(file, file.name));
$("file").onchange = ({ target }) => chosen(target.files[0]).then(() => (target.value = ""));
$("drawn").onclick = safely(() => open($("empty"), "drawn.jpg"));
$("camera").onclick = safely(async () => {
  if (state.tracker) return stop();
  $("camera").disabled = true; // a second click would open a second stream
  await watch().finally(() => ($("camera").disabled = false));
});
$("model").onchange = safely(async () => {
  if (state.tracker) state.tracker.finder = finder();
  else if (state.file) await still();
});
for (const id of ["points", "errors", "lips", "eyes", "lips-colour", "eyes-colour"])
  $(id).oninput = () => state.file && show();
$("csv").onclick = () => save(csv(state.file, state.faces, finder().about.labels), "text/csv");
$("json").onclick = () =>
  save(json(state.file, frame, state.faces, finder().about.scheme), "application/json");
$("list").ontoggle = list;
document.ondragover = (event) => {
  event.preventDefault();
  $("place").classList.add("over");
};
document.ondragleave = () => $("place").classList.remove("over");
document.ondrop = (event) => {
  event.preventDefault();
  $("place").classList.remove("over");
  if (!$("file").disabled) chosen(event.dataTransfer.files[0]);
};

/** Resolves once everything is loaded. */
export const ready = load().catch((error) =>
  say(`The models or their runtime could not be loaded (${error.message}). Load the page again, with a network.`, true));
