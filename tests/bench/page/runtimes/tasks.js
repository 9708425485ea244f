// MediaPipe Tasks in the bench: whole frames with the CPU or the GPU delegate.

import { served } from '../models.js';

/** @see runtime.js */
export async function openFrames({ model, options }) {
  const { FilesetResolver, PoseLandmarker } = await import('../peers/tasks/vision_bundle.mjs');
  const landmarker = await PoseLandmarker.createFromOptions(
    await FilesetResolver.forVisionTasks(new URL('../peers/tasks/wasm', import.meta.url).href),
    {
      baseOptions: { modelAssetPath: served(`models/${model.id}.task`), delegate: options.delegate },
      runningMode: 'VIDEO',
      numPoses: 1,
      outputSegmentationMasks: false,
    },
  );
  return {
    async measure(canvas, timeMillis) {
      const { landmarks } = landmarker.detectForVideo(canvas, timeMillis);
      return landmarks.length > 0 ? pointsOf(landmarks[0], canvas) : null;
    },
    close: () => landmarker.close(),
  };
}

/** Landmarks in shares of the frame as x_px, y_px, visibility. */
export function pointsOf(landmarks, { width, height }) {
  return Float32Array.from(landmarks.flatMap(({ x, y, visibility }) => [x * width, y * height, visibility ?? 1]));
}
