// Makes what the bench page is served beside code and weights: pictures, MediaPipe's task bundles, bench.json.
//
//   node prepare.mjs SITE CLIP [PHOTO]
//
// In: the folder that is served, with `models/*.tflite` and, where Python was there, `models/tasks/*.tflite` in it; a motion JPEG clip; a photo. PLUMBLINE_PARTS holds the
// parts of the page as JSON, each null or the reason why it is missing. Out, in the folder: `frames/NNN.jpg`,
// `models/NAME.task`, and `bench.json` that lists it all.

import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { storedZip } from './stored-zip.mjs';

/** Frames of the clip that are used; from the end on it starts again. */
const FRAMES = 24;

const [site, clip, photo] = process.argv.slice(2);
const parts = JSON.parse(process.env.PLUMBLINE_PARTS);

/** The pictures of a motion JPEG file. Ours have no thumbnails, so a start marker starts a picture. */
function pictures(bytes) {
  const START = Buffer.from([0xff, 0xd8, 0xff]);
  const starts = [];
  for (let at = bytes.indexOf(START); at >= 0; at = bytes.indexOf(START, at + START.length)) starts.push(at);
  return starts.map((start, position) => bytes.subarray(start, starts[position + 1]));
}

/** Writes only what is new: what has not changed keeps its time. */
async function put(file, bytes) {
  const place = path.join(site, file);
  const present = await readFile(place).catch(() => null);
  if (present?.equals(Buffer.from(bytes))) return;
  await mkdir(path.dirname(place), { recursive: true });
  await writeFile(place, bytes);
}

const all = pictures(await readFile(clip));
// Evenly spread, so that the squat is there from standing to standing and can be played in a loop.
const chosen = Array.from({ length: Math.min(FRAMES, all.length) }, (_, i) => all[Math.floor((i * all.length) / FRAMES)]);
const frames = chosen.map((_, position) => `frames/${String(position).padStart(3, '0')}.jpg`);
for (const [position, picture] of chosen.entries()) await put(frames[position], picture);

const inputs = [frames[0], frames[Math.floor(frames.length / 2)]];
if (photo) {
  await copyFile(photo, path.join(site, 'frames/photo.jpg'));
  inputs.push('frames/photo.jpg');
}

if (parts.tasks === null) {
  const described = (name) => readFile(path.join(site, `models/tasks/${name}.tflite`));
  for (const name of ['lite', 'full', 'heavy']) {
    const bundle = storedZip([
      ['pose_detector.tflite', await described('detector')],
      ['pose_landmarks_detector.tflite', await described(name)],
    ]);
    await put(`models/${name}.task`, bundle);
  }
}
await put('bench.json', Buffer.from(JSON.stringify({ parts, frames, pictures: inputs })));
