// The camera, in Chromium: its fake device plays a clip, and the page's skeletons are the command line's; stopping
// frees the device; a refused or missing camera is a sentence and not the end.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { fakeCamera, optional, required, withChromium } from './browsers.mjs';
import { assertQuiet, byName, noticeOf, openLive, results, stage, waitForFrames, waitForState } from './live-page.mjs';
import { demoClip, largestDistance, nativeSkeletons, percentile } from './skeletons.mjs';

const TOLERANCE_PX = 2;

/** How many results of the running camera are compared. */
const N_RESULTS = 25;

const ON_CPU = { backend: 'cpu', model: 'lite' };

/** The squat clip as motion JPEG where it and ffmpeg are there, else the drawn person. */
async function cameraClip(t) {
  const data = optional('PLUMBLINE_DATA');
  const source = data && path.join(data, 'tfjs-models', 'pose_squats.mp4');
  const ffmpeg = optional('PLUMBLINE_FFMPEG');
  if (source && ffmpeg && existsSync(source)) {
    const clip = path.join(required('PLUMBLINE_OUTPUT'), 'squats.mjpeg');
    const args = ['-y', '-loglevel', 'error', '-i', source, '-an', '-c:v', 'mjpeg', '-q:v', '2', clip];
    await promisify(execFile)(ffmpeg, args);
    return clip;
  }
  t.diagnostic('the squat clip or ffmpeg is absent: the camera plays the drawn person');
  return demoClip();
}

test('the skeletons of a camera are those that the command line finds in the same pictures', async (t) => {
  const clip = await cameraClip(t);
  // The camera decides which frames it delivers when, so each is measured on its own and compared with the native
  // result nearest to it.
  const native = (await nativeSkeletons(clip, ['--model', 'lite', '--static'])).filter(({ landmarks }) => landmarks);
  await withChromium({ args: fakeCamera(clip) }, async (browser) => {
    const { page, seen } = await openLive(browser, { ...ON_CPU, static: '' });
    await page.click(byName('start'));
    await waitForState(page, ['live', 'error']);
    await waitForFrames(page, N_RESULTS);
    assert.equal(await stage(page, 'source'), 'camera');
    const found = (await results(page)).filter(({ landmarks }) => landmarks);
    assert.ok(found.length >= N_RESULTS * 0.8, `a person in only ${found.length} frames`);
    const matches = found.map(({ landmarks }) => {
      const errors = native.map((candidate) => largestDistance(landmarks, candidate.landmarks));
      const error_px = Math.min(...errors);
      return { error_px, frame: native[errors.indexOf(error_px)].frame };
    });
    const errors = matches.map(({ error_px }) => error_px);
    const nDistinct = new Set(matches.map(({ frame }) => frame)).size;
    t.diagnostic(
      `${found.length} camera frames matched to ${nDistinct} of the clip: p95 ${percentile(errors, 0.95).toFixed(2)} ` +
        `px, largest ${Math.max(...errors).toFixed(2)} px`,
    );
    assert.ok(nDistinct >= 5, 'the camera plays');
    assert.ok(Math.max(...errors) <= TOLERANCE_PX);
    assertQuiet(seen);
  });
});

test('stopping frees the camera', async () => {
  await withChromium({ args: fakeCamera(demoClip()) }, async (browser) => {
    const { page } = await openLive(browser, ON_CPU);
    await page.evaluate(() => {
      window.opened = [];
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (constraints) => {
        const stream = await open(constraints);
        window.opened.push(...stream.getTracks());
        return stream;
      };
    });
    await page.click(byName('start'));
    await waitForFrames(page, 2);
    const states = () => page.evaluate(() => window.opened.map((track) => track.readyState));
    assert.deepEqual([...new Set(await states())], ['live']);
    await page.click(byName('stop'));
    await waitForState(page, ['idle', 'done']);
    assert.deepEqual([...new Set(await states())], ['ended']);
  });
});

test('a camera that is unplugged is a sentence', async () => {
  await withChromium({ args: fakeCamera(demoClip()) }, async (browser) => {
    const { page } = await openLive(browser, ON_CPU);
    await page.evaluate(() => {
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (constraints) => {
        window.opened = await open(constraints);
        return window.opened;
      };
    });
    await page.click(byName('start'));
    await waitForFrames(page, 2);
    // The device's own end: the track stops and says so, as when a cable is pulled.
    await page.evaluate(() => {
      for (const track of window.opened.getTracks()) {
        track.stop();
        track.dispatchEvent(new Event('ended'));
      }
    });
    await page.waitForSelector(byName('notice'));
    assert.match(await noticeOf(page), /camera/i);
  });
});

/** Starts the camera where it cannot be had; the page must say so, and the drawn person must still work. */
async function withoutCamera(t, { args, refused }) {
  await withChromium({ args }, async (browser) => {
    const origin = new URL(required('PLUMBLINE_ADDRESS')).origin;
    if (refused) await browser.defaultBrowserContext().overridePermissions(origin, []);
    const { page } = await openLive(browser, ON_CPU);
    await page.click(byName('start'));
    await page.waitForSelector(byName('notice'));
    const sentence = await noticeOf(page);
    t.diagnostic(sentence);
    assert.match(sentence, /camera/i);
    await page.click(byName('try-demo'));
    await waitForFrames(page, 1);
  });
}

test('where there is no camera, a sentence says so and the drawn person still works', (t) =>
  withoutCamera(t, { args: [], refused: false }));

test('where the camera is refused, a sentence says so and the drawn person still works', (t) =>
  withoutCamera(t, { args: ['--use-fake-device-for-media-stream'], refused: true }));
