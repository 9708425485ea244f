// Drives a browser over the bench page, starts each runtime cold, counts bytes, prints the table and writes the rows.
// `cargo xtask bench` starts it: NAME=VALUE arguments are rounds, cold, and what the page's address understands; the
// environment names the places.

import { readFile, writeFile } from 'node:fs/promises';
import { required, withChromium, withFirefox } from '../e2e/browsers.mjs';
import { coldRows } from './cold.mjs';
import { servedBytes } from './sizes.mjs';
import { printTable } from './table.mjs';

const address = required('PLUMBLINE_ADDRESS');
const site = required('PLUMBLINE_SITE');
const { cold, ...parameters } = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));

/** Switches on WebGPU where it is still behind one; which adapter answers is the browser's to say. */
const GPU = ['--enable-unsafe-webgpu', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'];

/** Runs `use` with a fresh browser of the kind that was asked for. */
export function withBrowser(use) {
  const firefox = process.env.PLUMBLINE_FIREFOX;
  if (!firefox) return withChromium({ args: GPU }, use);
  return withFirefox({ program: firefox, driver: process.env.PLUMBLINE_LAVAPIPE ?? '' }, use);
}

/** Follows the page's status line on standard error until it is over, and returns what it measured. */
async function measure(browser) {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(`page: ${error.message}`));
  if (process.env.PLUMBLINE_VERBOSE) page.on('console', (message) => console.error(`console: ${message.text()}`));
  const query = new URLSearchParams({ ...parameters, run: '' });
  await page.goto(`${address}/?${query}`);
  let shown = '';
  for (;;) {
    const { text, state } = await page.$eval('[data-testid="status"]', (status) => ({
      text: status.textContent,
      state: status.dataset.state,
    }));
    if (text !== shown) console.error(`  ${text}`);
    shown = text;
    if (state === 'failed') throw new Error(text);
    if (state === 'done') return page.evaluate(() => window.benchReport);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

let version;
let report;
await withBrowser(async (browser) => {
  version = await browser.version();
  report = await measure(browser);
});
const stock = JSON.parse(await readFile(`${site}/bench.json`, 'utf8'));
if (Number(cold) > 0) await coldRows({ rows: report.rows, adapters: report.adapters, stock, address, times: Number(cold), withBrowser });
await servedBytes(report.rows, site);

const results = { ...report, browser: version, userAgent: report.browser };
await writeFile(required('PLUMBLINE_RESULTS'), `${JSON.stringify(results, null, 2)}\n`);
printTable(results);
