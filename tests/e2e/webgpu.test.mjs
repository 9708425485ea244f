// The WebGPU path in two browsers: one still picture in Chromium, whose software adapter takes seconds a frame, and
// the whole drawn clip in Firefox, whose WebGPU runs on Mesa's lavapipe.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { SOFTWARE_WEBGPU, optional, required, withChromium, withFirefox } from './browsers.mjs';
import { assertQuiet, byName, chooseFile, openLive, results, stage, waitForState } from './live-page.mjs';
import { demoClip, demoFacts, distances, largestDistance, nativeSkeletons, percentile, pictureOfClip } from './skeletons.mjs';

/** For 99 in 100 points of a clip whose pixels differ by a level between JPEG decoders (demo.test.mjs says more). */
const TOLERANCE_PX = 2;

/** Software adapters compile every kernel at first use and then take up to seconds for each frame. */
const LIMIT_MILLIS = 400_000;

test('one picture in Chromium on WebGPU has the skeleton that the command line finds', async (t) => {
  const picture = path.join(required('PLUMBLINE_OUTPUT'), 'person.jpg');
  await writeFile(picture, await pictureOfClip(demoClip(), 0));
  const [native] = await nativeSkeletons(picture, ['--model', 'lite']);
  await withChromium({ args: SOFTWARE_WEBGPU }, async (browser) => {
    const { page, seen } = await openLive(browser, { backend: 'gpu', model: 'lite', static: '' });
    await chooseFile(page, picture);
    await waitForState(page, ['done', 'error'], LIMIT_MILLIS);
    assert.equal(await stage(page, 'backend'), 'gpu');
    assert.equal(await stage(page, 'source'), 'picture');
    const found = (await results(page)).at(-1);
    const error_px = largestDistance(found.landmarks, native.landmarks);
    const millis = await page.$eval(byName('ms-per-frame'), (output) => output.textContent);
    t.diagnostic(`largest difference ${error_px.toFixed(3)} px; ms per frame on the software adapter: ${millis}`);
    assert.ok(error_px <= TOLERANCE_PX);
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
