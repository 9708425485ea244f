// The native reference: skeletons by `plumb pose`, and how far a page's skeleton is from them.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { required } from './browsers.mjs';

/** A point that either side is less sure of than this is not compared: hidden points wander. */
const LEAST_VISIBILITY = 0.5;

/**
 * The people of a picture or of each frame of a clip, as the page reports them:
 * `{frame, people: [{id, landmarks: [[x_px, y_px, visibility], 33 of them]}]}`; `id` only with `--people`.
 * @param {string} file
 * @param {string[]} options more options of `plumb pose`
 */
export async function nativePeople(file, options = []) {
  const args = ['pose', file, '--backend', 'cpu', '--json', ...options];
  const { stdout } = await promisify(execFile)(required('PLUMBLINE_PLUMB'), args, { maxBuffer: 1 << 28 });
  const points = ({ id, landmarks }) => ({
    id,
    landmarks: landmarks.map(({ x_px, y_px, visibility }) => [x_px, y_px, visibility]),
  });
  return stdout
    .trim()
    .split('\n')
    .map((line, position) => {
      const { frame = position, people } = JSON.parse(line);
      return { frame, people: people.map(points) };
    });
}

/** As {@link nativePeople}, of one person: `{frame, landmarks}`, which are null where nobody is. */
export async function nativeSkeletons(file, options = []) {
  const found = await nativePeople(file, options);
  return found.map(({ frame, people }) => ({ frame, landmarks: people[0]?.landmarks ?? null }));
}

/** Distances in pixels between the points of two skeletons that both sides see. */
export function distances(left, right) {
  const found = [];
  left.forEach(([x, y, visibility], position) => {
    const [otherX, otherY, otherVisibility] = right[position];
    if (Math.min(visibility, otherVisibility) >= LEAST_VISIBILITY) {
      found.push(Math.hypot(x - otherX, y - otherY));
    }
  });
  return found;
}

/** The largest distance between two skeletons; infinite where they share no visible point. */
export function largestDistance(left, right) {
  return Math.max(...distances(left, right), distances(left, right).length === 0 ? Infinity : 0);
}

/** The value below which a share of the values lies (nearest rank). */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}

/** The drawn person's clip, as served. */
export function demoClip() {
  return path.join(required('PLUMBLINE_DIST'), 'demo', 'person.mjpeg');
}

/** Size, rate and length of the drawn person's clip: `{fps, width, height, frames}`. */
export async function demoFacts() {
  return JSON.parse(await readFile(path.join(required('PLUMBLINE_DIST'), 'demo', 'person.json'), 'utf8'));
}

/** One picture out of a motion JPEG file, which is nothing but JPEG files in a row. */
export async function pictureOfClip(file, frame) {
  const bytes = await readFile(file);
  const START = Buffer.from([0xff, 0xd8, 0xff]);
  let start = bytes.indexOf(START);
  for (let position = 0; position < frame; position += 1) start = bytes.indexOf(START, start + START.length);
  const next = bytes.indexOf(START, start + START.length);
  return bytes.subarray(start, next < 0 ? undefined : next);
}
