// A stand-in for the worker that watches, in plain JavaScript: it says what web/src/worker/watch_wire.rs says and keeps what
// it hears, so that tests see what page and engine tell it, whatever the real one makes of that.

import { withAlteredFiles } from './altering-server.mjs';

/** Runs as `watch_worker.js`; tests reach it through `self.standIn`. */
const SOURCE = `
export default async function start() {
  const standIn = { page: [], rows: [], pictures: 0, late: 0, answer: 'black', said: [] };
  self.standIn = standIn;
  const spoil = ({ displayWidth, displayHeight, width, height }) => {
    const canvas = new OffscreenCanvas(displayWidth ?? width, displayHeight ?? height);
    const context = canvas.getContext('2d');
    context.fillStyle = standIn.answer;
    context.fillRect(0, 0, canvas.width, canvas.height);
    return canvas.transferToImageBitmap();
  };
  const heard = ({ data }) => {
    if (data instanceof Float64Array) {
      // As web/src/worker/watch_row.rs says: what was measured, what its picture looks like, and people.
      const probe = [...data.subarray(18, 28)];
      standIn.rows.push({
        index: data[0],
        cost: data[17],
        probe: probe.every(Number.isFinite) ? probe : null,
        image: data.length > 28 ? [...data.subarray(28, 28 + 165)] : null,
      });
      return;
    }
    switch (data.kind) {
      case 'picture':
        standIn.pictures += 1;
        data.picture.close();
        break;
      case 'break': {
        if (standIn.answer) {
          const picture = spoil(data.picture);
          standIn.engine.postMessage({ kind: 'broken', index: data.index, picture }, [picture]);
        }
        data.picture.close();
        break;
      }
      case 'brokenTooLate':
        standIn.late += 1;
        break;
    }
  };
  self.onmessage = ({ data }) => {
    standIn.page.push(data.kind);
    if (data.kind === 'begin') standIn.query = data.query;
    if (data.kind === 'model') standIn.model = data;
    if (data.kind === 'engine') {
      standIn.engine = data.port;
      standIn.engine.onmessage = heard;
    }
    if (data.kind === 'interface') standIn.interface = data.port;
  };
  postMessage({ kind: 'started' });
}
`;

/**
 * Serves the built page with the stand-in while `use` runs.
 * @param {(address: string) => Promise<void>} use
 */
export function withStandIn(use) {
  return withAlteredFiles({ files: /\/watch_worker\.js$/, alter: () => Buffer.from(SOURCE) }, use);
}

/** The stand-in's worker once it runs; nothing where none does. */
export async function standIn(page) {
  for (const worker of page.workers()) {
    const isIt = await worker.evaluate(() => self.name === 'watch_worker' && Boolean(self.standIn)).catch(() => false);
    if (isIt) return worker;
  }
  return undefined;
}

/** Waits for {@link standIn}, and for what it is asked to have heard. */
export async function heardBy(page, hasHeard) {
  for (let turn = 0; turn < 400; turn += 1) {
    const worker = await standIn(page);
    if (worker && (await worker.evaluate(hasHeard))) return worker;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the worker that watches has not heard what it was to hear: ${hasHeard}`);
}
