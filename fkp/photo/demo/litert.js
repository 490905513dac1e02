// Model files in the browser: LiteRT.js, pinned and verified, and what a file says of itself.

/** The runtime, each of its files verified against the digest in places.json before it runs. */
export async function start(places) {
  const [core, utils] = Object.keys(places.packages);
  const verified = async (name, type, change = (text) => text) => {
    const [path, integrity] = Object.entries(places.packages)
      .flatMap(([pack, { files }]) => Object.entries(files).map(([f, sum]) => [`${pack}/${f}`, sum]))
      .find(([path]) => path === name);
    const answer = await fetch(places.runtime + path, { integrity });
    if (!answer.ok) throw new Error(`${path}: the server says ${answer.status}`);
    const body = type === "application/wasm" ? await answer.blob() : change(await answer.text());
    return URL.createObjectURL(new Blob([body], { type }));
  };
  const script = "text/javascript";
  const helpers = await verified(`${utils}/dist/index.js`, script);
  const named = (text) => text.replace('"@litertjs/wasm-utils"', `"${helpers}"`);
  const LiteRT = await import(await verified(`${core}/dist/index.js`, script, named));
  const kind = (await LiteRT.supportsFeature("relaxedSimd")) ? "" : "_compat";
  const wasm = `${core}/wasm/litert_wasm${kind}_internal`;
  const binary = await verified(`${wasm}.wasm`, "application/wasm");
  self.Module = { locateFile: () => binary };
  await LiteRT.loadLiteRt(`${await verified(`${wasm}.js`, script)}#.js`);
  return LiteRT;
}

/** A .tflite file whose input and outputs have fixed shapes, as `run(values)` -> outputs. */
export async function compiled(LiteRT, file, shapes) {
  const model = await LiteRT.loadAndCompile(fixed(file, shapes), { accelerator: "wasm" });
  const shape = [...model.getInputDetails()[0].shape];
  return {
    shape,
    delete: () => model.delete(),
    async run(values) {
      const input = new LiteRT.Tensor(values, shape);
      const outputs = await model.run([input]);
      const arrays = await Promise.all(outputs.map((output) => output.data()));
      [input, ...outputs].forEach((tensor) => tensor.delete());
      return arrays;
    },
  };
}

/**
 * A copy of a .tflite file (a flatbuffer) with the given shapes of its inputs and outputs; without
 * shapes those that stand there, for a batch of one. LiteRT.js takes no other shape than a file's.
 */
function fixed(file, shapes) {
  const copy = new Uint8Array(file);
  const view = new DataView(copy.buffer);
  const at = (place) => place + view.getUint32(place, true);
  const item = (list, i) => list + 4 + 4 * i;
  const field = (table, n) => {
    const fields = table - view.getInt32(table, true);
    const there = 4 + 2 * n < view.getUint16(fields, true);
    const offset = there && view.getUint16(fields + 4 + 2 * n, true);
    return offset ? at(table + offset) : null;
  };
  const all = (list) =>
    Array.from({ length: view.getUint32(list, true) }, (_, i) => view.getInt32(item(list, i), true));
  const [SUBGRAPHS, TENSORS, INPUTS, OUTPUTS, SHAPE, SIGNATURE] = [2, 0, 1, 2, 0, 7];
  const graph = at(item(field(at(0), SUBGRAPHS), 0));
  [...all(field(graph, INPUTS)), ...all(field(graph, OUTPUTS))].forEach((tensor, end) => {
    const table = at(item(field(graph, TENSORS), tensor));
    const lists = [field(table, SHAPE), field(table, SIGNATURE)].filter(Boolean);
    const shape = shapes ? shapes[end] : all(lists[0]);
    for (const list of lists) shape.forEach((n, i) => view.setInt32(item(list, i), n, true));
  });
  return copy;
}

/** fkp.json in the small zip archive behind a .tflite file; see fkp/models/about.py. */
export async function about(file) {
  const view = new DataView(file), [END, DIRECTORY, PACKED, HEADER] = [22, 16, 20, 42];
  const entry = view.getUint32(file.byteLength - END + DIRECTORY, true); // its only one
  const local = view.getUint32(entry + HEADER, true);
  const data = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  const packed = new Blob([file.slice(data, data + view.getUint32(entry + PACKED, true))]).stream();
  return new Response(packed.pipeThrough(new DecompressionStream("deflate-raw"))).json();
}
