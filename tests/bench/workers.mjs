// One worker against two on the CPU, in Chromium: frames in rows without a pause, with pauses between the rows.
//
// node tests/bench/workers.mjs ADDRESS MODEL [--cut pose|all] [--row FRAMES] [--pause MILLIS] [--rounds N] [--lead worker|page]
//
// The lead, who runs the models, is a worker as in the product: it may sleep while it waits, which a page's thread may not.
// ADDRESS is where `cargo xtask bench --rounds 0 --keep-open` serves the bench. The first frame of a row meets a second
// worker that sleeps; with rows of several frames it is left out. Chromium is $PLUMBLINE_CHROMIUM or /usr/bin/chromium.

import { parseArgs } from 'node:util';
import { withChromium } from '../e2e/browsers.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cut: { type: 'string', default: 'pose' },
    row: { type: 'string', default: '6' },
    pause: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '30' },
    lead: { type: 'string', default: 'worker' },
  },
});
const [address, model] = positionals;
if (!address || !model) throw new Error('say where the bench is served and which model: node tests/bench/workers.mjs http://127.0.0.1:PORT lite');
process.env.PLUMBLINE_CHROMIUM ??= '/usr/bin/chromium';

/** Runs in the page or in a worker of it: milliseconds of frames by one worker and by two, in turns. */
async function measure({ origin, model, cut, row, pause, rounds }) {
  const { openModel } = await import(`${origin}/runtimes/plumbline.js`);
  const open = (options) => openModel({ model: { id: model, landmarks: model !== 'detector' }, cut, options });
  const entrants = [['one', await open({})], ['two', await open({ workers: 2 })]];
  const side = model === 'detector' ? 224 : 256;
  const input = new Float32Array(side * side * 3).map((_, index) => ((index * 2654435761) % 256) / 255);
  const millis = { one: [], two: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, session] of round % 2 === 0 ? entrants : entrants.toReversed()) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      for (let frame = 0; frame < row; frame += 1) {
        const begin = performance.now();
        await session.run(input);
        // Code that the browser has not optimised yet, and workers that wake up, are left out.
        if (round > 2 && (frame > 0 || row === 1)) millis[name].push(performance.now() - begin);
      }
    }
  }
  return millis;
}

/** Runs in the page: has `source`, a function, run in a worker. */
function inWorker(source, input) {
  const script = `(${source})(${JSON.stringify(input)}).then(postMessage, (error) => postMessage(String(error)));`;
  const worker = new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })), { type: 'module' });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (typeof data === 'string' ? reject(new Error(data)) : resolve(data));
    worker.onerror = ({ message }) => reject(new Error(message));
  });
}

const percentile = (values, part) => values.toSorted((a, b) => a - b)[Math.floor(part * (values.length - 1))];

await withChromium({}, async (browser) => {
  const page = await browser.newPage();
  await page.goto(`${address}/runtime.html?runtime=plumbline-cpu`, { waitUntil: 'domcontentloaded' });
  const numbers = { row: Number(options.row), pause: Number(options.pause), rounds: Number(options.rounds) };
  const input = { origin: new URL(address).origin, model, cut: options.cut, ...numbers };
  const millis = await (options.lead === 'page'
    ? page.evaluate(measure, input)
    : page.evaluate(inWorker, measure.toString(), input));
  for (const part of [0.1, 0.5, 0.9]) {
    const [one, two] = [percentile(millis.one, part), percentile(millis.two, part)];
    console.log(`p${100 * part}: one ${one.toFixed(2)} ms, two ${two.toFixed(2)} ms, ratio ${(two / one).toFixed(2)}`);
  }
});
