// Whether runtimes computed the same: no time of a runtime is believed before its results are.

/** A runtime whose outputs differ by more than this share of a tensor's range has computed something else. */
export const MODEL_TOLERANCE = 0.01;

/**
 * Landmarks of whole frames go through each runtime's own cropping and smoothing: the typical landmark may differ by
 * this share of the frame's diagonal.
 */
export const FRAME_TOLERANCE = 0.02;

/** A landmark that either side is less sure of is not compared. */
const LEAST_VISIBILITY = 0.5;

/**
 * The largest difference between two lists of tensors, as a share of the reference tensor's range. Tensors are told
 * apart by their lengths, which differ within every model here, because converters rename and reorder them. Tensors
 * that only the reference has are left out.
 *
 * @param {Float32Array[]} outputs
 * @param {Float32Array[]} reference
 * @returns {number} infinite where the reference lacks a tensor, or a number is not finite
 */
export function modelDeviation(outputs, reference) {
  let worst = outputs.length > 0 ? 0 : Infinity;
  for (const output of outputs) {
    const other = reference.find(({ length }) => length === output.length);
    if (!other) return Infinity;
    let [low, high, difference] = [Infinity, -Infinity, 0];
    for (let i = 0; i < output.length; i += 1) {
      low = Math.min(low, other[i]);
      high = Math.max(high, other[i]);
      const here = Math.abs(output[i] - other[i]);
      if (!Number.isFinite(here)) return Infinity;
      difference = Math.max(difference, here);
    }
    // A single number has no range; those of the models here are probabilities.
    worst = Math.max(worst, difference / (output.length > 1 ? high - low : 1));
  }
  return worst;
}

/**
 * The median distance between the landmarks of two runtimes over frames, in pixels.
 *
 * @param {(Float32Array | null)[]} frames per frame x_px, y_px, visibility of each landmark, or null for nobody
 * @param {(Float32Array | null)[]} reference
 * @returns {number} infinite where one saw somebody and the other did not
 */
export function frameDeviation(frames, reference) {
  const distances = [];
  for (let frame = 0; frame < Math.min(frames.length, reference.length); frame += 1) {
    const [here, there] = [frames[frame], reference[frame]];
    if (!here && !there) continue;
    if (!here || !there || here.length !== there.length) return Infinity;
    for (let at = 0; at < here.length; at += 3) {
      if (Math.min(here[at + 2], there[at + 2]) >= LEAST_VISIBILITY) {
        distances.push(Math.hypot(here[at] - there[at], here[at + 1] - there[at + 1]));
      }
    }
  }
  if (distances.length === 0) return Infinity;
  distances.sort((a, b) => a - b);
  return distances[Math.floor(distances.length / 2)];
}
