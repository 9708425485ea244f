// Evaluating files, in Chromium: what the page says of files, that its numbers are those of the reference packages and of the
// command line, that it can be cancelled, and that no file can take it down or make it send anything.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import { required, withChromium } from './browsers.mjs';
import { choose, downloaded, evaluate, openEvaluate, text } from './evaluate-page.mjs';
import { assertQuiet, byName } from './live-page.mjs';

let folder;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'plumbline-evaluate-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function file(name, contents) {
  const place = path.join(folder, name);
  await writeFile(place, contents);
  return place;
}

/** People and predictions with what pycocotools gives for them. */
async function people() {
  const fixture = path.join(import.meta.dirname, '../fixtures/monitor_metrics.json');
  const { keypoints } = JSON.parse(await readFile(fixture, 'utf8'));
  const { n_images: nImages, annotations, predictions, stats } = keypoints[1];
  const images = Array.from({ length: nImages }, (_, at) => ({ id: at + 1, file_name: `${at + 1}.jpg` }));
  const truth = { images, annotations, categories: [{ id: 1, name: 'person' }] };
  return {
    truth: await file('truth.json', JSON.stringify(truth)),
    results: await file('results.json', JSON.stringify(predictions)),
    pycocotools: stats,
  };
}

/** Numbers that look random and are the same every time. */
function* numbers(seed) {
  for (let state = seed >>> 0; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** A table of classes: three of them, two lights, the model worse in one. */
function classes(nRows) {
  const random = numbers(11);
  const next = () => random.next().value;
  const lines = ['label,squat,lunge,jump,tag:light'];
  for (let row = 0; row < nRows; row += 1) {
    const label = Math.floor(next() * 3);
    const isLamp = next() < 0.3;
    const raw = [next(), next(), next()];
    raw[label] += isLamp ? 0.3 : 1.2;
    const sum = raw[0] + raw[1] + raw[2];
    const shares = raw.map((value) => (value / sum).toFixed(6));
    lines.push([label, ...shares, isLamp ? 'lamp' : 'window'].join(','));
  }
  return `${lines.join('\n')}\n`;
}

test('keypoints: the ten numbers are pycocotools’ and every number is the command line’s', async () => {
  const { truth, results, pycocotools } = await people();
  await withChromium({}, async (browser) => {
    const { page, seen } = await openEvaluate(browser);
    await choose(page, truth);
    assert.match(await text(page, 'evaluate-plan'), /missing is the predictions/u);
    assert.ok(await page.$(`${byName('evaluate-run')}[disabled]`), 'nothing can be evaluated yet');
    await choose(page, results);
    assert.match(await text(page, 'evaluate-plan'), /“results.json” is compared with the truth in “truth.json”/u);
    await evaluate(page);
    assert.equal(await text(page, 'evaluate-problem'), '');
    const report = JSON.parse(await downloaded(page, 'evaluate-json'));
    assert.equal(report.pycocotools.length, 10);
    report.pycocotools.forEach((value, at) => assert.ok(Math.abs(value - pycocotools[at]) < 1e-9, `number ${at}`));
    const { stdout } = await promisify(execFile)(required('PLUMBLINE_PLUMB'), [
      'evaluate', '--task', 'keypoints', '--truth', truth, '--predictions', results, '--json',
    ]);
    const printed = JSON.parse(stdout);
    for (const key of ['pycocotools', 'groups', 'notes']) assert.deepEqual(report[key], printed[key], key);
    assertQuiet(seen);
  });
});

test('classes: figures with intervals, curves, slices with the worst first, and three downloads', async () => {
  const table = await file('classes.csv', classes(3000));
  await withChromium({}, async (browser) => {
    const { page, seen } = await openEvaluate(browser);
    await choose(page, table);
    assert.match(await text(page, 'evaluate-plan'), /sliced by light/u);
    await evaluate(page);
    assert.equal(await text(page, 'evaluate-problem'), '');
    const json = JSON.parse(await downloaded(page, 'evaluate-json'));
    assert.equal(json.slices[0].label, 'lamp', 'the surest bad slice comes first');
    assert.ok(json.slices[0].figure.high < json.slices[1].figure.low);
    const csv = await downloaded(page, 'evaluate-csv');
    assert.match(csv, /^group,id,name,value,low,high,n,/u);
    await page.type(byName('evaluate-model'), 'three-moves');
    const card = await downloaded(page, 'evaluate-card');
    assert.match(card, /^---\n[\s\S]*model-index:[\s\S]*three-moves[\s\S]*accuracy/u);

    const figures = await page.$$('figure');
    assert.ok(figures.length >= 3, `${figures.length} charts`);
    for (const figure of figures) {
      const said = await figure.$eval('figcaption', (caption) => caption.textContent);
      assert.match(said, /\d.*\.$/su, 'a caption says what was computed');
      await (await figure.$('button')).click();
      assert.ok((await figure.$$('tbody tr')).length > 0, 'its numbers are there as a table');
    }
    assert.match(await text(page, 'evaluate-confusion'), /squat.*lunge.*jump/su);
    assertQuiet(seen);
  });
});

test('a long evaluation shows how far it is, can be cancelled, and leaves the page usable', async () => {
  const small = await file('small.csv', classes(200));
  const place = path.join(folder, 'large.csv');
  const large = await open(place, 'w');
  const [head, ...rows] = classes(20_000).trimEnd().split('\n');
  await large.write(`${head}\n`);
  for (let part = 0; part < 50; part += 1) await large.write(`${rows.join('\n')}\n`);
  await large.close();
  await withChromium({}, async (browser) => {
    const { page, seen } = await openEvaluate(browser);
    await choose(page, place);
    await page.click(byName('evaluate-run'));
    const isCounting = (busy) => /Reading rows: [\d,]+ of [\d,]+/u.test(document.querySelector(busy)?.textContent ?? '');
    await page.waitForFunction(isCounting, { polling: 20 }, byName('evaluate-busy'));
    await page.click(byName('evaluate-cancel'));
    await page.waitForFunction((busy) => !document.querySelector(busy), {}, byName('evaluate-busy'));
    assert.equal(await page.$(byName('evaluate-report')), null);
    await (await page.$('button[aria-label="Remove large.csv"]')).click();
    await choose(page, small);
    await evaluate(page);
    assert.ok(await page.$(byName('evaluate-report')), 'another file is evaluated by another worker');
    const long = await page.evaluate(() => window.longTasks.filter((task) => task.millis > 200));
    assert.deepEqual(long, [], 'the page stays responsive');
    assertQuiet(seen);
  });
});

test('bad files are refused in a sentence that names what is wrong', async () => {
  const { truth } = await people();
  const cases = [
    [['empty.csv', ''], null, /“empty.csv” cannot be used: it is empty/u],
    [['strange.bin', 'a\0b'], null, /“strange.bin” cannot be used: it is not a text/u],
    [['columns.csv', 'x,y\n1,2\n'], null, /“columns.csv” cannot be used: its first line names no columns/u],
    [['nan.csv', 'label,a,b\na,NaN,0.5\n'], null, /nan\.csv.*2/su],
    [['short.csv', 'label,a,b\na,0.5\n'], null, /short\.csv.*2/su],
    [['sum.csv', 'label,a,b\na,0.9,0.5\n'], null, /sum\.csv.*2/su],
    [['unknown.json', '[{"image_id": 999, "category_id": 1, "keypoints": [], "score": 1}]'], truth, /unknown\.json/u],
    [['cut.json', '[{"image_id": 1, "categ'], truth, /cut\.json/u],
  ];
  await withChromium({}, async (browser) => {
    const { page, seen } = await openEvaluate(browser);
    for (const [[name, contents], other, words] of cases) {
      await choose(page, ...[other, await file(name, contents)].filter(Boolean));
      if (await page.$(`${byName('evaluate-run')}:not([disabled])`)) await evaluate(page);
      const said = `${await text(page, 'evaluate-plan')} ${await text(page, 'evaluate-problem')}`;
      assert.match(said, words);
      assert.equal(await page.$(byName('evaluate-report')), null, name);
      const remove = `${byName('evaluate-chosen')} button`;
      while (await page.$(remove)) await page.click(remove);
    }
    assertQuiet(seen);
  });
});
