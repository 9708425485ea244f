// Bytes that a runtime's first result downloads: as they are, after gzip (level 9) and after Brotli (quality 11).
// Compression takes a minute for the largest peers, so sizes are remembered by the file's hash.

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { required } from '../e2e/browsers.mjs';

/** The bench's own picture, which is no part of a runtime. */
const isPicture = (file) => file.startsWith('frames/');
const isModel = (file) => file.startsWith('models/');

/** @returns {{raw: number, gzip: number, brotli: number}} */
export function compressedSizes(bytes) {
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotli.length };
}

/** Puts `bytes` into every row whose `served` says what was sent: the runtime and its models apart. */
export async function servedBytes(rows, site) {
  const memory = required('PLUMBLINE_SIZES');
  const known = JSON.parse(await readFile(memory, 'utf8').catch(() => '{}'));
  for (const row of rows) {
    if (!row.served) continue;
    const sums = { runtime: { raw: 0, gzip: 0, brotli: 0 }, models: { raw: 0, gzip: 0, brotli: 0 } };
    for (const file of row.served.filter((file) => !isPicture(file))) {
      const bytes = await readFile(path.join(site, file));
      const hash = createHash('sha256').update(bytes).digest('hex');
      if (!known[hash]) {
        if (bytes.length > 4e6) console.error(`  compressing ${file}`);
        known[hash] = compressedSizes(bytes);
        await writeFile(memory, JSON.stringify(known));
      }
      const sum = isModel(file) ? sums.models : sums.runtime;
      for (const kind of Object.keys(sum)) sum[kind] += known[hash][kind];
    }
    row.bytes = sums;
  }
}
