// The bench page in Chromium with Plumbline alone: it runs, compares, times and says what is missing of the others.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import test from 'node:test';
import { required, withChromium } from '../e2e/browsers.mjs';

const ADDRESS = required('PLUMBLINE_BENCH_ADDRESS');
const LIMIT_MILLIS = 60_000;

// The driver's packages are those of the end-to-end tests; the bench's own are its peers.
const axe = createRequire(new URL('../e2e/', import.meta.url)).resolve('axe-core/axe.min.js');

async function open(browser, query) {
  const page = await browser.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(`${ADDRESS}/?${query}`);
  return { page, errors };
}

const isState = (state) =>
  `['${state}', 'failed'].includes(document.querySelector('[data-testid="status"]').dataset.state)`;

test('the page gives rows with Plumbline alone, and reasons for the others', async (t) => {
  await withChromium({}, async (browser) => {
    const { page, errors } = await open(browser, 'models=lite&gpu-models=&runtimes=plumbline-cpu,ort-wasm-1,tasks-cpu&rounds=2&run');
    await page.waitForFunction(isState('done'), { timeout: LIMIT_MILLIS, polling: 100 });
    const report = await page.evaluate(() => window.benchReport);
    assert.deepEqual(errors, []);
    assert.ok(report, await page.$eval('[data-testid="status"]', (status) => status.textContent));
    assert.ok(report.isolated, 'the page is isolated, so that threads are possible');

    const own = report.rows.filter(({ runtime }) => runtime === 'plumbline-cpu');
    assert.deepEqual(own.map(({ outputs }) => outputs), ['pose', 'all', 'landmarks']);
    for (const row of own) {
      assert.equal(row.reason, null);
      assert.equal(row.n, 4, 'two rounds of two runs');
      assert.ok(row.median_ms > 0 && row.median_ms <= row.p95_ms, JSON.stringify(row));
      t.diagnostic(`${row.outputs}: ${row.median_ms.toFixed(1)} ms`);
    }
    // The engine without the mask and with it are two plans; the same tensors must come out.
    assert.ok(own[0].deviation < 1e-3 && own[1].deviation === 0);

    const others = report.rows.filter(({ runtime }) => runtime !== 'plumbline-cpu');
    assert.ok(others.length >= 3);
    for (const row of others) {
      assert.match(row.reason, /left out/);
      assert.equal(row.median_ms, null);
    }
    const shown = await page.$$eval('[data-testid="results"] tbody tr', (lines) => lines.length);
    assert.equal(shown, report.rows.length);
  });
});

test('the controls can be used by everybody', async () => {
  await withChromium({}, async (browser) => {
    const { page } = await open(browser, '');
    await page.waitForFunction(isState('ready'), { timeout: LIMIT_MILLIS });
    // The page's policy refuses scripts of others, but not what the driver evaluates.
    await page.evaluate(await readFile(axe, 'utf8'));
    const violations = await page.evaluate(async () => {
      const result = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
      return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    });
    assert.deepEqual(violations, []);
    await page.focus('#run');
    await page.$$eval('input[name="models"], input[name="runtimes"]', (boxes) => {
      for (const box of boxes) box.checked = ['detector', 'plumbline-cpu'].includes(box.value);
    });
    await page.$eval('#rounds', (input) => (input.value = '1'));
    await page.keyboard.press('Enter');
    await page.waitForFunction(isState('done'), { timeout: LIMIT_MILLIS, polling: 100 });
    assert.equal(await page.$$eval('[data-testid="results"] tbody tr', (lines) => lines.length), 1);
  });
});
