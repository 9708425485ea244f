// How the page starts, in Chromium: weights are downloaded once, come from the browser's cache afterwards, are refused
// where that cache holds something else, and go when a release no longer names them.

import assert from 'node:assert/strict';
import test from 'node:test';
import { withAlteredFiles } from './altering-server.mjs';
import { withChromium } from './browsers.mjs';
import { assertQuiet, byName, noticeOf, openLive, stage, waitForFrames } from './live-page.mjs';

const ON_CPU = { backend: 'cpu', model: 'lite', source: 'demo' };

/** The paths that page and worker asked the server for, as the browser recorded them. */
async function requestsOf(page) {
  const paths = () => performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname);
  const inside = await Promise.all(page.workers().map((worker) => worker.evaluate(paths)));
  return [await page.evaluate(paths), ...inside].flat();
}

/** Keys of the stored weights, as paths. */
function storedWeights(page) {
  return page.evaluate(async () => {
    const keys = await (await caches.open('plumbline-weights')).keys();
    return keys.map(({ url }) => url.slice(location.origin.length)).sort();
  });
}

/** Weights are stored beside the work, and those of earlier releases deleted after it. */
async function waitForStored(page, count) {
  const isSo = async (count) => (await (await caches.open('plumbline-weights')).keys()).length === count;
  await page.waitForFunction(isSo, { polling: 50 }, count);
}

/** A visit up to its first skeleton; gives the graph files that it downloaded. */
async function visit(browser) {
  const { page, seen } = await openLive(browser, ON_CPU);
  await waitForFrames(page, 1);
  const requests = await requestsOf(page);
  return { page, seen, graphs: requests.filter((path) => path.endsWith('.graph')), requests };
}

test('the first skeleton appears, cold and warm', async (t) => {
  await withChromium({}, async (browser) => {
    for (const time of ['cold', 'warm']) {
      const { page, seen, graphs, requests } = await visit(browser);
      const millis = await page.evaluate(
        () => performance.getEntriesByName('plumbline:first-skeleton').at(0)?.startTime,
      );
      assert.ok(millis > 0, 'the page marks its first skeleton');
      t.diagnostic(`first skeleton, ${time}: ${millis.toFixed(0)} ms after navigation began`);
      assert.equal(graphs.length, time === 'cold' ? 2 : 0, 'weights are fetched once and then come from the cache');
      const imported = requests.filter((path) => path.endsWith('.tflite'));
      assert.deepEqual(imported, [], 'the page starts from graph files and imports no model');
      assert.equal(await stage(page, 'engine'), 'worker');
      assertQuiet(seen);
      await waitForStored(page, 2);
      await page.close();
    }
  });
});

test('the script that goes ahead may come last', async () => {
  await withAlteredFiles({ files: /\/ahead-\w+\.js$/, bytesPerSecond: 5000 }, async (address) => {
    await withChromium({}, async (browser) => {
      const { page, seen } = await openLive(browser, ON_CPU, address);
      await waitForFrames(page, 1);
      assert.equal(await stage(page, 'engine'), 'worker');
      assertQuiet(seen);
    });
  });
});

test('stored weights that were damaged are fetched again, and nobody is bothered with it', async () => {
  await withChromium({}, async (browser) => {
    const first = await visit(browser);
    await waitForStored(first.page, 2);
    const keys = await storedWeights(first.page);
    await first.page.close();
    const damage = async (key, kind) => {
      const cache = await caches.open('plumbline-weights');
      const bytes = new Uint8Array(await (await cache.match(key)).arrayBuffer());
      bytes[bytes.length >> 1] ^= 0x40;
      await cache.put(key, new Response(kind === 'shorter' ? bytes.subarray(1) : bytes));
    };
    // One at a time: with both models there, the engine has planned them before the page asks.
    for (const [name, kind] of [['lite', 'changed'], ['detector', 'shorter']]) {
      const quiet = await openLive(browser, { backend: 'cpu', model: 'lite' });
      await quiet.page.evaluate(damage, keys.find((key) => key.includes(name)), kind);
      await quiet.page.close();
      const second = await visit(browser);
      assert.deepEqual(second.graphs, [`/models/${name}.graph`], 'it is fetched again');
      assert.equal(await noticeOf(second.page), '');
      assert.equal(await second.page.$(byName('notice')), null);
      assertQuiet(second.seen);
      await waitForStored(second.page, 2);
      // The repaired copy is written beside the work.
      await new Promise((resolve) => setTimeout(resolve, 500));
      await second.page.close();
    }

    const third = await visit(browser);
    assert.deepEqual(third.graphs, [], 'what was stored then is sound');
    assertQuiet(third.seen);
  });
});

test('weights of an earlier release are deleted, those of other models stay', async () => {
  await withChromium({}, async (browser) => {
    const { page } = await openLive(browser, { backend: 'cpu', model: 'lite' });
    const [heavy] = await page.evaluate(async () => {
      const { models } = await (await fetch('/models/manifest.json')).json();
      const { file, sha256 } = models.find(({ name }) => name === 'heavy');
      const keys = [`/models/${file}?sha256=${sha256}`, `/models/lite.graph?sha256=${'0'.repeat(64)}`];
      const cache = await caches.open('plumbline-weights');
      for (const key of keys) await cache.put(key, new Response('stored before'));
      return keys;
    });
    await page.close();
    const second = await visit(browser);
    await waitForStored(second.page, 3);
    const keys = await storedWeights(second.page);
    assert.ok(keys.includes(heavy), 'a model that this release names stays');
    assert.ok(!keys.some((key) => key.includes('0'.repeat(64))), 'and one that it does not name goes');
    assertQuiet(second.seen);
  });
});
