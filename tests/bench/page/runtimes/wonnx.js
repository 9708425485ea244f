// wonnx in the bench: a small crate of its own around the library (tests/bench/wonnx).

import init, { Model } from '../peers/wonnx/wonnx_bench.js';
import { fetchBytes } from '../models.js';

/** The name that the converter keeps for the models' input. */
const INPUT = 'input_1';

/** @see runtime.js */
export async function openModel({ model }) {
  const [bytes] = await Promise.all([fetchBytes(`models/${model.id}.onnx`), init()]);
  const session = await Model.open(bytes, INPUT);
  return {
    run: (input) => session.run(input),
    close: () => session.free(),
  };
}
