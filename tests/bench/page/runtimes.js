// The runtimes that the page compares: what each is called, which file loads it, and what it can be asked for.

/**
 * @typedef {object} Runtime
 * @property {string} id on the command line, in addresses and in results
 * @property {string} title for people
 * @property {string} module file in runtimes/
 * @property {string} part what must have been built or installed for it, a key of `parts` in bench.json
 * @property {'cpu' | 'gpu'} device
 * @property {'webgpu' | 'webgl'} [api] how it reaches the GPU
 * @property {string[]} cuts which outputs it can compute: `all`, or `pose`, which leaves out the person mask; empty
 *   where it takes frames only
 * @property {boolean} frames whether it turns frames into landmarks
 * @property {number} [settleMillis] how long its other threads may go on after a run
 * @property {('graph' | 'tflite' | 'onnx')[]} reads formats of models
 * @property {string[]} [models] models that it is offered; all where absent
 * @property {object} [options] for the module
 */

/** How long a pool of threads spins for more work before it sleeps; longer than what onnxruntime waits. */
const THREADS_SETTLE_MILLIS = 60;

/** @type {Runtime[]} */
export const RUNTIMES = [
  {
    id: 'plumbline-cpu', title: 'Plumbline, CPU', module: 'plumbline.js', part: 'plumbline',
    device: 'cpu', cuts: ['pose', 'all'], frames: true, reads: ['graph', 'onnx'],
  },
  {
    id: 'plumbline-cpu-2', title: 'Plumbline, CPU, 2 workers', module: 'plumbline.js', part: 'plumbline',
    device: 'cpu', cuts: ['pose', 'all'], frames: false, reads: ['graph'], options: { workers: 2 },
  },
  {
    id: 'plumbline-gpu', title: 'Plumbline, WebGPU', module: 'plumbline.js', part: 'plumbline',
    device: 'gpu', api: 'webgpu', cuts: ['pose', 'all'], frames: true, reads: ['graph'], options: { gpu: true },
  },
  {
    id: 'ort-wasm-1', title: 'onnxruntime-web, wasm, 1 thread', module: 'ort.js', part: 'peers',
    device: 'cpu', cuts: ['all', 'pose'], frames: false, reads: ['onnx'], options: { threads: 1 },
  },
  {
    id: 'ort-wasm-2', title: 'onnxruntime-web, wasm, 2 threads', module: 'ort.js', part: 'peers',
    device: 'cpu', cuts: ['all'], frames: false, reads: ['onnx'], settleMillis: THREADS_SETTLE_MILLIS, options: { threads: 2 },
  },
  {
    id: 'ort-webgpu', title: 'onnxruntime-web, WebGPU', module: 'ort.js', part: 'peers',
    device: 'gpu', api: 'webgpu', cuts: ['all'], frames: false, reads: ['onnx'], options: { gpu: true },
  },
  {
    id: 'ort-webgpu-capture', title: 'onnxruntime-web, WebGPU, graph capture', module: 'ort.js', part: 'peers',
    device: 'gpu', api: 'webgpu', cuts: ['all'], frames: false, reads: ['onnx'], options: { gpu: true, capture: true },
  },
  {
    id: 'litert-wasm-1', title: 'LiteRT.js, wasm, 1 thread', module: 'litert.js', part: 'peers',
    device: 'cpu', cuts: ['all'], frames: false, reads: ['tflite'], options: { threads: 1 },
  },
  {
    id: 'litert-wasm-2', title: 'LiteRT.js, wasm, 2 threads', module: 'litert.js', part: 'peers',
    device: 'cpu', cuts: ['all'], frames: false, reads: ['tflite'], settleMillis: THREADS_SETTLE_MILLIS, options: { threads: 2 },
  },
  {
    id: 'litert-webgpu', title: 'LiteRT.js, WebGPU', module: 'litert.js', part: 'peers',
    device: 'gpu', api: 'webgpu', cuts: ['all'], frames: false, reads: ['tflite'], options: { gpu: true },
  },
  {
    id: 'rten', title: 'rten, wasm', module: 'rten.js', part: 'rten',
    device: 'cpu', cuts: ['all', 'pose'], frames: false, reads: ['onnx'],
  },
  {
    id: 'wonnx', title: 'wonnx, WebGPU', module: 'wonnx.js', part: 'wonnx',
    device: 'gpu', api: 'webgpu', cuts: ['all'], frames: false, reads: ['onnx'],
    // The others need bilinear resize, which wonnx 0.5.1 does not have.
    models: ['encoder'],
  },
  {
    id: 'tasks-cpu', title: 'MediaPipe Tasks, CPU', module: 'tasks.js', part: 'tasks',
    device: 'cpu', cuts: [], frames: true, reads: ['tflite'], options: { delegate: 'CPU' },
  },
  {
    id: 'tasks-gpu', title: 'MediaPipe Tasks, GPU (WebGL2)', module: 'tasks.js', part: 'tasks',
    device: 'gpu', api: 'webgl', cuts: [], frames: true, reads: ['tflite'], options: { delegate: 'GPU' },
  },
  {
    id: 'legacy', title: '@mediapipe/pose (WebGL2)', module: 'legacy.js', part: 'peers',
    device: 'gpu', api: 'webgl', cuts: [], frames: true, reads: ['tflite'],
  },
];

/** @param {string} id */
export function runtimeOf(id) {
  const runtime = RUNTIMES.find((runtime) => runtime.id === id);
  if (!runtime) throw new Error(`There is no runtime "${id}"; there are ${RUNTIMES.map(({ id }) => id).join(', ')}.`);
  return runtime;
}
