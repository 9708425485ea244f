// Models that a person brings, in Chromium: what the page says of a file, that it asks for what it cannot know, tests and
// times it, keeps it, and that no file can take the page down or make it send anything.

import assert from 'node:assert/strict';
import { open, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import test from 'node:test';
import { required, SOFTWARE_WEBGPU, withChromium } from './browsers.mjs';
import { assertQuiet, byName } from './live-page.mjs';
import { archive, onnx, published } from './model-files.mjs';
import {
  choose, COLOURS, file, folder, LIMIT_MILLIS, OPEN_SIZE, openModels, rows, settled, tested, text, useFolder,
} from './models-page.mjs';

useFolder();

/** A few hundred bytes that compute for minutes: a product of large matrices after the other. */
const ENDLESS = onnx({
  inputs: { x: [4096, 4096] },
  outputs: { y40: [4096, 4096] },
  nodes: Array.from({ length: 41 }, (_, i) => ({
    operator: 'MatMul',
    inputs: [i ? `y${i - 1}` : 'x', 'x'],
    outputs: [`y${i}`],
  })),
});

test('a TFLite model is described, tested, timed, kept, and there after the page was closed', async (t) => {
  const { bytes, sha256 } = await published('detector');
  const place = await file('pose_detection.tflite', bytes);
  await withChromium({}, async (browser) => {
    const { page, seen } = await openModels(browser);
    const before = seen.requests.length;
    await choose(page, place);
    assert.equal(await text(page, 'lab-verdict'), '✓ It runs here.');
    const facts = await text(page, 'lab-facts');
    assert.ok(facts.includes(sha256), facts);
    assert.match(facts, /TensorFlow Lite schema 3/u);
    assert.deepEqual(await rows(page, 'lab-inputs'), [['input_1', 'float32', '1 × 224 × 224 × 3']]);
    assert.deepEqual((await rows(page, 'lab-outputs')).map(([name]) => name).sort(), ['Identity', 'Identity_1']);
    assert.ok((await rows(page, 'lab-operators')).every(([, , isRead]) => isRead === 'yes'));

    await page.click(byName('lab-test'));
    await tested(page);
    const checks = await rows(page, 'lab-checks');
    assert.deepEqual(checks.map(([, outcome]) => outcome), ['✓ passed', '✓ passed', '– not tested'], `${checks}`);
    const [[, median, , runs]] = await rows(page, 'lab-times');
    assert.ok(Number(median) > 0 && Number(runs) >= 3, `${median} ms of ${runs}`);
    t.diagnostic(`the detector takes ${median} ms`);

    await page.type(byName('card-licence'), 'Apache-2.0');
    await page.click(byName('lab-store'));
    await page.waitForSelector(byName('kept-model'));
    const sent = seen.requests.slice(before).filter((url) => !/\/(lab_worker|ahead-|snippets\/)/u.test(url));
    assert.deepEqual(sent, [], 'nothing but its worker is asked for when a model is opened, tested and kept');
    assertQuiet(seen);
    await page.close();

    const later = await openModels(browser);
    const card = await later.page.waitForSelector(byName('kept-model'));
    const said = await card.evaluate((element) => element.textContent);
    for (const word of ['pose detection', 'Apache-2.0', sha256, 'passed']) assert.ok(said.includes(word), said);
    await later.page.click(byName('kept-open'));
    await settled(later.page);
    assert.equal(await text(later.page, 'lab-verdict'), '✓ It runs here.');
    const licence = await later.page.$eval(byName('card-licence'), (input) => input.value);
    assert.equal(licence, 'Apache-2.0', 'what was said of it is there too');
    await later.page.goto(`${required('PLUMBLINE_ADDRESS')}/privacy`);
    await later.page.waitForSelector(byName('kept'));
    assert.ok((await text(later.page, 'kept')).includes(sha256), 'the privacy page lists it');
    await later.page.click(byName('delete'));
    await later.page.waitForSelector(byName('kept-nothing'));
    const { page: last } = await openModels(browser);
    assert.equal(await last.$(byName('kept-model')), null, 'and deletes it');
    assertQuiet(later.seen);
  });
});

test('on WebGPU the answers are those of the CPU, and a software adapter is called one', async () => {
  const place = await file('open.onnx', OPEN_SIZE);
  await withChromium({ args: SOFTWARE_WEBGPU }, async (browser) => {
    const { page, seen } = await openModels(browser);
    await choose(page, place);
    const form = await page.waitForSelector(byName('lab-questions'));
    assert.match(await form.evaluate((element) => element.textContent), /Size “length”/u);
    await page.type(byName('lab-answer'), '1000');
    await page.keyboard.press('Enter');
    await page.waitForSelector(byName('lab-test'), { timeout: LIMIT_MILLIS });
    assert.deepEqual(await rows(page, 'lab-inputs'), [['x', 'float32', '1 × 1000']]);
    await page.click(byName('lab-test'));
    await tested(page);
    const checks = await rows(page, 'lab-checks');
    assert.deepEqual(checks.map(([, outcome]) => outcome), ['✓ passed', '✓ passed', '✓ passed'], `${checks}`);
    assert.match((await rows(page, 'lab-times')).at(1)[0], /software/u);
    assert.match(await text(page, 'lab-gpu-note'), /says nothing about hardware/u);
    assertQuiet(seen);
  });
});

test('operators that are not read are listed by name, each with its node', async () => {
  const model = onnx({
    inputs: { x: [1, 4] },
    outputs: { y: [1, 4] },
    nodes: [
      { operator: 'Relu', inputs: ['x'], outputs: ['a'] },
      { operator: 'NonMaxSuppression', inputs: ['a'], outputs: ['b'], name: 'boxes' },
      { operator: 'Unique', inputs: ['b'], outputs: ['y'], name: 'once' },
    ],
  });
  const place = await file('gaps.onnx', model);
  await withChromium({}, async (browser) => {
    const { page, seen } = await openModels(browser);
    await choose(page, place);
    const gaps = await rows(page, 'lab-gaps');
    assert.deepEqual(gaps.map(([place]) => place), [
      "node 1 (NonMaxSuppression, 'boxes')",
      "node 2 (Unique, 'once')",
    ]);
    assert.deepEqual(await rows(page, 'lab-operators'), [
      ['NonMaxSuppression', '1', 'no'],
      ['Unique', '1', 'no'],
      ['Relu', '1', 'yes'],
    ]);
    assert.equal(await page.$(byName('lab-test')), null);
    assertQuiet(seen);
  });
});

test('files that cannot be read are refused in a sentence', async () => {
  const { bytes } = await published('detector');
  const large = path.join(folder, 'large.onnx');
  const handle = await open(large, 'w');
  await handle.truncate(257 * 1024 * 1024);
  await handle.close();
  const cases = [
    [await file('cut.tflite', bytes.subarray(0, 100_000)), /truncated or damaged/u],
    [await file('notes.onnx', 'Not a model at all, but a letter.'), /cannot be read/u],
    [await file('empty.onnx', ''), /is empty/u],
    [large, /257 MiB.*up to 256 MiB/u],
    [await file('texts.task', archive({ 'a.txt': Buffer.from('-') })), /no \.tflite or \.onnx/u],
  ];
  await withChromium({}, async (browser) => {
    const { page, seen } = await openModels(browser);
    for (const [place, sentence] of cases) {
      await choose(page, place);
      assert.match(await text(page, 'lab-problem'), sentence, place);
    }
    assertQuiet(seen);
  });
});

test('an archive offers the models in it', async () => {
  const { bytes } = await published('detector');
  const place = await file('two.task', archive({ 'pose_detector.tflite': bytes, 'readme.txt': Buffer.from('-'), 'second.onnx': OPEN_SIZE }));
  await withChromium({}, async (browser) => {
    const { page, seen } = await openModels(browser);
    await choose(page, place);
    assert.equal(await text(page, 'lab-verdict'), '✓ It runs here.');
    await page.select(byName('lab-entry'), 'second.onnx');
    await page.waitForSelector(byName('lab-questions'), { timeout: LIMIT_MILLIS });
    assert.match(await text(page, 'lab-facts'), /ONNX operator set 17/u);
    assertQuiet(seen);
  });
});

test('a model that is compressed inside an archive is inflated, and one that says less than it is is refused', async () => {
  const { bytes } = await published('detector');
  const files = { 'readme.txt': Buffer.from('-'), 'pose_detector.tflite': bytes };
  const good = await file('compressed.task', archive(files, { compress: true }));
  const lying = await file('lying.task', archive(files, { compress: true, claim: 1000 }));
  await withChromium({}, async (browser) => {
    const { page, seen } = await openModels(browser);
    await choose(page, good);
    assert.equal(await text(page, 'lab-verdict'), '✓ It runs here.');
    assert.match(await text(page, 'lab-facts'), /TensorFlow Lite schema 3/u);
    await choose(page, lying);
    assert.match(await text(page, 'lab-problem'), /damaged inside the archive/u);
    assertQuiet(seen);
  });
});

test('a model that never ends is stopped, and the page goes on', async () => {
  const [endless, good] = [await file('endless.onnx', ENDLESS), await file('open.onnx', OPEN_SIZE)];
  await withChromium({}, async (browser) => {
    const { page, seen } = await openModels(browser, { silence: '3' });
    await choose(page, endless);
    assert.match(await text(page, 'lab-facts'), /2817\.\d billion multiply-adds/u, 'its cost is known before it runs');
    await page.click(byName('lab-test'));
    await page.waitForSelector(byName('lab-problem'), { timeout: LIMIT_MILLIS });
    assert.match(await text(page, 'lab-problem'), /no sign of life for 3 seconds while running on the CPU/u);
    const longest = await page.evaluate(() => Math.max(0, ...window.longTasks.map(({ millis }) => millis)));
    assert.ok(longest < 200, `the page itself is never busy for long (${longest} ms)`);
    await choose(page, good);
    assert.match(await text(page, 'lab-verdict'), /only you can say/u, 'another worker reads the next model');
    assertQuiet(seen);
  });
});

test('what the worker does can be cancelled', async () => {
  const place = await file('endless.onnx', ENDLESS);
  await withChromium({}, async (browser) => {
    const { page } = await openModels(browser);
    await choose(page, place);
    await page.click(byName('lab-test'));
    await page.waitForSelector(byName('lab-cancel'));
    await page.click(byName('lab-cancel'));
    await page.waitForSelector(byName('lab-problem'));
    assert.match(await text(page, 'lab-problem'), /cancelled/u);
    assert.equal(await page.$(byName('lab-busy')), null);
  });
});

test('after a run was cancelled another worker goes on with what was answered', async () => {
  const { bytes } = await published('full');
  const place = await file('pose_landmark_full.tflite', bytes);
  await withChromium({}, async (browser) => {
    const { page, seen } = await openModels(browser);
    await choose(page, place);
    await page.select(byName('lab-resize'), 'letterbox');
    await page.click(byName('lab-test'));
    await page.waitForSelector(byName('lab-cancel'));
    await page.click(byName('lab-cancel'));
    await page.waitForSelector(byName('lab-problem'));
    await page.click(byName('lab-drawn'));
    await page.waitForSelector(byName('lab-summary'), { timeout: LIMIT_MILLIS });
    assert.match(await text(page, 'lab-summary'), /It finds one/u);
    const resize = await page.$eval(byName('lab-resize'), (menu) => menu.value);
    assert.equal(resize, 'letterbox', 'nobody is asked twice');
    assertQuiet(seen);
  });
});

test('the page can be left in the middle of a run and opened again', async () => {
  const [endless, good] = [await file('endless.onnx', ENDLESS), await file('open.onnx', OPEN_SIZE)];
  await withChromium({}, async (browser) => {
    const { page, seen } = await openModels(browser);
    await choose(page, endless);
    await page.click(byName('lab-test'));
    await page.waitForSelector(byName('lab-cancel'));
    const running = page.workers().length;
    await page.click('nav a[href="/"]');
    await page.waitForSelector(byName('stage'));
    await page.waitForFunction(() => !document.querySelector('#lab'));
    for (let tries = 0; page.workers().length >= running && tries < 50; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal(page.workers().length, running - 1, 'its worker is gone');
    await page.click('nav a[href="/models"]');
    await page.waitForSelector(byName('lab-file'), { timeout: LIMIT_MILLIS });
    assert.equal(await page.$(byName('lab-model')), null, 'and what it had open');
    await choose(page, good);
    assert.match(await text(page, 'lab-verdict'), /only you can say/u);
    assertQuiet(seen);
  });
});

test('where nothing can be kept, the page says so and the rest works', async () => {
  const { bytes } = await published('detector');
  const place = await file('pose_detection.tflite', bytes);
  const refuse = (page) =>
    page.evaluateOnNewDocument(() => {
      navigator.storage.getDirectory = () => Promise.reject(new DOMException('denied', 'SecurityError'));
    });
  await withChromium({}, async (browser) => {
    const { page, seen } = await openModels(browser, {}, refuse);
    await choose(page, place);
    assert.equal(await text(page, 'lab-verdict'), '✓ It runs here.');
    await page.waitForFunction(
      (name) => document.querySelector(name).textContent.includes('keeps no files'), {}, byName('lab-storage'),
    );
    assert.ok(await page.$eval(byName('lab-store'), (button) => button.disabled));
    assertQuiet(seen);
  });
});

for (const theme of ['light', 'dark']) {
  test(`axe finds nothing on /models in the ${theme} theme, and nothing scrolls sideways at 320 px`, async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const { bytes } = await published('detector');
    const [good, open] = [await file('pose_detection.tflite', bytes), await file('open.onnx', OPEN_SIZE)];
    const colours = await file('colours.onnx', COLOURS);
    await withChromium({}, async (browser) => {
      const { page } = await openModels(browser);
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
      for (const situation of ['empty', 'asks', 'tested', 'tried']) {
        if (situation === 'asks') await choose(page, open);
        if (situation === 'tested') {
          await choose(page, good);
          await page.click(byName('lab-test'));
          await tested(page);
          await page.click(byName('lab-store'));
          await page.waitForSelector(byName('kept-model'));
        }
        if (situation === 'tried') {
          await choose(page, colours);
          await page.click(byName('lab-drawn'));
          await page.waitForSelector(byName('lab-summary'), { timeout: LIMIT_MILLIS });
        }
        await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)));
        await page.evaluate(axe);
        const violations = await page.evaluate(async () => {
          const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
          const { violations } = await window.axe.run({ runOnly: tags });
          return violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes[0].html.slice(0, 120)})`);
        });
        assert.deepEqual(violations, [], situation);
      }
      await page.setViewport({ width: 320, height: 640 });
      const widths = await page.evaluate(() => ({
        page: document.documentElement.scrollWidth,
        view: document.documentElement.clientWidth,
      }));
      assert.ok(widths.page <= widths.view, JSON.stringify(widths));
      await page.screenshot({ path: path.join(required('PLUMBLINE_OUTPUT'), `models-${theme}.png`), fullPage: true });
    });
  });
}
