// One runtime alone: loads it, and runs it for the page that embeds this one or for a cold start.
//
// Parameters of the address:
//   runtime=ID            which; see runtimes.js
//   cold=model|frame      run once at once and say when the first result was there
//   model=ID, picture=PATH  what the cold start runs
//
// A runtime's module in runtimes/ offers one or both of
//   openModel({ model, cut, options }) -> { run(input) -> Float32Array[], close() }
//   openFrames({ model, options })     -> { measure(canvas, timeMillis) -> points or null, close() }
// where `run` and `measure` may answer with a promise, `input` is dense f32 of the model's shape, and points are x_px, y_px, visibility
// of 33 landmarks.

import { fetchCanvas, inputOf, modelOf } from './models.js';
import { runtimeOf } from './runtimes.js';

/** Milliseconds from one frame to the next on the clock that smoothing sees. */
const FRAME_PERIOD_MILLIS = 1000 / 15;

const parameters = new URLSearchParams(location.search);
const runtime = runtimeOf(parameters.get('runtime'));
const module = () => import(`./runtimes/${runtime.module}`);
const options = runtime.options ?? {};

/** A panic inside of WebAssembly ends no promise, it only reaches the window. */
const crashed = new Promise((_, reject) => {
  window.addEventListener('error', ({ message }) => reject(new Error(message)));
  window.addEventListener('unhandledrejection', ({ reason }) => reject(new Error(reason?.message ?? String(reason))));
});
crashed.catch(() => {});

/** What the embedding page calls. Times are taken here, on this side of the border between pages. */
window.host = {
  /**
   * @param {string} modelId
   * @param {string} cut
   * @param {Float32Array[]} inputs copied, because runtimes tell their own page's arrays from another's
   */
  async openModel(modelId, cut, inputs) {
    const model = modelOf(modelId);
    const session = await Promise.race([(await module()).openModel({ model, cut, options }), crashed]);
    const own = inputs.map((input) => Float32Array.from(input));
    return {
      async run(index) {
        const input = own[index % own.length];
        const begin = performance.now();
        const outputs = await Promise.race([session.run(input), crashed]);
        return { millis: performance.now() - begin, outputs: [...outputs] };
      },
      close: () => session.close(),
    };
  },

  /**
   * Frames are shown in order, over and over; each runtime goes through them by itself.
   *
   * @param {string} modelId
   * @param {string[]} pictures
   */
  async openFrames(modelId, pictures) {
    const session = await (await module()).openFrames({ model: modelOf(modelId), options });
    const canvases = await Promise.all(pictures.map(fetchCanvas));
    let count = 0;
    return {
      async measure() {
        const canvas = canvases[count % canvases.length];
        count += 1;
        const begin = performance.now();
        const points = await session.measure(canvas, count * FRAME_PERIOD_MILLIS);
        return { millis: performance.now() - begin, points };
      },
      close: () => session.close(),
    };
  },
};

/** From navigation to the first result, in milliseconds; what the page needs is fetched side by side. */
async function coldStart(kind) {
  const model = modelOf(parameters.get('model'));
  const picture = fetchCanvas(parameters.get('picture'));
  if (kind === 'frame') {
    const session = await (await module()).openFrames({ model, options });
    const points = await session.measure(await picture, FRAME_PERIOD_MILLIS);
    if (!points) throw new Error('nobody was found in the picture');
  } else {
    const cut = runtime.cuts[0];
    const session = await (await module()).openModel({ model, cut, options });
    await session.run(inputOf(await picture, model));
  }
  return performance.now();
}

if (parameters.has('cold')) {
  window.cold = coldStart(parameters.get('cold')).then(
    (millis) => ({ millis }),
    (error) => ({ reason: String(error?.message ?? error) }),
  );
} else {
  window.cold = Promise.resolve(null);
}
document.body.dataset.state = 'ready';
