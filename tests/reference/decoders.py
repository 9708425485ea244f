"""Writes what the publishers' formulas make of drawn outputs, for tests/fixtures/decoders.json.

    python tests/reference/decoders.py tests/fixtures/decoders.json

Needs what requirements-pictures.txt names. Outputs of models are drawn
with a fixed seed and rounded, so that the file holds them in few digits. Suppression is OpenCV's `dnn.NMSBoxes`, the
similarity of points is COCO's `computeOks`, everything else is the formula of the family's publisher, written out here.
"""

import json
import sys

import cv2
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

rng = np.random.default_rng(4)


def drawn(shape, low=0.0, high=1.0, digits=3):
    return np.round(rng.uniform(low, high, shape), digits)


def case(decoder, picture, size, outputs, found, **more):
    tensors = [{"shape": list(np.shape(o)), "values": np.ravel(o).tolist()} for o in outputs]
    return {"decoder": decoder, "picture": picture, "size": size, "outputs": tensors, "found": found, **more}


def rounded(values, digits=4):
    return np.round(np.asarray(values, np.float64), digits).tolist()


def unboxed(points, size, picture):
    """Ultralytics' scale_coords: pixels of a letterbox back to the picture."""
    (width, height), (to_width, to_height) = picture, size
    gain = min(to_height / height, to_width / width)
    pad = (to_width - width * gain) / 2, (to_height - height * gain) / 2
    pad = [round(side - 0.1) for side in pad]
    return (np.asarray(points, np.float64) - pad) / gain


def movenet():
    """movenet/detector.ts: fractions of the frame around the picture; the mean of scores above 0.2."""
    output = drawn((1, 1, 17, 3))
    rows = output[0, 0]
    points = unboxed(rows[:, [1, 0]] * [192, 192], [192, 192], [640, 480])
    sure = rows[:, 2][rows[:, 2] > 0.2]
    pose = {"score": rounded(sure.mean()), "points": rounded(np.c_[points, rows[:, 2]])}
    return case("movenet", [640, 480], [192, 192], [output], [pose])


def movenet_multipose():
    output = drawn((1, 6, 56))
    output[0, :, 55] = [0.1, 0.9, 0.3, 0.24, 0.95, 0.0]
    poses = []
    for row in sorted(output[0], key=lambda row: -row[55]):
        if row[55] < 0.25:
            continue
        rows = row[:51].reshape(17, 3)
        points = unboxed(rows[:, [1, 0]] * 256, [256, 256], [512, 256])
        top, left, bottom, right = row[51:55]
        box = unboxed(np.array([[left, top], [right, bottom]]) * 256, [256, 256], [512, 256])
        poses.append({
            "score": row[55],
            "points": rounded(np.c_[points, rows[:, 2]]),
            "box": rounded(box.ravel()),
        })
    return case("movenet-multipose", [512, 256], [256, 256], [output], poses)


def simcc():
    """MMPose: get_simcc_maximum, SimCCLabel.decode and the way back from the input to a box of the whole picture."""
    x, y = drawn((1, 5, 96), -0.5, 1.0), drawn((1, 5, 128), -0.5, 1.0)
    x[0, 4] -= 2  # a point that is nowhere
    vals = np.minimum(x.max(2), y.max(2))[0]
    locs = np.stack([x.argmax(2), y.argmax(2)], -1)[0] / 2.0
    points = unboxed(locs, [48, 64], [96, 128])
    scores = np.maximum(vals, 0)
    pose = {"score": rounded(scores.mean()), "points": rounded(np.c_[points, scores])}
    return case("simcc", [96, 128], [48, 64], [x, y], [pose])


def heatmaps():
    """MMPose: get_heatmap_maximum, refine_keypoints, MSRAHeatmap.decode and the way back to the picture."""
    planes = np.random.default_rng(5).uniform(-0.2, 1.0, (1, 7, 16, 12)).round(3)
    for point, (y, x) in enumerate([(0, 5), (7, 1), (15, 6), (8, 11), (9, 4), (2, 2)]):
        planes[0, point, y, x] = 1.5
    planes[0, 6] = -1  # a point that is nowhere
    points, scores = [], []
    for plane in planes[0]:
        y, x = np.unravel_index(plane.argmax(), plane.shape)
        dx = plane[y, x + 1] - plane[y, x - 1] if 1 < x < 11 and 0 < y < 16 else 0
        dy = plane[y + 1, x] - plane[y - 1, x] if 1 < y < 15 and 0 < x < 12 else 0
        points.append(np.array([x, y]) + 0.25 * np.sign([dx, dy]))
        scores.append(max(plane.max(), 0))
    points = unboxed(np.array(points) * 4, [48, 64], [96, 128])
    pose = {"score": rounded(np.mean(scores)), "points": rounded(np.c_[points, scores])}
    return [case("heatmaps", [96, 128], [48, 64], [planes], [pose]),
            case("heatmaps", [96, 128], [48, 64], [planes.transpose(0, 2, 3, 1)], [pose], innermost=True)]


def yolo_rows(rows, cells, size):
    """Candidates in clusters, so that there is something to suppress."""
    output = drawn((1, rows, cells))
    centers = drawn((7, 2), 0.2, 0.8) * size
    which = rng.integers(0, 7, cells)
    output[0, :2] = np.round(centers[which].T + rng.normal(0, 1.5, (2, cells)), 2)
    output[0, 2:4] = np.round(rng.normal(14, 2, (2, cells)).clip(4), 2)
    return output


def suppressed(boxes, scores, overlap):
    """Indices by OpenCV, best first; boxes as x, y, width, height."""
    kept = cv2.dnn.NMSBoxes(boxes.astype(np.float64).tolist(), scores.astype(np.float32).tolist(), 0.25, overlap)
    return [int(index) for index in np.ravel(kept)]


def yolo_pose():
    size, picture, points = [64, 64], [128, 64], 17
    output = yolo_rows(5 + 3 * points, 84, size)
    output[0, 4] = np.round(rng.uniform(0, 1, 84) ** 3, 4)
    for point in range(points):
        output[0, 5 + 3 * point : 7 + 3 * point] *= 64
    output = np.round(output, 4)
    rows = output[0].T
    corners = rows[:, :2] - rows[:, 2:4] / 2
    poses = []
    for index in suppressed(np.c_[corners, rows[:, 2:4]], rows[:, 4], 0.7):
        row = rows[index]
        box = np.array([row[:2] - row[2:4] / 2, row[:2] + row[2:4] / 2])
        xyv = row[5:].reshape(points, 3)
        poses.append({
            "score": row[4],
            "box": rounded(unboxed(box, size, picture).ravel()),
            "points": rounded(np.c_[unboxed(xyv[:, :2], size, picture), xyv[:, 2]]),
        })
    return case("yolo-pose", picture, size, [output], poses)


def yolo_pose_finished():
    size, picture, points = [64, 64], [64, 128], 17
    output = drawn((1, 12, 6 + 3 * points))
    output[0, :, :4] *= 64
    output[0, :, 6::3] *= 64
    output[0, :, 7::3] *= 64
    output[0, :, 5] = 0
    output = np.round(output, 3)
    poses = []
    for row in sorted(output[0], key=lambda row: -row[4]):
        if row[4] <= 0.25:
            continue
        xyv = row[6:].reshape(points, 3)
        poses.append({
            "score": row[4],
            "box": rounded(unboxed(row[:4].reshape(2, 2), size, picture).ravel()),
            "points": rounded(np.c_[unboxed(xyv[:, :2], size, picture), xyv[:, 2]]),
        })
    return case("yolo-pose", picture, size, [output], poses)


def yolo_detect():
    """Suppression by class: Ultralytics shifts the boxes of each class apart."""
    size, picture, classes = [64, 64], [128, 64], 3
    output = yolo_rows(4 + classes, 84, size)
    output[0, 4:] = np.round(rng.uniform(0, 1, (classes, 84)) ** 3, 4)
    rows = output[0].T
    best = rows[:, 4:].argmax(1)
    corners = rows[:, :2] - rows[:, 2:4] / 2 + best[:, None] * 7680
    found = []
    for index in suppressed(np.c_[corners, rows[:, 2:4]], rows[:, 4:].max(1), 0.7):
        row = rows[index]
        box = np.array([row[:2] - row[2:4] / 2, row[:2] + row[2:4] / 2])
        found.append({
            "score": row[4:].max(),
            "class": int(best[index]),
            "box": rounded(unboxed(box, size, picture).ravel()),
        })
    return case("yolo-detect", picture, size, [output], found)


def classes():
    logits = drawn((1, 9), -4, 6)
    shifted = np.exp(logits - logits.max())
    softmax = shifted / shifted.sum()
    given = np.round(softmax, 6)
    independent = drawn((1, 9))
    return [
        case("classes", [9, 9], [9, 9], [logits], rounded(softmax.ravel(), 6), form="logits"),
        case("classes", [9, 9], [9, 9], [given], rounded(given.ravel(), 6), form="distribution"),
        case("classes", [9, 9], [9, 9], [independent], rounded(independent.ravel(), 6), form="independent"),
    ]


def masks():
    one = drawn((1, 1, 4, 5), -6, 6)
    two = drawn((1, 3, 4, 5), -3, 3)
    shifted = np.exp(two - two.max(1, keepdims=True))
    many = shifted / shifted.sum(1, keepdims=True)
    innermost = np.round(many.transpose(0, 2, 3, 1), 6)
    numbers = rng.integers(0, 4, (1, 4, 5)).astype(float)
    numbers[0, 0, 0] = 3
    hot = np.stack([numbers[0] == index for index in range(4)]).astype(float)
    sigmoid = 1 / (1 + np.exp(-one))
    return [
        case("mask", [5, 4], [5, 4], [one], rounded(sigmoid.ravel(), 6), form="logits"),
        case("mask", [5, 4], [5, 4], [np.round(sigmoid, 6)], rounded(sigmoid.ravel(), 6), form="independent"),
        case("mask", [5, 4], [5, 4], [two], rounded(many.ravel(), 6), form="logits"),
        case("mask", [5, 4], [5, 4], [innermost], rounded(innermost.transpose(0, 3, 1, 2).ravel(), 6),
             form="distribution", innermost=True),
        case("mask", [5, 4], [5, 4], [numbers], rounded(hot.ravel()), form="distribution"),
    ]


def similarities():
    """COCO's object keypoint similarity of a person with others nearby; all points are labelled."""
    truth = drawn((17, 2), 10, 90, 1)
    others = [np.round(truth + rng.normal(0, spread, truth.shape), 1) for spread in (0.0, 1.0, 3.0, 8.0, 30.0)]
    area = 4000.0
    coco = COCO()
    person = {"id": 1, "image_id": 1, "category_id": 1, "area": area, "bbox": [10, 10, 50, 80], "iscrowd": 0,
              "num_keypoints": 17, "keypoints": np.c_[truth, np.full(17, 2)].ravel().tolist()}
    coco.dataset = {"info": {}, "images": [{"id": 1}], "annotations": [person], "categories": [{"id": 1}]}
    coco.createIndex()
    found = [{"image_id": 1, "category_id": 1, "score": 1 - index / 10,
              "keypoints": np.c_[other, np.ones(17)].ravel().tolist()} for index, other in enumerate(others)]
    evaluation = COCOeval(coco, coco.loadRes(found), "keypoints")
    evaluation._prepare()
    return {
        "area": area,
        "truth": truth.tolist(),
        "others": [other.tolist() for other in others],
        "similarities": rounded(np.ravel(evaluation.computeOks(1, 1)), 6),
    }


def main():
    cases = [movenet(), movenet_multipose(), simcc(), yolo_pose(), yolo_pose_finished(), yolo_detect()]
    cases += classes() + masks() + heatmaps()
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in cases)
    points = json.dumps(similarities(), separators=(",", ":"))
    with open(sys.argv[1], "w") as file:
        file.write('{"cases":[\n' + lines + '\n],\n"points":' + points + "}\n")


main()
