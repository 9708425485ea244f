// Measures the CPU backend's steps as WebAssembly in Chromium, because that is what visitors run.
//
// node tests/bench/kernels/run.mjs MODEL [--rounds N] [--turns N] [--steps] [--outputs NAMES] [--program FILE]...
//
// Without `--program` the benchmark `layers` is compiled for wasm32-wasip1, once as the page is built and once with
// relaxed-simd. Programs run in turns in one page (A B B A ..), each turn in a fresh instance; frames are compared by
// their medians. MODEL is a name in models/manifest.toml. Chromium is $PLUMBLINE_CHROMIUM or /usr/bin/chromium.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { withChromium } from '../../e2e/browsers.mjs';

const FOLDER = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(FOLDER, '../../..');
const TARGET = 'wasm32-wasip1';

/** What the live page reads of a landmark model, and what it reads of the detector. */
const OUTPUTS = { detector: 'Identity,Identity_1' };
const LANDMARK_OUTPUTS = 'Identity,Identity_1,Identity_3,Identity_4';

/** Compiles the benchmark and returns the path of the module. */
function build(features, folder) {
  const messages = execFileSync(
    'cargo',
    ['bench', '--no-run', '--package', 'plumbline_engine', '--bench', 'layers', '--target', TARGET,
      '--target-dir', path.join(process.env.CARGO_TARGET_DIR ?? path.join(ROOT, 'target'), folder),
      '--message-format=json-render-diagnostics'],
    { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS: `-Ctarget-feature=${features}`,
        CARGO_PROFILE_BENCH_LTO: 'fat', CARGO_PROFILE_BENCH_CODEGEN_UNITS: '1', CARGO_PROFILE_BENCH_PANIC: 'abort' } },
  );
  const built = messages.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  return built.find(({ executable }) => executable)?.executable;
}

/** The bytes of a model that the manifest names. */
function readModel(name) {
  const manifest = readFileSync(path.join(ROOT, 'models/manifest.toml'), 'utf8');
  const entry = manifest.split('[[model]]').find((part) => part.includes(`\nname = "${name}"`));
  if (!entry) throw new Error(`models/manifest.toml has no model ${name}`);
  const field = (key) => entry.match(new RegExp(`^${key} = "(.*)"$`, 'm'))[1];
  const bytes = readFileSync(path.join(ROOT, 'models/node_modules', field('package'), field('file')));
  const range = entry.match(/^byte_range = \[(\d+), (\d+)\]$/m);
  return range ? bytes.subarray(Number(range[1]), Number(range[2])) : bytes;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '25' },
    turns: { type: 'string', default: '2' },
    steps: { type: 'boolean', default: false },
    outputs: { type: 'string' },
    program: { type: 'string', multiple: true, default: [] },
  },
});
const model = positionals[0] ?? 'lite';
const programs = options.program.length
  ? options.program.map((file) => [path.basename(file), file])
  : [['simd128', build('+simd128', 'wasm-simd')], ['relaxed', build('+simd128,+relaxed-simd', 'wasm-relaxed')]];

const served = new Map([
  ['/', ['text/html', '<!doctype html><title>kernels</title>']],
  ['/wasi.mjs', ['text/javascript', readFileSync(path.join(FOLDER, 'wasi.mjs'))]],
  ['/model', ['application/octet-stream', readModel(model)]],
  ...programs.map(([, file], index) => [`/${index}.wasm`, ['application/wasm', readFileSync(file)]]),
]);
const server = createServer((request, response) => {
  const [type, body] = served.get(request.url) ?? ['text/plain', ''];
  // Isolated from other origins, a page has a clock of 5 us instead of 100.
  response.writeHead(200, {
    'content-type': type,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  });
  response.end(body);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

process.env.PLUMBLINE_CHROMIUM ??= '/usr/bin/chromium';
await withChromium({}, async (browser) => {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const runs = await page.evaluate(
    async (count, turns, args) => {
      const { runProgram } = await import('/wasi.mjs');
      const input = new Uint8Array(await (await fetch('/model')).arrayBuffer());
      const modules = [];
      for (let index = 0; index < count; index += 1) {
        modules.push(await WebAssembly.compileStreaming(fetch(`/${index}.wasm`)));
      }
      const order = [...modules.keys()];
      const found = [];
      for (let turn = 0; turn < turns; turn += 1) {
        for (const index of turn % 2 ? order.toReversed() : order) {
          found.push({ index, text: await runProgram(modules[index], args, input) });
        }
      }
      return found;
    },
    programs.length,
    Number(options.turns),
    [options.rounds, options.outputs ?? OUTPUTS[model] ?? LANDMARK_OUTPUTS],
  );

  const results = programs.map(([name], index) => {
    const lines = runs.filter((run) => run.index === index).flatMap((run) => run.text.trim().split('\n'));
    const frames = lines.filter((line) => line.startsWith('frame ')).map((line) => Number(line.split(' ')[1]));
    const steps = new Map();
    for (const line of lines.filter((text) => text.startsWith('step '))) {
      const [, number, millis, macs, bytes] = line.split(' ');
      const [operator, shape] = line.split(' ').slice(5).join(' ').split('|');
      const step = steps.get(number) ?? { millis: Infinity, macs: Number(macs), bytes: Number(bytes), operator, shape };
      step.millis = Math.min(step.millis, Number(millis));
      steps.set(number, step);
    }
    return { name, frames, steps: [...steps.values()] };
  });
  for (const { name, frames, steps } of results) {
    const p95 = frames.toSorted((a, b) => a - b)[Math.floor(frames.length * 0.95)];
    const ratio = median(frames) / median(results[0].frames);
    console.log(`${model} ${name}: median ${median(frames).toFixed(2)} ms, least ${Math.min(...frames).toFixed(2)}, ` +
      `p95 ${p95.toFixed(2)}, ${frames.length} frames, ratio ${ratio.toFixed(3)}`);
    if (!options.steps) continue;
    const total = steps.reduce((sum, step) => sum + step.millis, 0);
    for (const [index, { operator, shape, macs, bytes, millis }] of steps.entries()) {
      console.log(`${String(index).padStart(4)}  ${operator.padEnd(32)}${shape.padEnd(28)}` +
        `${(macs / 1e6).toFixed(2).padStart(7)} M${millis.toFixed(3).padStart(8)} ms` +
        `${(2 * macs / millis / 1e6).toFixed(1).padStart(7)} GFLOP/s${(bytes / millis / 1e6).toFixed(1).padStart(7)} GB/s` +
        `${(100 * millis / total).toFixed(1).padStart(6)} %`);
    }
  }
});
server.close();
