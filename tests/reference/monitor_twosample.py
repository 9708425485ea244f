"""Writes what scipy, numpy and scikit-learn say of distributions, intervals, two samples and estimates, for tests/fixtures/monitor_twosample.json.

    python tests/reference/monitor_twosample.py [--check]

Needs what requirements-metrics.txt names. Samples are seeds of a 64-bit linear congruential generator, so that a test
draws the same ones. `--check` computes everything again and compares with the fixture.
"""

import json
import math
import pathlib
import sys

import numpy as np
from scipy import stats
from scipy.spatial import distance
from sklearn.isotonic import IsotonicRegression

FIXTURE = pathlib.Path(__file__).parents[1] / "fixtures" / "monitor_twosample.json"


def uniform(seed, n):
    """x = 6364136223846793005 x + 1442695040888963407 mod 2^64, u = (x >> 11) / 2^53."""
    x, out = seed, []
    for _ in range(n):
        x = (6364136223846793005 * x + 1442695040888963407) % 2**64
        out.append((x >> 11) / 2**53)
    return np.array(out)


def distributions():
    tails = []
    for z in (-9.0, -4.2, -1.0, -0.1, 0.0, 0.3, 1.0, 1.959963984540054, 3.3, 6.0, 12.0, 37.0):
        tails.append({"law": "normal", "x": z, "tail": stats.norm.sf(z)})
    for degrees in (0.5, 1, 2, 3.7, 15, 18, 99, 1000):
        for factor in (1e-3, 0.2, 0.9, 1.0, 1.3, 2.0, 5.0):
            x = factor * degrees
            tails.append({"law": "chi_square", "degrees": degrees, "x": x, "tail": stats.chi2.sf(x, degrees)})
        for t in (-3.1, -0.2, 0.0, 0.7, 2.0, 5.5, 40.0):
            tails.append({"law": "t", "degrees": degrees, "x": t, "tail": stats.t.sf(t, degrees)})
    quantiles = []
    for p in (1e-10, 1e-4, 0.01, 0.0749, 0.3, 0.5, 0.9, 0.95, 0.975, 0.99, 0.999, 1 - 1e-7):
        quantiles.append({"law": "normal", "p": p, "x": stats.norm.ppf(p)})
        for degrees in (1, 2.5, 9, 15, 200):
            quantiles.append({"law": "chi_square", "degrees": degrees, "p": p, "x": stats.chi2.ppf(p, degrees)})
            quantiles.append({"law": "t", "degrees": degrees, "p": p, "x": stats.t.ppf(p, degrees)})
    kolmogorov = []
    for n in (1, 3, 10, 50, 140, 141, 222, 1000, 20000, 100000, 1000000):
        for z in (0.3, 0.45, 0.6, 0.83, 1.0, 1.2447, 1.48, 1.49, 1.7, 2.1, 3.0, 5.0):
            d = z / math.sqrt(n)
            if d < 1:
                kolmogorov.append({"n": n, "distance": d, "tail": stats.kstwo.sf(d, n)})
    return {"tails": tails, "quantiles": quantiles, "kolmogorov": kolmogorov}


def intervals():
    wilson = []
    for n_right, n in ((0, 1), (1, 1), (0, 10), (8, 10), (10, 10), (37, 120), (499, 1000), (3, 1_000_000)):
        for level in (0.9, 0.95, 0.99):
            low, high = stats.binomtest(n_right, n).proportion_ci(level, "wilson")
            wilson.append({"n_right": n_right, "n": n, "level": level, "low": low, "high": high})
    adjusted = []
    for seed, n, power in ((1, 1, 1), (2, 2, 1), (3, 7, 2), (4, 32, 3), (5, 200, 4)):
        p = uniform(seed, n) ** power
        if n > 10:
            p[3:6] = p[3]
        adjusted.append({"p": list(p), "adjusted": list(stats.false_discovery_control(p))})
    quantiles = []
    for seed, n in ((6, 1), (7, 2), (8, 10), (9, 101)):
        x = uniform(seed, n)
        for p in (0.0, 0.025, 0.1, 1 / 3, 0.5, 0.8, 0.975, 1.0):
            quantiles.append({"seed": seed, "n": n, "p": p, "x": np.quantile(x, p)})
    moments = []
    for seed, n, offset in ((10, 2, 0.0), (11, 50, 1e3), (12, 1000, -1e6)):
        x = uniform(seed, n) + offset
        mean = math.fsum(x) / n
        squares = math.fsum((v - mean) ** 2 for v in x)
        moments.append({"seed": seed, "n": n, "offset": offset, "mean": mean, "variance": squares / (n - 1)})
    return {"wilson": wilson, "adjusted": adjusted, "quantiles": quantiles, "moments": moments}


def two_samples():
    tests = []
    for seed, n, m, power, steps in (
        (21, 2, 1, 1.0, 0),
        (22, 5, 3, 1.0, 0),
        (23, 40, 60, 1.2, 0),
        (24, 100, 90, 2.0, 0),
        (25, 100, 100, 1.0, 8),
        (26, 250, 30, 1.3, 20),
        (27, 500, 400, 1.2, 0),
        (28, 3000, 2000, 1.0, 0),
        (29, 5000, 5000, 1.05, 50),
    ):
        # Powers of a sum differ in the last digit between libraries; products do not.
        a, b = uniform(seed, n), uniform(seed + 100, m)
        b = b * (1.0 + (power - 1.0) * b)
        if steps:
            a, b = np.floor(a * steps) / steps, np.floor(b * steps) / steps
        case = {"seed": seed, "n": n, "m": m, "power": power, "steps": steps}
        exact = stats.ks_2samp(a, b, method="exact") if n * m <= 1_000_000 else None
        asymptotic = stats.ks_2samp(a, b, method="asymp")
        case["ks"] = asymptotic.statistic
        case["p_exact"] = exact.pvalue if exact is not None else None
        case["p_asymptotic"] = asymptotic.pvalue
        case["wasserstein"] = stats.wasserstein_distance(a, b)
        welch = stats.ttest_ind(a, b, equal_var=False) if min(n, m) > 1 else None
        case["welch"] = [welch.statistic, welch.pvalue] if welch is not None else None
        tests.append(case)
    counts = []
    for seed, cells, scale in ((31, 2, 30), (32, 10, 50), (33, 16, 8), (34, 18, 2000), (35, 40, 3)):
        a = np.floor(uniform(seed, cells) * scale).astype(int)
        b = np.floor(uniform(seed + 100, cells) * scale).astype(int)
        used = (a + b) > 0
        chi = stats.chi2_contingency([a[used], b[used]], correction=False)
        p, q = a / a.sum(), b / b.sum()
        floored = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
        counts.append({
            "a": list(a), "b": list(b), "chi_square": [chi.statistic, chi.pvalue],
            "jensen_shannon": distance.jensenshannon(p, q, base=2),
            "stability": float(np.sum((floored[0] - floored[1]) * np.log(floored[0] / floored[1]))),
        })
    return {"tests": tests, "counts": counts}


class Xoshiro:
    """xoshiro256++ filled by SplitMix64, as Vigna publishes them."""

    def __init__(self, seed):
        self.s = []
        for _ in range(4):
            seed = (seed + 0x9E3779B97F4A7C15) % 2**64
            z = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
            self.s.append(z ^ (z >> 31))

    def bits(self):
        def rotated(x, k):
            return (x << k | x >> (64 - k)) % 2**64

        s = self.s
        result = (rotated((s[0] + s[3]) % 2**64, 23) + s[0]) % 2**64
        t = (s[1] << 17) % 2**64
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotated(s[3], 45)
        return result

    def uniform(self):
        return (self.bits() >> 11) / 2**53

    def normal(self):
        return stats.norm.ppf(((self.bits() >> 11) + 0.5) / 2**53)


def kernels():
    """Squared distances in a random feature space; frames are uniform numbers."""
    cases = []
    for seed, inputs, bandwidth, n, m in ((41, 1, 0.5, 40, 9), (42, 7, 1.3, 60, 150), (43, 12, 0.2, 5, 5)):
        random = Xoshiro(seed)
        frequencies = np.array([[random.normal() for _ in range(inputs)] for _ in range(128)]) / bandwidth
        phases = 2 * np.pi * np.array([random.uniform() for _ in range(128)])
        a = uniform(seed, n * inputs).reshape(n, inputs)
        b = uniform(seed + 100, m * inputs).reshape(m, inputs) * 1.5

        def features(x):
            return (np.sqrt(2 / 128) * np.cos(x @ frequencies.T + phases)).mean(0)

        mean = features(a).astype(np.float32).astype(float)
        cases.append({"seed": seed, "inputs": inputs, "bandwidth": bandwidth, "n": n, "m": m,
                      "squared_distance": float(np.sum((features(b) - mean) ** 2))})
    return cases


def estimates():
    """Confidence-based performance estimation after NannyML's formulas, calibrated by scikit-learn."""
    cases = []
    for seed, n, slope in ((51, 300, 0.55), (52, 1000, 0.9), (53, 400, 0.2)):
        raw = uniform(seed, n)
        outcomes = (uniform(seed + 100, n) < 0.5 + slope * (raw - 0.5)).astype(int)
        chances = IsotonicRegression(out_of_bounds="clip").fit(raw, outcomes).predict(raw)
        called = raw >= 0.5
        tp, fp = chances[called].sum(), (1 - chances[called]).sum()
        fn, tn = chances[~called].sum(), (1 - chances[~called]).sum()
        order = np.argsort(-raw)
        right = np.concatenate([[0], np.cumsum(chances[order])]) / chances.sum()
        wrong = np.concatenate([[0], np.cumsum(1 - chances[order])]) / (1 - chances).sum()
        cases.append({"seed": seed, "n": n, "slope": slope, "accuracy": (tp + tn) / n, "precision": tp / (tp + fp),
                      "recall": tp / (tp + fn), "f1": tp / (tp + 0.5 * (fp + fn)),
                      "auroc": float(np.trapezoid(right, wrong))})
    return cases


def plain(value):
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, (np.floating, np.integer)):
        return value.item()
    return value


def main():
    made = plain({"distributions": distributions(), "intervals": intervals(), "two_samples": two_samples(),
                  "kernels": kernels(), "estimates": estimates()})
    if "--check" in sys.argv[1:]:
        kept = json.loads(FIXTURE.read_text())
        assert kept == made, f"{FIXTURE} holds other values than these packages give"
        print("the fixture holds what these packages give")
        return
    FIXTURE.write_text(json.dumps(made, separators=(",", ":")).replace("},{", "},\n{") + "\n")
    print(f"{FIXTURE.name}: {FIXTURE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
