// The WebGPU path in two browsers: one still picture and a few counted frames in Chromium, whose software adapter takes
// seconds a frame, and the whole drawn clip in Firefox, whose WebGPU runs on Mesa's lavapipe.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { SOFTWARE_WEBGPU, SOFTWARE_WEBGPU_AND_GRAPHICS, optional, required, withChromium, withFirefox } from './browsers.mjs';
import { keepGpuLedger } from './gpu-ledger.mjs';
import {
  assertQuiet,
  byName,
  chooseFile,
  noticeOf,
  openLive,
  results,
  stage,
  waitForFrames,
  waitForState,
} from './live-page.mjs';
import { demoClip, demoFacts, distances, largestDistance, nativeSkeletons, percentile, pictureOfClip } from './skeletons.mjs';

/** For 99 in 100 points of a clip whose pixels differ by a level between JPEG decoders (demo.test.mjs says more). */
const TOLERANCE_PX = 2;

/** Between the same picture looked at in place and copied: nothing but rounding. */
const SAME_PICTURE_PX = 0.1;

/** Frames over which calls are counted. */
const LEDGER_FRAMES = 8;

/** Software adapters compile every kernel at first use and then take up to seconds for each frame. */
const LIMIT_MILLIS = 400_000;

test('one picture in Chromium on WebGPU has the skeleton that the command line finds', async (t) => {
  const picture = path.join(required('PLUMBLINE_OUTPUT'), 'person.jpg');
  await writeFile(picture, await pictureOfClip(demoClip(), 0));
  const [native] = await nativeSkeletons(picture, ['--model', 'lite']);
  const found = {};
  const ways = {
    'looked at where the decoder left it': { args: SOFTWARE_WEBGPU_AND_GRAPHICS },
    'copied into a texture': { args: SOFTWARE_WEBGPU_AND_GRAPHICS, query: { frames: 'copy' } },
    'drawn on a canvas, then copied': { args: SOFTWARE_WEBGPU },
  };
  for (const [way, { args, query }] of Object.entries(ways)) {
    await withChromium({ args }, async (browser) => {
      const { page, seen } = await openLive(browser, { backend: 'gpu', model: 'lite', static: '', ...query });
      await chooseFile(page, picture);
      assert.equal(await waitForState(page, ['done', 'error'], LIMIT_MILLIS), 'done', await noticeOf(page));
      assert.equal(await stage(page, 'backend'), 'gpu');
      assert.equal(await stage(page, 'source'), 'picture');
      found[way] = (await results(page)).at(-1).landmarks;
      assert.ok(found[way], 'nobody was found');
      const error_px = largestDistance(found[way], native.landmarks);
      const stages = await page.$$eval(`${byName('stages')} tr[data-stage]`, (rows) =>
        rows.map(({ dataset, cells }) => `${dataset.stage} ${cells[1].textContent}`).join(', '),
      );
      t.diagnostic(`${way}: largest difference ${error_px.toFixed(3)} px; ms on the software adapter: ${stages}`);
      assert.match(stages, /^picture [\d.]+, crop –, detector [\d.]+, landmarks [\d.]+, decode [\d.]+, mask –, background –, total [\d.]+$/u);
      assert.ok(error_px <= TOLERANCE_PX);
      assertQuiet(seen);
    });
  }
  const [first, ...others] = Object.values(found);
  for (const other of others) assert.ok(largestDistance(first, other) <= SAME_PICTURE_PX, 'the ways differ');
});

test('a followed frame on WebGPU is one submission that creates nothing, sent before the one before it is read', async (t) => {
  await withChromium({ args: SOFTWARE_WEBGPU_AND_GRAPHICS }, async (browser) => {
    const { page, seen } = await openLive(browser, { backend: 'gpu', model: 'lite', source: 'demo' });
    // The person has been found, and all shaders have run.
    await waitForFrames(page, 3, LIMIT_MILLIS);
    const readLedger = await keepGpuLedger(page);
    await waitForFrames(page, 3 + LEDGER_FRAMES, LIMIT_MILLIS);
    const ledger = await readLedger();
    t.diagnostic(JSON.stringify(ledger));
    const { submit: submits } = ledger;
    assert.ok(submits >= LEDGER_FRAMES / 2, 'frames were submitted');
    const expected = {
      createCommandEncoder: submits,
      beginComputePass: submits,
      writeBuffer: submits,
      // The only objects of a frame: the external texture and its bind group.
      importExternalTexture: submits,
      createBindGroup: submits,
    };
    for (const [name, count] of Object.entries(ledger)) {
      if (name.startsWith('create') || name in expected) assert.equal(count, expected[name] ?? 0, name);
    }
    assert.equal(ledger.pixelsRead + ledger.writeTexture + ledger.copyExternalImageToTexture, 0, 'no pixel is copied');
    assert.ok(ledger.readBackBytes / submits < 1500, `${ledger.readBackBytes / submits} bytes a frame`);
    assert.equal(ledger.mostMapsPending, 2, 'a frame is sent before the one before it is read');
    assertQuiet(seen);
  });
});

test('the drawn clip in Firefox on WebGPU has the skeletons that the command line finds', async (t) => {
  const program = optional('PLUMBLINE_FIREFOX');
  const driver = optional('PLUMBLINE_LAVAPIPE');
  if (!program || !driver) {
    t.skip('Firefox or the lavapipe driver is missing: WebGPU is tested in Chromium only');
    return;
  }
  const facts = await demoFacts();
  const native = await nativeSkeletons(demoClip(), ['--model', 'lite', '--fps', String(facts.fps)]);
  await withFirefox({ program, driver }, async (browser) => {
    const begin = Date.now();
    const { page, seen } = await openLive(browser, { backend: 'gpu', model: 'lite', source: 'demo', pace: 'every' });
    await waitForState(page, ['done', 'error'], LIMIT_MILLIS);
    const seconds = (Date.now() - begin) / 1000;
    assert.equal(await stage(page, 'backend'), 'gpu');
    const found = await results(page);
    assert.equal(found.length, facts.frames);
    const all = found.flatMap(({ landmarks }, position) => {
      assert.ok(landmarks, `no person in frame ${position}`);
      return distances(landmarks, native[position].landmarks);
    });
    t.diagnostic(
      `${found.length} frames in ${seconds.toFixed(0)} s: p95 ${percentile(all, 0.95).toFixed(2)} px, p99 ${percentile(all, 0.99).toFixed(2)} px, ` +
        `largest ${Math.max(...all).toFixed(2)} px`,
    );
    assert.ok(all.length > found.length * 10, 'most points are visible');
    assert.ok(percentile(all, 0.99) <= TOLERANCE_PX);
    assert.deepEqual(seen.foreignRequests, []);
  });
});

test('where the only WebGPU adapter is software, it is not tried, the CPU runs and the reason is said', async (t) => {
  await withChromium({ args: SOFTWARE_WEBGPU }, async (browser) => {
    const { page, seen } = await openLive(browser, { model: 'lite', source: 'demo' });
    await waitForFrames(page, 1);
    const readLedger = await keepGpuLedger(page);
    await waitForFrames(page, 30);
    assert.equal(await stage(page, 'backend'), 'cpu');
    assert.equal(await stage(page, 'tuning'), 'software');
    const reason = await textOf(page, 'backend-reason');
    const tuning = await textOf(page, 'tuning');
    t.diagnostic(`${reason} | ${tuning}`);
    assert.match(reason, /software/i);
    assert.match(tuning, /not timed.*software/i);
    assert.equal(await page.$(byName('time-again')), null, 'there is nothing to time again');
    assertUnused(await readLedger());
    assert.deepEqual(await remembered(page), [], 'and nothing is remembered of it');
    assertQuiet(seen);
  });
});

test('both backends are timed once while the CPU answers, and the faster one is remembered', async (t) => {
  await withChromium({ args: SOFTWARE_WEBGPU }, async (browser) => {
    // The only GPU of a test machine is software, so it has to be asked for, and loses.
    const query = { model: 'lite', source: 'demo', tune: 'software' };
    const first = await openLive(browser, query);
    await waitForFrames(first.page, 1);
    assert.equal(await stage(first.page, 'backend'), 'cpu', 'the CPU answers first');
    const begin = Date.now();
    await waitForTuning(first.page, 'timed');
    const sentence = await textOf(first.page, 'tuning');
    t.diagnostic(`after ${((Date.now() - begin) / 1000).toFixed(0)} s: ${sentence}`);
    assert.match(
      sentence,
      /^CPU [\d.]+ ms, GPU [\d.]+ ms a frame: CPU runs\. Ways to run on the GPU: [\d.]+ ms with most steps, 32 bits; [\d.]+ ms with most steps, 16 bits$/u,
    );
    assert.equal(await stage(first.page, 'backend'), 'cpu');
    const [[name, entry], ...others] = await remembered(first.page);
    assert.deepEqual(others, []);
    assert.match(name, /\.lite\..*swiftshader/iu);
    assert.match(entry, /\nbrowser .*Chrom/u);
    assertQuiet(first.seen);
    await first.page.close();

    const second = await openLive(browser, query);
    await waitForFrames(second.page, 1);
    const readLedger = await keepGpuLedger(second.page);
    await waitForFrames(second.page, 30);
    const remembers = sentence.replace('CPU runs', 'CPU runs (timed on an earlier visit)');
    assert.equal(await textOf(second.page, 'tuning'), remembers);
    assertUnused(await readLedger());

    await second.page.click(byName('time-again'));
    await waitForTuning(second.page, 'preparing');
    assert.deepEqual(await remembered(second.page), [], 'timing again forgets');
    assertQuiet(second.seen);
    await second.page.close();

    for (const damaged of ['', 'no times', entry.slice(0, -1), entry.replace('Chrom', 'Another')]) {
      const { page } = await openLive(browser, { model: 'lite' });
      await page.evaluate((name, text) => localStorage.setItem(name, text), name, damaged);
      await page.close();
      const third = await openLive(browser, query);
      await waitForTuning(third.page, 'preparing');
      assertQuiet(third.seen);
      await third.page.close();
    }
  });
});

test('a GPU that proves faster takes over in the middle of a movement', async (t) => {
  await withChromium({ args: SOFTWARE_WEBGPU }, async (browser) => {
    const query = { model: 'lite', source: 'demo', tune: 'software' };
    const first = await openLive(browser, query);
    await waitForFrames(first.page, 1);
    await hideGpuTime(first.page);
    await waitForTuning(first.page, 'timed');
    // The fastest way may have to be compiled once more.
    await waitForBackend(first.page, 'gpu');
    t.diagnostic(await textOf(first.page, 'tuning'));
    assert.match(await textOf(first.page, 'tuning'), /: GPU runs\. Ways to run on the GPU: /u);
    assert.equal((await remembered(first.page))[0][1].match(/^gpu_micros L1-(32|16) \d+$/gmu).length, 2);
    const before = Number(await stage(first.page, 'frames'));
    await waitForFrames(first.page, before + 3, LIMIT_MILLIS);
    const drawn = await results(first.page);
    assert.ok(drawn.every(({ landmarks }) => landmarks), 'the person is never lost');
    assertQuiet(first.seen);
    await first.page.close();

    const second = await openLive(browser, query);
    await waitForFrames(second.page, 1);
    assert.equal(await stage(second.page, 'backend'), 'cpu', 'the CPU answers until the GPU has compiled');
    assert.match(await textOf(second.page, 'tuning'), /GPU runs once it is ready/u);
    await waitForBackend(second.page, 'gpu');
    assert.match(await textOf(second.page, 'tuning'), /GPU runs \(timed on an earlier visit\)\./u);
    assertQuiet(second.seen);
  });
});

/**
 * Stops the engine's clock while it waits for the GPU, and puts it forward whenever pixels are read for the CPU, so that
 * a software adapter seems the faster one, however busy the machine is.
 */
async function hideGpuTime(page) {
  await page.workers()[0].evaluate(() => {
    const now = performance.now.bind(performance);
    let hidden = 0;
    performance.now = () => now() - hidden;
    const map = GPUBuffer.prototype.mapAsync;
    GPUBuffer.prototype.mapAsync = async function (...args) {
      const begin = now();
      await map.apply(this, args);
      hidden += now() - begin;
    };
    for (const [type, name] of [
      [VideoFrame, 'copyTo'],
      [OffscreenCanvasRenderingContext2D, 'getImageData'],
    ]) {
      const read = type.prototype[name];
      type.prototype[name] = function (...args) {
        hidden -= 200;
        return read.apply(this, args);
      };
    }
  });
}

/** Nothing was compiled for the GPU or sent to it. */
function assertUnused(ledger) {
  assert.deepEqual({ modules: ledger.createShaderModule, submits: ledger.submit }, { modules: 0, submits: 0 });
}

/** The text of an element by its test name. */
function textOf(page, name) {
  return page.$eval(byName(name), (element) => element.textContent);
}

/** What the page remembers of timing backends: names and texts. */
function remembered(page) {
  return page.evaluate(() => Object.entries(localStorage).filter(([name]) => name.startsWith('plumbline.tuning.')));
}

async function waitForBackend(page, expected) {
  const isThere = (selector, expected) => document.querySelector(selector).dataset.backend === expected;
  await page.waitForFunction(isThere, { timeout: LIMIT_MILLIS, polling: 50 }, byName('stage'), expected);
}

async function waitForTuning(page, expected) {
  const isThere = (selector, expected) => document.querySelector(selector).dataset.tuning === expected;
  await page.waitForFunction(isThere, { timeout: LIMIT_MILLIS, polling: 50 }, byName('stage'), expected);
}
