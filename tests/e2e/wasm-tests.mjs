// Opens a page of wasm-bindgen's test runner in Chromium and prints what it reports, until its closing line.
// In: the page's address. Out: the page's text; exit code 0 only when it says that all tests passed.

import { withChromium } from './browsers.mjs';

/** How long one module of tests may take. */
const LIMIT_MILLIS = 300_000;

const address = process.argv[2];
await withChromium({}, async (browser) => {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.log(`page error: ${error.message}`));
  await page.goto(address);
  const isDone = () => /test result: /.test(document.getElementById('output')?.textContent ?? '');
  const done = await page.waitForFunction(isDone, { timeout: LIMIT_MILLIS, polling: 100 }).catch(() => null);
  const text = await page.$eval('#output', (output) => output.textContent);
  console.log(text.trim());
  if (!done) console.log(`the tests did not end within ${LIMIT_MILLIS / 1000} s`);
  process.exitCode = done && /test result: ok\./.test(text) ? 0 : 1;
});
