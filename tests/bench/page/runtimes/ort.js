// onnxruntime-web in the bench: wasm with one or two threads, WebGPU, and WebGPU with graph capture.

import { MASK, fetchBytes, shapeOf } from '../models.js';

/** @see runtime.js */
export async function openModel({ model, cut, options }) {
  const file = options.gpu ? 'ort.webgpu.bundle.min.mjs' : 'ort.wasm.bundle.min.mjs';
  const [ort, bytes] = await Promise.all([
    import(`../peers/ort/${file}`),
    fetchBytes(`models/${model.id}${cut === 'pose' && model.landmarks ? '-pose' : ''}.onnx`),
  ]);
  ort.env.logLevel = 'error';
  ort.env.wasm.numThreads = options.threads ?? 1;
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: [options.gpu ? 'webgpu' : 'wasm'],
    graphOptimizationLevel: 'all',
    enableGraphCapture: Boolean(options.capture),
    ...(options.capture ? { preferredOutputLocation: 'gpu-buffer' } : {}),
  });
  const shape = shapeOf(model);
  const [inputName] = session.inputNames;
  const names = session.outputNames.filter((name) => cut === 'all' || name !== MASK);
  const run = options.capture ? captured(ort, session, inputName, names, shape) : plain(ort, session, inputName, names, shape);
  return { run, close: () => session.release() };
}

/** Numbers in main memory on both sides. */
function plain(ort, session, inputName, names, shape) {
  return async (input) => {
    const results = await session.run({ [inputName]: new ort.Tensor('float32', input, shape) });
    return Promise.all(names.map((name) => results[name].getData()));
  };
}

/** Graph capture needs input and outputs that stay at one place of the GPU. */
function captured(ort, session, inputName, names, shape) {
  let tensor;
  let buffer;
  return async (input) => {
    const device = await ort.env.webgpu.device;
    if (!tensor) {
      buffer = device.createBuffer({
        size: input.byteLength,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
      });
      tensor = ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: shape });
    }
    device.queue.writeBuffer(buffer, 0, input);
    const results = await session.run({ [inputName]: tensor });
    return Promise.all(names.map((name) => results[name].getData()));
  };
}
