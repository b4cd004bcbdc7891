"""What the group stage said of the groups of simulated worlds, with the truth beside it: the material of `feedback`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.evidence.fusion import Judgement
from detectors.linking.members import Groups
from detectors.request import decode_batch
from detectors.settings import DetectorSettings
from detectors.stages.account import END_OF_TIME_MS, AccountStage
from detectors.stages.group import GroupStage
from stream.evaluate import load
from stream.simulate import write

BATCH_BYTES = 8_000 * 700
GUILTY = 0.5
"""A group whose members are in one campaign to this part is that campaign's."""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One judgement of one group: ms of event time, the raw nats, whether it tells, and what its total is ranked by."""

    time: int
    group: int
    nats: list[float]
    telling: bool
    kind: int
    size: float
    identified: int
    campaign: str


class World(msgspec.Struct, frozen=True):
    """One simulated fortnight."""

    name: str
    start: int
    end: int
    campaigns: list[str]
    rows: list[Row]


def worlds(names: list[tuple[str, int]], scale: float, cache: Path | None) -> list[World]:
    """Return the worlds of (scenario, seed), from the cache where it has them."""
    found = []
    for scenario, seed in names:
        path = cache / f"{scenario}-{seed}-{scale:g}.json" if cache else None
        if path and path.exists():
            found.append(msgspec.json.decode(path.read_bytes(), type=World))
            continue
        found.append(_world(scenario, seed, scale))
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(msgspec.json.encode(found[-1]))
    return found


def _world(scenario: str, seed: int, scale: float) -> World:
    with tempfile.TemporaryDirectory() as folder:
        events, labels = Path(folder, "events.jsonl"), Path(folder, "labels.jsonl")
        write(scenario, events, labels, seed=seed, scale=scale)
        truth = load(events, labels).truth
        rows = _rows(events, truth.campaign)
        return World(f"{scenario} {seed}", rows[0].time, rows[-1].time, list(truth.members), rows)


def _rows(events: Path, campaign: dict[str, str]) -> list[Row]:
    account, group = AccountStage(DetectorSettings()), GroupStage(DetectorSettings())
    rows: list[Row] = []

    def observe(end_ms: int, due: list[int], groups: Groups, judgement: Judgement, calls: NDArray) -> None:
        for position, cluster in enumerate(due):
            members = groups.account[groups.group == position]
            owners = [campaign.get(group.graph.ids[row], "") for row in members.tolist()]
            name = max(sorted(set(owners)), key=owners.count)
            guilty = name if name and owners.count(name) >= GUILTY * len(owners) else ""
            nats = judgement.raw[:, position].round(4).tolist()
            kind, size = int(groups.kind[position]), float(groups.size[position])
            tells, identified = bool(judgement.telling[position]), groups.population.identified
            rows.append(Row(end_ms, cluster, nats, tells, kind, size, identified, guilty))

    group.observer = observe
    offset = 0
    with events.open("rb") as lines:
        while batch := lines.readlines(BATCH_BYTES):
            requests, _, _ = decode_batch(batch, END_OF_TIME_MS)
            group.process(account.process(requests, np.arange(offset, offset + len(requests))))
            offset += len(requests)
    group.process(account.advance())
    return rows
