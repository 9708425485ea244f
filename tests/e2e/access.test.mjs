// The page for everybody, in Chromium: by keyboard alone, on a narrow screen, in both themes, and by the rules of
// WCAG 2.2 AA that axe-core can check.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { required, withChromium } from './browsers.mjs';
import { choose, evaluate, openEvaluate } from './evaluate-page.mjs';
import { ADDRESS, assertQuiet, byName, openLive, waitForFrames, waitForState } from './live-page.mjs';
import { openMonitor, waitForBlocks } from './monitor-page.mjs';

const ON_CPU = { backend: 'cpu', model: 'lite' };

/** Presses Tab until an element has the focus; fails where it is never reached. */
async function tabTo(page, name) {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    const isThere = await page.evaluate((selector) => document.activeElement?.matches(selector), byName(name));
    if (isThere) return;
  }
  assert.fail(`'${name}' cannot be reached with the Tab key`);
}

/** Targets of less than 24 px on a side. */
function smallTargets(page) {
  return page.$$eval('button, select, summary, input, a[href]', (elements) =>
    elements
      .filter((element) => element.checkVisibility() && !element.closest('p'))
      .map((element) => ({ element, box: (element.closest('label') ?? element).getBoundingClientRect() }))
      // What is clipped away until it has the focus is no target yet.
      .filter(({ element, box }) => getComputedStyle(element).clipPath === 'none' && box.width > 1 && box.height > 1)
      .filter(({ box }) => Math.min(box.width, box.height) < 24)
      .map(({ element, box }) => `${element.outerHTML.slice(0, 80)}: ${box.width} x ${box.height}`),
  );
}

/** What axe-core finds against WCAG 2.2 AA. */
async function violations(page, axe) {
  // A colour on its way from one theme to the other has neither's contrast.
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)));
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await window.axe.run({ runOnly: tags });
    return violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes[0].html.slice(0, 120)})`);
  });
}

test('the whole way by keyboard: start the drawn person, pause, go on, stop', async () => {
  await withChromium({}, async (browser) => {
    const { page, seen } = await openLive(browser, ON_CPU);
    await tabTo(page, 'try-demo');
    const ring = await page.evaluate(() => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
      return { outline: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2, boxShadow };
    });
    assert.ok(ring.outline || ring.boxShadow !== 'none', 'the focus is visible');
    await page.keyboard.press('Enter');
    await waitForFrames(page, 1);
    await tabTo(page, 'pause');
    await page.keyboard.press('Space');
    await waitForState(page, ['paused']);
    await page.keyboard.press('Space');
    await waitForState(page, ['live']);
    await tabTo(page, 'stop');
    await page.keyboard.press('Enter');
    await waitForState(page, ['idle', 'done']);
    const focused = await page.evaluate(() => document.activeElement !== document.body);
    assert.ok(focused, 'the focus is not lost when the button under it goes away');
    assertQuiet(seen);
  });
});

test('at 320 px nothing scrolls sideways and the stage is in view', async () => {
  await withChromium({}, async (browser) => {
    const { page } = await openLive(browser, { ...ON_CPU, source: 'demo', background: 'colour' });
    await page.setViewport({ width: 320, height: 640 });
    await waitForFrames(page, 1);
    await page.click(`${byName('stages')} summary`);
    const widths = await page.evaluate(() => ({
      page: document.documentElement.scrollWidth,
      view: document.documentElement.clientWidth,
    }));
    assert.ok(widths.page <= widths.view, JSON.stringify(widths));
    await page.screenshot({ path: path.join(required('PLUMBLINE_OUTPUT'), 'live-320.png') });
  });
});

test('targets are at least 24 px on each side', async () => {
  await withChromium({}, async (browser) => {
    const { page } = await openLive(browser, { ...ON_CPU, background: 'colour' });
    const small = await smallTargets(page);
    assert.deepEqual(small, []);
  });
});

for (const theme of ['light', 'dark']) {
  test(`axe finds nothing in the ${theme} theme, idle, live and in front of another background`, async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    await withChromium({}, async (browser) => {
      const { page } = await openLive(browser, ON_CPU);
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
      for (const situation of ['idle', 'live', 'colour', 'picture']) {
        if (situation === 'live') {
          await page.click(byName('try-demo'));
          await waitForFrames(page, 1);
          await page.click(`${byName('stages')} summary`);
        } else if (situation !== 'idle') {
          await page.select(byName('background'), situation);
          await page.waitForSelector(byName(`background-${situation}`), { visible: situation === 'colour' });
        }
        const found = await violations(page, axe);
        assert.deepEqual(found, [], situation);
      }
      await page.screenshot({ path: path.join(required('PLUMBLINE_OUTPUT'), `live-${theme}.png`) });
    });
  });
}

/** /monitor with a session that goes on and everything opened, and /evaluate with a report. */
const APART = {
  monitor: async (browser) => {
    const { page } = await openMonitor(browser);
    await waitForBlocks(page, 4);
    await page.click(byName('use-as-reference'));
    await page.waitForSelector(byName('datasheet'));
    // A page that changes with every block cannot be looked at from end to end.
    await page.click(byName('hold'));
    await page.$$eval('details', (parts) => parts.forEach((part) => (part.open = true)));
    await page.waitForSelector('figure');
    return page;
  },
  evaluate: async (browser) => {
    const { page } = await openEvaluate(browser);
    const folder = await mkdtemp(path.join(tmpdir(), 'plumbline-access-'));
    const place = path.join(folder, 'classes.csv');
    const rows = Array.from({ length: 60 }, (_, at) => `${at % 2},0.${3 + (at % 5)},0.${7 - (at % 5)},${at % 3}`);
    await writeFile(place, `label,left,right,tag:place\n${rows.join('\n')}\n`);
    await choose(page, place);
    await evaluate(page);
    await page.waitForSelector('figure');
    await rm(folder, { recursive: true });
    return page;
  },
};

for (const [name, open] of Object.entries(APART)) {
  test(`/${name}: nothing scrolls sideways at 320 px, targets are large enough, axe finds nothing in both themes`, async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    await withChromium({}, async (browser) => {
      const page = await open(browser);
      assert.deepEqual(await smallTargets(page), []);
      for (const theme of ['light', 'dark']) {
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
        assert.deepEqual(await violations(page, axe), [], theme);
        await page.screenshot({ path: path.join(required('PLUMBLINE_OUTPUT'), `${name}-${theme}.png`), fullPage: true });
      }
      await page.setViewport({ width: 320, height: 640 });
      const widths = await page.evaluate(() => ({
        page: document.documentElement.scrollWidth,
        view: document.documentElement.clientWidth,
      }));
      assert.ok(widths.page <= widths.view, JSON.stringify(widths));
      await page.screenshot({ path: path.join(required('PLUMBLINE_OUTPUT'), `${name}-320.png`), fullPage: true });
    });
  });
}

test('every page of the navigation opens, has one main heading and a title', async (t) => {
  await withChromium({}, async (browser) => {
    const { page, seen } = await openLive(browser, ON_CPU);
    const links = await page.$$eval('nav a[href]', (anchors) => anchors.map((anchor) => anchor.href));
    const own = [...new Set(links.filter((link) => link.startsWith(ADDRESS)))];
    t.diagnostic(`pages: ${own.map((link) => new URL(link).pathname).join(' ')}`);
    assert.ok(own.length > 0, 'there is a navigation');
    for (const link of own) {
      await page.goto(link);
      await page.waitForSelector('h1');
      assert.equal((await page.$$('h1')).length, 1, link);
      assert.match(await page.title(), /Plumbline/u, link);
    }
    assertQuiet(seen);
  });
});

test('without JavaScript or WebAssembly the page says what is missing', async () => {
  await withChromium({}, async (browser) => {
    const page = await browser.newPage();
    await page.setJavaScriptEnabled(false);
    await page.goto(ADDRESS);
    const text = await page.$eval('noscript', (element) => element.textContent);
    assert.match(text, /JavaScript/u);
  });
});
