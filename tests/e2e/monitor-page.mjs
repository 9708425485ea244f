// What the tests of /monitor share: opening it with a session that is watched, and reading what it says.

import { ADDRESS, byName, notePage } from './live-page.mjs';

/** How long watching may take to come to something on a slow machine. */
export const LIMIT_MILLIS = 120_000;

/** The drawn person, every frame in turn and again from the start, watched in short blocks. */
export const SESSION = { source: 'demo', model: 'lite', backend: 'cpu', pace: 'loop', block: '0.5' };

/** Opens /monitor. */
export async function openMonitor(browser, query = SESSION, prepare = async () => {}, address = ADDRESS) {
  const { page, seen } = await notePage(browser, address);
  await prepare(page);
  await page.goto(`${address}/monitor?${new URLSearchParams(query)}`);
  await page.waitForSelector(byName('state'), { timeout: LIMIT_MILLIS });
  return { page, seen };
}

/** The text of an element, or an empty one. */
export function text(page, name) {
  return page.evaluate((selector) => document.querySelector(selector)?.textContent ?? '', byName(name));
}

/** Waits until the text of an element matches. */
export function waitForText(page, name, pattern) {
  return page.waitForFunction(
    (selector, source) => new RegExp(source, 'u').test(document.querySelector(selector)?.textContent ?? ''),
    { timeout: LIMIT_MILLIS, polling: 100 },
    byName(name),
    pattern.source,
  );
}

/** Waits until so many blocks have ended. */
export function waitForBlocks(page, nBlocks) {
  return page.waitForFunction(
    (selector, nBlocks) => {
      const words = document.querySelector(selector)?.textContent ?? '';
      return Number(words.match(/([\d,]+) blocks? so far/u)?.[1].replace(',', '') ?? 0) >= nBlocks;
    },
    { timeout: LIMIT_MILLIS, polling: 100 },
    byName('state'),
    nBlocks,
  );
}

/** Moves a slider of "Break it", as a person does with the arrow keys. */
export async function spoil(page, corruption, severity) {
  await page.focus(byName(`break-${corruption}`));
  await page.keyboard.press('Home');
  for (let step = 0; step < severity; step += 1) await page.keyboard.press('ArrowRight');
}

/** Notes every file that a button saves, as bytes in base64, by its name. */
export function noteSaved(page) {
  return page.evaluateOnNewDocument(() => {
    window.saved = {};
    const blobs = new Map();
    const { createObjectURL } = URL;
    URL.createObjectURL = (blob) => {
      const address = createObjectURL.call(URL, blob);
      blobs.set(address, blob);
      return address;
    };
    const { click } = HTMLAnchorElement.prototype;
    HTMLAnchorElement.prototype.click = function noted() {
      if (!this.download) return click.call(this);
      const reader = new FileReader();
      reader.onload = () => {
        window.saved[this.download] = reader.result.split(',')[1];
      };
      reader.readAsDataURL(blobs.get(this.href));
    };
  });
}

/** A file that was saved. */
export async function saved(page, name) {
  const handle = await page.waitForFunction((name) => window.saved[name], { timeout: LIMIT_MILLIS, polling: 50 }, name);
  return Buffer.from(await handle.jsonValue(), 'base64');
}
