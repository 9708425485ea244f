// What the page knows of the models: how their input is made of a picture, and where their files are.

/** The landmark models' person mask, which Plumbline's product does not compute. */
export const MASK = 'Identity_2';

/**
 * @typedef {object} Model
 * @property {string} id
 * @property {number} side_px of the square input
 * @property {[number, number]} range of a colour component
 * @property {boolean} landmarks whether it is one of the landmark models, which frames are followed with
 * @property {string} [part] what must have been made for it, a key of `parts` in bench.json; the product's own have none
 */

/** @type {Model[]} */
export const MODELS = [
  { id: 'detector', side_px: 224, range: [-1, 1], landmarks: false },
  { id: 'lite', side_px: 256, range: [0, 1], landmarks: true },
  { id: 'full', side_px: 256, range: [0, 1], landmarks: true },
  { id: 'heavy', side_px: 256, range: [0, 1], landmarks: true },
  // The first half of lite (convert.py): a MobileNet-like graph for runtimes that know few operators.
  { id: 'encoder', side_px: 256, range: [0, 1], landmarks: false, part: 'onnx' },
];

/** @param {string} id */
export function modelOf(id) {
  const model = MODELS.find((model) => model.id === id);
  if (!model) throw new Error(`There is no model "${id}"; there are ${MODELS.map(({ id }) => id).join(', ')}.`);
  return model;
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
 * The whole picture in the middle of a black square, as the model's input: dense NHWC f32. All runtimes get the same
 * numbers; which part of the picture they show does not matter to a runtime.
 *
 * @param {HTMLCanvasElement} picture
 * @param {Model} model
 * @returns {Float32Array}
 */
export function inputOf(picture, { side_px, range: [low, high] }) {
  const square = document.createElement('canvas');
  square.width = side_px;
  square.height = side_px;
  const context = square.getContext('2d', { willReadFrequently: true });
  const scale = side_px / Math.max(picture.width, picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  context.fillRect(0, 0, side_px, side_px);
  context.drawImage(picture, (side_px - width) / 2, (side_px - height) / 2, width, height);
  const rgba = context.getImageData(0, 0, side_px, side_px).data;
  const input = new Float32Array(side_px * side_px * 3);
  for (let pixel = 0; pixel < side_px * side_px; pixel += 1) {
    for (let part = 0; part < 3; part += 1) {
      input[3 * pixel + part] = low + (rgba[4 * pixel + part] / 255) * (high - low);
    }
  }
  return input;
}
