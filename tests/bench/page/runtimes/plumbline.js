// Plumbline in the bench: the engine on the CPU or on WebGPU, and its pipeline for whole frames.

import init, { CpuModel, GpuModel, Pose } from '../plumbline/plumbline_bench.js';
import { MASK, fetchBytes } from '../models.js';

let ready;

/** Loads the WebAssembly once. */
function load() {
  ready ??= init();
  return ready;
}

/** Starts the second worker of a model, and waits until runs are shared with it. */
async function startMate(session, bytes) {
  session.startMate(new URL('./plumbline-mate.js', import.meta.url).href, bytes);
  while (!session.isShared) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function openDevice() {
  const { GpuDevice } = await import('../replayer.js');
  return GpuDevice.open();
}

/** Names of the outputs that a cut keeps; none means all. */
function outputsOf(model, cut) {
  const all = ['Identity', 'Identity_1', MASK, 'Identity_3', 'Identity_4'];
  return cut === 'pose' && model.landmarks ? all.filter((name) => name !== MASK) : [];
}

/** @see runtime.js for what a runtime's module offers. */
export async function openModel({ model, cut, options }) {
  // The product starts from graph files; what a person brings is read as it is.
  const format = model.formats.includes('graph') ? 'graph' : 'onnx';
  const [bytes] = await Promise.all([fetchBytes(`models/${model.id}.${format}`), load()]);
  const outputs = outputsOf(model, cut);
  if (!options.gpu) {
    const session = new CpuModel(bytes, outputs);
    if (options.workers === 2) await startMate(session, bytes);
    const close = () => {
      session.dismissMate();
      session.free();
    };
    return { run: (input) => session.run(input), close };
  }
  const device = await openDevice();
  const recorded = new GpuModel(bytes, outputs);
  const replayer = await device.load(recorded);
  const { places } = recorded;
  recorded.free();
  return {
    async run(input) {
      const all = await replayer.run(input);
      return Array.from({ length: places.length / 2 }, (_, i) => all.subarray(places[2 * i], places[2 * i] + places[2 * i + 1]));
    },
    close: () => device.destroy(),
  };
}

/** @see runtime.js */
export async function openFrames({ model, options }) {
  const [detector, landmarks] = await Promise.all([
    fetchBytes('models/detector.graph'),
    fetchBytes(`models/${model.id}.graph`),
    load(),
  ]);
  const pose = await Pose.open(Boolean(options.gpu), detector, landmarks);
  return {
    async measure(canvas, timeMillis) {
      const points = await pose.measure(await pictureOf(canvas, timeMillis), timeMillis / 1000);
      return points.length > 0 ? points : null;
    },
    close: () => pose.free(),
  };
}

/** A canvas as the page's worker gets it: a frame, or a bitmap where the browser knows no frames. */
function pictureOf(canvas, timeMillis) {
  if (typeof VideoFrame === 'undefined') return createImageBitmap(canvas);
  return new VideoFrame(canvas, { timestamp: Math.round(timeMillis * 1000) });
}
