// The mask by selfie segmentation, in Chromium: it is the command line's, it needs no skeleton and changes none, and while
// its model is on the way nobody sees the room.

import assert from 'node:assert/strict';
import test from 'node:test';
import { flipOneByte, withAlteredFiles } from './altering-server.mjs';
import {
  assertComposed, assertOwnPixels, choose, composedByCommandLine, keepShown, middle, sharpen,
} from './backgrounds.mjs';
import { SOFTWARE_WEBGPU, withChromium } from './browsers.mjs';
import { assertQuiet, byName, openLive, results, stage, waitForFrames, waitForState } from './live-page.mjs';
import { demoFacts } from './skeletons.mjs';

const ON_CPU = { backend: 'cpu', model: 'lite' };
/** One frame after the other, none left out. */
const EVERY_FRAME = { ...ON_CPU, pace: 'every' };

const textOf = (page, name) => page.$eval(byName(name), (element) => element.textContent);

/** Chooses who makes the mask, and waits until that model is here. */
async function chooseMask(page, mask) {
  await choose(page, 'background-mask', mask);
  await page.waitForFunction(
    (selector) => !document.querySelector(selector).textContent.includes('being loaded'),
    { polling: 20 },
    byName('background-note'),
  );
  assert.equal(await textOf(page, 'background-problem'), '');
}

/** The skeletons of the whole clip as they are without any background. */
let plain;
async function plainSkeletons() {
  if (!plain) {
    await withChromium({}, async (browser) => {
      const { page } = await openLive(browser, { ...EVERY_FRAME, workers: '1' });
      await page.click(byName('try-demo'));
      await waitForState(page, ['done', 'error'], 300_000);
      plain = await results(page);
    });
  }
  return plain;
}

for (const model of ['selfie', 'selfie-landscape']) {
  test(`every frame by ${model} is the one that the command line composes, and no skeleton changes`, async (t) => {
    const frames = [0, 1, 20, 41, 62, 83];
    const expected = await composedByCommandLine('#465460', model, frames);
    await withChromium({}, async (browser) => {
      const { page, seen } = await openLive(browser, { ...EVERY_FRAME, workers: '1', background: 'colour' });
      await sharpen(page);
      await chooseMask(page, model);
      await keepShown(page, frames);
      await page.click(byName('try-demo'));
      await waitForState(page, ['done', 'error'], 300_000);
      await assertComposed(t, page, frames, expected);
      assert.deepEqual(await results(page), await plainSkeletons());
      assertQuiet(seen);
    });
  });
}

test('by selfie segmentation too, picture and mask are of one frame when frames are dropped', async (t) => {
  const facts = await demoFacts();
  const hurry = () => Buffer.from(JSON.stringify({ ...facts, fps: 240 }));
  await withAlteredFiles({ files: /person\.json$/, alter: hurry }, async (address) => {
    await withChromium({}, async (browser) => {
      const { page, seen } = await openLive(browser, { ...ON_CPU, background: 'cut-out' }, address);
      await chooseMask(page, 'selfie');
      await keepShown(page);
      await page.click(byName('try-demo'));
      await waitForFrames(page, 24);
      await page.click(byName('stop'));
      assert.ok(Number(await stage(page, 'dropped')) > 0, 'frames were dropped');
      await assertOwnPixels(t, page);
      assertQuiet(seen);
    });
  });
});

test('changing who makes the mask midway changes no skeleton, and the room stays hidden', async () => {
  await withChromium({}, async (browser) => {
    const { page, seen } = await openLive(browser, { ...EVERY_FRAME, workers: '1', background: 'cut-out' });
    await keepShown(page);
    await page.click(byName('try-demo'));
    for (const [position, mask] of ['selfie', 'selfie-landscape', 'skeleton'].entries()) {
      await waitForFrames(page, 12 * (position + 1));
      await choose(page, 'background-mask', mask);
    }
    await waitForState(page, ['done', 'error'], 300_000);
    assert.deepEqual(await results(page), await plainSkeletons());
    const shares = await page.evaluate(() =>
      window.shown.map(({ rgba }) => rgba.filter((level, index) => index % 4 === 3 && level > 127).length / (rgba.length / 4)),
    );
    assert.ok(shares.length > 60, `${shares.length} frames were looked at`);
    assert.ok(Math.max(...shares) < 0.3, `up to ${Math.max(...shares)} of a frame is opaque`);
    assertQuiet(seen);
  });
});

/** Gives the page the drawn person's legs as a picture, in which no skeleton is found. */
async function chooseLegs(page) {
  await page.evaluate(async (selector) => {
    const clip = new Uint8Array(await (await fetch('demo/person.mjpeg')).arrayBuffer());
    const isStart = (at) => clip[at] === 0xff && clip[at + 1] === 0xd8 && clip[at + 2] === 0xff;
    let end = 2;
    while (end < clip.length && !isStart(end)) end += 1;
    const first = await createImageBitmap(new Blob([clip.subarray(0, end)], { type: 'image/jpeg' }));
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [480, 480];
    canvas.getContext('2d').drawImage(first, 80, 270, 160, 160, 0, 0, 480, 480);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve));
    const files = new DataTransfer();
    files.items.add(new File([blob], 'legs.png', { type: 'image/png' }));
    const input = document.querySelector(selector);
    input.files = files.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }, byName('file'));
}

/** How much of what the page shows is opaque. */
function opaqueShare(page) {
  return page.$eval(byName('composed'), (canvas) => {
    if (canvas.width === 0) return 0;
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    const context = copy.getContext('2d');
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((level, index) => index % 4 === 3 && level > 127).length / (data.length / 4);
  });
}

async function untilShareIs(page, isRight, what) {
  const limit = Date.now() + 20_000;
  while (!isRight(await opaqueShare(page)) && Date.now() < limit) await new Promise((resolve) => setTimeout(resolve, 50));
  const share = await opaqueShare(page);
  assert.ok(isRight(share), `${what}: ${share}`);
}

for (const [backend, args] of [['cpu', []], ['gpu', SOFTWARE_WEBGPU]]) {
  test(`people are cut out where no skeleton is found, with the skeleton's models on the ${backend}`, async () => {
    await withChromium({ args }, async (browser) => {
      const { page, seen } = await openLive(browser, { ...ON_CPU, backend, background: 'cut-out' });
      await chooseLegs(page);
      await waitForState(page, ['done']);
      assert.match(await textOf(page, 'background-note'), /^Nobody is found/u);
      await choose(page, 'background-mask', 'selfie');
      // The picture stands still; it is measured again once the model is here.
      await untilShareIs(page, (share) => share > 0.15 && share < 0.25, 'about a fifth of the picture is her');
      assert.equal(await textOf(page, 'background-note'), '');
      assert.equal(await stage(page, 'backend'), backend);
      const stages = await page.$eval(`${byName('stages')} [data-stage="mask"] td`, (cell) => cell.textContent);
      assert.match(stages, /\d/u, 'its time is listed');
      await choose(page, 'background-mask', 'skeleton');
      await untilShareIs(page, (share) => share === 0, 'nobody is there for the pose model');
      assertQuiet(seen);
    });
  });
}

test('while the model is on its way the background covers everything and frames go on', async () => {
  await withAlteredFiles({ files: /selfie\.graph$/, bytesPerSecond: 60_000 }, async (address) => {
    await withChromium({}, async (browser) => {
      const { page, seen } = await openLive(browser, { ...ON_CPU, background: 'colour' }, address);
      await page.click(byName('try-demo'));
      await waitForFrames(page, 3);
      assert.notEqual(await middle(page), '70,84,96,255', 'she stands in the middle');
      const before = Number(await stage(page, 'frames'));
      await choose(page, 'background-mask', 'selfie');
      await page.waitForFunction(
        (selector) => / [1-9]\d* %/u.test(document.querySelector(selector).textContent),
        { polling: 20 },
        byName('background-note'),
      );
      await waitForFrames(page, before + 4);
      const [colour, note] = [await middle(page), await textOf(page, 'background-note')];
      assert.match(note, /being loaded/u, 'it is still on its way');
      assert.equal(colour, '70,84,96,255', 'the background covers everything');
      const isHere = (name) => !document.querySelector(name).textContent.includes('being loaded');
      await page.waitForFunction(isHere, { polling: 20, timeout: 60_000 }, byName('background-note'));
      const shown = Number(await stage(page, 'frames'));
      await waitForFrames(page, shown + 2);
      assert.notEqual(await middle(page), '70,84,96,255', 'and then she is there');
      assertQuiet(seen);
    });
  });
});

test('a model that came torn is refused in a sentence, the room stays hidden, and skeletons go on', async () => {
  await withAlteredFiles({ files: /selfie\.graph$/, alter: flipOneByte }, async (address) => {
    await withChromium({}, async (browser) => {
      const { page, seen } = await openLive(browser, { ...ON_CPU, background: 'colour' }, address);
      await page.click(byName('try-demo'));
      await waitForFrames(page, 3);
      await choose(page, 'background-mask', 'selfie');
      await page.waitForFunction(
        (selector) => document.querySelector(selector).textContent.includes('SHA-256'),
        { polling: 20 },
        byName('background-problem'),
      );
      const before = Number(await stage(page, 'frames'));
      await waitForFrames(page, before + 3);
      assert.equal(await middle(page), '70,84,96,255');
      await chooseMask(page, 'selfie-landscape');
      const after = Number(await stage(page, 'frames'));
      await waitForFrames(page, after + 3);
      assert.notEqual(await middle(page), '70,84,96,255');
      assertQuiet(seen);
    });
  });
});

test('the maker of masks is remembered, and only the one that is chosen is fetched', async () => {
  await withChromium({}, async (browser) => {
    const { page, seen } = await openLive(browser, ON_CPU);
    await page.click(byName('try-demo'));
    await waitForFrames(page, 1);
    // Both the page and the worker's own target tell of a worker's request.
    const fetched = () => [...new Set(seen.requests.filter((url) => url.includes('selfie')))];
    assert.deepEqual(fetched(), []);
    await choose(page, 'background', 'blur');
    await chooseMask(page, 'selfie-landscape');
    assert.deepEqual(
      fetched().map((url) => new URL(url).pathname.split('/').at(-1)),
      ['selfie-landscape.graph'],
    );
    await page.reload();
    await page.waitForSelector(byName('stage'));
    assert.equal(await page.$eval(byName('background-mask'), (menu) => menu.value), 'selfie-landscape');
    assertQuiet(seen);
  });
});
