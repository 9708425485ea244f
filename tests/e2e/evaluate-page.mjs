// What the tests of /evaluate share: opening the page, choosing files, waiting for its worker, reading its report.

import { required } from './browsers.mjs';
import { byName, notePage } from './live-page.mjs';

/** How long an evaluation may take on a slow machine. */
export const LIMIT_MILLIS = 60_000;

/** Opens /evaluate. */
export async function openEvaluate(browser, prepare = async () => {}) {
  const { page, seen } = await notePage(browser);
  await prepare(page);
  await page.goto(`${required('PLUMBLINE_ADDRESS')}/evaluate`);
  await page.waitForSelector(byName('evaluate-files'), { timeout: LIMIT_MILLIS });
  return { page, seen };
}

/** Chooses files, and waits until the page says what they are. */
export async function choose(page, ...places) {
  const before = await text(page, 'evaluate-plan');
  const input = await page.waitForSelector(byName('evaluate-files'));
  await input.uploadFile(...places);
  const isLooked = (busy, plan, before) =>
    !document.querySelector(busy) && (document.querySelector(plan)?.textContent ?? '') !== before;
  await page.waitForFunction(isLooked, { timeout: LIMIT_MILLIS, polling: 50 }, byName('evaluate-busy'), byName('evaluate-plan'), before);
}

/** Evaluates, and waits for the report or for why there is none. */
export async function evaluate(page) {
  await page.click(byName('evaluate-run'));
  const isDone = (busy, words) => !document.querySelector(busy) && words.some((word) => document.querySelector(word));
  const words = ['evaluate-report', 'evaluate-problem'].map(byName);
  await page.waitForFunction(isDone, { timeout: LIMIT_MILLIS, polling: 50 }, byName('evaluate-busy'), words);
}

/** The text of an element, or an empty one. */
export function text(page, name) {
  return page.evaluate((selector) => document.querySelector(selector)?.textContent ?? '', byName(name));
}

/** The report as it is downloaded: what a button saves is read before it reaches the disk. */
export async function downloaded(page, name) {
  await page.evaluate(() => {
    const { click } = HTMLAnchorElement.prototype;
    HTMLAnchorElement.prototype.click = function noted() {
      if (this.download) window.saved = fetchText(this.href);
      else click.call(this);
    };
    // The page revokes the address at once, so it is looked at as it is made.
    const make = URL.createObjectURL;
    const blobs = new Map();
    URL.createObjectURL = (blob) => {
      const address = make.call(URL, blob);
      blobs.set(address, blob);
      return address;
    };
    const fetchText = (address) => blobs.get(address).text();
  });
  await page.click(byName(name));
  return page.evaluate(() => window.saved);
}
