// Writes the person masks that MediaPipe Tasks gives for a picture, as the fixture of tests/tests/person_mask.rs.
//
// node tests/reference/tasks_mask.mjs ADDRESS PICTURE > tests/fixtures/tasks_mask.json
//
// ADDRESS is where `cargo xtask bench --rounds 0 --keep-open` serves the peers. A mask is kept as the lengths of its runs
// of pixels, row by row from the top, first of the room (at most half of a pixel is the person), then of the person, and
// so on. Chromium is $PLUMBLINE_CHROMIUM or /usr/bin/chromium.

import { readFile } from 'node:fs/promises';
import { withChromium } from '../e2e/browsers.mjs';

const [address, picture] = process.argv.slice(2);
if (!address || !picture) throw new Error('say where the bench is served and which picture: node tests/reference/tasks_mask.mjs ADDRESS PICTURE');
process.env.PLUMBLINE_CHROMIUM ??= '/usr/bin/chromium';

/** Runs in the page: sizes and runs of the mask that one model gives. */
async function runsOf({ model, base64 }) {
  const { FilesetResolver, PoseLandmarker } = await import('/peers/tasks/vision_bundle.mjs');
  const landmarker = await PoseLandmarker.createFromOptions(
    await FilesetResolver.forVisionTasks(new URL('/peers/tasks/wasm', location.href).href),
    {
      baseOptions: { modelAssetPath: `/models/${model}.task`, delegate: 'CPU' },
      runningMode: 'IMAGE',
      numPoses: 1,
      outputSegmentationMasks: true,
    },
  );
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
  const [mask] = landmarker.detect(canvas).segmentationMasks;
  const runs = [];
  let [isPerson, length] = [false, 0];
  for (const value of mask.getAsFloat32Array()) {
    if (value > 0.5 !== isPerson) {
      runs.push(length);
      [isPerson, length] = [!isPerson, 0];
    }
    length += 1;
  }
  return { width_px: mask.width, height_px: mask.height, runs: [...runs, length] };
}

const base64 = (await readFile(picture)).toString('base64');
await withChromium({}, async (browser) => {
  const page = await browser.newPage();
  await page.goto(`${address}/runtime.html?runtime=tasks-cpu`, { waitUntil: 'domcontentloaded' });
  const masks = {};
  for (const model of ['lite', 'full', 'heavy']) masks[model] = await page.evaluate(runsOf, { model, base64 });
  const lines = Object.entries(masks).map(([model, mask]) => `"${model}": ${JSON.stringify(mask)}`);
  process.stdout.write(`{${lines.join(',\n')}}\n`);
});
