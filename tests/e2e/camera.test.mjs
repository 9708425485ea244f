// The camera, in Chromium: its fake device plays a clip, and the page's skeletons are the command line's; stopping
// frees the device; a refused or missing camera is a sentence and not the end.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
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

/** What the camera films: the squat clip where it is there, else the drawn person. */
function film(t) {
  const data = optional('PLUMBLINE_DATA');
  const squats = data && path.join(data, 'tfjs-models', 'pose_squats.mp4');
  if (squats && existsSync(squats)) return squats;
  t.diagnostic('the squat clip is absent: the camera films the drawn person');
  return demoClip();
}

/**
 * How the browser turns luma into grey levels, all 256 of them.
 * @param {import('puppeteer-core').Page} page
 * @returns {Promise<number[]>}
 */
function greyOfLuma(page) {
  return page.evaluate(async () => {
    const [width, height] = [256, 2];
    const planes = new Uint8Array(width * height + 2 * (width / 2) * (height / 2)).fill(128);
    for (let i = 0; i < width * height; i += 1) planes[i] = i % width;
    const frame = new VideoFrame(planes, { format: 'I420', codedWidth: width, codedHeight: height, timestamp: 0 });
    const rgba = new Uint8Array(frame.allocationSize({ format: 'RGBA' }));
    await frame.copyTo(rgba, { format: 'RGBA' });
    frame.close();
    return Array.from({ length: width }, (_, luma) => rgba[4 * luma]);
  });
}

/** The luma planes of a YUV4MPEG2 file of 4:2:0 video, with its size and rate. */
function readLuma(y4m) {
  const headEnd = y4m.indexOf('\n');
  const head = y4m.subarray(0, headEnd).toString();
  const [, width, height, rate] = /W(\d+) H(\d+) F(\d+:\d+)/.exec(head);
  const nLuma = width * height;
  const planes = [];
  for (let at = headEnd + 1; at < y4m.length; at += nLuma + nLuma / 2) {
    at = y4m.indexOf('\n', at) + 1;
    planes.push(y4m.subarray(at, at + nLuma));
  }
  return { size: `${width}x${height}`, rate: rate.replace(':', '/'), planes };
}

test('the skeletons of a camera are those that the command line finds in the same pictures', async (t) => {
  const ffmpeg = optional('PLUMBLINE_FFMPEG');
  if (!ffmpeg) {
    t.skip('ffmpeg is missing, and makes the film for the camera');
    return;
  }
  // The same pictures to the last grey level: a rounding more or less in the conversion from luma moves uncertain
  // points by many pixels on both sides alike. So the film has no colour, and the native one is made with the
  // browser's own table of grey levels.
  const output = required('PLUMBLINE_OUTPUT');
  const [filmed, same] = [path.join(output, 'camera.y4m'), path.join(output, 'camera.mkv')];
  const quiet = ['-y', '-loglevel', 'error'];
  const grey = ['-an', '-vf', 'hue=s=0', '-pix_fmt', 'yuv420p'];
  await promisify(execFile)(ffmpeg, [...quiet, '-i', film(t), ...grey, filmed]);
  await withChromium({ args: fakeCamera(filmed) }, async (browser) => {
    // The camera decides which frames it delivers when, so each is measured on its own and compared with the native
    // result nearest to it.
    const { page, seen } = await openLive(browser, { ...ON_CPU, static: '' });
    const table = await greyOfLuma(page);
    const { size, rate, planes } = readLuma(await readFile(filmed));
    const raw = path.join(output, 'camera.gray');
    await writeFile(raw, Buffer.concat(planes.map((luma) => luma.map((level) => table[level]))));
    const asFilm = ['-f', 'rawvideo', '-pix_fmt', 'gray', '-video_size', size, '-framerate', rate, '-i', raw];
    await promisify(execFile)(ffmpeg, [...quiet, ...asFilm, '-c:v', 'png', same]);
    const all = await nativeSkeletons(same, ['--model', 'lite', '--static']);
    const native = all.filter(({ landmarks }) => landmarks);

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
      `${found.length} camera frames of ${size} matched to ${nDistinct} of the film: ` +
        `p95 ${percentile(errors, 0.95).toFixed(3)} px, largest ${Math.max(...errors).toFixed(3)} px`,
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
