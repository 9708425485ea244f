// The cold start of a runtime: from navigation in a fresh browser profile to the first result, on a page with nothing
// else. The network is this machine's own, so downloads cost next to nothing here; their bytes are counted beside.

import { readFile } from 'node:fs/promises';
import { required } from '../e2e/browsers.mjs';
import { browserRests, firstResult } from './first-result.mjs';

/** Only the smallest model: a larger one moves all runtimes' figures by its download. */
const COLD_MODEL = 'lite';

/** A software adapter takes seconds to start and says nothing about hardware: once is enough to see that it works. */
const SOFTWARE_TIMES = 1;

/**
 * Fills `cold_ms` (the median of `times` starts, or one on a software adapter) and `served` (the files that were sent) of
 * the rows that were timed. The ledger of the server says what was sent; it also has what the browser asks for by
 * itself, which is left out.
 */
export async function coldRows({ rows, adapters, stock, address, times, withBrowser }) {
  const ledger = required('PLUMBLINE_LEDGER');
  const first = rows.filter(
    (row, position) =>
      row.median_ms !== null &&
      row.model === COLD_MODEL &&
      rows.findIndex((other) => isSameStart(other, row)) === position,
  );
  for (const row of first) {
    const millis = [];
    console.error(`  cold: ${row.title}, ${row.timed}`);
    const isSoftware = Object.values(adapters).some(({ label, software }) => software && label === row.adapter);
    for (let start = 0; start < (isSoftware ? Math.min(times, SOFTWARE_TIMES) : times); start += 1) {
      const before = (await readFile(ledger, 'utf8')).length;
      const query = new URLSearchParams({ runtime: row.runtime, cold: row.timed, model: row.model, picture: stock.frames[0] });
      const result = await startOnce(`${address}/runtime.html?${query}`, withBrowser);
      if (result.reason) {
        console.error(`  cold: ${row.title}: ${result.reason}`);
        break;
      }
      millis.push(result.millis);
      row.served = [...new Set((await readFile(ledger, 'utf8')).slice(before).split('\n').filter(Boolean))];
    }
    millis.sort((a, b) => a - b);
    row.cold_ms = millis[Math.floor(millis.length / 2)] ?? null;
  }
}

/** Rows of one runtime that differ only in what is computed after the start. */
function isSameStart(left, right) {
  return left.runtime === right.runtime && left.timed === right.timed && left.model === right.model && left.median_ms !== null;
}

async function startOnce(url, withBrowser) {
  let result;
  await withBrowser(async (browser) => {
    await browserRests();
    result = await firstResult(browser, url);
  });
  return result;
}
