// A model that a person brings, tried in Chromium: on pictures, a camera, a clip and the drawn person, on both backends,
// with what a manifest says of it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { fakeCamera, optional, required, SOFTWARE_WEBGPU, withChromium } from './browsers.mjs';
import { assertQuiet, byName } from './live-page.mjs';
import { onnx, picture, published } from './model-files.mjs';
import { choose, COLOURS, file, folder, LIMIT_MILLIS, openModels, rows, text, useFolder } from './models-page.mjs';
import { demoClip, demoFacts } from './skeletons.mjs';

useFolder();

test('a classifier says what a picture shows, with the names that the person gives its classes', async () => {
  const place = await file('colours.onnx', COLOURS);
  const red = await file('red.bmp', picture(20, 10, [250, 10, 10]));
  await withChromium({}, async (browser) => {
    const { page, seen } = await openModels(browser);
    await choose(page, place);
    assert.match(await text(page, 'lab-task'), /what the picture shows \(classes\) – possible/u);
    assert.match(await text(page, 'lab-guessed'), /8 × 8 px.*guesses: .*Resizing/u);
    await page.type(byName('lab-labels'), 'red\ngreen\nblue');
    await page.select(byName('lab-values'), 'unit');
    const show = async () => {
      await (await page.$(byName('lab-picture'))).uploadFile(red);
      await page.waitForSelector(byName('lab-busy'), { hidden: true, timeout: LIMIT_MILLIS });
      await page.waitForSelector(byName('lab-summary'), { timeout: LIMIT_MILLIS });
      return text(page, 'lab-summary');
    };
    assert.match(await show(), /It says “red”/u);
    const found = await rows(page, 'lab-found');
    assert.deepEqual(found.map(([name]) => name), ['red', 'green', 'blue']);
    await page.select(byName('lab-colours'), 'bgr');
    assert.match(await show(), /It says “blue”/u, 'blue first is another input');
    assertQuiet(seen);
  });
});

test('a landmark model finds the drawn person, drawn and in numbers', async () => {
  const { bytes } = await published('lite');
  const place = await file('pose_landmark_lite.tflite', bytes);
  await withChromium({}, async (browser) => {
    const { page, seen } = await openModels(browser);
    await choose(page, place);
    assert.match(await text(page, 'lab-task'), /33 body landmarks in a crop \(MediaPipe\) – certain/u);
    assert.match(await text(page, 'lab-why'), /39 landmarks of five numbers/u);
    await page.click(byName('lab-drawn'));
    await page.waitForSelector(byName('lab-summary'), { timeout: LIMIT_MILLIS });
    const found = await rows(page, 'lab-found');
    assert.equal(found.length, 33);
    const [nose, hip, ankle] = ['nose', 'left hip', 'left ankle'].map((wanted) => {
      const [, , place] = found.find(([name]) => name === wanted);
      return Number(place.match(/, (-?\d+) px/u)[1]);
    });
    assert.ok(nose < hip && hip < ankle, `head above hip above ankle: ${JSON.stringify(found)}`);
    const { width, height } = await demoFacts();
    const size = await page.$eval('.lab-canvas', (canvas) => [canvas.width, canvas.height]);
    assert.deepEqual(size, [width, height], 'the picture is shown with what was found');
    assertQuiet(seen);
  });
});

/** What the drawing shows: how many pixels have something drawn on them, and its size. */
function drawingOf(page) {
  return page.$eval('.lab-canvas', (canvas) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
    let sum = 0;
    for (let i = 0; i < data.length; i += 97) sum = (sum * 31 + data[i]) % 1_000_003;
    return { width, height, sum };
  });
}

/** Waits until frames go by: the pace has a rate, and the drawing has changed. */
async function followed(page) {
  await page.waitForFunction(
    (name) => /frames a second/u.test(document.querySelector(name)?.textContent ?? ''),
    { timeout: LIMIT_MILLIS, polling: 50 },
    byName('lab-pace'),
  );
}

test('a landmark model follows a camera: the newest frame, its pace, and the camera is free after the end', async () => {
  const { bytes } = await published('lite');
  const place = await file('pose_landmark_lite.tflite', bytes);
  await withChromium({ args: fakeCamera(demoClip()) }, async (browser) => {
    const { page, seen } = await openModels(browser);
    await page.evaluate(() => {
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      window.opened = [];
      navigator.mediaDevices.getUserMedia = async (constraints) => {
        const stream = await open(constraints);
        window.opened.push(...stream.getTracks());
        return stream;
      };
    });
    await choose(page, place);
    const before = seen.requests.length;
    await page.click(byName('lab-camera'));
    await followed(page);
    const pace = await text(page, 'lab-pace');
    assert.match(pace, /^[\d.]+ frames a second; [\d.]+ ms a frame, of which the model takes [\d.]+ ms; \d+ frames? passed over\.$/u);
    assert.equal((await rows(page, 'lab-found')).length, 33);
    const first = await drawingOf(page);
    await page.waitForFunction(
      (sum) => {
        const canvas = document.querySelector('.lab-canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let now = 0;
        for (let i = 0; i < data.length; i += 97) now = (now * 31 + data[i]) % 1_000_003;
        return now !== sum;
      },
      { timeout: LIMIT_MILLIS },
      first.sum,
    );
    await page.focus(byName('lab-stop'));
    await page.keyboard.press('Enter');
    await page.waitForSelector(byName('lab-stop'), { hidden: true });
    assert.deepEqual(await page.evaluate(() => window.opened.map((track) => track.readyState)), ['ended']);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'try', 'who uses the keyboard stays there');
    assert.match(await text(page, 'lab-status'), /^Stopped\. It finds one/u);
    const asked = seen.requests.slice(before).filter((url) => !url.startsWith('blob:'));
    const detector = asked.filter((url) => /\/models\/(manifest\.json|detector\.graph)$/u.test(url));
    assert.deepEqual(asked, detector, 'no frame leaves the page; the detector, which finds people, comes from its own server');
    // The worker is well: it goes on with something else.
    await page.click(byName('lab-drawn'));
    await page.waitForFunction((name) => /One run took/u.test(document.querySelector(name)?.textContent), { timeout: LIMIT_MILLIS }, byName('lab-summary'));
    assertQuiet(seen);
  });
});

test('a refused camera is a sentence, and the drawn person still moves', async () => {
  const { bytes } = await published('lite');
  const place = await file('pose_landmark_lite.tflite', bytes);
  await withChromium({ args: ['--use-fake-device-for-media-stream'] }, async (browser) => {
    const origin = new URL(required('PLUMBLINE_ADDRESS')).origin;
    await browser.defaultBrowserContext().overridePermissions(origin, []);
    const { page, seen } = await openModels(browser);
    await choose(page, place);
    await page.click(byName('lab-camera'));
    await page.waitForSelector(byName('lab-problem'), { timeout: LIMIT_MILLIS });
    assert.match(await text(page, 'lab-problem'), /camera is blocked for this page/u);
    assert.equal(await page.$(byName('lab-stop')), null);
    await page.click(byName('lab-moving'));
    await followed(page);
    const { width, height } = await demoFacts();
    const shown = await drawingOf(page);
    assert.deepEqual([shown.width, shown.height], [width, height]);
    assert.equal(await page.$(byName('lab-problem')), null, 'what went wrong before is gone');
    await page.click(byName('lab-stop'));
    await page.waitForSelector(byName('lab-stop'), { hidden: true });
    assertQuiet(seen);
  });
});

test('a clip is followed to its end', async (t) => {
  const ffmpeg = optional('PLUMBLINE_FFMPEG');
  if (!ffmpeg) {
    t.skip('ffmpeg is missing, and makes the clip');
    return;
  }
  const clip = path.join(folder, 'person.webm');
  const settings = ['-t', '1.5', '-c:v', 'libvpx', '-b:v', '2M', '-deadline', 'realtime'];
  await promisify(execFile)(ffmpeg, ['-y', '-loglevel', 'error', '-i', demoClip(), ...settings, clip]);
  const { bytes } = await published('lite');
  const place = await file('pose_landmark_lite.tflite', bytes);
  await withChromium({}, async (browser) => {
    const { page, seen } = await openModels(browser);
    await choose(page, place);
    await (await page.$(byName('lab-picture'))).uploadFile(clip);
    await page.waitForSelector(byName('lab-stop'), { timeout: LIMIT_MILLIS });
    await page.waitForSelector(byName('lab-summary'), { timeout: LIMIT_MILLIS });
    await page.waitForSelector(byName('lab-stop'), { hidden: true, timeout: LIMIT_MILLIS });
    assert.equal((await rows(page, 'lab-found')).length, 33, 'what was found last stays');
    assertQuiet(seen);
  });
});

test('a model that hangs on a frame is stopped, and the source with it', async () => {
  // A classifier whose numbers take minutes.
  const hanging = onnx({
    inputs: { pixels: [1, 3, 2048, 2048] },
    outputs: { scores: [1, 3] },
    nodes: [
      ...Array.from({ length: 30 }, (_, i) => ({
        operator: 'MatMul',
        inputs: [i ? `m${i - 1}` : 'pixels', i ? `m${i - 1}` : 'pixels'],
        outputs: [`m${i}`],
      })),
      { operator: 'GlobalAveragePool', inputs: ['m29'], outputs: ['means'] },
      { operator: 'Flatten', inputs: ['means'], outputs: ['scores'] },
    ],
  });
  const place = await file('hanging.onnx', hanging);
  await withChromium({}, async (browser) => {
    const { page, seen } = await openModels(browser, { silence: '3' });
    await choose(page, place);
    await page.click(byName('lab-moving'));
    await page.waitForSelector(byName('lab-problem'), { timeout: LIMIT_MILLIS });
    assert.match(await text(page, 'lab-problem'), /no sign of life for 3 seconds while running on the CPU/u);
    assert.equal(await page.$(byName('lab-stop')), null);
    // Stopped by hand instead: what hangs can then be cancelled.
    await page.click(byName('lab-moving'));
    await page.waitForSelector(byName('lab-stop'), { timeout: LIMIT_MILLIS });
    await page.waitForSelector(byName('lab-busy'), { hidden: true, timeout: LIMIT_MILLIS });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await page.click(byName('lab-stop'));
    await page.waitForSelector(byName('lab-cancel'), { timeout: LIMIT_MILLIS });
    await page.click(byName('lab-cancel'));
    await page.waitForSelector(byName('lab-busy'), { hidden: true });
    assertQuiet(seen);
  });
});

test('a picture is looked at on WebGPU, with the findings of the CPU', async () => {
  const place = await file('colours.onnx', COLOURS);
  const red = await file('red.bmp', picture(20, 10, [250, 10, 10]));
  await withChromium({ args: SOFTWARE_WEBGPU }, async (browser) => {
    const { page, seen } = await openModels(browser);
    await choose(page, place);
    const show = async (backend) => {
      await page.select(byName('lab-backend'), backend);
      await (await page.$(byName('lab-picture'))).uploadFile(red);
      await page.waitForSelector(byName('lab-busy'), { hidden: true, timeout: LIMIT_MILLIS });
      await page.waitForSelector(byName('lab-summary'), { timeout: LIMIT_MILLIS });
      return { summary: await text(page, 'lab-summary'), rows: await rows(page, 'lab-found') };
    };
    const [cpu, gpu] = [await show('cpu'), await show('gpu')];
    assert.match(cpu.summary, /ms on the CPU/u);
    assert.match(gpu.summary, /a program on the processor and no GPU/u);
    assert.deepEqual(gpu.rows, cpu.rows);
    await page.click(byName('lab-moving'));
    await followed(page);
    await page.click(byName('lab-stop'));
    assertQuiet(seen);
  });
});

test('without WebGPU a sentence says so, and the CPU still looks', async () => {
  const place = await file('colours.onnx', COLOURS);
  await withChromium({}, async (browser) => {
    const { page, seen } = await openModels(browser);
    await choose(page, place);
    await page.select(byName('lab-backend'), 'gpu');
    await page.click(byName('lab-drawn'));
    await page.waitForSelector(byName('lab-problem'), { timeout: LIMIT_MILLIS });
    assert.match(await text(page, 'lab-problem'), /no GPU for it here.*Choose the CPU/u);
    await page.select(byName('lab-backend'), 'cpu');
    await page.click(byName('lab-drawn'));
    await page.waitForSelector(byName('lab-summary'), { timeout: LIMIT_MILLIS });
    assertQuiet(seen);
  });
});

test('a manifest is read, used for its model, and refused for another', async () => {
  const place = await file('colours.onnx', COLOURS);
  const said = {
    name: 'Which colour',
    licence: 'CC0-1.0',
    task: 'classes',
    labels: ['rouge', 'vert', 'bleu'],
    input: { width_px: 8, height_px: 8 },
  };
  const manifest = await file('colours.json', JSON.stringify(said));
  const other = await file('other.json', JSON.stringify({ ...said, sha256: '0'.repeat(64) }));
  const broken = await file('broken.toml', 'name = "x"');
  const red = await file('red.bmp', picture(20, 10, [250, 10, 10]));
  await withChromium({}, async (browser) => {
    const { page, seen } = await openModels(browser);
    const input = await page.$(byName('lab-file'));
    await input.uploadFile(broken);
    await page.waitForSelector(byName('lab-problem'), { timeout: LIMIT_MILLIS });
    assert.match(await text(page, 'lab-problem'), /manifest is not one: .*licence/su);
    await input.uploadFile(manifest);
    await page.waitForSelector(byName('lab-given'), { timeout: LIMIT_MILLIS });
    await choose(page, place);
    assert.equal(await page.$eval(byName('card-licence'), (field) => field.value), 'CC0-1.0');
    await (await page.$(byName('lab-picture'))).uploadFile(red);
    await page.waitForSelector(byName('lab-summary'), { timeout: LIMIT_MILLIS });
    assert.match(await text(page, 'lab-summary'), /It says “rouge”/u);
    await input.uploadFile(other);
    await page.waitForSelector(byName('lab-problem'), { timeout: LIMIT_MILLIS });
    assert.match(await text(page, 'lab-problem'), /is of another file/u);
    assertQuiet(seen);
  });
});

/** As many planes as the person says, of pictures of a size that the file leaves open. */
const OPEN_PLANES = onnx({
  inputs: { pixels: [1, 3, 'height', 'width'] },
  outputs: { mask: [1, 3, 'height', 'width'] },
  nodes: [{ operator: 'Relu', inputs: ['pixels'], outputs: ['mask'] }],
});

test('a manifest answers which sizes a file leaves open, before and after; a mask of several classes has a legend', async () => {
  const place = await file('planes.onnx', OPEN_PLANES);
  const manifest = await file('planes.json', JSON.stringify({
    name: 'Planes',
    licence: 'CC0-1.0',
    task: 'mask',
    labels: ['nothing', 'leaf', 'sky'],
    sizes: { height: 24, width: 32 },
    input: { width_px: 32, height_px: 24 },
  }));
  const blue = await file('blue.bmp', picture(64, 48, [10, 10, 250]));
  await withChromium({}, async (browser) => {
    for (const order of [[manifest, place], [place, manifest]]) {
      const { page, seen } = await openModels(browser);
      for (const next of order) {
        await (await page.$(byName('lab-file'))).uploadFile(next);
        const said = next === manifest && order[0] === manifest ? ['lab-given'] : ['lab-purpose', 'lab-questions'];
        await page.waitForFunction(
          (names) => names.some((name) => document.querySelector(name)),
          { timeout: LIMIT_MILLIS },
          said.map(byName),
        );
      }
      await page.waitForSelector(byName('lab-purpose'), { timeout: LIMIT_MILLIS });
      assert.deepEqual(await rows(page, 'lab-inputs'), [['pixels', 'float32', '1 × 3 × 24 × 32']]);
      await (await page.waitForSelector(byName('lab-picture'))).uploadFile(blue);
      await page.waitForSelector(byName('lab-summary'), { timeout: LIMIT_MILLIS });
      assert.match(await text(page, 'lab-summary'), /mask of 32 × 24 px, in which 1 of 3 classes are there/u);
      assert.deepEqual((await rows(page, 'lab-found')).map(([name, , share]) => [name, share]), [
        ['sky', '100.0 % of the picture'],
      ]);
      assert.equal((await page.$$(`${byName('lab-found')} .lab-swatch`)).length, 1);
      assertQuiet(seen);
      await page.close();
    }
  });
});
