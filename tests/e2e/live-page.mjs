// Drives the Live page by the names that `web/src/pages/live.rs` promises to keep.

import assert from 'node:assert/strict';
import { required } from './browsers.mjs';

/** How long a model may take to load and to yield its first result on a slow machine. */
const LOAD_LIMIT_MILLIS = 120_000;

/** Where the built page is served. */
export const ADDRESS = required('PLUMBLINE_ADDRESS');

/** Selector of an element by its test name. */
export const byName = (name) => `[data-testid="${name}"]`;

/**
 * Opens an empty page that notes what it will ask for, and what must never happen: errors, refused resources, requests to
 * other origins and long tasks on the main thread.
 * @param {import('puppeteer-core').Browser} browser
 * @param {string} address where the page is served
 */
export async function notePage(browser, address = ADDRESS) {
  const page = await browser.newPage();
  const seen = { errors: [], requests: [], foreignRequests: [] };
  page.on('pageerror', (error) => seen.errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') seen.errors.push(message.text());
  });
  const noteRequest = (url) => {
    const isOwn = url.startsWith(`${address}/`) || url.startsWith('blob:') || url.startsWith('data:');
    seen.requests.push(url);
    if (!isOwn) seen.foreignRequests.push(url);
  };
  page.on('request', (request) => noteRequest(request.url()));
  page.on('workercreated', async (worker) => {
    // Requests of a worker are its own target's, which only the DevTools protocol shows: not in Firefox.
    if (browser.process()?.spawnfile !== process.env.PLUMBLINE_CHROMIUM) return;
    const { client } = worker;
    client.on('Network.requestWillBeSent', (event) => noteRequest(event.request.url));
    await client.send('Network.enable').catch(() => {});
  });
  await page.evaluateOnNewDocument(() => {
    window.longTasks = [];
    if (PerformanceObserver.supportedEntryTypes.includes('longtask')) {
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          window.longTasks.push({ start: entry.startTime, millis: entry.duration });
        }
      }).observe({ type: 'longtask', buffered: true });
    }
  });
  return { page, seen };
}

/**
 * Opens the Live page, noted as {@link notePage} says.
 * @param {import('puppeteer-core').Browser} browser
 * @param {Record<string, string>} query parameters of the page's test contract
 * @param {string} address where the page is served
 */
export async function openLive(browser, query = {}, address = ADDRESS) {
  const { page, seen } = await notePage(browser, address);
  const parameters = new URLSearchParams({ inspect: '', ...query });
  await page.goto(`${address}/?${parameters}`);
  await page.waitForSelector(byName('stage'));
  return { page, seen };
}

/** One `data-` attribute of the stage. */
export function stage(page, name) {
  return page.$eval(byName('stage'), (element, name) => element.dataset[name] ?? '', name);
}

/** Waits until the stage is in one of the states, and returns which. */
export async function waitForState(page, states, timeout = LOAD_LIMIT_MILLIS) {
  const isThere = (selector, states) => states.includes(document.querySelector(selector)?.dataset.state);
  try {
    await page.waitForFunction(isThere, { timeout, polling: 50 }, byName('stage'), states);
  } catch {
    const notice = await noticeOf(page);
    throw new Error(
      `the stage is '${await stage(page, 'state')}' and not ${states.join(' or ')} after ${timeout / 1000} s; ` +
        `frames ${await stage(page, 'frames')}; notice: ${notice || 'none'}`,
    );
  }
  return stage(page, 'state');
}

/** Waits until this many results were drawn. */
export async function waitForFrames(page, nFrames, timeout = LOAD_LIMIT_MILLIS) {
  const isThere = (selector, n) => {
    const { state, frames } = document.querySelector(selector).dataset;
    return state === 'error' || Number(frames) >= n;
  };
  await page.waitForFunction(isThere, { timeout, polling: 50 }, byName('stage'), nFrames);
  assert.notEqual(await stage(page, 'state'), 'error', await noticeOf(page));
}

/** The sentence that says what went wrong, or an empty string. */
export async function noticeOf(page) {
  const notice = await page.$(byName('notice'));
  return notice ? (await notice.evaluate((element) => element.textContent)).trim() : '';
}

/** All results since the start, in order. */
export function results(page) {
  return page.evaluate(() => window.plumblineResults.map((text) => JSON.parse(text)));
}

/** Gives the page a file as if the person had chosen it. */
export async function chooseFile(page, file) {
  const input = await page.waitForSelector(byName('file'));
  await input.uploadFile(file);
}

/** Asserts that nothing happened that must never happen. */
export function assertQuiet(seen) {
  assert.deepEqual(seen.errors, [], 'the page reports errors');
  assert.deepEqual(seen.foreignRequests, [], 'the page asks another origin for something');
}
