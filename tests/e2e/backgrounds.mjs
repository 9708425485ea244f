// What tests of backgrounds share: choosing one, keeping what the page shows, and what the command line composes.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { required } from './browsers.mjs';
import { byName } from './live-page.mjs';
import { demoClip } from './skeletons.mjs';

/**
 * Keeps what the page shows with some results, as pixels in `window.shown`: `{frame, width, height, rgba}`. Results
 * come one a task, so the canvas still shows the frame whose result was reported last.
 */
export async function keepShown(page, wanted = null) {
  await page.evaluate(
    (stageName, canvasName, wanted) => {
      window.pixelsOf = (source) => {
        const copy = new OffscreenCanvas(source.width, source.height);
        const context = copy.getContext('2d', { willReadFrequently: true });
        context.drawImage(source, 0, 0);
        return context.getImageData(0, 0, source.width, source.height).data;
      };
      window.shown = [];
      const composed = document.querySelector(canvasName);
      const note = () => {
        const { frame } = JSON.parse(window.plumblineResults.at(-1));
        if (composed.width === 0 || (wanted && !wanted.includes(frame))) return;
        window.shown.push({ frame, width: composed.width, height: composed.height, rgba: window.pixelsOf(composed) });
      };
      new MutationObserver(note).observe(document.querySelector(stageName), { attributeFilter: ['data-landmarks'] });
    },
    byName('stage'),
    byName('composed'),
    wanted,
  );
}

/** Chooses an option of a menu as a person does. */
export async function choose(page, name, value) {
  await page.select(byName(name), value);
}

/** Makes edges as sharp as the mask, as the command line's are. */
export async function sharpen(page) {
  await page.$eval(byName('background-softness'), (range) => {
    range.value = '0';
    range.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

/** Composes the drawn person's clip by the command line; gives some frames as PNG files in base64. */
export async function composedByCommandLine(behind, model, frames) {
  const folder = await mkdtemp(path.join(tmpdir(), 'plumbline-masks-'));
  try {
    const args = ['mask', demoClip(), '--output', folder, '--model', model, '--behind', behind];
    await promisify(execFile)(required('PLUMBLINE_PLUMB'), args, { maxBuffer: 1 << 26 });
    const name = (frame) => path.join(folder, `frame-${String(frame).padStart(6, '0')}.png`);
    return Promise.all(frames.map(async (frame) => (await readFile(name(frame))).toString('base64')));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Gives the page a picture of one grey as if the person had chosen it. */
export async function chooseGrey(page) {
  await page.evaluate(async (selector) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [320, 240];
    const context = canvas.getContext('2d');
    context.fillStyle = '#a0a0a0';
    context.fillRect(0, 0, 320, 240);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve));
    const files = new DataTransfer();
    files.items.add(new File([blob], 'grey.png', { type: 'image/png' }));
    const input = document.querySelector(selector);
    input.files = files.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }, byName('file'));
}

/** The colour in the middle of what the page shows, as `r,g,b,a`, or an empty string where it shows nothing. */
export function middle(page) {
  return page.$eval(byName('composed'), (canvas) => {
    if (canvas.width === 0) return '';
    const copy = new OffscreenCanvas(1, 1);
    const context = copy.getContext('2d');
    context.drawImage(canvas, -canvas.width / 2, -canvas.height / 2);
    return context.getImageData(0, 0, 1, 1).data.join(',');
  });
}

/**
 * Asserts that what {@link keepShown} has kept of these frames is what the command line composes.
 * @param {string[]} expected PNG files in base64, one a frame
 */
export async function assertComposed(t, page, frames, expected) {
  const differences = await page.evaluate(async (expected) => {
    const decoded = expected.map(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      return window.pixelsOf(await createImageBitmap(new Blob([bytes], { type: 'image/png' })));
    });
    const pixels = await Promise.all(decoded);
    return window.shown.map(({ frame, rgba }, position) => {
      const differences = rgba.map((level, index) => Math.abs(level - pixels[position][index])).sort();
      const mean = differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
      return { frame, mean, p99: differences[Math.floor(differences.length * 0.99)], largest: differences.at(-1) };
    });
  }, expected);
  assert.deepEqual(
    differences.map(({ frame }) => frame),
    frames,
  );
  for (const { frame, mean, p99, largest } of differences) {
    t.diagnostic(`frame ${frame}: mean ${mean.toFixed(3)} levels, p99 ${p99}, largest ${largest}`);
    // Two libraries decode the JPEG, whose levels differ here and there, and the mask's edge with them.
    assert.ok(mean <= 0.1 && p99 <= 4, `frame ${frame}: mean ${mean}, p99 ${p99}`);
  }
}

/**
 * Asserts that each frame that {@link keepShown} has kept in front of nothing shows its own pixels of the drawn person's
 * clip, and that frames were left out between them.
 */
export async function assertOwnPixels(t, page) {
  const shown = await page.evaluate(async () => {
    const clip = new Uint8Array(await (await fetch('demo/person.mjpeg')).arrayBuffer());
    const starts = [];
    for (let at = 0; at + 2 < clip.length; at += 1) {
      if (clip[at] === 0xff && clip[at + 1] === 0xd8 && clip[at + 2] === 0xff) starts.push(at);
    }
    const decoded = new Map();
    const picture = async (frame) => {
      const index = ((frame % starts.length) + starts.length) % starts.length;
      if (!decoded.has(index)) {
        const bytes = clip.subarray(starts[index], starts[index + 1]);
        decoded.set(index, window.pixelsOf(await createImageBitmap(new Blob([bytes], { type: 'image/jpeg' }))));
      }
      return decoded.get(index);
    };
    // How far the opaque pixels are from a frame's own, on average.
    const distance = async ({ rgba }, frame) => {
      const other = await picture(frame);
      let [sum, count] = [0, 0];
      for (let at = 0; at < rgba.length; at += 4) {
        if (rgba[at + 3] < 255) continue;
        count += 1;
        for (const channel of [0, 1, 2]) sum += Math.abs(rgba[at + channel] - other[at + channel]) / 3;
      }
      return count > 0 ? sum / count : Infinity;
    };
    return Promise.all(
      window.shown.map(async (one) => ({
        frame: one.frame,
        own: await distance(one, one.frame),
        neighbours: [await distance(one, one.frame - 1), await distance(one, one.frame + 1)],
      })),
    );
  });
  assert.ok(shown.length >= 20, `${shown.length} frames were looked at`);
  const steps = shown.slice(1).map(({ frame }, position) => frame - shown[position].frame);
  assert.ok(Math.max(...steps) > 1, 'some of them follow on dropped ones');
  for (const { frame, own } of shown) {
    assert.ok(own < 0.01, `frame ${frame} shows other pixels than its own: ${own.toFixed(3)} levels away`);
  }
  // She stands still at times; where she moves, the pixels tell a frame from the one before and the one after.
  const told = shown.filter(({ neighbours }) => Math.min(...neighbours) > 0.5);
  assert.ok(told.length >= shown.length / 3, `only ${told.length} of ${shown.length} frames can be told apart`);
  t.diagnostic(
    `${shown.length} frames, steps up to ${Math.max(...steps)}: each shows its own pixels, ${told.length} of them those of no other`,
  );
}
