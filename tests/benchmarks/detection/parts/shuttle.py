"""Half-space trees and account novelty on River's own Shuttle data: 49,097 rows, 7 % of them anomalies.

Protocol: file order, score then learn, every row learned. The line is River's MinMaxScaler | HalfSpaceTrees(25, 8,
250, seed 42), run here beside ours, row by row; other seeds give about the same area. Novelty has the defaults of the
part, whose trees have the line's sizes, takes the raw sensor readings in batches of 250, and is shown as the mean and
the worst of five seeds, and once more with windows of 1,024 rows as in the group stage. Its tails alone rank better
(0.989) than their mean with the trees, which was kept. The group stage's own account score gets the nine scaled
readings and seven empty features, and is silent for its first 1,250 rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from river import anomaly, compose, datasets, preprocessing

from detectors.models.half_space_trees import HalfSpaceTrees
from tests.benchmarks.detection.parts.candidates.novelty import Novelty
from tests.benchmarks.detection.parts.peer_score import peer_scores
from tests.benchmarks.detection.parts.ranking import average_precision, roc_auc
from tests.benchmarks.detection.parts.row import Row, streamed

NAME = "shuttle"
TREES, HEIGHT, WINDOW, SEED = 25, 8, 250, 42
SEEDS = range(5)
WIDE = 1_024
AUC, AP = 0.9705, 0.693
LINE = "{} of River's HalfSpaceTrees(25, 8, 250)"


def scaled(rows: NDArray) -> NDArray[np.float64]:
    """Return what River's MinMaxScaler makes of each row after learning it."""
    low, high = np.minimum.accumulate(rows, axis=0), np.maximum.accumulate(rows, axis=0)
    return np.divide(rows - low, high - low, out=np.zeros(rows.shape), where=high > low)


def ours(rows: NDArray, names: list[str], seed: int) -> NDArray[np.float64]:
    """Return the scores of the array trees in batches of a window."""
    model = HalfSpaceTrees(names, TREES, HEIGHT, WINDOW, seed=seed)
    return streamed(model.score_many, model.learn_many, rows, WINDOW)


def novel(rows: NDArray, names: list[str], window_size: int, seed: int) -> NDArray[np.float64]:
    """Return the novelty of each row in batches of the line's window."""
    model = Novelty(names, window_size=window_size, seed=seed)
    return streamed(model.score_many, model.learn_many, rows, WINDOW)


def rivers(rows: NDArray, names: list[str]) -> NDArray[np.float64]:
    """Return the scores of River's own pipeline, row by row."""
    scaler, trees = preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(TREES, HEIGHT, WINDOW, seed=SEED)
    model, scores = compose.Pipeline(scaler, trees), []
    with np.errstate(invalid="ignore"):
        for row in rows:
            x = dict(zip(names, row.tolist(), strict=True))
            scores.append(model.score_one(x))
            model.learn_one(x)
    return np.array(scores)


def run() -> list[Row]:
    """Return the part's rows."""
    stream = list(datasets.Shuttle())
    names = sorted(stream[0][0])
    rows = np.array([[x[name] for name in names] for x, _ in stream], np.float64)
    odd = np.array([y for _, y in stream], bool)
    bounded = scaled(rows)
    mine, theirs = ours(bounded, names, SEED), rivers(rows, names)
    seeds = [ours(bounded, names, seed) for seed in SEEDS]
    novelty = [novel(rows, names, WINDOW, seed) for seed in SEEDS]
    areas, precisions = ([measure(one, odd) for one in novelty] for measure in (roc_auc, average_precision))
    wide = [novel(rows, names, WIDE, seed) for seed in SEEDS]
    peer = [peer_scores(bounded, WINDOW, seed) for seed in SEEDS]
    return [
        Row(NAME, "array trees: rows that differ from River's", int((mine != theirs).sum()), 0.0,
            "River run beside it", low=True),
        Row(NAME, "array trees, ROC-AUC", roc_auc(mine, odd), AUC, LINE.format("ROC-AUC")),
        Row(NAME, "array trees, AP", average_precision(mine, odd), AP, LINE.format("AP")),
        Row(NAME, "array trees, seeds 0–4, mean ROC-AUC", float(np.mean([roc_auc(one, odd) for one in seeds])), None,
            "what the line is with other seeds"),
        Row(NAME, "array trees, seeds 0–4, mean AP", float(np.mean([average_precision(one, odd) for one in seeds])),
            None, "what the line is with other seeds"),
        Row(NAME, "novelty, seeds 0–4, mean ROC-AUC", float(np.mean(areas)), AUC, LINE.format("ROC-AUC")),
        Row(NAME, "novelty, worst seed, ROC-AUC", min(areas), AUC, LINE.format("ROC-AUC")),
        Row(NAME, "novelty, seeds 0–4, mean AP", float(np.mean(precisions)), AP, LINE.format("AP")),
        Row(NAME, "novelty, worst seed, AP", min(precisions), AP, LINE.format("AP")),
        *(
            Row(NAME, f"{name}, mean {measure}", float(np.mean([figure(one, odd) for one in scores])), line,
                LINE.format(measure))
            for name, scores in ((f"novelty, windows of {WIDE:,}", wide), ("account score of the group stage", peer))
            for measure, figure, line in (("ROC-AUC", roc_auc, AUC), ("AP", average_precision, AP))
        ),
    ]  # fmt: skip
