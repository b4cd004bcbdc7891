"""Labelled traffic: request events, and apart from them the truth about every account.

The labels file is JSON Lines. First one record per campaign,
`{"campaign", "exchanges", "requests", "first_ms", "last_ms", "accounts"}`, then one per account with at least one
request, `{"account.id", "campaign", "kind", "requests", "first_ms", "last_ms"}`, `campaign` null for honest ones.
`kind` is the sort of honest account (`chat`, `developer`, `tenant` or a look-alike's name) or the role in the campaign
(`member`, `replacement` of a banned one, `pool-1`, `pool-2`). Nothing of it is in the events: identifiers of all
accounts are drawn alike.

`requests` counts every attempt of an account, refused and rejected ones too. Where accounts of a campaign serve
somebody else as well (`proxy`, `adaptive`), `exchanges` counts the campaign's own requests alone: in the campaign's
record, and then also in its accounts' records. The mixture of an account is the same all along, so whoever counts
events by account weighs each with that account's `exchanges / requests`; without the key, the weight is 1. A second
copy of an event (the same `event.id`) is no request.

Results on this traffic prove mechanics, not precision in the field: see `figures` for what is published and what is
assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np

from stream.errors import ConfigError, OutputError
from stream.simulate.crowd import honest
from stream.simulate.dials import Dial, settle
from stream.simulate.events import encode
from stream.simulate.files import writer
from stream.simulate.networks import Networks
from stream.simulate.scenarios import SCENARIOS, Scenario
from stream.simulate.transport import deliver
from stream.simulate.world import World

__all__ = ["SCENARIOS", "Dial", "Scenario", "Summary", "build", "write"]

CHUNK = 20_000


@dataclass(frozen=True)
class Summary:
    """What was written. Times in ms."""

    scenario: str
    seed: int
    events: int
    """Events written, second copies too."""
    accounts: int
    start_ms: int
    end_ms: int
    release_ms: int
    campaigns: dict[str, int] = field(default_factory=dict)
    """Exchanges of each campaign."""
    kinds: dict[str, int] = field(default_factory=dict)
    """Accounts of each kind."""


def build(
    scenario: str,
    seed: int,
    scale: float,
    days: float | None = None,
    dials: Mapping[str, float] | None = None,
    lookalikes: Collection[str] | None = None,
) -> World:
    """Return the world of `scenario`, ready to make traffic; the arguments are those of `write`.

    Raises:
        ConfigError: an unknown scenario, dial or kind of look-alike, or an impossible seed, scale, length or value.
    """
    if scenario not in SCENARIOS:
        raise ConfigError(f"scenario: {scenario!r} is none of {', '.join(sorted(SCENARIOS))}")
    if not 0 <= seed < 1 << 24:
        raise ConfigError(f"seed: {seed} is not in 0 … {(1 << 24) - 1}")
    if not 0.0005 <= scale <= 2:
        raise ConfigError(f"scale: {scale} is not in 0.0005 … 2")
    plan = SCENARIOS[scenario]
    values = settle(scenario, plan.dials, dials or {})
    length = plan.days if days is None else days
    if not 0.25 <= length <= 366:
        raise ConfigError(f"days: {length} is not in 0.25 … 366")
    world = World(seed, scale, length, values.get("strength", 1.0))
    networks = Networks(world, world.rng("networks"))
    honest(world, networks, lookalikes)
    plan.build(world, networks, values)
    return world


def write(
    scenario: str,
    out: Path,
    labels: Path,
    seed: int = 0,
    scale: float = 1.0,
    days: float | None = None,
    dials: Mapping[str, float] | None = None,
    lookalikes: Collection[str] | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> Summary:
    """Write the traffic of `scenario` to `out` in order of arrival and the truth to `labels`.

    Args:
        out: JSON Lines; `.gz` and `.zst` are compressed; `-` is standard output.
        scale: 1.0 is the campaigns' published volume.
        days: length of the run, the scenario's by default. Campaigns have their published volume times `scale` in a run
            of that length or more, and in a shorter one its share, so that their accounts stay as quiet.
        dials: values of some of the scenario's dials; the others keep their defaults.
        lookalikes: kinds of honest look-alike to hold, all by default.
        progress: called now and then with the events written and the share of the run done.

    Raises:
        ConfigError: see `build`.
        OutputError: a file cannot be written.
    """
    world = build(scenario, seed, scale, days, dials, lookalikes)
    tally, tables, done = Tally(len(world.accounts)), world.tables(), 0
    try:
        with writer(out) as sink:
            for rows in deliver(world):
                tally.add(rows)
                for at in range(0, len(rows), CHUNK):
                    part = rows[at : at + CHUNK]
                    sink(b"".join(encode(part, tables)))
                    done += len(part)
                if progress is not None and len(rows):
                    progress(done, (int(rows["time"].max()) - world.start) / (world.end - world.start))
        with writer(labels) as sink:
            campaigns = tally.labels(world, sink)
    except OSError as error:
        raise OutputError(f"{error.filename or out}: {error.strerror or error}") from error
    seen = np.flatnonzero(tally.count)
    kinds: dict[str, int] = {}
    for i in seen.tolist():
        kinds[world.kind[i]] = kinds.get(world.kind[i], 0) + 1
    return Summary(scenario, seed, done, len(seen), world.start, world.end, world.release, campaigns, kinds)


class Tally:
    """Requests, the campaign's own among them, first and last time of each account."""

    def __init__(self, accounts: int) -> None:
        self.count, self.own = np.zeros(accounts, np.int64), np.zeros(accounts, np.int64)
        self.first = np.full(accounts, np.iinfo(np.int64).max)
        self.last = np.zeros(accounts, np.int64)

    def add(self, rows: np.ndarray) -> None:
        """Count rows of EVENT, each request once."""
        accounts, rows = len(self.count), rows[rows["copy"] == 0]
        self.count += np.bincount(rows["account"], minlength=accounts)
        self.own += np.bincount(rows["account"][rows["own"] > 0], minlength=accounts)
        np.minimum.at(self.first, rows["account"], rows["time"])
        np.maximum.at(self.last, rows["account"], rows["time"])

    def labels(self, world: World, sink: Callable[[bytes], object]) -> dict[str, int]:
        """Write the labels; return each campaign's own exchanges."""
        totals: dict[str, int] = {}
        seen = np.flatnonzero(self.count)
        for name in dict.fromkeys(c for c in world.campaign if c is not None):
            mine = seen[[world.campaign[i] == name for i in seen.tolist()]]
            totals[name] = int(self.own[mine].sum())
            span = {"first_ms": int(self.first[mine].min()), "last_ms": int(self.last[mine].max())} if len(mine) else {}
            size = {"exchanges": totals[name], "requests": int(self.count[mine].sum())}
            sink(msgspec.json.encode({"campaign": name, **size, **span, "accounts": len(mine)}) + b"\n")
        for i in sorted(seen.tolist(), key=world.account_ids.__getitem__):
            sink(msgspec.json.encode(self._account(world, i)) + b"\n")
        return totals

    def _account(self, world: World, i: int) -> dict[str, object]:
        mixed = {"exchanges": int(self.own[i])} if self.own[i] < self.count[i] else {}
        return {
            "account.id": world.account_ids[i],
            "campaign": world.campaign[i],
            "kind": world.kind[i],
            "requests": int(self.count[i]),
            **mixed,
            "first_ms": int(self.first[i]),
            "last_ms": int(self.last[i]),
        }
