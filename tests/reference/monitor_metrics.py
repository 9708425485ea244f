"""Writes what the field's packages make of seeded cases, for tests/fixtures/monitor_metrics.json.

    python tests/reference/monitor_metrics.py [--check] [--here]
    python tests/reference/monitor_metrics.py --photo COCO.json RESULTS.json

Makes a virtual environment in target/reference/metrics from requirements-metrics.txt (0.6 GB; `--here` takes this
Python as it is), and takes one file each from the packages mmpose 1.3.2 and mmaction2 1.2.0, whose functions need numpy
only. `--check` computes everything again and compares it with the fixture; nothing is written. `--photo` writes
tests/fixtures/evaluate_photo.json: what pycocotools says of predictions that `plumb evaluate --images DIR
--keep-predictions RESULTS.json` made, on the images that they are of.

A case holds what goes in and the package's answer; where a package gives NaN or raises, the answer is null and `says`
names what it did. Scores are rounded, so that many are equal and many lie on edges.
"""

import contextlib
import io
import json
import math
import pathlib
import subprocess
import sys
import types
import venv
import warnings
import zipfile

ROOT = pathlib.Path(__file__).parents[2]
FIXTURE = ROOT / "tests" / "fixtures" / "monitor_metrics.json"
FOLDER = ROOT / "target" / "reference" / "metrics"
SINGLE_FILES = {
    "mmpose==1.3.2": "mmpose/evaluation/functional/keypoint_eval.py",
    "mmaction2==1.2.0": "mmaction/evaluation/functional/accuracy.py",
}


def into_environment():
    """Starts this script again inside of its environment, which is made first where it is absent."""
    python = FOLDER / "venv" / "bin" / "python"
    if not python.exists():
        print(f"making {FOLDER.relative_to(ROOT)}/venv: packages that write the reference values")
        venv.create(FOLDER / "venv", with_pip=True)
        requirements = pathlib.Path(__file__).with_name("requirements-metrics.txt")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
    arguments = [python, __file__, "--here", *sys.argv[1:]]
    sys.exit(subprocess.run(arguments, check=False).returncode)


def single_file(package):
    """The module of one file of a package, with stubs for what it imports and does not use here."""
    files = FOLDER / "files"
    wanted = SINGLE_FILES[package]
    if not (files / wanted).exists():
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", package, "-d", files]
        subprocess.run(download, check=True)
        name = package.split("==")[0]
        with zipfile.ZipFile(next(files.glob(f"{name}-*.whl"))) as wheel:
            wheel.extract(wanted, files)
    for stub, names in {
        "mmpose": [],
        "mmpose.codecs": [],
        "mmpose.codecs.utils": ["get_heatmap_maximum", "get_simcc_maximum"],
        "mmpose.evaluation": [],
        "mmpose.evaluation.functional": [],
        "mmpose.evaluation.functional.mesh_eval": ["compute_similarity_transform"],
    }.items():
        module = types.ModuleType(stub)
        module.__path__ = []
        for name in names:
            setattr(module, name, None)
        sys.modules[stub] = module
    module = types.ModuleType(wanted.removesuffix(".py").replace("/", "."))
    module.__package__ = module.__name__.rpartition(".")[0]
    exec(compile((files / wanted).read_text(), wanted, "exec"), module.__dict__)
    return module


def answer(function, *arguments, **options):
    """A package's answer; null with what it did where that is no number."""
    try:
        value = plain(function(*arguments, **options))
    except Exception as error:
        return {"is": None, "says": type(error).__name__}
    if isinstance(value, float) and math.isnan(value):
        return {"is": None, "says": "NaN"}
    return {"is": value}


def plain(value):
    """numpy's numbers and arrays as Python's."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value


def integers(rng, low, high, shape):
    return plain(rng.integers(low, high, shape))


def classes(rng):
    """Truth and prediction as class indices: scikit-learn's counts and means."""
    cases = []
    for case in range(40):
        n_classes = int(rng.integers(1, 6))
        n = int(rng.integers(1, 40))
        truth = rng.integers(0, n_classes, n)
        predicted = np.where(rng.random(n) < 0.6, truth, rng.integers(0, n_classes, n))
        if case % 5 == 0:
            truth[:] = truth[0]
        if case % 7 == 0:
            predicted[:] = predicted[0]
        entry = {"n_classes": n_classes, "truth": plain(truth), "predicted": plain(predicted)}
        every = list(range(n_classes))
        entry["confusion"] = plain(metrics.confusion_matrix(truth, predicted, labels=every))
        entry["accuracy"] = answer(metrics.accuracy_score, truth, predicted)
        entry["balanced"] = answer(metrics.balanced_accuracy_score, truth, predicted)
        entry["mcc"] = answer(metrics.matthews_corrcoef, truth, predicted)
        entry["kappa"] = answer(metrics.cohen_kappa_score, truth, predicted)
        by_class = {"average": None, "labels": every, "zero_division": 0}
        for average in ("macro", "micro", "weighted"):
            options = {"average": average, "zero_division": 0}
            entry[average] = [
                answer(f, truth, predicted, **options)
                for f in (metrics.precision_score, metrics.recall_score, metrics.f1_score)
            ]
        entry["by_class"] = [
            plain(f(truth, predicted, **by_class))
            for f in (metrics.precision_score, metrics.recall_score, metrics.f1_score)
        ]
        cases.append(entry)
    return cases


def distributions(rng, n, n_classes):
    weights = rng.integers(0, 8, (n, n_classes)).astype(float)
    weights[weights.sum(axis=1) == 0] = 1
    return weights / weights.sum(axis=1, keepdims=True)


def probabilities(rng):
    """Rows of probabilities: log-loss, Brier, top-k."""
    cases = []
    for case in range(24):
        n_classes, n = int(rng.integers(2, 6)), int(rng.integers(1, 16))
        rows = distributions(rng, n, n_classes)
        if case == 0:
            rows = np.eye(n_classes)[rng.integers(0, n_classes, n)]
        truth = rng.integers(0, n_classes, n)
        every = list(range(n_classes))
        scores, positive = (rows[:, 1], {"pos_label": 1}) if n_classes == 2 else (rows, {})
        cases.append(
            {
                "rows": plain(rows),
                "truth": plain(truth),
                "log_loss": answer(metrics.log_loss, truth, rows, labels=every),
                "brier": answer(metrics.brier_score_loss, truth, scores, labels=every, **positive),
                "top_k": [
                    answer(metrics.top_k_accuracy_score, truth, rows, k=k, labels=every)
                    if n_classes > 2
                    else None
                    for k in range(1, n_classes)
                ],
            }
        )
    return cases


def rankings(rng):
    """Scores of two classes: curves and their areas."""
    cases = []
    for case in range(40):
        n = int(rng.integers(1, 30))
        truth = rng.integers(0, 2, n)
        if case % 10 == 0:
            truth[:] = case // 10 % 2
        scores = np.round(rng.random(n), int(rng.integers(0, 3)))
        roc = answer(metrics.roc_curve, truth, scores, drop_intermediate=False)
        roc["is"] = roc["is"] and roc["is"][:2]
        if len(set(truth.tolist())) < 2:
            roc = {"is": None, "says": "NaN in the curve"}
        curve = answer(metrics.precision_recall_curve, truth, scores)
        curve["is"] = curve["is"][:2]
        cases.append(
            {
                "truth": plain(truth),
                "scores": plain(scores),
                "auroc": answer(metrics.roc_auc_score, truth, scores),
                "average_precision": answer(metrics.average_precision_score, truth, scores),
                "roc": roc,
                "precision_recall": curve,
            }
        )
    return cases


def binned(p, right, edges, side):
    """ECE by the definition, in numpy: the mean over bins of the gap, by their share of rows."""
    # side="left": edges[i - 1] < p <= edges[i].
    place = np.clip(np.searchsorted(edges, p, side=side) - 1, 0, len(edges) - 2)
    total = 0.0
    for b in range(len(edges) - 1):
        inside = place == b
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - p[inside].mean())
    return float(total)


def calibrations(rng):
    """Confidences on and beside edges: expected calibration errors, and scikit-learn's curve."""
    cases = []
    for case in range(24):
        n, n_bins = int(rng.integers(1, 60)), int(rng.choice([1, 5, 10, 15, 20]))
        p = np.round(rng.random(n) * n_bins * 2) / (n_bins * 2)
        p = np.where(rng.random(n) < 0.5, np.linspace(0, 1, n_bins + 1)[rng.integers(0, n_bins + 1, n)], p)
        right = (rng.random(n) < 0.2 + 0.5 * p).astype(int)
        edges = np.linspace(0, 1, n_bins + 1)
        order = np.argsort(p, kind="stable")
        chunks = [chunk for chunk in np.array_split(order, n_bins) if len(chunk)]
        equal_mass = sum(len(c) / n * abs(right[c].mean() - p[c].mean()) for c in chunks)
        cases.append(
            {
                "n_bins": n_bins,
                "p": plain(p),
                "right": plain(right),
                "curve": answer(calibration_curve, right, p, n_bins=n_bins),
                "right_closed": binned(p, right, edges, "left"),
                "left_closed": binned(p, right, edges, "right"),
                "equal_mass": float(equal_mass),
            }
        )
    return cases


def isotonics(rng):
    """Isotonic regression with ties and weights, and its values between, on and beyond its corners."""
    cases = []
    for case in range(30):
        n = int(rng.integers(1, 25))
        x = np.round(rng.random(n), int(rng.integers(1, 4)))
        y = (rng.random(n) < x).astype(float) if case % 2 else np.round(rng.normal(x, 0.3), 2)
        weights = rng.integers(1, 4, n).astype(float) if case % 3 == 0 else None
        fit = IsotonicRegression(out_of_bounds="clip").fit(x, y, sample_weight=weights)
        at = np.round(np.concatenate([rng.random(5), x[:3], [-1, 2]]), 3)
        cases.append(
            {
                "x": plain(x),
                "y": plain(y),
                "weights": None if weights is None else plain(weights),
                "thresholds": [plain(fit.X_thresholds_), plain(fit.y_thresholds_)],
                "at": plain(at),
                "predicted": plain(fit.predict(at)),
            }
        )
    return cases


def temperatures(rng):
    """scipy's bounded minimum of the negative log-likelihood."""
    cases = []
    for _ in range(16):
        n_classes, n = int(rng.integers(2, 5)), int(rng.integers(12, 40))
        truth = rng.integers(0, n_classes, n)
        logits = np.round(rng.normal(0, 1, (n, n_classes)) + 1.2 * np.eye(n_classes)[truth], 2)
        logits = np.round(logits * rng.choice([0.5, 1, 3]), 2)

        def nll(t):
            scaled = logits / t
            return float(np.mean(special.logsumexp(scaled, axis=1) - scaled[np.arange(n), truth]))

        found = optimize.minimize_scalar(nll, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-10})
        cases.append(
            {"logits": plain(logits), "truth": plain(truth), "t": float(found.x), "nll": float(found.fun)}
        )
    return cases


def coco_case(rng, n_images):
    """People of sizes on both sides of COCO's limits, crowds, people without points, predictions with equal scores."""
    truth, found = [], []
    for image in range(1, n_images + 1):
        for _ in range(rng.integers(0, 4)):
            side = float(rng.choice([20, 32, 60, 96, 150, 300]))
            corner = rng.integers(0, 300, 2)
            points = corner + np.round(rng.random((17, 2)) * side)
            seen = rng.choice([0, 1, 2], 17)
            if rng.random() < 0.15:
                seen[:] = 0
            truth.append(
                {
                    "id": len(truth) + 1,
                    "image_id": image,
                    "category_id": 1,
                    "keypoints": plain(np.column_stack([points, seen]).astype(int).ravel()),
                    "num_keypoints": int((seen > 0).sum()),
                    "area": float(rng.choice([side * side, 1024.0, 9216.0, side * side * 0.6])),
                    "bbox": [*plain(corner), side, side],
                    "iscrowd": int(rng.random() < 0.1),
                }
            )
            for _ in range(rng.integers(0, 4)):
                spread = rng.choice([0, 0.02, 0.08, 0.3]) * side
                moved = np.round(points + rng.normal(0, 1, (17, 2)) * spread, 1)
                found.append(prediction(rng, image, moved))
        if rng.random() < 0.1:
            found += [prediction(rng, image, rng.integers(0, 300, (17, 2))) for _ in range(23)]
    return truth, found


def prediction(rng, image, points):
    score = float(rng.choice([0.5, 0.9, np.round(rng.random(), 2)]))
    keypoints = plain(np.column_stack([points, np.ones(17)]).ravel())
    keypoints = [int(value) if float(value).is_integer() else value for value in keypoints]
    return {"image_id": image, "category_id": 1, "keypoints": keypoints, "score": score}


def coco_stats(truth, found, image_ids):
    """pycocotools' ten numbers, and its similarities by image."""
    with contextlib.redirect_stdout(io.StringIO()):
        data = COCO()
        images = [{"id": image} for image in sorted(image_ids)]
        data.dataset = {
            "images": images,
            "annotations": json.loads(json.dumps(truth)),
            "categories": [{"id": 1, "name": "person"}],
        }
        data.createIndex()
        evaluation = COCOeval(data, data.loadRes(json.loads(json.dumps(found))), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    similarities = [plain(np.array(evaluation.ious[image["id"], 1])) for image in images]
    return [float(number) for number in evaluation.stats], similarities


def equally_alike():
    """Two people in one place, of whom an exact prediction is equally alike: it takes the later, and the next one is left
    with the other, whose size decides whether that is enough."""
    points = np.column_stack([np.arange(17) * 10, np.arange(17) * 7, np.full(17, 2)])
    truth = [
        {
            "id": place + 1,
            "image_id": 1,
            "category_id": 1,
            "keypoints": plain(points.ravel()),
            "num_keypoints": 17,
            "area": area,
            "bbox": [0, 0, 160, 112],
            "iscrowd": 0,
        }
        for place, area in enumerate([1500.0, 40000.0])
    ]
    found = []
    for score, moved in ((0.9, 0), (0.8, 9)):
        keypoints = plain((points + [moved, 0, 0]).ravel())
        found.append({"image_id": 1, "category_id": 1, "keypoints": keypoints, "score": score})
    return truth, found


def keypoints(rng):
    cases = []
    truth, found = equally_alike()
    for people in (truth, truth[::-1]):
        stats, similarities = coco_stats(people, found, [1])
        case = {"n_images": 1, "annotations": people, "predictions": found}
        cases.append({**case, "stats": stats, "similarities": similarities})
    while len(cases) < 16:
        n_images = int(rng.integers(1, 5))
        truth, found = coco_case(rng, n_images)
        if not truth or not found:
            continue
        stats, similarities = coco_stats(truth, found, range(1, n_images + 1))
        cases.append(
            {
                "n_images": n_images,
                "annotations": truth,
                "predictions": found,
                "stats": stats,
                "similarities": similarities,
            }
        )
    return cases


def joints(rng, reference):
    """mmpose's PCK, AUC, NME and EPE; its distances are float32."""
    cases = []
    for case in range(20):
        n, k = int(rng.integers(1, 5)), int(rng.integers(1, 6))
        truth = rng.integers(0, 100, (n, k, 2)).astype(float)
        found = truth + np.round(rng.normal(0, 8, (n, k, 2)), 1)
        mask = rng.random((n, k)) < 0.8
        if case == 0:
            mask[:] = False
        size = rng.integers(10, 60, (n, 2)).astype(float)
        if case % 2:
            size[:] = size[0, 0]
            auc = reference.keypoint_auc(found, truth, mask, size[0, 0])
        else:
            # The function takes one size for all; this is its sum.
            steps = [reference.keypoint_pck_accuracy(found, truth, mask, i / 20, size)[1] for i in range(20)]
            auc = float(np.mean(steps))
        parts = [0.1, 0.2, 0.5]
        pck = [plain(reference.keypoint_pck_accuracy(found, truth, mask, part, size)[1]) for part in parts]
        cases.append(
            {
                "truth": plain(truth),
                "found": plain(found),
                "mask": plain(mask),
                "size": plain(size),
                "shares": parts,
                "pck": pck,
                "by_joint": plain(reference.keypoint_pck_accuracy(found, truth, mask, 0.2, size)[0]),
                "auc": plain(auc),
                "nme": answer(reference.keypoint_nme, found, truth, mask, size),
                "epe": answer(reference.keypoint_epe, found, truth, mask),
            }
        )
    return cases


def masks(rng):
    """scikit-learn's F1 and Jaccard of pixels."""
    cases = []
    for case in range(20):
        n_classes, n = int(rng.integers(1, 5)), int(rng.integers(1, 40))
        truth = rng.integers(0, n_classes, n)
        found = np.where(rng.random(n) < 0.7, truth, rng.integers(0, n_classes, n))
        ignored = int(rng.integers(0, n_classes)) if case % 4 == 0 else None
        kept = truth != ignored if ignored is not None else np.ones(n, bool)
        entry = {"n_classes": n_classes, "truth": plain(truth), "found": plain(found), "ignored": ignored}
        t, f, every = truth[kept], found[kept], list(range(n_classes))
        options = {"average": None, "labels": every, "zero_division": 1}
        entry["dice"] = answer(metrics.f1_score, t, f, **options) if len(t) else None
        entry["iou"] = answer(metrics.jaccard_score, t, f, **options) if len(t) else None
        cases.append(entry)
    return cases


def runs(rng, n, n_labels):
    labels = []
    while len(labels) < n:
        labels += [int(rng.integers(0, n_labels))] * int(rng.integers(1, 12))
    return labels[:n]


def segments(rng):
    """MS-TCN's segmental F1 and edit score as the package actseg carries them, and frame accuracies."""
    cases = []
    for case in range(30):
        videos = []
        f1 = F1Score(overlaps=(0.1, 0.25, 0.5), ignore_ids=[0])
        edit, frames, foreground = Edit([0]), MoFAccuracy(), MoFAccuracy([0])
        says = None
        for _ in range(rng.integers(1, 4)):
            n = int(rng.integers(1, 50))
            truth = np.array(runs(rng, n, 4))
            found = np.where(rng.random(n) < 0.85, truth, runs(rng, n, 4))
            if case % 10 == 0:
                truth[:] = 0
            if case % 20 == 0:
                found[:] = 0
            videos.append({"truth": plain(truth), "found": plain(found)})
            frames.add(truth, found)
            foreground.add(truth, found)
            try:
                f1.add(truth, found)
                edit.add(truth, found)
            except ValueError as error:
                says = type(error).__name__
        edit_mean = edit.summary()
        entry = {"videos": videos, "frames": float(frames.summary()), "foreground": None}
        if foreground.total:
            entry["foreground"] = float(foreground.summary())
        entry["f1"] = None if says else plain(f1.summary())
        entry["edit"] = None if says or math.isnan(edit_mean) else float(edit_mean)
        entry["says"] = says or ("NaN" if math.isnan(edit_mean) else None)
        cases.append(entry)
    return cases


def interpolated(precision, recall):
    """ActivityNet's area: all points, precision falling."""
    precision = np.hstack([[0], precision, [0]])
    recall = np.hstack([[0], recall, [1]])
    for i in range(len(precision) - 2, -1, -1):
        precision[i] = max(precision[i], precision[i + 1])
    steps = np.where(recall[1:] != recall[:-1])[0] + 1
    return float(np.sum((recall[steps] - recall[steps - 1]) * precision[steps]))


def brute_force(truth, found, thresholds):
    """The definition of ActivityNet's average precision of one class, in f64."""
    found = sorted(found, key=lambda action: -action[3])
    result = []
    for threshold in thresholds:
        taken, right = set(), []
        for video, start, end, _ in found:
            overlaps = []
            for place, (other, begin, finish) in enumerate(truth):
                if other == video:
                    shared = max(0.0, min(end, finish) - max(start, begin))
                    overlaps.append((shared / ((end - start) + (finish - begin) - shared), place))
            overlaps.sort(key=lambda pair: -pair[0])
            fits = [place for overlap, place in overlaps if overlap >= threshold and place not in taken]
            taken.update(fits[:1])
            right.append(bool(fits))
        hits = np.cumsum(right)
        result.append(interpolated(hits / np.arange(1, len(hits) + 1), hits / len(truth)) if found else 0.0)
    return result


def detections(rng, reference):
    """mmaction2's average precision (f32) of each class, and the definition in f64; scores differ."""
    cases = []
    thresholds = [0.3, 0.5, 0.75]
    for _ in range(16):
        truth, found, n_labels = [], [], int(rng.integers(1, 4))
        for video in "ab":
            for label in range(n_labels):
                for _ in range(rng.integers(0, 4)):
                    start = float(rng.integers(0, 100))
                    end = start + float(rng.integers(5, 30))
                    truth.append([video, label, start, end])
                    for _ in range(rng.integers(0, 3)):
                        begin, finish = start + float(rng.integers(-9, 9)), end + float(rng.integers(-4, 9))
                        if finish > begin:
                            found.append([video, label, begin, finish])
        scores = rng.permutation(len(found)) / 100
        found = [[*action, float(score)] for action, score in zip(found, scores)]
        labels = sorted({action[1] for action in truth})
        if not labels:
            continue
        by_class, exact = [], []
        for label in labels:
            own = [[a[0], a[2], a[3]] for a in truth if a[1] == label]
            predicted = [[a[0], a[2], a[3], a[4]] for a in found if a[1] == label]
            grouped = {video: np.array([a[1:] for a in own if a[0] == video]) for video in "ab"}
            grouped = {video: spans for video, spans in grouped.items() if len(spans)}
            rows = np.array([[a[0], label, *a[1:]] for a in predicted], dtype=object)
            by_class.append(
                plain(reference.average_precision_at_temporal_iou(grouped, rows, np.array(thresholds)))
            )
            exact.append(brute_force(own, predicted, thresholds))
        cases.append(
            {
                "thresholds": thresholds,
                "truth": truth,
                "found": found,
                "labels": labels,
                "mmaction": by_class,
                "exact": exact,
            }
        )
    return cases


def repetitions(rng):
    cases = []
    for case in range(12):
        n = int(rng.integers(1, 12))
        truth = rng.integers(0, 15, n)
        found = np.maximum(truth + rng.integers(-3, 4, n), 0)
        if case == 0:
            truth[:] = 0
        error = np.abs(found - truth)
        some = truth > 0
        cases.append(
            {
                "truth": plain(truth),
                "found": plain(found),
                "mae": float(error.mean()),
                "relative": float((error[some] / truth[some]).mean()) if some.any() else None,
                "off_by_one": float((error <= 1).mean()),
            }
        )
    return cases


def agreements(rng):
    """Bland and Altman in numpy, ICC(2,1) by pingouin, with its interval before it is rounded."""
    cases = []
    for _ in range(14):
        n, k = int(rng.integers(3, 15)), int(rng.integers(2, 4))
        values = np.round(rng.normal(90, 20, (n, 1)) + rng.normal(0, 6, (n, k)) + rng.normal(0, 3, k), 1)
        table = pandas.DataFrame(
            {
                "subject": np.repeat(np.arange(n), k),
                "method": np.tile(np.arange(k), n),
                "value": values.ravel(),
            }
        )
        icc = pingouin.intraclass_corr(table, targets="subject", raters="method", ratings="value")
        row = icc[icc["Type"].isin(["ICC(A,1)", "ICC2"])].iloc[0]
        entry = {"values": plain(values), "icc": float(row["ICC"]), "interval": plain(row["CI95"])}
        if k == 2:
            difference = values[:, 1] - values[:, 0]
            bias, sd = float(difference.mean()), float(difference.std(ddof=1))
            half = float(special_t(n) * sd / math.sqrt(n))
            entry["limits"] = [bias, sd, bias - 1.96 * sd, bias + 1.96 * sd, bias - half, bias + half]
        cases.append(entry)
    return cases


def special_t(n):
    return stats.t.ppf(0.975, n - 1)


def slices(rng):
    """Wilson's interval and Benjamini-Hochberg's q values, as slices need them."""
    cases = []
    for _ in range(12):
        n = int(rng.integers(1, 200))
        right = int(rng.integers(0, n + 1))
        interval = stats.binomtest(right, n).proportion_ci(0.95, "wilson")
        p = np.round(rng.random(int(rng.integers(1, 9))) ** 2, 3)
        cases.append(
            {
                "right": right,
                "n": n,
                "wilson": [float(interval.low), float(interval.high)],
                "p": plain(p),
                "q": plain(stats.false_discovery_control(p)),
            }
        )
    return cases


def photo(truth_path, results_path):
    """pycocotools on the part of a data set that predictions are of."""
    found = json.loads(pathlib.Path(results_path).read_text())
    ids = {prediction["image_id"] for prediction in found}
    truth = json.loads(pathlib.Path(truth_path).read_text())["annotations"]
    truth = [annotation for annotation in truth if annotation["image_id"] in ids]
    stats, _ = coco_stats(truth, found, ids)
    target = FIXTURE.with_name("evaluate_photo.json")
    target.write_text(json.dumps({"predictions": found, "stats": stats}, separators=(",", ":")) + "\n")
    print(stats)


def everything():
    mmpose, mmaction = (single_file(package) for package in SINGLE_FILES)
    sections = [
        ("classes", classes),
        ("probabilities", probabilities),
        ("rankings", rankings),
        ("calibrations", calibrations),
        ("isotonics", isotonics),
        ("temperatures", temperatures),
        ("keypoints", keypoints),
        ("joints", lambda rng: joints(rng, mmpose)),
        ("masks", masks),
        ("segments", segments),
        ("detections", lambda rng: detections(rng, mmaction)),
        ("repetitions", repetitions),
        ("agreements", agreements),
        ("slices", slices),
    ]
    # A stream for each section, so that one can change without the others.
    return {name: make(np.random.default_rng([5, place])) for place, (name, make) in enumerate(sections)}


def differences(found, kept, where=""):
    """Where two values differ by more than the last digits."""
    if isinstance(kept, dict) and isinstance(found, dict) and kept.keys() == found.keys():
        return [line for key in kept for line in differences(found[key], kept[key], f"{where}/{key}")]
    if isinstance(kept, list) and isinstance(found, list) and len(kept) == len(found):
        pairs = enumerate(zip(found, kept))
        return [line for i, (a, b) in pairs for line in differences(a, b, f"{where}/{i}")]
    numbers = (int, float)
    if isinstance(kept, numbers) and isinstance(found, numbers):
        return (
            []
            if math.isclose(found, kept, rel_tol=1e-9, abs_tol=1e-9)
            else [f"{where}: {found}, kept {kept}"]
        )
    return [] if found == kept else [f"{where}: {found}, kept {kept}"]


def main():
    if "--photo" in sys.argv:
        photo(*sys.argv[sys.argv.index("--photo") + 1 :][:2])
        return
    found = json.loads(json.dumps(everything()))
    if "--check" in sys.argv:
        wrong = differences(found, json.loads(FIXTURE.read_text()))
        print("\n".join(wrong[:20]) or f"{FIXTURE.name} is what the packages give")
        sys.exit(bool(wrong))
    FIXTURE.write_text(json.dumps(found, separators=(",", ":"), allow_nan=False) + "\n")
    print({name: len(cases) for name, cases in found.items()}, FIXTURE.stat().st_size, "bytes")


if __name__ == "__main__":
    if "--here" not in sys.argv:
        into_environment()
    import numpy as np

    # What actseg still asks of numpy.
    np.float = float
    warnings.simplefilter("ignore")
    import pandas
    import pingouin
    from actseg.eval.frame import F1Score, MoFAccuracy
    from actseg.eval.segment import Edit
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    from scipy import optimize, special, stats
    from sklearn import metrics
    from sklearn.calibration import calibration_curve
    from sklearn.isotonic import IsotonicRegression

    main()
