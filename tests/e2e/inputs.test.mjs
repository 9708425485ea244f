// Bad inputs, in Chromium: each ends in a sentence, the page stays alive, and a good source works afterwards.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { deflateSync } from 'node:zlib';
import { flipOneByte, truncate, withAlteredWeights } from './altering-server.mjs';
import { withChromium } from './browsers.mjs';
import { byName, chooseFile, noticeOf, openLive, stage, waitForFrames, waitForState } from './live-page.mjs';
import { demoClip, pictureOfClip } from './skeletons.mjs';

const ON_CPU = { backend: 'cpu', model: 'lite' };

/** CRC-32 as PNG uses it (ISO 3309). */
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** A grey PNG of any stated size; the size may be a lie that the data does not bear out. */
function png(width, height, nRows = height) {
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), body.length + 4);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 0, 0, 0, 0], 8); // eight bits, grey
  const rows = deflateSync(Buffer.alloc((width + 1) * nRows, 0));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}

/** One second of silence: 8-bit mono PCM in a RIFF file. */
function silence() {
  const RATE_HZ = 8000;
  const wav = Buffer.alloc(44 + RATE_HZ, 0x80);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + RATE_HZ, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(RATE_HZ, 24);
  wav.writeUInt32LE(RATE_HZ, 28);
  wav.writeUInt16LE(1, 32);
  wav.writeUInt16LE(8, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(RATE_HZ, 40);
  return wav;
}

/** A notice is one or two sentences for a person: no code, no stack, an end. */
function assertSentence(text) {
  assert.match(text, /^\p{Lu}.{15,300}[.!]$/su, `'${text}' is not a sentence`);
  assert.doesNotMatch(text, /undefined|\[object|panicked|JsValue|at .+:\d+:\d+/u);
}

test('each unusable file is a sentence, and a picture works afterwards', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'plumbline-inputs-'));
  try {
    const good = await pictureOfClip(demoClip(), 0);
    const files = {
      'text.jpg': Buffer.from('This is no picture.\n'),
      'text.mp4': Buffer.from('This is no clip.\n'),
      'empty.jpg': Buffer.alloc(0),
      'empty.mp4': Buffer.alloc(0),
      'notes.txt': Buffer.from('Nothing to see.\n'),
      'audio-only.wav': silence(),
      'audio-only.mp4': silence(),
      'zero.png': png(0, 0),
      'huge.png': png(12000, 9000),
      'half.png': png(64, 64).subarray(0, 60),
    };
    for (const [name, bytes] of Object.entries(files)) await writeFile(path.join(folder, name), bytes);
    await writeFile(path.join(folder, 'good.jpg'), good);
    await withChromium({}, async (browser) => {
      const { page, seen } = await openLive(browser, { ...ON_CPU, static: '' });
      for (const name of Object.keys(files)) {
        await t.test(name, async (t) => {
          await chooseFile(page, path.join(folder, name));
          await waitForState(page, ['error']);
          const sentence = await noticeOf(page);
          t.diagnostic(`${name}: ${sentence}`);
          assertSentence(sentence);
          await chooseFile(page, path.join(folder, 'good.jpg'));
          await waitForState(page, ['done']);
          assert.equal(await noticeOf(page), '', 'the sentence goes away with its cause');
        });
      }
      assert.deepEqual(seen.foreignRequests, []);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

for (const [situation, alter] of [
  ['one flipped byte', flipOneByte],
  ['a truncated file', truncate],
  ['an empty file', () => Buffer.alloc(0)],
]) {
  test(`weights with ${situation} are refused with a sentence`, async (t) => {
    await withAlteredWeights({ alter }, async (address) => {
      await withChromium({}, async (browser) => {
        const { page } = await openLive(browser, { ...ON_CPU, source: 'demo' }, address);
        await waitForState(page, ['error']);
        const sentence = await noticeOf(page);
        t.diagnostic(sentence);
        assertSentence(sentence);
        assert.equal(await stage(page, 'frames'), '0', 'nothing was measured with them');
      });
    });
  });
}

test('a slow download shows its progress and can be cancelled', async () => {
  await withAlteredWeights({ bytesPerSecond: 300_000 }, async (address) => {
    await withChromium({}, async (browser) => {
      const { page } = await openLive(browser, { ...ON_CPU, source: 'demo' }, address);
      await page.waitForFunction(
        (selector) => {
          const progress = document.querySelector(selector);
          return progress && progress.max > 1_000_000 && progress.value > 0 && progress.value < progress.max;
        },
        { timeout: 30_000, polling: 50 },
        byName('progress'),
      );
      await page.click(byName('cancel'));
      await waitForState(page, ['idle', 'error', 'done'], 10_000);
      assert.equal(await page.$(byName('progress')), null, 'the bar goes away');
    });
  });
});

test('the page that was served is the page that was built', async () => {
  const index = await readFile(path.join(process.env.PLUMBLINE_DIST, 'index.html'), 'utf8');
  assert.doesNotMatch(index, /<script(?![^>]* src=)[^>]*>/u, 'no inline script');
  await withChromium({}, async (browser) => {
    const { page } = await openLive(browser, { ...ON_CPU, source: 'demo' });
    await waitForFrames(page, 1);
    assert.equal(await page.evaluate(() => window.crossOriginIsolated), true);
  });
});
