// A session that is watched, in Chromium: what the page says before there is a reference and after, that spoiled pictures are
// noticed and mended ones too, what a reference needs to be frozen, what is recorded, and that nothing is sent.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { withAlteredFiles } from './altering-server.mjs';
import { required, withChromium } from './browsers.mjs';
import { assertQuiet, byName } from './live-page.mjs';
import { noteSaved, openMonitor, saved, SESSION, spoil, text, waitForBlocks, waitForText } from './monitor-page.mjs';

/** Blocks of a draft that has charts. */
const DRAFT_BLOCKS = 30;

/** The questions of the datasheet. */
const QUESTIONS = ['who', 'people', 'consent', 'camera', 'light', 'clothing', 'views', 'gaps', 'contact'];

/** Waits for a draft of this session whose charts are ready. */
async function useAsReference(page) {
  await waitForBlocks(page, DRAFT_BLOCKS);
  await page.click(byName('use-as-reference'));
  await waitForText(page, 'state', /As in (the|a) draft/u);
}

test('a session becomes a draft of a reference, darkness is noticed, and light again is too', async () => {
  await withChromium({}, async (browser) => {
    const { page, seen } = await openMonitor(browser);
    await waitForBlocks(page, 2);
    assert.match(await text(page, 'state'), /nothing to compare them with/u);
    assert.match(await text(page, 'numbers'), /Cost of watching a frame/u);
    await useAsReference(page);
    assert.equal(await page.$eval(byName('stage'), (stage) => stage.dataset.watch), 'ok');
    await spoil(page, 'dark', 5);
    await waitForText(page, 'state', /Look closer/u);
    assert.match(await text(page, 'watch-sentence'), /Look closer: .+ than in the draft/u);
    await waitForText(page, 'alarms', /Light has been lower than in the draft/u);
    await page.screenshot({ path: path.join(required('PLUMBLINE_OUTPUT'), 'monitor-dark.png'), fullPage: true });
    await page.click(`${byName('alarms')} button`);
    await waitForText(page, 'alarms', /Understood\./u);
    await page.click(byName('break-off'));
    assert.equal(await page.$eval(byName('break-dark'), (slider) => slider.value), '0');
    await waitForText(page, 'state', /As in the draft/u);
    assertQuiet(seen);
  });
});

/** What each way to spoil a picture changes first, as its alarm begins. */
const NOTICED = {
  bright: /Light has been higher/u,
  contrast: /Contrast has been lower/u,
  blur: /Sharpness has been lower/u,
  noise: /Grain of the picture has been higher|Sharpness has been higher/u,
  'colour-cast': /Share of red has been higher|Share of blue has been lower/u,
};

test('ways to spoil a picture raise alarms that name what has changed', async (t) => {
  await withChromium({}, async (browser) => {
    const { page, seen } = await openMonitor(browser);
    await useAsReference(page);
    for (const [corruption, words] of Object.entries(NOTICED)) {
      await spoil(page, corruption, 5);
      await waitForText(page, 'alarms', words);
      t.diagnostic(`${corruption}: ${await text(page, 'state-sentence')}`);
      await page.click(byName('break-off'));
      await waitForText(page, 'state', /As in the draft/u);
    }
    assertQuiet(seen);
  });
});

test('the page can be held, shows its charts as tables, and is read by families', async () => {
  await withChromium({}, async (browser) => {
    const { page } = await openMonitor(browser);
    await waitForBlocks(page, 4);
    await page.click(byName('hold'));
    const held = await text(page, 'state');
    await page.click(`${byName('family-input')} summary`);
    const figure = await page.waitForSelector(byName('feature-luma_mean'));
    assert.match(await figure.$eval('figcaption', (caption) => caption.textContent), /^Light: \d/u);
    await (await figure.$('button')).click();
    assert.ok((await figure.$$('tbody tr')).length >= 3);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    assert.equal(await text(page, 'state'), held, 'nothing changes while the page is held');
    await page.click(byName('hold'));
    await page.waitForFunction(
      (selector, held) => document.querySelector(selector).textContent !== held,
      { timeout: 30_000 },
      byName('state'),
      held,
    );
  });
});

test('a reference is frozen only with its datasheet and enough sessions, and goes out and in as a file', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'plumbline-monitor-'));
  await withChromium({}, async (browser) => {
    const { page, seen } = await openMonitor(browser, SESSION, noteSaved);
    await useAsReference(page);
    await page.click(`${byName('datasheet')} summary`);
    await page.click(byName('freeze'));
    // The answer to what was asked before stands there until this one comes.
    await page.waitForSelector(`${byName('monitor-answer')}.is-refused`);
    for (const question of QUESTIONS) {
      await page.type(byName(`datasheet-${question}`), 'The drawn person.');
      await page.keyboard.press('Tab');
    }
    // Sessions are still too few, and that is all that is missing.
    await waitForText(page, 'missing-for-freezing', /session/u);
    await page.waitForFunction(
      (selector) => !/\?/u.test(document.querySelector(selector).textContent),
      { timeout: 30_000 },
      byName('missing-for-freezing'),
    );
    await page.click(byName('profile-export'));
    const profile = await saved(page, 'plumbline-reference.json');
    const { datasheet } = JSON.parse(profile.toString('utf8'));
    assert.deepEqual(Object.keys(datasheet).sort(), [...QUESTIONS].sort());
    await page.click(byName('forget-reference'));
    await waitForText(page, 'state', /nothing to compare/u);
    const place = path.join(folder, 'reference.json');
    await writeFile(place, profile);
    await (await page.$(byName('profile-file'))).uploadFile(place);
    await waitForText(page, 'state', /in (the|a) draft/u);
    await writeFile(place, '{"schema": 99}');
    await (await page.$(byName('profile-file'))).uploadFile(place);
    await page.waitForSelector(`${byName('monitor-answer')}.is-refused`);
    assertQuiet(seen);
  });
  await rm(folder, { recursive: true, force: true });
});

/** Files of a zip whose entries are stored. */
function unzipped(bytes) {
  const files = {};
  for (let at = 0; bytes.readUInt32LE(at) === 0x04034b50; ) {
    const [size, nameLength, extraLength] = [bytes.readUInt32LE(at + 18), bytes.readUInt16LE(at + 26), bytes.readUInt16LE(at + 28)];
    const begin = at + 30 + nameLength + extraLength;
    files[bytes.toString('utf8', at + 30, at + 30 + nameLength)] = bytes.subarray(begin, begin + size);
    at = begin + size;
  }
  return files;
}

test('numbers are kept when a person wants it, the evidence pack holds what its manifest says, and all of it can be deleted', async () => {
  await withChromium({}, async (browser) => {
    const { page, seen } = await openMonitor(browser, SESSION, noteSaved);
    await waitForBlocks(page, 3);
    assert.match(await text(page, 'storage-sentence'), /in memory only/u);
    await page.click(byName('keep-numbers'));
    await waitForText(page, 'storage-sentence', /Block means of 1 day/u);
    await page.click(byName('evidence'));
    const files = unzipped(await saved(page, 'plumbline-evidence.zip'));
    const manifest = JSON.parse(files['manifest.json'].toString('utf8'));
    assert.ok(manifest.files.length >= 5, Object.keys(files).join(' '));
    for (const { name, bytes, sha256 } of manifest.files) {
      assert.equal(files[name].length, bytes, name);
      assert.equal(createHash('sha256').update(files[name]).digest('hex'), sha256, name);
      assert.doesNotMatch(name, /\.(png|jpe?g|webp|mp4)$/u);
    }
    assert.ok(manifest.files.some(({ name }) => name.endsWith('.plb')), 'the feature log is in it');
    const all = Object.values(files).map((file) => file.toString('latin1')).join('');
    assert.doesNotMatch(all, /landmarks"|keypoints"/u, 'no skeleton is in it');
    const lines = files['audit.jsonl'].toString('utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
    lines.slice(1).forEach((line, at) => assert.equal(line.before, lines[at].hash, 'the audit log is a chain'));
    assertQuiet(seen);

    await page.click('nav a[href$="/privacy"]');
    await waitForText(page, 'kept', /Numbers and audit log of watched sessions/u);
    await page.click(byName('delete'));
    await page.waitForFunction(
      (selector) => !/audit log/u.test(document.querySelector(selector)?.textContent ?? ''),
      { timeout: 30_000 },
      byName('kept'),
    );
  });
});

test('where nothing can be stored the page says so, and watching goes on', async () => {
  // As browsers do in private windows: the function is there, and refuses.
  const refuses = Buffer.from("navigator.storage.getDirectory = () => Promise.reject(new DOMException('', 'SecurityError'));\n");
  const alteration = { files: /watch_worker\.js$/u, alter: (bytes) => Buffer.concat([refuses, bytes]) };
  await withAlteredFiles(alteration, async (address) => {
    await withChromium({}, async (browser) => {
      const { page, seen } = await openMonitor(browser, SESSION, () => {}, address);
      await waitForBlocks(page, 2);
      await page.click(byName('keep-numbers'));
      await waitForText(page, 'monitor-answer', /This browser keeps nothing for pages here/u);
      assert.match(await text(page, 'storage-sentence'), /in memory only/u);
      assert.equal(await page.$eval(byName('keep-numbers'), (tick) => tick.checked), false);
      await waitForBlocks(page, 4);
      assertQuiet(seen);
    });
  });
});
