// What watching costs and changes, in Chromium: nothing while nobody watches, no skeleton while somebody does, and the very
// picture that is shown where pictures are spoiled on purpose. A stand-in takes the place of the worker that watches.

import assert from 'node:assert/strict';
import test from 'node:test';
import { withChromium } from './browsers.mjs';
import { assertQuiet, byName, openLive, results, stage, waitForFrames, waitForState } from './live-page.mjs';
import { percentile } from './skeletons.mjs';
import { heardBy, standIn, withStandIn } from './stand-in-watcher.mjs';

const ON_CPU = { backend: 'cpu', model: 'lite', source: 'demo' };

/** Waits until the page says so of the session. */
function waitForWatch(page, ids) {
  return page.waitForFunction(
    (selector, ids) => ids.includes(document.querySelector(selector)?.dataset.watch),
    { polling: 50, timeout: 20_000 },
    byName('stage'),
    ids,
  );
}

test('skeletons are the same with and without watching', async (t) => {
  await withStandIn(async (address) => {
    await withChromium({}, async (browser) => {
      const found = {};
      for (const watch of ['off', 'on']) {
        const { page, seen } = await openLive(browser, { ...ON_CPU, pace: 'every', workers: '1', watch }, address);
        if (watch === 'on') {
          const worker = await heardBy(page, () => Boolean(self.standIn.engine));
          await worker.evaluate(() => self.standIn.engine.postMessage({ kind: 'look' }));
        }
        await waitForState(page, ['done', 'error'], 300_000);
        found[watch] = await results(page);
        if (watch === 'off') {
          assert.equal(await standIn(page), undefined, 'nobody watches');
          assert.equal(await stage(page, 'watch'), 'off');
          assert.deepEqual(seen.requests.filter((url) => /\/watch/u.test(url)), []);
        } else {
          const worker = await heardBy(page, () => self.standIn.rows.length >= 84);
          const { rows, pictures, model, query } = await worker.evaluate(() => {
            const { rows, pictures, model, query } = self.standIn;
            return { rows, pictures, model, query };
          });
          assert.deepEqual(rows.map(({ index }) => index), found.on.map(({ frame }) => frame), 'every frame is handed over once, in order');
          assert.ok(rows.every(({ probe }) => probe.length === 10 && probe.every(Number.isFinite)), 'on the CPU each has a probe');
          rows.forEach(({ image }, position) => {
            const [x, y, visibility] = found.on[position].landmarks[0];
            assert.ok(Math.hypot(image[0] - x, image[1] - y) < 0.01 && Math.abs(image[3] - visibility) < 0.01);
          });
          assert.equal(pictures, 1, 'a picture for each time that one is asked for');
          assert.match(query, /watch=on/u);
          assert.equal(model.model, 'lite');
          assert.match(model.landmarks, /^[0-9a-f]{64}$/u);
          const costs = rows.slice(1).map(({ cost }) => cost);
          t.diagnostic(
            `watching costs the engine's thread ${percentile(costs, 0.5).toFixed(3)} ms a frame, p95 ${percentile(costs, 0.95).toFixed(3)} ms`,
          );
        }
        assertQuiet(seen);
        await page.close();
      }
      assert.deepEqual(found.on, found.off);
    });
  });
});

test('a session goes on while somebody looks at its monitor, and on the way back', async () => {
  await withStandIn(async (address) => {
    await withChromium({}, async (browser) => {
      const { page, seen } = await openLive(browser, ON_CPU, address);
      await waitForFrames(page, 5);
      assert.equal(await stage(page, 'watch'), 'off');
      const before = Number(await stage(page, 'frames'));
      await page.click('a[href$="/monitor"]');
      assert.equal(await page.$eval('h1', (heading) => heading.textContent), 'Monitor');
      const worker = await heardBy(page, () => Boolean(self.standIn.interface) && self.standIn.rows.length >= 5);
      assert.ok(Number(await stage(page, 'frames')) > before, 'frames count on');
      assert.equal(await stage(page, 'watch'), 'learning');
      await worker.evaluate(() => postMessage({ kind: 'state', id: 'watch', sentence: 'Look closer.' }));
      await waitForWatch(page, ['watch']);
      assert.equal(await page.$eval(byName('watch-sentence'), (output) => output.textContent), 'Look closer.');
      await page.click('a.rail-item[href="/"]');
      assert.equal(await page.$eval('h1', (heading) => heading.textContent), 'Live');
      await waitForFrames(page, before + 10);
      assert.equal(await stage(page, 'watch'), 'watch', 'who was watched stays watched');
      assert.equal(await standIn(page), worker, 'by the same worker');

      // Another model, because the watcher says so.
      await worker.evaluate(() => postMessage({ kind: 'useModel', model: 'full' }));
      await page.waitForFunction((selector) => document.querySelector(selector).dataset.model === 'full', {}, byName('stage'));
      await heardBy(page, () => self.standIn.model.model === 'full');

      // The session ends with the page, and so does watching.
      await page.click('a[href$="/privacy"]');
      await page.waitForSelector(byName('delete'));
      assert.equal(await standIn(page), undefined);
      assertQuiet(seen);
    });
  });
});

test('spoiled pictures are measured and shown, and late ones end it', async () => {
  await withStandIn(async (address) => {
    await withChromium({}, async (browser) => {
      const { page, seen } = await openLive(browser, { ...ON_CPU, pace: 'loop', watch: 'on' }, address);
      await waitForFrames(page, 3);
      const worker = await heardBy(page, () => self.standIn.rows.some(({ image }) => image));
      const shown = () => page.$eval(byName('composed'), (canvas) => {
        const { width, height } = canvas;
        const isCovered = !canvas.parentElement.hidden;
        if (!width || !isCovered) return { isCovered };
        const [red] = canvas.getContext('2d').getImageData(width >> 1, height >> 1, 1, 1).data;
        return { isCovered, red };
      });
      assert.deepEqual(await shown(), { isCovered: false });
      await worker.evaluate(() => {
        self.standIn.rows = [];
        self.standIn.answer = 'rgb(9 9 9)';
        self.standIn.engine.postMessage({ kind: 'break', on: true });
      });
      await heardBy(page, () => self.standIn.rows.slice(-3).filter(({ image }) => !image).length === 3);
      const last = JSON.parse(await stage(page, 'landmarks'));
      assert.equal(last.landmarks, null, 'nobody is in a black picture');
      assert.deepEqual(await shown(), { isCovered: true, red: 9 }, 'what was measured is shown');
      const dark = await worker.evaluate(() => self.standIn.rows.at(-1).probe);
      assert.equal(dark[0], 9, 'the probe is of the spoiled picture');

      // No answer: the frame is measured as it is, and those after it too.
      await worker.evaluate(() => {
        self.standIn.answer = '';
      });
      await heardBy(page, () => self.standIn.late === 1 && self.standIn.rows.slice(-3).every(({ image }) => image));
      assert.deepEqual(await shown(), { isCovered: false });
      assertQuiet(seen);
    });
  });
});

test('who wants it is watched on every visit', async () => {
  await withStandIn(async (address) => {
    await withChromium({}, async (browser) => {
      const { page, seen } = await openLive(browser, ON_CPU, address);
      await waitForFrames(page, 1);
      await page.click(byName('keep-watching'));
      await waitForWatch(page, ['learning']);
      await page.reload();
      await waitForFrames(page, 2);
      await heardBy(page, () => self.standIn.rows.length > 1);
      await page.click(byName('keep-watching'));
      await waitForWatch(page, ['off']);
      assert.equal(await standIn(page), undefined);
      const frames = Number(await stage(page, 'frames'));
      await waitForFrames(page, frames + 5);
      assertQuiet(seen);
    });
  });
});
