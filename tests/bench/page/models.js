// What the page knows of the models: how their input is made of a picture, and where their files are.

/** The landmark models' person mask, which Plumbline's product does not compute. */
export const MASK = 'Identity_2';

/**
 * @typedef {object} Model
 * @property {string} id
 * @property {[number, number]} size_px rows and columns of the input
 * @property {boolean} isPlanar whether channels come before rows and columns in the input
 * @property {[number, number]} range of a colour component
 * @property {boolean} landmarks whether it is one of the landmark models, which frames are followed with
 * @property {('graph' | 'tflite' | 'onnx')[]} formats of the files that there are of it
 * @property {string} [part] what must have been made for it, a key of `parts` in bench.json; the product's own have none
 */

/** A model of the product. */
const own = (id, side_px, range, landmarks) => ({
  id, size_px: [side_px, side_px], isPlanar: false, range, landmarks, formats: ['graph', 'tflite', 'onnx'],
});

/** A network with random weights (networks.py): `cargo xtask bench --networks` makes them. */
const network = (id, rows, columns, isPlanar = true) => ({
  id, size_px: [rows, columns], isPlanar, range: [0, 1], landmarks: false, formats: ['onnx'], part: 'networks',
});

/** @type {Model[]} */
export const MODELS = [
  own('detector', 224, [-1, 1], false),
  own('lite', 256, [0, 1], true),
  own('full', 256, [0, 1], true),
  own('heavy', 256, [0, 1], true),
  // No file of theirs in ONNX: their transposed convolution is MediaPipe's own operator.
  { ...own('selfie', 256, [0, 1], false), formats: ['graph', 'tflite'] },
  { ...own('selfie-landscape', 256, [0, 1], false), size_px: [144, 256], formats: ['graph', 'tflite'] },
  // The first half of lite (convert.py): a MobileNet-like graph for runtimes that know few operators.
  { ...own('encoder', 256, [0, 1], false), part: 'onnx' },
  network('resnet18', 224, 224),
  network('resnet50', 224, 224),
  network('mobilenet-v2', 224, 224),
  network('mobilenet-v3', 224, 224),
  network('efficientnet-lite0', 224, 224, false),
  network('shufflenet-v2', 224, 224),
  network('squeezenet', 224, 224),
  network('yolo-pose', 640, 640),
  network('simcc', 256, 192),
  network('unet', 256, 256),
];

/** @param {string} id */
export function modelOf(id) {
  const model = MODELS.find((model) => model.id === id);
  if (!model) throw new Error(`There is no model "${id}"; there are ${MODELS.map(({ id }) => id).join(', ')}.`);
  return model;
}

/** The input's shape in the file. @param {Model} model @returns {number[]} */
export function shapeOf({ size_px: [rows, columns], isPlanar }) {
  return isPlanar ? [1, 3, rows, columns] : [1, rows, columns, 3];
}

/** Address of a file that the bench serves. @param {string} path */
export function served(path) {
  return new URL(path, import.meta.url).href;
}

/** @param {string} path @returns {Promise<Uint8Array>} */
export async function fetchBytes(path) {
  const response = await fetch(served(path));
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** A picture as a canvas of its own size. @param {string} path @returns {Promise<HTMLCanvasElement>} */
export async function fetchCanvas(path) {
  const bitmap = await createImageBitmap(new Blob([await fetchBytes(path)]));
  const canvas = document.createElement('canvas');
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas;
}

/**
 * The whole picture in the middle of a black frame, as the model's input: dense f32 of its shape. All runtimes get the
 * same numbers; which part of the picture they show does not matter to a runtime.
 *
 * @param {HTMLCanvasElement} picture
 * @param {Model} model
 * @returns {Float32Array}
 */
export function inputOf(picture, { size_px: [rows, columns], isPlanar, range: [low, high] }) {
  const framed = document.createElement('canvas');
  framed.width = columns;
  framed.height = rows;
  const context = framed.getContext('2d', { willReadFrequently: true });
  const scale = Math.min(columns / picture.width, rows / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  context.fillRect(0, 0, columns, rows);
  context.drawImage(picture, (columns - width) / 2, (rows - height) / 2, width, height);
  const rgba = context.getImageData(0, 0, columns, rows).data;
  const pixels = rows * columns;
  const input = new Float32Array(pixels * 3);
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    for (let part = 0; part < 3; part += 1) {
      const place = isPlanar ? part * pixels + pixel : 3 * pixel + part;
      input[place] = low + (rgba[4 * pixel + part] / 255) * (high - low);
    }
  }
  return input;
}
