// rten in the bench: a small crate of its own around the library (tests/bench/rten).

import init, { Model } from '../peers/rten/rten_bench.js';
import { fetchBytes, shapeOf } from '../models.js';

/** @see runtime.js */
export async function openModel({ model, cut }) {
  const pruned = cut === 'pose' && model.landmarks ? '-pose' : '';
  const [bytes] = await Promise.all([fetchBytes(`models/${model.id}${pruned}.onnx`), init()]);
  const session = new Model(bytes, Uint32Array.from(shapeOf(model)));
  return {
    run: (input) => session.run(input),
    close: () => session.free(),
  };
}
