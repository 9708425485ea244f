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
      const stages = await page.$eval(byName('stage-times'), (output) => output.textContent);
      t.diagnostic(`${way}: largest difference ${error_px.toFixed(3)} px; on the software adapter: ${stages}`);
      assert.match(stages, /^picture [\d.]+, detector [\d.]+, landmarks [\d.]+, decoding [\d.]+ ms$/);
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

test('where the only WebGPU adapter is software, the CPU is chosen and the reason is said', async (t) => {
  await withChromium({ args: SOFTWARE_WEBGPU }, async (browser) => {
    const { page, seen } = await openLive(browser, { model: 'lite', source: 'demo' });
    await waitForState(page, ['live', 'error']);
    assert.equal(await stage(page, 'backend'), 'cpu');
    const reason = await page.$eval(byName('backend-reason'), (output) => output.textContent);
    t.diagnostic(reason);
    assert.match(reason, /software/i);
    assertQuiet(seen);
  });
});
