// How long Plumbline and its peers take to start: cold, in a fresh browser profile, and warm, at the second visit of
// the same profile by another browser process. `cargo xtask bench --start ROUNDS` runs it.
//
// Plumbline takes part twice: as the page that a person opens, up to the first skeleton that is drawn over the drawn
// person, and as the bench's page with nothing but the runtime, as the peers do. Of the page there is a timeline too:
// the User Timing marks of page and worker, and what was fetched, in milliseconds after navigation began.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { launchChromium, required } from '../e2e/browsers.mjs';
import { LIMIT_MILLIS, browserRests, firstResult } from './first-result.mjs';
import { abbaOrder, median, ratioOfMedians } from './page/statistics.js';

/** What a first visit may go on doing after its first result: storing models and compiled code. */
const SETTLE_MILLIS = 2500;

const VISITS = ['cold', 'warm'];

const bench = required('PLUMBLINE_ADDRESS');
const page = required('PLUMBLINE_PAGE');
const { rounds = '5', runtimes } = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));

const ofBench = (runtime, cold) =>
  `${bench}/runtime.html?${new URLSearchParams({ runtime, cold, model: 'lite', picture: 'frames/000.jpg' })}`;

/** Who takes part; peers are what Plumbline is compared with. */
const ENTRANTS = [
  { id: 'page', title: 'Plumbline, the whole page', url: `${page}/?source=demo&model=lite&backend=cpu`, open: openPage },
  { id: 'plumbline-frame', title: 'Plumbline, frame to landmarks', url: ofBench('plumbline-cpu', 'frame'), open: openBench },
  { id: 'plumbline-model', title: 'Plumbline, landmark model', url: ofBench('plumbline-cpu', 'model'), open: openBench },
  { id: 'tasks', title: 'MediaPipe Tasks CPU, frame to landmarks', url: ofBench('tasks-cpu', 'frame'), open: openBench, peer: true },
  { id: 'ort', title: 'onnxruntime-web wasm, landmark model', url: ofBench('ort-wasm-1', 'model'), open: openBench, peer: true },
].filter(({ id }) => !runtimes || runtimes.split(',').includes(id));

/** Visits a page of the bench. @returns {Promise<{millis: number}>} */
async function openBench(browser, url) {
  const { millis, reason } = await firstResult(browser, url);
  if (reason) throw new Error(`${url}: ${reason}`);
  return { millis };
}

/** Visits Plumbline's page. @returns {Promise<{millis: number, timeline: [string, number][]}>} */
async function openPage(browser, url) {
  const tab = await browser.newPage();
  tab.setDefaultTimeout(LIMIT_MILLIS);
  await tab.goto(url);
  await tab.waitForFunction(() => performance.getEntriesByName('plumbline:first-skeleton').length > 0, { polling: 50 });
  const seen = await tab.evaluate(entries);
  const timeline = [...seen.marks, ...seen.fetched];
  for (const worker of tab.workers()) {
    const inside = await worker.evaluate(entries);
    const shift = inside.origin - seen.origin;
    const shifted = [['began', 0], ...inside.marks, ...inside.fetched];
    timeline.push(...shifted.map(([name, millis]) => [`worker ${name}`, millis + shift]));
  }
  const first = new Map(timeline.toReversed());
  return { millis: first.get('plumbline:first-skeleton'), timeline: [...first] };
}

/** Runs in the page or its worker: what it noted itself, and the end of each fetch. */
function entries() {
  const file = (name) => new URL(name).pathname.split('/').pop().replace(/-[0-9a-f]{12,16}/, '') || 'document';
  const fetched = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
  return {
    origin: performance.timeOrigin,
    marks: performance.getEntriesByType('mark').map(({ name, startTime }) => [name, startTime]),
    fetched: fetched
      .filter(({ name }) => !/\.(css|svg)$/.test(name))
      .flatMap(({ name, startTime, responseEnd, initiatorType }) => [
        [`asks for ${file(name)} (${initiatorType})`, startTime],
        [`has ${file(name)} (${initiatorType})`, responseEnd],
      ]),
  };
}

const samples = new Map(ENTRANTS.map(({ id }) => [id, { cold: [], warm: [] }]));
const timelines = { cold: [], warm: [] };
for (let round = 0; round < Number(rounds); round += 1) {
  // Half of an ABBA round: a start takes too long for more.
  const order = abbaOrder(ENTRANTS.length, round).slice(0, ENTRANTS.length);
  for (const position of round % 2 === 0 ? order : order.toReversed()) {
    const { id, url, open } = ENTRANTS[position];
    const userDataDir = await mkdtemp(path.join(tmpdir(), 'plumbline-start-'));
    try {
      for (const visit of VISITS) {
        const browser = await launchChromium({ userDataDir });
        try {
          await browserRests();
          const { millis, timeline } = await open(browser, url);
          samples.get(id)[visit].push([millis]);
          if (timeline) timelines[visit].push(new Map(timeline));
          if (visit === 'cold') await new Promise((resolve) => setTimeout(resolve, SETTLE_MILLIS));
        } finally {
          await browser.close();
        }
      }
    } finally {
      await rm(userDataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    }
  }
  console.error(`  start: round ${round + 1} of ${rounds}`);
}

const rows = ENTRANTS.map(({ id, title, peer }) => {
  const { cold, warm } = samples.get(id);
  return { id, title, peer: Boolean(peer), cold: cold.flat(), warm: warm.flat() };
});
for (const visit of VISITS) {
  const peers = rows.filter(({ peer }) => peer).sort((a, b) => median(a[visit]) - median(b[visit]));
  console.log(`\n${visit} start, ms: median [least, most], and ratio to ${peers[0]?.title ?? 'nobody'} [95 %]`);
  for (const row of rows) {
    const values = row[visit];
    const against = peers[0] && ratioOfMedians(samples.get(row.id)[visit], samples.get(peers[0].id)[visit]);
    const ratio = against ? `${against.ratio.toFixed(2)} [${against.interval.map((end) => end.toFixed(2)).join(', ')}]` : '';
    const range = `[${Math.min(...values).toFixed(0)}, ${Math.max(...values).toFixed(0)}]`;
    console.log(`  ${row.title.padEnd(42)} ${median(values).toFixed(0).padStart(5)} ${range.padEnd(14)} ${ratio}`);
  }
}
printTimelines();
if (process.env.PLUMBLINE_RESULTS) await writeFile(process.env.PLUMBLINE_RESULTS, `${JSON.stringify(rows, null, 2)}\n`);

/** Medians of every moment that occurs in most visits, in order of the cold visit. */
function printTimelines() {
  const names = new Set(VISITS.flatMap((visit) => timelines[visit].flatMap((timeline) => [...timeline.keys()])));
  const at = (name, visit) => {
    const values = timelines[visit].map((timeline) => timeline.get(name)).filter((millis) => millis !== undefined);
    return values.length * 2 > timelines[visit].length ? median(values) : undefined;
  };
  const lines = [...names].map((name) => ({ name, cold: at(name, 'cold'), warm: at(name, 'warm') }));
  lines.sort((a, b) => (a.cold ?? a.warm ?? 0) - (b.cold ?? b.warm ?? 0));
  console.log(`\n${'the page, ms after navigation began'.padEnd(52)} cold  warm`);
  for (const { name, cold, warm } of lines) {
    const cell = (millis) => (millis === undefined ? '-' : millis.toFixed(0)).padStart(5);
    console.log(`${name.padEnd(51)}${cell(cold)} ${cell(warm)}`);
  }
}
