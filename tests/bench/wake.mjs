// What a second thread is worth on this machine when both rest between their turns, without a browser and without
// Plumbline: how long two threads take that compute the same at the same time, of which one has to be woken.
//
// node tests/bench/wake.mjs
//
// A machine with a processor for each prints about 1.0; where the system puts both on one, up to 2.0. `lingers` is how
// long the second thread stays busy after its turn before it sleeps, `early` how long before the turn it is woken.

import { Worker, isMainThread, workerData } from 'node:worker_threads';

const TURNS = 60;
/** Words of shared memory. */
const [WOKEN, TURN, DONE] = [0, 1, 2];

const now = () => performance.now();
const spinUntil = (end) => {
  while (now() < end);
};

/** Work that takes the same instructions each time. */
function compute(steps) {
  let value = 1;
  for (let step = 0; step < steps; step += 1) value = (Math.imul(value, 1664525) + 1013904223) | 0;
  return value;
}

function stepsIn(millis) {
  const trial = 5_000_000;
  compute(trial);
  const begin = now();
  compute(trial);
  return Math.round((trial * millis) / (now() - begin));
}

function serve({ words, steps, lingers }) {
  for (let turn = 1; turn <= TURNS; turn += 1) {
    const end = now() + lingers;
    while (Atomics.load(words, WOKEN) < turn && now() < end);
    Atomics.wait(words, WOKEN, turn - 1);
    while (Atomics.load(words, TURN) < turn);
    compute(steps);
    Atomics.store(words, DONE, turn);
  }
}

async function measure({ rest, work, lingers = 0, early = 0 }) {
  const words = new Int32Array(new SharedArrayBuffer(12));
  const steps = stepsIn(work);
  const mate = new Worker(new URL(import.meta.url), { workerData: { words, steps, lingers } });
  await new Promise((resolve) => mate.once('online', resolve));
  const parts = [];
  for (let turn = 1; turn <= TURNS; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, rest));
    Atomics.store(words, WOKEN, turn);
    Atomics.notify(words, WOKEN);
    spinUntil(now() + early);
    const begin = now();
    Atomics.store(words, TURN, turn);
    compute(steps);
    while (Atomics.load(words, DONE) < turn);
    parts.push((now() - begin) / work);
  }
  await mate.terminate();
  parts.sort((a, b) => a - b);
  const [low, middle, high] = [0.1, 0.5, 0.9].map((part) => parts[Math.floor(part * (TURNS - 1))].toFixed(2));
  console.log(`rest ${rest} ms, work ${work} ms, lingers ${lingers} ms, early ${early} ms: ${middle} of one thread's time (${low} to ${high})`);
}

if (isMainThread) {
  for (const rest of [1, 5, 20, 100]) await measure({ rest, work: 4 });
  for (const work of [8, 16, 40]) await measure({ rest: 20, work });
  for (const early of [0.5, 1, 2]) await measure({ rest: 20, work: 4, early });
  for (const lingers of [4, 8]) await measure({ rest: 20, work: 4, lingers });
  await measure({ rest: 33, work: 4, lingers: 8 });
} else {
  serve(workerData);
}
