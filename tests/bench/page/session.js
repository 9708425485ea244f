// A run of the bench: opens the runtimes, compares their results, times them in turns, and makes the rows.

import { FRAME_TOLERANCE, MODEL_TOLERANCE, frameDeviation, modelDeviation } from './agreement.js';
import { fetchCanvas, inputOf, modelOf } from './models.js';
import { runtimeOf } from './runtimes.js';
import { abbaOrder, median, percentile, ratioOfMedians } from './statistics.js';

/** Compilers of browsers improve hot code while it runs: it gets this many runs and this long before it is timed. */
const WARM_UP_RUNS = 6;
const WARM_UP_MILLIS = 800;

/** Rounds on a software adapter where no number is asked for: a run takes up to seconds there; and its runs before. */
const SOFTWARE_ROUNDS = 2;
const SOFTWARE_WARM_UP_RUNS = 1;

/** A bootstrap over fewer rounds than this gives an interval that means nothing. */
const ROUNDS_FOR_INTERVAL = 5;

/** Frames that are compared between runtimes; the first is the one that the detector runs on. */
const COMPARED_FRAMES = 8;
const SOFTWARE_COMPARED_FRAMES = 2;

/** Whose results are the reference, by preference: the models' own runtime first. */
const REFERENCES = ['litert-wasm-1', 'tasks-cpu', 'ort-wasm-1', 'plumbline-cpu'];

/** The peer that a ratio is taken to where none is named. */
const PEERS = { cpu: { model: 'ort-wasm-1', frame: 'tasks-cpu' }, gpu: { model: 'ort-webgpu', frame: 'tasks-gpu' } };

/**
 * @typedef {object} Wish
 * @property {string[]} models
 * @property {string[]} gpuModels those that are also run on a GPU
 * @property {string[]} runtimes
 * @property {number} rounds each entrant runs twice a round
 * @property {number} [gpuRounds] the same on a software adapter
 * @property {string} [against] a runtime's id
 */

/**
 * @typedef {object} Row
 * @property {string} model
 * @property {string} runtime
 * @property {string} title
 * @property {'model' | 'frame'} timed one run of the model from numbers to numbers, or a tracked frame from pixels to
 *   landmarks
 * @property {string} outputs `all`, `pose` (without the person mask), or `landmarks`
 * @property {number} n runs that were timed
 * @property {number | null} median_ms
 * @property {number | null} p95_ms
 * @property {string | null} ratio_to the peer's id
 * @property {number | null} ratio median over the peer's median
 * @property {[number, number] | null} interval 95 %, of the ratio; absent where there were too few rounds
 * @property {number | null} deviation from the reference: share of the range (model) or median px (frame)
 * @property {string | null} deviation_from the reference's id
 * @property {string | null} adapter of rows on a GPU; says so where it is software
 * @property {number | null} cold_ms
 * @property {object | null} bytes
 * @property {string | null} reason why there are no times
 */

/**
 * @param {Wish} wish
 * @param {object} stock what bench.json says
 * @param {Record<string, import('./adapters.js').Adapter>} adapters by interface
 * @param {(sentence: string, rows: Row[]) => void} onProgress
 * @returns {Promise<Row[]>}
 */
export async function runBench(wish, stock, adapters, onProgress) {
  const rows = [];
  const bench = { wish, stock, adapters, rows, say: (sentence) => onProgress(sentence, rows) };
  for (const modelId of wish.models) {
    const model = modelOf(modelId);
    const references = new Map();
    for (const device of ['cpu', 'gpu']) {
      await runGroup(bench, { model, device, timed: 'model', references });
      if (model.landmarks) await runGroup(bench, { model, device, timed: 'frame', references });
    }
  }
  return rows;
}

/** All entrants that do the same work on the same kind of device, in turns. */
async function runGroup(bench, group) {
  const { wish, stock } = bench;
  const { model, device, timed } = group;
  const isSlow = device === 'gpu' && Object.values(bench.adapters).some(({ software }) => software);
  const entrants = [];
  for (const runtime of wish.runtimes.map(runtimeOf).filter((runtime) => runtime.device === device)) {
    const cuts = timed === 'frame' ? (runtime.frames ? ['landmarks'] : []) : runtime.cuts;
    for (const cut of cuts) {
      if (cut === 'pose' && !model.landmarks) continue;
      entrants.push({ runtime, cut, rounds: [], rowReason: missing(stock, model, runtime) });
    }
  }
  if (device === 'gpu' && !wish.gpuModels.includes(model.id)) return;
  for (const entrant of entrants.filter(({ rowReason }) => !rowReason)) {
    bench.say(`${model.id}, ${timed}: opening ${entrant.runtime.title}`);
    await open(bench, group, entrant);
  }
  for (const entrant of entrants.filter(({ session }) => session)) {
    bench.say(`${model.id}, ${timed}: warming ${entrant.runtime.title}`);
    await attempt(entrant, () => warmUp(group, entrant, isSlow));
  }
  compare(group, entrants);
  const running = entrants.filter(({ session, rowReason }) => session && !rowReason);
  const rounds = isSlow ? (wish.gpuRounds ?? Math.min(SOFTWARE_ROUNDS, wish.rounds)) : wish.rounds;
  for (let round = 0; round < rounds && running.length > 0; round += 1) {
    bench.say(`${model.id}, ${timed} on the ${device.toUpperCase()}: round ${round + 1} of ${rounds}`);
    for (const entrant of running) entrant.rounds.push([]);
    for (const position of abbaOrder(running.length, round)) {
      const entrant = running[position];
      if (entrant.rowReason) continue;
      await attempt(entrant, async () => entrant.rounds[round].push((await entrant.once(round)).millis));
    }
  }
  bench.rows.push(...rowsOf(bench, group, entrants));
  for (const entrant of entrants) {
    await attempt(entrant, () => entrant.session?.close());
  }
  for (const frame of new Set(entrants.map(({ frame }) => frame))) frame?.remove();
  bench.say(`${model.id}, ${timed} on the ${device.toUpperCase()}: done`);
}

/** Why a runtime cannot run a model, as far as it is known beforehand; null where it should. */
function missing({ parts }, model, runtime) {
  if (runtime.models && !runtime.models.includes(model.id)) return 'it lacks operators of this model (bilinear resize)';
  const format = runtime.reads.find((format) => model.formats.includes(format));
  if (!format) return `it reads no ${model.formats.join(', ')} files`;
  // The product's models are converted for it.
  const converted = format === 'onnx' && model.formats.length > 1 ? 'onnx' : undefined;
  for (const part of [runtime.part, model.part, converted]) {
    if (part && parts[part] !== null) return parts[part] ?? `${part} was not built`;
  }
  return null;
}

/** Gives an entrant its page and its session; the two cuts of one runtime share a page. */
async function open(bench, { model, timed }, entrant) {
  await attempt(entrant, async () => {
    entrant.frame = await embed(entrant.runtime);
    const { host } = entrant.frame.contentWindow;
    if (timed === 'frame') {
      entrant.session = await host.openFrames(model.id, bench.stock.frames);
      entrant.once = settled(entrant, () => entrant.session.measure());
    } else {
      bench.pictures ??= await Promise.all(bench.stock.pictures.map(fetchCanvas));
      const inputs = bench.pictures.map((picture) => inputOf(picture, model));
      entrant.session = await host.openModel(model.id, entrant.cut, inputs);
      entrant.once = settled(entrant, (round) => entrant.session.run(round));
    }
  });
}

/** A page of its own for a runtime, inside this one. */
function embed(runtime) {
  const frame = document.createElement('iframe');
  frame.src = `runtime.html?runtime=${runtime.id}`;
  frame.title = runtime.title;
  frame.className = 'runtime-page';
  document.body.append(frame);
  return new Promise((resolve, reject) => {
    frame.onload = async () => {
      // The module of the page runs before its load event.
      if (frame.contentWindow.host) resolve(frame);
      else reject(new Error('its page did not start'));
    };
  });
}

/** Lets the browser and other threads come to rest after a run, outside of the time that is measured. */
function settled(entrant, run) {
  return async (round) => {
    const result = await run(round);
    await new Promise((resolve) => setTimeout(resolve, entrant.runtime.settleMillis ?? 0));
    return result;
  };
}

/** Whatever a peer throws ends this peer's part and becomes its reason. */
async function attempt(entrant, action) {
  try {
    await action();
  } catch (error) {
    entrant.rowReason ??= String(error?.message ?? error).split('\n')[0].slice(0, 300);
  }
}

/** Runs until the code is hot, and keeps the results for the comparison. */
async function warmUp({ timed }, entrant, isSlow) {
  const begin = performance.now();
  const isHot = (runs) =>
    isSlow ? runs >= SOFTWARE_WARM_UP_RUNS : runs >= WARM_UP_RUNS && performance.now() - begin >= WARM_UP_MILLIS;
  entrant.results = [];
  const nCompared = timed === 'model' ? 1 : isSlow ? SOFTWARE_COMPARED_FRAMES : COMPARED_FRAMES;
  for (let runs = 0; runs < nCompared || !isHot(runs); runs += 1) {
    const { outputs, points } = await entrant.once(timed === 'model' ? 0 : runs);
    if (runs < nCompared) entrant.results.push(timed === 'model' ? outputs.map((output) => Float32Array.from(output)) : points);
  }
}

/** Compares all results with the reference's; who disagrees is not timed. */
function compare({ timed, references }, entrants) {
  const alive = entrants.filter(({ rowReason, results }) => !rowReason && results?.length > 0);
  if (!references.has(timed)) {
    const isWhole = ({ cut }) => cut !== 'pose';
    const chosen = REFERENCES.map((id) => alive.find((entrant) => entrant.runtime.id === id && isWhole(entrant)));
    const reference = chosen.find(Boolean) ?? alive.find(isWhole);
    if (!reference) return;
    references.set(timed, { id: reference.runtime.id, results: reference.results });
  }
  const { id, results } = references.get(timed);
  for (const entrant of alive) {
    entrant.deviationFrom = id;
    if (timed === 'model') {
      entrant.deviation = modelDeviation(entrant.results[0], results[0]);
      if (!(entrant.deviation <= MODEL_TOLERANCE)) {
        entrant.rowReason = `its outputs differ from ${id} by ${(100 * entrant.deviation).toFixed(2)} % of their range`;
      }
    } else {
      entrant.deviation = frameDeviation(entrant.results, results);
      const limit = FRAME_TOLERANCE * Math.hypot(480, 640);
      if (!(entrant.deviation <= limit)) {
        entrant.rowReason = `its landmarks differ from ${id} by ${entrant.deviation.toFixed(1)} px at the median`;
      }
    }
  }
}

/** @returns {Row[]} */
function rowsOf({ wish, adapters }, { model, device, timed }, entrants) {
  const isTimed = ({ rowReason, rounds }) => !rowReason && rounds.length > 0;
  const whole = (id) => entrants.find((entrant) => entrant.runtime.id === id && entrant.cut !== 'pose' && isTimed(entrant));
  // The peer that was asked for may do other work than this group's.
  const peer = whole(wish.against) ?? whole(PEERS[device][timed]) ?? null;
  return entrants.map((entrant) => {
    const { runtime, cut, rounds, rowReason } = entrant;
    const timedHere = isTimed(entrant);
    const samples = timedHere ? rounds.flat() : [];
    const compared = timedHere && peer && peer !== entrant ? ratioOfMedians(rounds, peer.rounds) : null;
    return {
      model: model.id,
      runtime: runtime.id,
      title: runtime.title,
      timed,
      outputs: cut,
      n: samples.length,
      median_ms: timedHere ? median(samples) : null,
      p95_ms: timedHere ? percentile(samples, 0.95) : null,
      ratio_to: compared ? peer.runtime.id : null,
      ratio: compared?.ratio ?? null,
      interval: rounds.length >= ROUNDS_FOR_INTERVAL ? (compared?.interval ?? null) : null,
      deviation: entrant.deviation ?? null,
      deviation_from: entrant.deviationFrom ?? null,
      adapter: device === 'gpu' ? adapters[runtime.api].label : null,
      cold_ms: null,
      bytes: null,
      reason: rowReason,
    };
  });
}
