"""Makes the shipped reference: `python -m tests.benchmarks.reference` rewrites `detectors/evidence/shipped.py`.

Runs the simulator's honest world, look-alikes included, through the two stages, one vote a group: what its last
judgement said of each family, and of the total the highest that two judgements in a row reached, since that is what
is compared with the budget. Providers log different things, so each world keeps some fields to itself (`UNLOGGED`):
without an organisation's id, say, a customer's many keys look like a crowd. What comes out describes the simulator, so
alerts say `provisional` until an operator's own groups have taken over.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from detectors.evidence import shipped
from detectors.evidence.expected import EXPECTED, Expected
from detectors.evidence.fusion import NAMES, Fusion, bounded
from detectors.evidence.totals import UNTOLD, Totals, bucket
from detectors.linking.members import IDENTIFIED, KINDS
from detectors.membership import accused
from detectors.partials import Partial
from detectors.request import decode_batch
from detectors.settings import DetectorSettings
from detectors.stages.account import END_OF_TIME_MS, AccountStage
from detectors.stages.group import LEAST_NATS, GroupStage
from stream.simulate import write

POINTS = 200
LEVELS = range(IDENTIFIED + 1)
"""Values of `Population.identified`."""
SETTINGS = DetectorSettings()
MIN_ACCOUNTS = SETTINGS.links.min_accounts
BATCH = 8_000
UNLOGGED: tuple[tuple[str, ...], ...] = (
    (),
    ("organization_id",),
    ("payment_fingerprint",),
    ("device_fingerprint", "account_created"),
    ("organization_id", "account_verification", "account_signup_pathway"),
    ("prompt_template", "gen_ai_conversation_id", "thinking_signature_hash"),
    ("client_address", "client_asn"),
    ("organization_id", "prompt_template", "prompt_language"),
)


@dataclass
class Judged:
    """One group: its kind, its accounts at last, its judgements' statistics (judgements, families), who accused."""

    kind: int
    size: float
    identified: int
    rows: np.ndarray
    accuses: np.ndarray


def judge(world: tuple[int, float]) -> list[Judged]:
    """Simulate one honest world, leave out what its provider does not log, and return its groups."""
    seed, scale = world
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder, "events.jsonl")
        write("quiet", events, Path(folder, "labels.jsonl"), seed=seed, scale=scale)
        return groups_of(partials_of(events, UNLOGGED[seed % len(UNLOGGED)]))


def partials_of(events: Path, unlogged: tuple[str, ...] = ()) -> list[Partial]:
    """Return what the account stage makes of one plain file of events without the fields `unlogged`."""
    account, offset = AccountStage(DetectorSettings()), 0
    partials: list[Partial] = []
    with events.open("rb") as lines:
        while batch := lines.readlines(BATCH * 700):
            requests, _, _ = decode_batch(batch, END_OF_TIME_MS)
            for request in requests:
                for name in unlogged:
                    setattr(request, name, None)
            partials += account.process(requests, np.arange(offset, offset + len(requests)))
            offset += len(requests)
    return partials + account.advance()


def groups_of(partials: list[Partial], kinds: Collection[int] = range(len(KINDS))) -> list[Judged]:
    """Return the groups of `kinds` in one world, as they were judged."""
    group = GroupStage(DetectorSettings(), kinds=kinds)
    found: dict[int, tuple[int, float, int, list[np.ndarray], list[bool]]] = {}

    def observe(end_ms, due, groups, judgement, calls):
        for position, cluster in enumerate(due):
            rows, accuses = found[cluster][3:] if cluster in found else ([], [])
            found[cluster] = (
                int(groups.kind[position]),
                float(groups.size[position]),
                groups.population.identified,
                rows,
                accuses,
            )
            rows.append(judgement.statistics[:, position].copy())
            accuses.append(bool(judgement.telling[position]) and accused(groups, position).sum() >= MIN_ACCOUNTS)

    group.observer = observe
    group.process(partials)
    return [Judged(*facts, np.stack(rows), np.array(accuses)) for *facts, rows, accuses in found.values()]


def peak(fusion: Fusion, judged: Judged) -> float:
    """Return the highest total that two judgements in a row reached while they could have been reported."""
    statistics = judged.rows.T
    nats = fusion.nats(statistics)
    total = bounded(nats).sum(0)
    total[~(fusion.is_telling(nats, statistics) & judged.accuses & (total >= LEAST_NATS))] = UNTOLD
    return float(np.minimum(total[1:], total[:-1]).max()) if len(total) > 1 else float(total[0])


def peaks(fusion: Fusion, groups: list[Judged]) -> dict[int, tuple[int, tuple[float, ...]]]:
    """Return, by kind and size, how many groups could never be reported, and the others' peaks."""
    found: dict[int, list[float]] = {}
    for judged in groups:
        found.setdefault(bucket(judged.kind, judged.size), []).append(peak(fusion, judged))
    told = {number: sorted(round(at, 4) for at in found[number] if at > UNTOLD) for number in sorted(found)}
    return {number: (len(found[number]) - len(totals), tuple(totals)) for number, totals in told.items()}


def totals_of(fusion: Fusion, groups: list[Judged]) -> dict[int, dict[int, tuple[int, tuple[float, ...]]]]:
    """Return the peaks of the groups, as `Totals` takes them."""
    found = {}
    for known in LEVELS:
        fusion.suit(known)
        found[known] = peaks(fusion, [one for one in groups if one.identified == known])
    return found


def fusion_from(groups: list[Judged], expected: Mapping[str, Expected] = EXPECTED) -> Fusion:
    """Return a fusion with these weights that ranks totals among the honest `groups`, as the shipped one does."""
    return Fusion(expected, Totals(totals_of(Fusion(expected), groups)))


def surprises(fusion: Fusion, groups: list[Judged]) -> np.ndarray:
    """Return −ln p of each group's peak, as alerts are called by it; all groups of worlds that log alike."""
    fusion.suit(groups[0].identified)
    kinds, sizes = (np.array([getattr(judged, name) for judged in groups]) for name in ("kind", "size"))
    return fusion.totals.minus_ln_p(np.array([peak(fusion, judged) for judged in groups]), kinds, sizes)


def quantiles(values: np.ndarray, points: int = POINTS) -> tuple[float, ...]:
    """Return `points` equally likely values; none when nothing is known."""
    known = values[~np.isnan(values)]
    at = (np.arange(points) + 0.5) / points
    return tuple(round(float(value), 4) for value in np.quantile(known, at, method="nearest")) if len(known) else ()


def main() -> None:
    """Write the reference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--first-seed", type=int, default=104)
    parser.add_argument("--scale", type=float, default=0.02)
    options = parser.parse_args()
    worlds = [(seed, options.scale) for seed in range(options.first_seed, options.first_seed + options.seeds)]
    groups: list[Judged] = []
    with get_context("spawn").Pool(2) as pool:
        for number, part in enumerate(pool.imap(judge, worlds), 1):
            groups += part
            print(f"world {number} of {len(worlds)}: {len(groups)} groups so far", flush=True)
    command = f"--seeds {options.seeds} --first-seed {options.first_seed} --scale {options.scale}"
    Path(shipped.__file__).write_text(module(groups, command))


def module(groups: list[Judged], command: str) -> str:
    """Return the text of `detectors/evidence/shipped.py` for groups that the options `command` gave."""
    table = {known: statistics(groups, known) for known in LEVELS}
    shipped.SHIPPED.clear()
    shipped.SHIPPED.update(table)
    totals = totals_of(Fusion(), groups)
    return f'''"""The reference that makes the first day work.

Written by `python -m tests.benchmarks.reference {command}`:
{POINTS} equally likely values of each statistic over {len(groups)} honest groups of the simulator, by
`Population.identified`.
"""

# fmt: off
SHIPPED: dict[int, dict[str, tuple[float, ...]]] = {{
{_rows(table)}
}}
SHIPPED_TOTALS: dict[int, dict[int, tuple[int, tuple[float, ...]]]] = {{
{_rows(totals)}
}}
"""As `evidence.totals.Totals` takes them."""
'''


def statistics(groups: list[Judged], known: int) -> dict[str, tuple[float, ...]]:
    """Return the quantiles of every family among the groups of worlds that know so much of who a customer is."""
    last = np.stack([judged.rows[-1] for judged in groups if judged.identified == known], axis=1)
    return {name: quantiles(row) for name, row in zip(NAMES, last, strict=True)}


def _rows(table: Mapping[int, Mapping[Any, tuple]]) -> str:
    lines = []
    for known, part in table.items():
        entries = [f"        {key!r}: {values!r},".replace("'", '"') for key, values in part.items()]
        lines += [f"    {known}: {{", *entries, "    },"]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
