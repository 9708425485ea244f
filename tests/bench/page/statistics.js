// The numbers behind the table: order of runs, median, percentile, and the interval of a ratio. Pure functions.

/**
 * The order of one round: all entrants forwards, then backwards (ABBA), so that what changes slowly during a round,
 * heat for instance, falls on all alike. Rounds start at different entrants, so that nobody always follows the same one.
 *
 * @param {number} count number of entrants
 * @param {number} round counts from 0
 * @returns {number[]} each position twice
 */
export function abbaOrder(count, round) {
  const forwards = Array.from({ length: count }, (_, position) => (position + round) % count);
  return [...forwards, ...forwards.toReversed()];
}

/**
 * The value below which a share of the values lies, interpolated between neighbours (Hyndman and Fan 1996, type 7).
 *
 * @param {number[]} values at least one
 * @param {number} share from 0 to 1
 */
export function percentile(values, share) {
  const sorted = Float64Array.from(values).sort();
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

/** @param {number[]} values at least one */
export function median(values) {
  return percentile(values, 0.5);
}

/**
 * A generator of numbers from 0 to below 1 that is the same everywhere: xorshift32 (Marsaglia 2003).
 *
 * @param {number} seed
 * @returns {() => number}
 */
export function seededRandom(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** Resamples of a bootstrap, enough for two stable digits of a 95 % interval. */
const RESAMPLES = 2000;

/**
 * The ratio of two medians and its 95 % interval, by the percentile bootstrap (Efron 1979) over rounds: samples of one
 * round were taken side by side and are drawn together, so that a slow moment of the machine stays in both.
 *
 * @param {number[][]} rounds samples of the one, by round
 * @param {number[][]} otherRounds samples of the other, of the same rounds
 * @param {number} seed
 * @returns {{ratio: number, interval: [number, number]}}
 */
export function ratioOfMedians(rounds, otherRounds, seed = 1) {
  if (rounds.length !== otherRounds.length || rounds.length === 0) {
    throw new Error(`Rounds are compared pair by pair; ${rounds.length} and ${otherRounds.length} were given.`);
  }
  const random = seededRandom(seed);
  const ratios = Array.from({ length: RESAMPLES }, () => {
    const drawn = rounds.map(() => Math.floor(random() * rounds.length));
    return median(drawn.flatMap((round) => rounds[round])) / median(drawn.flatMap((round) => otherRounds[round]));
  });
  return {
    ratio: median(rounds.flat()) / median(otherRounds.flat()),
    interval: [percentile(ratios, 0.025), percentile(ratios, 0.975)],
  };
}
