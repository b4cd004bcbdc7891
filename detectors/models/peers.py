"""The online models of each peer group: how odd is an account among accounts like it, and against itself."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray
from river import drift

from detectors.features import NAMES
from detectors.linking.graph import DAY_MS, HOUR_MS, Graph
from detectors.models.half_space_trees import HalfSpaceTrees
from detectors.models.residuals import residual

PEERS = ("organization", "new", "established")
NEW_MS = 14 * DAY_MS
TREES, HEIGHT, WINDOW = 25, 8, 1024
RESERVOIR = 4096
MIN_RANKED = 256
WEIGHT = 0.2
MAX_CHANGE_NATS = 4.0
"""An account's surprise at itself, z² / 2 of its residual, counts for no more: people do change their habits."""
DRIFT_WINDOW = 672
HOLD_MS = 2 * DAY_MS
ORGANIZATION_PLANS = ("team", "enterprise")
ORGANIZATION_CHECKS = ("contract", "document")


class PeerModels:
    """Half-space trees, a reservoir of their scores and a drift detector per peer group.

    An account is scored, then learned, at most once an hour of event time; members of open campaigns are scored only,
    so that a campaign cannot become the normal (DETECTION §4.1). Raw scores crowd near 1 and are never compared with
    a threshold: their tail rank among the latest scores of the peer group is (DETECTION §1.2).
    """

    def __init__(self, seed: int) -> None:
        self.trees = [HalfSpaceTrees(NAMES, TREES, HEIGHT, WINDOW, seed=seed + peer) for peer in range(len(PEERS))]
        self._reservoir = np.zeros((len(PEERS), RESERVOIR))
        self._filled = np.zeros(len(PEERS), np.int64)
        self._adwin = [drift.ADWIN() for _ in PEERS]
        self._medians: list[list[float]] = [[] for _ in PEERS]
        self.hold_until = 0
        """While a peer group drifts (a model release, say), references do not learn: until this time, ms."""
        self.latest: list[float] = []
        """Tail ranks given since somebody last emptied the list."""

    def update(self, graph: Graph, rows: NDArray, features: NDArray, learn: NDArray[np.bool_], end_ms: int) -> None:
        """Score the accounts in `rows` not scored within the hour, then learn those that `learn` allows.

        Args:
            rows: account rows, shape (A,).
            features: their features, shape (A, 16).
            learn: shape (A,).
            end_ms: end of the tick.
        """
        due = graph.accounts["scored"][rows] <= end_ms - HOUR_MS
        rows, features, learn = rows[due], features[due].astype(np.float64), learn[due]
        peer = peers(graph, rows)
        novelty = np.zeros(len(rows))
        for number in range(len(PEERS)):
            mine = np.flatnonzero(peer == number)
            if len(mine):
                novelty[mine] = self._one_group(number, features[mine], learn[mine], end_ms)
        self._remember(graph, rows, novelty, end_ms)

    def _one_group(self, peer: int, features: NDArray, learn: NDArray, end_ms: int) -> NDArray[np.float64]:
        raw = self.trees[peer].score_many(features)
        known = np.sort(self._reservoir[peer, : min(self._filled[peer], RESERVOIR)])
        if len(known) >= MIN_RANKED:
            rank = (len(known) - np.searchsorted(known, raw, "left") + 1) / (len(known) + 1)
            self.latest += rank.tolist()
            self._watch(peer, float(np.median(rank)), end_ms)
        else:
            rank = np.ones(len(raw))
        self.trees[peer].learn_many(features[learn])
        kept = raw[learn & (raw > 0)]
        places = (self._filled[peer] + np.arange(len(kept))) % RESERVOIR
        self._reservoir[peer, places] = kept
        self._filled[peer] += len(kept)
        return -np.log(rank)

    def _watch(self, peer: int, median: float, end_ms: int) -> None:
        """Tell the peer group's drift detector how odd its median account is now.

        The detector's inputs are kept, a window of them, and its memory is begun anew with each window, so that a
        restart can bring it to the same state.
        """
        self._medians[peer].append(median)
        if len(self._medians[peer]) > DRIFT_WINDOW:
            self._medians[peer] = [median]
            self._adwin[peer] = drift.ADWIN()
        self._adwin[peer].update(median)
        if self._adwin[peer].drift_detected:
            self.hold_until = end_ms + HOLD_MS

    def _remember(self, graph: Graph, rows: NDArray, novelty: NDArray, end_ms: int) -> None:
        table = graph.accounts
        seen = table["scored"][rows] > 0
        series = np.log1p(table["counts"][rows][:, [0, 2]])
        state = table["residual"][rows]
        change = np.abs(residual(state, seen, series)).max(1, initial=0.0)
        table["residual"][rows] = state
        odd = np.maximum(novelty, np.minimum(change**2 / 2.0, MAX_CHANGE_NATS))
        score = np.where(seen, table["score"][rows], odd)
        table["score"][rows] = score + WEIGHT * (odd - score)
        table["scored"][rows] = end_ms
        table.touch(rows)

    def state(self) -> dict[str, bytes]:
        """Return the learned state, a piece per model."""
        entries = {f"trees/{number}": pack(trees.state()) for number, trees in enumerate(self.trees)}
        entries["scores"] = pack({"reservoir": self._reservoir, "filled": self._filled})
        entries["drift"] = msgspec.msgpack.encode((self._medians, self.hold_until))
        return entries

    def load(self, entries: Mapping[str, bytes]) -> None:
        """Put back what `state` returned; the drift detectors learn their latest inputs again."""
        for number, trees in enumerate(self.trees):
            trees.load_state(unpack(entries[f"trees/{number}"]))
        scores = unpack(entries["scores"])
        self._reservoir, self._filled = scores["reservoir"], scores["filled"]
        self._medians, self.hold_until = msgspec.msgpack.decode(entries["drift"], type=tuple[list[list[float]], int])
        self._adwin = [drift.ADWIN() for _ in PEERS]
        for adwin, medians in zip(self._adwin, self._medians, strict=True):
            for median in medians:
                adwin.update(median)


def pack(arrays: Mapping[str, NDArray]) -> bytes:
    """Encode named arrays; they come back with `unpack`."""
    return msgspec.msgpack.encode({name: (a.dtype.str, a.shape, a.tobytes()) for name, a in arrays.items()})


def unpack(encoded: bytes) -> dict[str, NDArray]:
    """Return the arrays that `pack` encoded."""
    parts = msgspec.msgpack.decode(encoded, type=dict[str, tuple[str, tuple[int, ...], bytes]])
    return {name: np.frombuffer(data, dtype).reshape(shape).copy() for name, (dtype, shape, data) in parts.items()}


def peers(graph: Graph, rows: NDArray) -> NDArray[np.int64]:
    """Return the peer group of each account: age and kind are keys here, so that new is not itself odd."""
    table = graph.accounts
    organization = np.isin(table["plan"][rows], graph.names.codes(ORGANIZATION_PLANS)) | verified(graph, rows)
    created, first = table["created"][rows], table["first"][rows]
    new = (created >= 0) & (table["last"][rows] - np.maximum(created, first - NEW_MS) < NEW_MS)
    return np.where(organization, 0, np.where(new, 1, 2))


def verified(graph: Graph, rows: NDArray) -> NDArray[np.bool_]:
    """Return whether each account passed a document check or is under contract."""
    return np.isin(graph.accounts["verification"][rows], graph.names.codes(ORGANIZATION_CHECKS))
