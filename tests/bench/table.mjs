// The rows of a run as text.

const WORK = { all: 'model', pose: 'model, no mask', landmarks: 'tracked frame' };
const millis = (value) => (value === null ? '-' : value.toFixed(value < 10 ? 2 : 1));
const megabytes = ({ brotli }) => `${(brotli / 1e6).toFixed(2)}`;

/** A ratio with its interval, where there is one. */
function ratioOf({ ratio, interval }) {
  if (ratio === null) return '';
  return interval ? `${ratio.toFixed(2)} [${interval.map((end) => end.toFixed(2)).join(', ')}]` : ratio.toFixed(2);
}

/** @param {import('./page/session.js').Row} row */
function cells(row) {
  const ratio = ratioOf(row);
  return [
    row.model,
    WORK[row.outputs],
    row.runtime,
    String(row.n || '-'),
    millis(row.median_ms),
    millis(row.p95_ms),
    ratio,
    row.ratio_to ?? '',
    row.deviation === null ? '' : row.timed === 'model' ? `${(100 * row.deviation).toFixed(3)} %` : `${row.deviation.toFixed(1)} px`,
    row.cold_ms === null ? '' : String(Math.round(row.cold_ms)),
    row.bytes ? `${megabytes(row.bytes.runtime)} + ${megabytes(row.bytes.models)}` : '',
    [row.reason, row.adapter].filter(Boolean).join('; '),
  ];
}

const HEAD = ['model', 'timed', 'runtime', 'n', 'median', 'p95', 'ratio [95 %]', 'to', 'deviation', 'cold', 'MB brotli', 'remark'];
const IS_NUMBER = [3, 4, 5, 8, 9];

/** Prints the machine and the table. Times are milliseconds, bytes are the runtime's and the models' after Brotli. */
export function printTable({ browser, adapters, processors, isolated, rows }) {
  console.log(`\n${browser}; ${processors} processors; ${isolated ? 'cross-origin isolated' : 'not isolated'}`);
  console.log(`${adapters.webgpu.label}; ${adapters.webgl.label}\n`);
  const lines = [HEAD, ...rows.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines) {
    const padded = line.map((cell, column) => (IS_NUMBER.includes(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column])));
    console.log(padded.join('  ').trimEnd());
  }
}
