// The legacy @mediapipe/pose in the bench: whole frames, always through WebGL2.

import { pointsOf } from './tasks.js';

const COMPLEXITY = { lite: 0, full: 1, heavy: 2 };

/** @see runtime.js */
export async function openFrames({ model }) {
  const folder = new URL('../peers/pose/', import.meta.url).href;
  // A classic script that leaves `Pose` among the globals.
  await new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = `${folder}pose.js`;
    script.onload = resolve;
    script.onerror = () => reject(new Error('pose.js could not be loaded.'));
    document.head.append(script);
  });
  const pose = new window.Pose({ locateFile: (file) => folder + file });
  pose.setOptions({ modelComplexity: COMPLEXITY[model.id], smoothLandmarks: true, enableSegmentation: false });
  let last;
  pose.onResults((results) => {
    last = results.poseLandmarks;
  });
  await pose.initialize();
  return {
    async measure(canvas, timeMillis) {
      last = undefined;
      await pose.send({ image: canvas }, timeMillis);
      return last ? pointsOf(last, canvas) : null;
    },
    close: () => pose.close(),
  };
}
