// The bench page's controls and table.
//
// Parameters of the address choose beforehand: models, gpu-models, runtimes (lists with commas), rounds, gpu-rounds, against; `run`
// starts at once. When a run is over, `window.benchReport` holds what results.json is made of, and the status says
// `done` or `failed` in its data-state.

import { findAdapters } from './adapters.js';
import { MODELS } from './models.js';
import { RUNTIMES, runtimeOf } from './runtimes.js';
import { runBench } from './session.js';

const byId = (id) => document.getElementById(id);
const parameters = new URLSearchParams(location.search);

/** Says what happens, for people and for whoever drives the page. */
function say(sentence, state) {
  const status = byId('status');
  status.textContent = sentence;
  status.dataset.state = state;
}

/** A row of checkboxes; those of the address are ticked, or the default ones. */
function offer(place, parameter, choices, isDefault) {
  const asked = parameters.get(parameter)?.split(',').filter(Boolean);
  for (const { id, title } of choices) {
    const label = document.createElement('label');
    label.className = 'tick';
    const box = Object.assign(document.createElement('input'), { type: 'checkbox', name: parameter, value: id });
    box.checked = asked ? asked.includes(id) : isDefault(id);
    label.append(box, title ?? id);
    place.append(label);
  }
}

function ticked(parameter) {
  return [...document.querySelectorAll(`input[name="${parameter}"]:checked`)].map(({ value }) => value);
}

function element(name, text, attributes = {}) {
  return Object.assign(document.createElement(name), { textContent: text, ...attributes });
}

const WORK = { all: 'model', pose: 'model without mask', landmarks: 'tracked frame' };
const millis = (value) => (value === null ? '' : value.toFixed(value < 10 ? 2 : 1));

/** A ratio with its interval, where there is one. */
function ratioOf({ ratio, interval }) {
  if (ratio === null) return '';
  return interval ? `${ratio.toFixed(2)} [${interval.map((end) => end.toFixed(2)).join(', ')}]` : ratio.toFixed(2);
}

/** How far a row's results are from the reference's. */
function deviationOf({ deviation, timed }) {
  if (deviation === null) return '';
  return timed === 'model' ? `${(100 * deviation).toFixed(3)} %` : `${deviation.toFixed(1)} px`;
}

/** @param {import('./session.js').Row[]} rows */
function show(rows) {
  byId('rows').replaceChildren(
    ...rows.map((row) => {
      const line = document.createElement('tr');
      const ratio = ratioOf(row);
      line.append(
        element('td', row.model),
        element('td', WORK[row.outputs]),
        element('th', row.title, { scope: 'row' }),
        ...[row.n || '', millis(row.median_ms), millis(row.p95_ms), ratio].map((text) =>
          element('td', text, { className: 'is-number' }),
        ),
        element('td', row.ratio_to ? runtimeOf(row.ratio_to).title : ''),
        element('td', deviationOf(row), { className: 'is-number' }),
        element('td', [row.reason, row.adapter].filter(Boolean).join('; ')),
      );
      return line;
    }),
  );
}

async function run(stock, adapters) {
  const against = byId('against').value;
  const wish = {
    models: ticked('models'),
    gpuModels: ticked('gpu-models'),
    runtimes: ticked('runtimes'),
    rounds: byId('rounds').valueAsNumber,
    ...(parameters.has('gpu-rounds') ? { gpuRounds: Number(parameters.get('gpu-rounds')) } : {}),
    ...(against ? { against } : {}),
  };
  byId('run').disabled = true;
  byId('save').disabled = true;
  try {
    const rows = await runBench(wish, stock, adapters, (sentence, rows) => {
      say(sentence, 'running');
      show(rows);
    });
    window.benchReport = {
      browser: navigator.userAgent,
      isolated: window.crossOriginIsolated,
      processors: navigator.hardwareConcurrency,
      adapters,
      wish,
      rows,
    };
    show(rows);
    say(`Done: ${rows.length} rows.`, 'done');
    byId('save').disabled = false;
  } catch (error) {
    console.error(error);
    say(`The run ended early: ${error.message}`, 'failed');
  }
  byId('run').disabled = false;
}

function save() {
  const file = new Blob([JSON.stringify(window.benchReport, null, 2)], { type: 'application/json' });
  const link = element('a', '', { href: URL.createObjectURL(file), download: 'results.json' });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function start() {
  const stock = await (await fetch('bench.json')).json();
  const adapters = await findAdapters();
  const facts = [
    ['Browser', navigator.userAgent],
    ['WebGPU', adapters.webgpu.label],
    ['WebGL2', adapters.webgl.label],
    ['Processors', navigator.hardwareConcurrency],
    ['Cross-origin isolated', window.crossOriginIsolated ? 'yes, threads are possible' : 'no'],
  ];
  byId('machine').append(...facts.flatMap(([name, value]) => [element('dt', name), element('dd', value)]));

  const isThere = ({ part }) => stock.parts[part] === null;
  const isHardware = !adapters.webgpu.software;
  const partOf = (id) => MODELS.find((model) => model.id === id).part;
  offer(byId('models'), 'models', MODELS, (id) => id !== 'encoder' && partOf(id) !== 'networks');
  // A software adapter takes seconds a run: one small model is enough to see that it works.
  const onGpu = MODELS.filter(({ formats }) => formats.includes('graph'));
  offer(byId('gpu-models'), 'gpu-models', onGpu, (id) => id !== 'encoder' && (isHardware || id === 'lite'));
  offer(byId('runtimes'), 'runtimes', RUNTIMES, (id) => isThere(RUNTIMES.find((runtime) => runtime.id === id)));
  byId('against').append(element('option', 'the usual peer', { value: '' }));
  byId('against').append(...RUNTIMES.map(({ id, title }) => element('option', title, { value: id })));
  if (parameters.has('rounds')) byId('rounds').value = parameters.get('rounds');
  if (parameters.has('against')) byId('against').value = parameters.get('against');

  byId('wish').addEventListener('submit', (event) => {
    event.preventDefault();
    run(stock, adapters);
  });
  byId('save').addEventListener('click', save);
  say('Ready.', 'ready');
  if (parameters.has('run')) await run(stock, adapters);
}

start().catch((error) => {
  console.error(error);
  say(`The page did not start: ${error.message}`, 'failed');
});
