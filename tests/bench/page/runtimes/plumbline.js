// Plumbline in the bench: the engine on the CPU or on WebGPU, and its pipeline for whole frames.

import init, { CpuModel, CpuPose, GpuModel, GpuPose } from '../plumbline/plumbline_bench.js';
import { MASK, fetchBytes } from '../models.js';

let ready;

/** Loads the WebAssembly once. */
function load() {
  ready ??= init();
  return ready;
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
  const [bytes] = await Promise.all([fetchBytes(`models/${model.id}.graph`), load()]);
  const outputs = outputsOf(model, cut);
  if (!options.gpu) {
    const session = new CpuModel(bytes, outputs);
    return { run: (input) => session.run(input), close: () => session.free() };
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
  const { pose, close } = options.gpu ? await openGpuPose(detector, landmarks) : openCpuPose(detector, landmarks);
  const read = pixelReader();
  return {
    async measure(canvas, timeMillis) {
      const rgba = await read(canvas, timeMillis);
      const points = await pose.measure(rgba, canvas.width, canvas.height, timeMillis / 1000);
      return points.length > 0 ? points : null;
    },
    close,
  };
}

function openCpuPose(detector, landmarks) {
  const pose = new CpuPose(detector, landmarks);
  return { pose, close: () => pose.free() };
}

async function openGpuPose(detector, landmarks) {
  const device = await openDevice();
  const outputs = outputsOf({ landmarks: true }, 'pose');
  const [finder, reader] = [new GpuModel(detector, []), new GpuModel(landmarks, outputs)];
  const [findReplayer, readReplayer] = await Promise.all([device.load(finder), device.load(reader)]);
  const replay = (replayer) => (input) => replayer.run(input);
  const pose = new GpuPose(finder, replay(findReplayer), reader, replay(readReplayer));
  return { pose, close: () => device.destroy() };
}

/**
 * The way from a frame to RGBA bytes that the product's worker takes (web/src/worker/pixels.rs): a `VideoFrame` that
 * converts while it copies, or a canvas in main memory where the browser does not convert.
 */
function pixelReader() {
  let refused = typeof VideoFrame === 'undefined';
  let staging;
  let context;
  return async (canvas, timeMillis) => {
    const bytes = canvas.width * canvas.height * 4;
    if (!refused) {
      const frame = new VideoFrame(canvas, { timestamp: Math.round(timeMillis * 1000) });
      try {
        if (staging?.length !== bytes) staging = new Uint8Array(bytes);
        await frame.copyTo(staging, { format: 'RGBA' });
        return staging;
      } catch {
        refused = true;
      } finally {
        frame.close();
      }
    }
    if (context?.canvas.width !== canvas.width || context?.canvas.height !== canvas.height) {
      context = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
    }
    context.drawImage(canvas, 0, 0);
    return new Uint8Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  };
}
