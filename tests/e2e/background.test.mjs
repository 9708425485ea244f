// Another background behind the person, in Chromium: what the page shows is what the command line composes, the picture
// and its mask are of one frame, and a room that is not to be seen is not seen.

import assert from 'node:assert/strict';
import test from 'node:test';
import { withAlteredFiles } from './altering-server.mjs';
import {
  assertComposed, assertOwnPixels, choose, chooseGrey, composedByCommandLine, keepShown, middle, sharpen,
} from './backgrounds.mjs';
import { SOFTWARE_WEBGPU, withChromium } from './browsers.mjs';
import { assertQuiet, byName, openLive, results, stage, waitForFrames, waitForState } from './live-page.mjs';
import { demoFacts } from './skeletons.mjs';

const ON_CPU = { backend: 'cpu', model: 'lite' };
/** One frame after the other, none left out. */
const EVERY_FRAME = { ...ON_CPU, pace: 'every' };

/** A main-thread task longer than this is felt (RAIL). */
const LONGEST_TASK_MILLIS = 50;

test('every frame in front of a colour is the one that the command line composes', async (t) => {
  const frames = [0, 1, 20, 41, 62, 83];
  const expected = await composedByCommandLine('#465460', 'lite', frames);
  await withChromium({}, async (browser) => {
    const { page, seen } = await openLive(browser, { ...EVERY_FRAME, background: 'colour' });
    await sharpen(page);
    await keepShown(page, frames);
    await page.click(byName('try-demo'));
    await waitForState(page, ['done', 'error'], 300_000);
    await assertComposed(t, page, frames, expected);
    assertQuiet(seen);
  });
});

test('picture and mask are of one frame, also when frames are dropped', async (t) => {
  const facts = await demoFacts();
  // So fast that most frames are shown and never measured.
  const hurry = () => Buffer.from(JSON.stringify({ ...facts, fps: 240 }));
  await withAlteredFiles({ files: /person\.json$/, alter: hurry }, async (address) => {
    await withChromium({}, async (browser) => {
      const { page, seen } = await openLive(browser, { ...ON_CPU, background: 'cut-out' }, address);
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

test('switching a background on and off in the middle changes no skeleton, by one worker or two', async () => {
  const run = async (query, act = async () => {}) => {
    let found;
    await withChromium({}, async (browser) => {
      const { page, seen } = await openLive(browser, { ...EVERY_FRAME, ...query });
      await page.click(byName('try-demo'));
      await act(page);
      await waitForState(page, ['done', 'error'], 300_000);
      found = { frames: await results(page), workers: await stage(page, 'workers') };
      assertQuiet(seen);
    });
    return found;
  };
  const plain = await run({ workers: '1' });
  const switched = await run({ workers: '1' }, async (page) => {
    await waitForFrames(page, 10);
    await choose(page, 'background', 'colour');
    await waitForFrames(page, 30);
    await choose(page, 'background', 'none');
  });
  assert.deepEqual(switched.frames, plain.frames, 'the track goes on');
  const shared = await run({ workers: '2', background: 'cut-out' });
  assert.equal(shared.workers, '2');
  assert.deepEqual(shared.frames, plain.frames);
});

test('where nobody is found the background covers everything, and a still picture follows each choice', async () => {
  await withChromium({}, async (browser) => {
    const { page, seen } = await openLive(browser, { ...ON_CPU, background: 'colour' });
    await chooseGrey(page);
    await waitForState(page, ['done']);
    assert.equal(await middle(page), '70,84,96,255');
    assert.match(await page.$eval(byName('background-note'), (note) => note.textContent), /^Nobody is found/u);
    // Each choice measures the picture once more.
    const until = async (colour) => {
      const limit = Date.now() + 20_000;
      while ((await middle(page)) !== colour && Date.now() < limit) await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(await middle(page), colour);
    };
    await page.$eval(byName('background-colour'), (input) => {
      input.value = '#0a8050';
      input.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await until('10,128,80,255');
    await choose(page, 'background', 'cut-out');
    await until('0,0,0,0');
    await choose(page, 'background', 'blur');
    await until('160,160,160,255');
    await choose(page, 'background', 'picture');
    await until('10,128,80,255');
    await choose(page, 'background', 'none');
    assert.equal(await page.$eval(byName('background-note'), (note) => note.textContent), '');
    assert.equal(await page.$eval(byName('composed'), (canvas) => canvas.checkVisibility()), false);
    assertQuiet(seen);
  });
});

test('a room that is not to be seen is covered from the first moment on', async () => {
  // The source is open long before the models are here.
  await withAlteredFiles({ files: /\.graph$/, bytesPerSecond: 2_000_000 }, async (address) => {
    await withChromium({}, async (browser) => {
      const { page } = await openLive(browser, { ...ON_CPU, background: 'blur', source: 'demo' }, address);
      await page.waitForFunction(
        (selector) => !document.querySelector(selector).classList.contains('is-empty'),
        { polling: 20 },
        byName('stage'),
      );
      const cover = await page.$eval(byName('composed'), (canvas) => {
        const cover = canvas.parentElement;
        const stage = cover.parentElement;
        const below = [...stage.querySelectorAll('.stage-picture')].filter((layer) => !cover.contains(layer));
        const colour = getComputedStyle(cover).backgroundColor;
        const [own, whole] = [cover, stage].map((element) => element.getBoundingClientRect());
        return {
          frames: stage.dataset.frames,
          isOpaque: /^rgb\(\d+, \d+, \d+\)$/u.test(colour) && getComputedStyle(cover).opacity === '1',
          isAbove: below.every((layer) => layer.compareDocumentPosition(cover) & Node.DOCUMENT_POSITION_FOLLOWING),
          isWhole: own.width >= whole.width - 2 && own.height >= whole.height - 2,
          isSeen: cover.checkVisibility(),
          isBlank: canvas.width === 0,
        };
      });
      assert.deepEqual(cover, { frames: '0', isOpaque: true, isAbove: true, isWhole: true, isSeen: true, isBlank: true });
      await waitForFrames(page, 1);
      assert.notEqual(await middle(page), '', 'the first frame comes with its background');
    });
  });
});

test('choices are remembered, and the key B shows the room and hides it again', async () => {
  await withChromium({}, async (browser) => {
    const { page, seen } = await openLive(browser, ON_CPU);
    assert.equal(await stage(page, 'background'), 'none');
    await choose(page, 'background', 'cut-out');
    await page.keyboard.press('Tab');
    const press = async (expected) => {
      await page.evaluate(() => document.activeElement.blur());
      await page.keyboard.press('b');
      assert.equal(await stage(page, 'background'), expected);
    };
    await press('none');
    await press('cut-out');
    await page.reload();
    await page.waitForSelector(byName('stage'));
    assert.equal(await stage(page, 'background'), 'cut-out');
    assert.equal(await page.$eval(byName('background'), (menu) => menu.value), 'cut-out');
    assertQuiet(seen);
  });
});

test('with a background no task holds the main thread for more than 50 ms', async (t) => {
  await withChromium({}, async (browser) => {
    const { page, seen } = await openLive(browser, { ...ON_CPU, source: 'demo', background: 'blur' });
    await waitForFrames(page, 1);
    const begin = await page.evaluate(() => performance.now());
    await waitForFrames(page, 30);
    const tasks = await page.evaluate((begin) => window.longTasks.filter(({ start }) => start >= begin), begin);
    const longest = Math.max(0, ...tasks.map(({ millis }) => millis));
    t.diagnostic(`longest main-thread task: ${longest === 0 ? 'under 50' : longest.toFixed(0)} ms`);
    assert.ok(longest <= LONGEST_TASK_MILLIS, JSON.stringify(tasks));
    assertQuiet(seen);
  });
});

test('on WebGPU frames come with their masks too', async () => {
  const pixelsOfFirst = async (backend, args) => {
    let pixels;
    await withChromium({ args }, async (browser) => {
      const { page, seen } = await openLive(browser, { ...EVERY_FRAME, backend, background: 'colour' });
      await keepShown(page, [0]);
      await page.click(byName('try-demo'));
      await waitForFrames(page, 1, 240_000);
      assert.equal(await stage(page, 'backend'), backend);
      pixels = await page.evaluate(() => [...window.shown[0].rgba]);
      assertQuiet(seen);
    });
    return pixels;
  };
  const onCpu = await pixelsOfFirst('cpu', []);
  const onGpu = await pixelsOfFirst('gpu', SOFTWARE_WEBGPU);
  const differences = onGpu.map((level, index) => Math.abs(level - onCpu[index]));
  const mean = differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
  assert.ok(mean <= 0.5, `${mean} levels apart`);
});
