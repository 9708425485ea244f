// What the tests of /models share: opening the page, choosing files, waiting for its worker, and small models.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before } from 'node:test';
import { required } from './browsers.mjs';
import { byName, notePage } from './live-page.mjs';
import { onnx } from './model-files.mjs';

/** How long reading or testing may take on a slow machine. */
export const LIMIT_MILLIS = 40_000;

/** Where files to choose are written, once {@link useFolder} was called. */
export let folder;

/** Makes a folder before the tests of a file, and takes it away after them. */
export function useFolder() {
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'plumbline-models-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
}

/** Writes a file to choose. */
export async function file(name, bytes) {
  const place = path.join(folder, name);
  await writeFile(place, bytes);
  return place;
}

/** Opens /models. */
export async function openModels(browser, query = {}, prepare = async () => {}) {
  const { page, seen } = await notePage(browser);
  await prepare(page);
  const address = required('PLUMBLINE_ADDRESS');
  await page.goto(`${address}/models?${new URLSearchParams(query)}`);
  await page.waitForSelector(byName('lab-file'), { timeout: LIMIT_MILLIS });
  return { page, seen };
}

/** Chooses a file, and waits until something is said of it. */
export async function choose(page, place) {
  const input = await page.waitForSelector(byName('lab-file'));
  await input.uploadFile(place);
  await settled(page);
}

/** Waits until the worker rests and something is there to read. */
export async function settled(page) {
  const isSettled = (busy, words) =>
    !document.querySelector(busy) && words.some((word) => document.querySelector(word));
  const words = ['lab-verdict', 'lab-problem'].map(byName);
  await page.waitForFunction(isSettled, { timeout: LIMIT_MILLIS, polling: 50 }, byName('lab-busy'), words);
}

/** Waits until a self-test is done, on the GPU too. */
export async function tested(page) {
  const isDone = (busy, times) => !document.querySelector(busy) && document.querySelector(times);
  await page.waitForFunction(isDone, { timeout: LIMIT_MILLIS, polling: 50 }, byName('lab-busy'), byName('lab-times'));
}

/** The text of an element, or an empty one. */
export function text(page, name) {
  return page.evaluate((selector) => document.querySelector(selector)?.textContent ?? '', byName(name));
}

/** The cells of a table's body. */
export function rows(page, name) {
  return page.$$eval(`${byName(name)} tbody tr`, (rows) =>
    rows.map((row) => [...row.cells].map((cell) => cell.textContent)),
  );
}

/** y = relu(x) + x on rows of a size that the file leaves open. */
export const OPEN_SIZE = onnx({
  inputs: { x: [1, 'length'] },
  outputs: { y: [1, 'length'] },
  nodes: [
    { operator: 'Relu', inputs: ['x'], outputs: ['r'] },
    { operator: 'Add', inputs: ['r', 'x'], outputs: ['y'] },
  ],
});

/** Says how red, green and blue a picture is: the mean of each plane. */
export const COLOURS = onnx({
  inputs: { pixels: [1, 3, 8, 8] },
  outputs: { scores: [1, 3] },
  nodes: [
    { operator: 'GlobalAveragePool', inputs: ['pixels'], outputs: ['means'] },
    { operator: 'Flatten', inputs: ['means'], outputs: ['scores'] },
  ],
});
