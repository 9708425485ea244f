// Writes the masks that MediaPipe's own selfie segmentation gives for a picture, as a fixture of
// tests/tests/person_mask.rs.
//
// node tests/reference/selfie_mask.mjs PICTURE > tests/fixtures/selfie_mask.json
//
// It runs the npm package @mediapipe/selfie_segmentation, as models/package.json pins it, in a headless Chromium with
// software WebGL. A mask is kept as the lengths of its runs of pixels, row by row from the top, first of the room (at most
// half of a pixel is a person), then of people, and so on. Chromium is $PLUMBLINE_CHROMIUM or /usr/bin/chromium.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { withChromium } from '../e2e/browsers.mjs';

const [picture] = process.argv.slice(2);
if (!picture) throw new Error('say which picture: node tests/reference/selfie_mask.mjs PICTURE');
process.env.PLUMBLINE_CHROMIUM ??= '/usr/bin/chromium';

const PACKAGE = fileURLToPath(new URL('../../models/node_modules/@mediapipe/selfie_segmentation', import.meta.url));
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** Serves the package's files, and an empty page. */
async function serve() {
  const server = createServer(async (request, response) => {
    const name = path.basename(new URL(request.url, 'http://localhost').pathname);
    try {
      const body = name ? await readFile(path.join(PACKAGE, name)) : '<!doctype html><title>selfie</title>';
      response.writeHead(200, { 'content-type': TYPES[path.extname(name)] ?? (name ? 'application/octet-stream' : 'text/html') });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

/** Runs in the page: size and runs of the mask that one model gives. */
async function runsOf({ modelSelection, base64 }) {
  const { SelfieSegmentation } = window;
  const segmentation = new SelfieSegmentation({ locateFile: (file) => `/${file}` });
  segmentation.setOptions({ modelSelection, selfieMode: false });
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]));
  const [canvas, mask] = [document.createElement('canvas'), document.createElement('canvas')];
  for (const each of [canvas, mask]) [each.width, each.height] = [bitmap.width, bitmap.height];
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
  const context = mask.getContext('2d');
  const found = new Promise((done) =>
    segmentation.onResults((results) => {
      context.drawImage(results.segmentationMask, 0, 0, mask.width, mask.height);
      done();
    }),
  );
  await segmentation.send({ image: canvas });
  await found;
  const { data } = context.getImageData(0, 0, mask.width, mask.height);
  await segmentation.close();
  const runs = [];
  let [isPerson, length] = [false, 0];
  for (let pixel = 3; pixel < data.length; pixel += 4) {
    if (data[pixel] > 127 !== isPerson) {
      runs.push(length);
      [isPerson, length] = [!isPerson, 0];
    }
    length += 1;
  }
  return { width_px: mask.width, height_px: mask.height, runs: [...runs, length] };
}

const base64 = (await readFile(picture)).toString('base64');
const server = await serve();
try {
  await withChromium({ args: ['--enable-unsafe-swiftshader'] }, async (browser) => {
    const masks = {};
    for (const [modelSelection, name] of ['selfie', 'selfie-landscape'].entries()) {
      const page = await browser.newPage();
      page.on('pageerror', (error) => console.error(error.message));
      await page.goto(`http://127.0.0.1:${server.address().port}/`);
      await page.addScriptTag({ url: '/selfie_segmentation.js' });
      masks[name] = await page.evaluate(runsOf, { modelSelection, base64 });
      await page.close();
    }
    const lines = Object.entries(masks).map(([name, mask]) => `"${name}": ${JSON.stringify(mask)}`);
    process.stdout.write(`{${lines.join(',\n')}}\n`);
  });
} finally {
  server.close();
  server.closeAllConnections();
}
