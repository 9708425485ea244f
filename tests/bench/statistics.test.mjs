// The statistics of the bench against known numbers, and the few other pure functions that its results rest on.

import assert from 'node:assert/strict';
import test from 'node:test';
import { frameDeviation, modelDeviation } from './page/agreement.js';
import { abbaOrder, median, percentile, ratioOfMedians, seededRandom } from './page/statistics.js';
import { crc32, storedZip } from './stored-zip.mjs';

test('median and percentile are those of NumPy', () => {
  const upTo100 = Array.from({ length: 100 }, (_, i) => 100 - i);
  // numpy.percentile([...], 100 * share), its default method.
  const cases = [
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.5, 2.5],
    [[7], 0.95, 7],
    [upTo100, 0.95, 95.05],
    [[10, 2, 9], 0.95, 9.9],
    [[15, 20, 35, 40, 50], 0.4, 29],
  ];
  for (const [values, share, expected] of cases) {
    assert.ok(Math.abs(percentile(values, share) - expected) < 1e-9, `${share} of ${values}`);
  }
  assert.equal(median([10, 9, 2, 100]), 9.5);
});

test('a round goes forwards and back, and the next one starts at another entrant', () => {
  assert.deepEqual(abbaOrder(3, 0), [0, 1, 2, 2, 1, 0]);
  assert.deepEqual(abbaOrder(3, 1), [1, 2, 0, 0, 2, 1]);
  assert.deepEqual(abbaOrder(2, 4), [0, 1, 1, 0]);
  assert.deepEqual(abbaOrder(1, 7), [0, 0]);
});

test('random numbers are those of xorshift32', () => {
  const random = seededRandom(1);
  assert.deepEqual([random(), random(), random()].map((number) => number * 2 ** 32), [270369, 67634689, 2647435461]);
});

test('a ratio that is the same in every round has an interval without width', () => {
  const slow = [[8, 10], [12, 14], [30, 36]];
  const fast = slow.map((round) => round.map((value) => value / 4));
  assert.deepEqual(ratioOfMedians(slow, fast), { ratio: 4, interval: [4, 4] });
  assert.throws(() => ratioOfMedians(slow, fast.slice(1)), /pair by pair/);
});

test('intervals of 95 % hold the true ratio in about 95 of 100 cases', () => {
  const random = seededRandom(42);
  // Box and Muller's transformation.
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const rounds = (scale) => Array.from({ length: 20 }, () => [scale * Math.exp(0.2 * normal()), scale * Math.exp(0.2 * normal())]);
  const runs = 40;
  let held = 0;
  for (let run = 1; run <= runs; run += 1) {
    const { ratio, interval } = ratioOfMedians(rounds(3), rounds(2), run);
    assert.ok(interval[0] <= ratio && ratio <= interval[1]);
    if (interval[0] <= 1.5 && 1.5 <= interval[1]) held += 1;
  }
  // Four standard deviations of a binomial count below 38.
  assert.ok(held >= 32, `${held} of ${runs}`);
});

test('outputs are told apart by length and compared as a share of their range', () => {
  const reference = [Float32Array.of(0, 50, 100), Float32Array.of(0.75)];
  const close = (value, expected) => assert.ok(Math.abs(value - expected) < 1e-6, `${value} is not ${expected}`);
  close(modelDeviation([Float32Array.of(0.5), Float32Array.of(0, 60, 100)], reference), 0.25);
  close(modelDeviation([Float32Array.of(0, 60, 100)], reference), 0.1);
  assert.equal(modelDeviation([], reference), Infinity);
  assert.equal(modelDeviation([Float32Array.of(1, 2)], reference), Infinity);
  assert.equal(modelDeviation([Float32Array.of(0, NaN, 100)], reference), Infinity);
});

test('landmarks are compared by their median distance, hidden ones left out', () => {
  const reference = [Float32Array.of(0, 0, 1, 10, 10, 1, 20, 20, 0.1)];
  assert.equal(frameDeviation([Float32Array.of(3, 4, 1, 10, 11, 1, 900, 900, 1)], reference), 5);
  assert.equal(frameDeviation([null], reference), Infinity);
  assert.equal(frameDeviation([null, reference[0]], [null, reference[0]]), 0);
});

test('a task bundle is a zip whose contents start at multiples of 16 bytes', () => {
  assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
  const zip = storedZip([['a', Buffer.from('first')], ['bc', Buffer.from('second')]]);
  for (const text of ['first', 'second']) assert.equal(zip.indexOf(text) % 16, 0, text);
  assert.equal(zip.readUInt32LE(zip.length - 6), zip.indexOf('PK\x01\x02'));
});
