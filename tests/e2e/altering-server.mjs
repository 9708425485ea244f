// A server between the browser and the built page that passes everything on and alters some files: what a torn
// download, a bad mirror or a slow line looks like to the page, or a worker that dies.

import { createServer } from 'node:http';
import { required } from './browsers.mjs';

/** Alters one byte in the middle. */
export function flipOneByte(bytes) {
  const altered = Buffer.from(bytes);
  altered[altered.length >> 1] ^= 0x40;
  return altered;
}

/** Keeps the first half only. */
export function truncate(bytes) {
  return bytes.subarray(0, bytes.length >> 1);
}

/**
 * Serves the built page with altered weights while `use` runs.
 * @param {{alter?: (bytes: Buffer) => Buffer, bytesPerSecond?: number}} options what happens to each `.graph`
 * @param {(address: string) => Promise<void>} use
 */
export function withAlteredWeights(options, use) {
  return withAlteredFiles({ files: /\.graph$/, ...options }, use);
}

/**
 * Serves the built page while `use` runs, with files altered whose paths match.
 * @param {{files: RegExp, alter?: (bytes: Buffer) => Buffer, bytesPerSecond?: number}} options
 * @param {(address: string) => Promise<void>} use
 */
export async function withAlteredFiles({ files, alter = (bytes) => bytes, bytesPerSecond = Infinity }, use) {
  const origin = required('PLUMBLINE_ADDRESS');
  const server = createServer(async (request, response) => {
    const answer = await fetch(new URL(request.url, origin), { method: request.method });
    const original = Buffer.from(await answer.arrayBuffer());
    const isAltered = files.test(request.url.split('?')[0]);
    const bytes = isAltered ? alter(original) : original;
    const headers = Object.fromEntries(answer.headers);
    // Of this hop, not of the file.
    for (const name of ['connection', 'keep-alive', 'etag', 'accept-ranges']) delete headers[name];
    response.writeHead(answer.status, { ...headers, 'content-length': bytes.length });
    if (!isAltered || bytesPerSecond === Infinity) {
      response.end(bytes);
      return;
    }
    const N_PARTS_A_SECOND = 10;
    const part = Math.ceil(bytesPerSecond / N_PARTS_A_SECOND);
    for (let sent = 0; sent < bytes.length && !response.destroyed; sent += part) {
      response.write(bytes.subarray(sent, sent + part));
      await new Promise((resolve) => setTimeout(resolve, 1000 / N_PARTS_A_SECOND));
    }
    response.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
