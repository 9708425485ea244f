// LiteRT.js in the bench: XNNPACK in wasm with one or two threads, and WebGPU.

import { fetchBytes, shapeOf } from '../models.js';

/** @see runtime.js */
export async function openModel({ model, options }) {
  const litert = await import('../peers/litert/index.js');
  const [bytes] = await Promise.all([
    fetchBytes(`models/${model.id}.tflite`),
    litert.loadLiteRt(new URL('../peers/litert/wasm/', import.meta.url).href, { threads: options.threads > 1 }),
  ]);
  const compiled = await litert.loadAndCompile(bytes, {
    accelerator: options.gpu ? 'webgpu' : 'wasm',
    ...(options.threads ? { cpuOptions: { numThreads: options.threads } } : {}),
  });
  if (options.gpu && !compiled.isFullyAccelerated) {
    compiled.delete();
    throw new Error('LiteRT.js does not run all operators of this model on WebGPU and falls back to wasm.');
  }
  const shape = shapeOf(model);
  return {
    async run(input) {
      const tensor = new litert.Tensor(input, shape);
      const results = await compiled.run([tensor]);
      // Typed arrays of tensors are views of memory that the next run may reuse.
      const outputs = await Promise.all(results.map(async (result) => (await result.data()).slice()));
      for (const each of [tensor, ...results]) if (!each.deleted) each.delete();
      return outputs;
    },
    close: () => compiled.delete(),
  };
}
