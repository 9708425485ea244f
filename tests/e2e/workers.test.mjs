// A second worker on the CPU, in Chromium: it changes no skeleton, it says that it is there, and losing it costs a
// moment and no frame.

import assert from 'node:assert/strict';
import test from 'node:test';
import { withAlteredFiles } from './altering-server.mjs';
import { ADDRESS, assertQuiet, byName, openLive, results, stage, waitForState } from './live-page.mjs';
import { withChromium } from './browsers.mjs';

const EVERY_FRAME = { backend: 'cpu', model: 'lite', source: 'demo', pace: 'every' };

/** What every worker runs, and no page. */
const WORKER_SCRIPT = /\/worker\.js$/;

/** All results of the drawn person, with what the page says of its workers at the end. */
async function measured(query, address = ADDRESS) {
  const measured = {};
  await withChromium({}, async (browser) => {
    const { page, seen } = await openLive(browser, { ...EVERY_FRAME, ...query }, address);
    await waitForState(page, ['done', 'error'], 300_000);
    measured.frames = await results(page);
    measured.workers = await stage(page, 'workers');
    measured.sentence = await page.$eval(byName('backend-reason'), (output) => output.textContent);
    measured.seen = seen;
  });
  return measured;
}

const alone = await measured({ workers: '1' });

test('one worker says nothing of workers', () => {
  assert.equal(alone.workers, '1');
  assert.doesNotMatch(alone.sentence, /worker/);
  assertQuiet(alone.seen);
});

test('two workers find the skeletons of one, to the last digit', async () => {
  const shared = await measured({ workers: '2' });
  assert.equal(shared.workers, '2');
  assert.match(shared.sentence, /^CPU, two workers: /);
  assert.ok(shared.frames.every(({ landmarks }) => landmarks), 'somebody is found in every frame');
  assert.deepEqual(shared.frames, alone.frames);
  assertQuiet(shared.seen);
});

/** Runs in the worker before its own script: the mate stops answering after so many signals. */
function mute(signals) {
  return Buffer.from(`if (self.name === 'plumbline-mate') {
    const notify = Atomics.notify;
    let left = ${signals};
    Atomics.notify = (...signal) => {
      left -= 1;
      while (left < 0);
      return notify(...signal);
    };
  }
`);
}

test('a worker that is lost in the middle of a frame costs no frame', async () => {
  const alter = (bytes) => Buffer.concat([mute(200), bytes]);
  await withAlteredFiles({ files: WORKER_SCRIPT, alter }, async (address) => {
    const shared = await measured({ workers: '2' }, address);
    assert.equal(shared.workers, '1');
    assert.doesNotMatch(shared.sentence, /worker/);
    assert.deepEqual(shared.frames, alone.frames);
    assertQuiet(shared.seen);
  });
});

test('a worker that cannot start is done without', async () => {
  const refuse = Buffer.from("if (self.name === 'plumbline-mate') throw new Error('no second worker today');\n");
  await withAlteredFiles({ files: WORKER_SCRIPT, alter: (bytes) => Buffer.concat([refuse, bytes]) }, async (address) => {
    const shared = await measured({ workers: '2' }, address);
    assert.equal(shared.workers, '1');
    assert.deepEqual(shared.frames, alone.frames);
    assertQuiet(shared.seen);
  });
});
