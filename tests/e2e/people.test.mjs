// Several drawn people on the Live page: all of them have the numbers and skeletons that the command line finds, one of
// them is measured, whoever is chosen by click, key or menu, and who leaves is waited for and not replaced.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { withAlteredFiles } from './altering-server.mjs';
import { required, SOFTWARE_WEBGPU, withChromium } from './browsers.mjs';
import {
  ADDRESS,
  assertQuiet,
  byName,
  chooseFile,
  notePage,
  openLive,
  results,
  stage,
  waitForFrames,
  waitForState,
} from './live-page.mjs';
import { demoFacts, distances, nativePeople, percentile } from './skeletons.mjs';

const ON_CPU = { backend: 'cpu', model: 'lite' };

/** Of identical pixels. */
const SAME_PIXELS_PX = 0.1;

/** For 99 in 100 points where two libraries decode the JPEG (demo.test.mjs says more). */
const TOLERANCE_PX = 2;

/** Frames of the film, and how fast it runs. */
const [N_FRAMES, FRAMES_PER_SECOND] = [44, 10];

/** When the one in the middle is away: for half a second, and to the end, longer than their number waits. */
const AWAY = [
  [8, 13],
  [22, N_FRAMES],
];

/** Where each stands: the part of the picture, where in the clip they begin, whether they are turned around. */
const CAST = [
  { start: 0, mirrored: false },
  { start: 25, mirrored: true },
  { start: 50, mirrored: false },
];

/**
 * Draws the drawn person several times side by side; of who is away, the wall behind them.
 * @param {import('puppeteer-core').Browser} browser
 * @param {string} type of the pictures, `image/jpeg` or `image/png`
 * @param {number} nFrames
 * @param {number[][]} away from and to which frame the one in the middle is away
 * @returns {Promise<Buffer[]>} a picture a frame
 */
async function drawPeople(browser, type, nFrames, away = []) {
  const { page } = await notePage(browser);
  await page.goto(`${ADDRESS}/privacy`);
  const drawn = await page.evaluate(
    async (cast, type, nFrames, away) => {
      const { width, height, frames } = await (await fetch('/demo/person.json')).json();
      const clip = new Uint8Array(await (await fetch('/demo/person.mjpeg')).arrayBuffer());
      const isStart = (at) => clip[at] === 0xff && clip[at + 1] === 0xd8 && clip[at + 2] === 0xff;
      const starts = [...clip.keys()].filter(isStart);
      const picture = (index) => createImageBitmap(new Blob([clip.subarray(starts[index], starts[index + 1])]));
      const canvas = new OffscreenCanvas(width * cast.length, height);
      const context = canvas.getContext('2d', { willReadFrequently: true });
      const out = [];
      for (let frame = 0; frame < nFrames; frame += 1) {
        for (const [part, { start, mirrored }] of cast.entries()) {
          const person = await picture((start + frame) % frames);
          context.setTransform(mirrored ? -1 : 1, 0, 0, 1, mirrored ? width * (part + 1) : width * part, 0);
          // The outermost column, stretched over the rest.
          const isAway = part === 1 && away.some(([from, to]) => frame >= from && frame < to);
          context.drawImage(person, 0, 0, isAway ? 1 : width, height, 0, 0, width, height);
        }
        const bytes = new Uint8Array(await (await canvas.convertToBlob({ type, quality: 1 })).arrayBuffer());
        let text = '';
        for (const byte of bytes) text += String.fromCharCode(byte);
        out.push(btoa(text));
      }
      return out;
    },
    CAST,
    type,
    nFrames,
    away,
  );
  await page.close();
  return drawn.map((base64) => Buffer.from(base64, 'base64'));
}

/** The numbers of people from left to right. */
function fromLeft(people) {
  const middle = ({ landmarks }) => landmarks[23][0] + landmarks[24][0];
  return [...people].sort((a, b) => middle(a) - middle(b)).map(({ id }) => id);
}

/** Distances between the visible points of people with the same numbers; fails where the numbers differ. */
function pointDistances(found, native, what) {
  assert.deepEqual(
    found.map(({ id }) => id),
    native.map(({ id }) => id),
    what,
  );
  return found.flatMap(({ landmarks }, position) => distances(landmarks, native[position].landmarks));
}

/** Where a person's hips are shown, in CSS pixels of the window. */
async function hipsOnScreen(page, id) {
  const { people, width_px, height_px } = (await results(page)).at(-1);
  const { landmarks } = people.find((person) => person.id === id);
  const [x, y] = [0, 1].map((axis) => (landmarks[23][axis] + landmarks[24][axis]) / 2);
  const box = await (await page.$('.stage-skeleton')).boundingBox();
  const scale = Math.min(box.width / width_px, box.height / height_px);
  return [box.x + box.width / 2 + (x - width_px / 2) * scale, box.y + box.height / 2 + (y - height_px / 2) * scale];
}

const measured = async (page) => JSON.parse(await stage(page, 'landmarks')).measured;
const note = (page) => page.$eval(byName('people-note'), (element) => element.textContent);

test('three people in a picture have the numbers and skeletons of the command line, and one is chosen by click, key and menu', async (t) => {
  const file = path.join(required('PLUMBLINE_OUTPUT'), 'people.png');
  await withChromium({}, async (browser) => {
    await writeFile(file, (await drawPeople(browser, 'image/png', 1))[0]);
    const [native] = await nativePeople(file, ['--model', 'lite', '--people', '4']);
    assert.equal(native.people.length, CAST.length, 'the command line finds everybody');

    const { page, seen } = await openLive(browser, { ...ON_CPU, people: '4' });
    await chooseFile(page, file);
    assert.equal(await waitForState(page, ['done', 'error']), 'done');
    const [found] = await results(page);
    const all = pointDistances(found.people, native.people);
    t.diagnostic(`${CAST.length} people, ${all.length} visible points, largest difference ${Math.max(...all).toFixed(3)} px`);
    assert.ok(Math.max(...all) <= SAME_PIXELS_PX);
    assert.deepEqual(found.people.map(({ id }) => id), [1, 2, 3]);
    assert.equal(found.measured, 1, 'the first one is measured until another is chosen');
    assert.deepEqual(found.landmarks, found.people[0].landmarks);
    assert.match(await note(page), /^Person 1 is measured\./u);

    const firstCell = () => page.$eval(`${byName('landmarks')} td`, (cell) => Number(cell.textContent));
    const noseOf = (id) => found.people.find((person) => person.id === id).landmarks[0][0];
    const assertMeasured = async (id, how) => {
      await page.waitForFunction(
        (selector, id) => document.querySelector(selector).value === String(id),
        { timeout: 5_000 },
        byName('measured'),
        id,
      );
      assert.match(await note(page), new RegExp(`^Person ${id} is measured\\.`, 'u'), how);
      assert.ok(Math.abs((await firstCell()) - noseOf(id)) <= 0.06, `${how}: the table is of person ${id}`);
      assert.deepEqual(JSON.parse(await stage(page, 'landmarks')).measured, id, how);
    };
    await assertMeasured(1, 'at first');
    const [left, middle, right] = fromLeft(found.people);
    for (const id of [middle, right, left]) {
      await page.mouse.click(...(await hipsOnScreen(page, id)));
      await assertMeasured(id, 'by click');
    }
    // The corner, where nobody is.
    const box = await (await page.$('.stage-skeleton')).boundingBox();
    await page.mouse.click(box.x + box.width - 4, box.y + 4);
    await assertMeasured(left, 'a click on nobody');
    for (const key of ['2', '3', '1']) {
      await page.keyboard.press(key);
      await assertMeasured(Number(key), 'by key');
    }
    await page.keyboard.press('7');
    await assertMeasured(1, 'a number that nobody has');
    await page.select(byName('measured'), '2');
    await assertMeasured(2, 'by menu');
    assertQuiet(seen);
  });
});

test('people keep their numbers in a clip, and who leaves is waited for, in words', async (t) => {
  const file = path.join(required('PLUMBLINE_OUTPUT'), 'people.mjpeg');
  const facts = await demoFacts();
  await withChromium({}, async (browser) => {
    await writeFile(file, Buffer.concat(await drawPeople(browser, 'image/jpeg', N_FRAMES, AWAY)));
    const native = await nativePeople(file, ['--model', 'lite', '--people', '4', '--fps', String(FRAMES_PER_SECOND)]);
    const [film, description] = [
      await readFile(file),
      Buffer.from(
        JSON.stringify({ ...facts, width: facts.width * CAST.length, fps: FRAMES_PER_SECOND, frames: N_FRAMES }),
      ),
    ];
    const middle = fromLeft(native[0].people)[1];
    const alter = (original) => (original[0] === 0xff ? film : description);
    await withAlteredFiles({ files: /demo\/person\./, alter }, async (address) => {
      const { page, seen } = await openLive(browser, { ...ON_CPU, people: '4', pace: 'every' }, address);
      // Everything that is said aloud, and who is chosen with the first result.
      await page.evaluate(
        (noteName, stageName, key) => {
          window.said = [];
          const element = document.querySelector(noteName);
          const say = () => window.said.push(element.textContent);
          new MutationObserver(say).observe(element, { childList: true, characterData: true, subtree: true });
          new MutationObserver((_, observer) => {
            observer.disconnect();
            document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
          }).observe(document.querySelector(stageName), { attributeFilter: ['data-landmarks'] });
        },
        byName('people-note'),
        byName('stage'),
        String(middle),
      );
      await page.click(byName('try-demo'));
      assert.equal(await waitForState(page, ['done', 'error'], 300_000), 'done');
      const found = await results(page);
      assert.equal(found.length, N_FRAMES);
      const all = found.flatMap(({ people }, frame) => pointDistances(people, native[frame].people, `frame ${frame}`));
      t.diagnostic(
        `${found.length} frames, ${all.length} visible points: p99 ${percentile(all, 0.99).toFixed(2)} px, largest ${Math.max(...all).toFixed(2)} px`,
      );
      assert.ok(percentile(all, 0.99) <= TOLERANCE_PX);

      const isThere = (frame) => found[frame].people.some(({ id }) => id === middle);
      const [[left, back], [leftAgain]] = AWAY;
      for (const [frame, expected] of [
        [left - 1, true],
        [left, false],
        [back + FRAMES_PER_SECOND / 2, true],
        [leftAgain - 1, true],
        [leftAgain, false],
        [N_FRAMES - 1, false],
      ]) {
        assert.equal(isThere(frame), expected, `the one in the middle, frame ${frame}`);
      }
      for (const { frame, measured, landmarks } of found.slice(2)) {
        assert.equal(measured, middle, `frame ${frame}: nobody else is measured in their place`);
        assert.equal(landmarks !== null, isThere(frame), `frame ${frame}: what is not seen is not measured`);
      }
      const said = await page.evaluate(() => window.said);
      const sentence = (text) => said.findIndex((words) => words.startsWith(`Person ${middle} ${text}`));
      const order = ['is measured', 'is out of view; measuring waits', 'has left, and gets another number'].map(sentence);
      assert.ok(order[0] >= 0 && order[0] < order[1] && order[1] < order[2], said.join('\n'));
      assert.ok(said.every((words) => words === '' || words.includes('press their number')), 'how to choose another is said');
      assert.equal(await page.$eval(byName('people-note'), (element) => element.getAttribute('role')), 'status');
      const options = await page.$$eval(`${byName('measured')} option`, (options) => options.map(({ text }) => text));
      assert.ok(options.includes(`Person ${middle}, out of view`), options.join());

      // Another one is measured when the person says so.
      const other = fromLeft(found.at(-1).people)[0];
      await page.mouse.click(...(await hipsOnScreen(page, other)));
      assert.equal(await measured(page), other);
      assert.doesNotMatch((await page.$$eval(`${byName('measured')} option`, (all) => all.map(({ text }) => text))).join(), /out of view/u);
      assertQuiet(seen);
    });
  });
});

test('on WebGPU they are the people of the command line too', async (t) => {
  const file = path.join(required('PLUMBLINE_OUTPUT'), 'people-gpu.png');
  await withChromium({ args: SOFTWARE_WEBGPU }, async (browser) => {
    await writeFile(file, (await drawPeople(browser, 'image/png', 1))[0]);
    const [native] = await nativePeople(file, ['--model', 'lite', '--people', '4']);
    const { page, seen } = await openLive(browser, { backend: 'gpu', model: 'lite', people: '4', background: 'cut-out' });
    await chooseFile(page, file);
    assert.equal(await waitForState(page, ['done', 'error'], 400_000), 'done');
    assert.equal(await stage(page, 'backend'), 'gpu');
    const [found] = await results(page);
    const all = pointDistances(found.people, native.people);
    t.diagnostic(`${all.length} visible points, largest difference ${Math.max(...all).toFixed(3)} px`);
    assert.ok(Math.max(...all) <= TOLERANCE_PX);
    // One person again, by the way on the GPU that follows one.
    await page.select(byName('people'), '1');
    await page.waitForFunction(
      (selector) => JSON.parse(document.querySelector(selector).dataset.landmarks).people === undefined,
      { timeout: 400_000 },
      byName('stage'),
    );
    const [{ landmarks }] = (await results(page)).slice(-1);
    assert.ok(Math.max(...distances(landmarks, native.people[0].landmarks)) <= TOLERANCE_PX);
    assertQuiet(seen);
  });
});

test('all people stand in front of another background, and following one again changes nothing for the first', async () => {
  const facts = await demoFacts();
  await withChromium({}, async (browser) => {
    const film = Buffer.concat(await drawPeople(browser, 'image/jpeg', 6));
    const alter = (original) =>
      original[0] === 0xff
        ? film
        : Buffer.from(JSON.stringify({ ...facts, width: facts.width * CAST.length, fps: FRAMES_PER_SECOND, frames: 6 }));
    await withAlteredFiles({ files: /demo\/person\./, alter }, async (address) => {
      const { page, seen } = await openLive(browser, { ...ON_CPU, background: 'cut-out', people: '3' }, address);
      await page.click(byName('try-demo'));
      await waitForFrames(page, 3);
      await page.click(byName('pause'));
      await waitForState(page, ['paused']);
      const shares = await page.$eval(
        byName('composed'),
        (canvas, nParts) => {
          const copy = new OffscreenCanvas(canvas.width, canvas.height);
          const context = copy.getContext('2d');
          context.drawImage(canvas, 0, 0);
          const width = canvas.width / nParts;
          return Array.from({ length: nParts }, (_, part) => {
            const { data } = context.getImageData(Math.round(part * width), 0, Math.round(width), canvas.height);
            let opaque = 0;
            for (let at = 3; at < data.length; at += 4) opaque += data[at] > 127;
            return opaque / (data.length / 4);
          });
        },
        CAST.length,
      );
      for (const [part, share] of shares.entries()) {
        assert.ok(share > 0.05 && share < 0.5, `part ${part}: ${(100 * share).toFixed(1)} % is shown`);
      }
      // Of one person again, one is shown, and the page is as it always was.
      await page.select(byName('people'), '1');
      await page.waitForFunction(
        (selector) => JSON.parse(document.querySelector(selector).dataset.landmarks).people === undefined,
        { timeout: 20_000 },
        byName('stage'),
      );
      assert.equal(await note(page), '');
      assert.equal(await page.$eval(byName('measured'), (menu) => menu.checkVisibility()), false);
      assertQuiet(seen);
    });
  });
});
