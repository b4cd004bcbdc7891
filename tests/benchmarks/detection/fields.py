"""Can one field of a request alone tell a campaign's accounts from honest ones? If so, the ruler is too easy.

`python -m tests.benchmarks.detection.fields --scenario proxy|drip|adaptive|…`. Each field is scored per request:

- numbers by their value, and by the rate of campaign requests in 32 bins of it, learnt on one half of the accounts;
- few-valued fields by the rate of each value, learnt likewise;
- identifiers and hashes by fan-out, the number of accounts that share the value, and by the rate of each power of two;
- every field by whether it is there.

The area under the ROC curve of the best of them, in either direction, is taken on the other half of the accounts, over
requests; and once over accounts, by their number of requests. Exits 1 when any of these is above 0.95.

Beside it, over accounts by the mean of their requests' scores: a small detector of its own, which has seen half of the
campaign with its labels. It may be above; that is marked, to be looked at.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream.simulate import SCENARIOS, write

LIMIT = 0.95
BINS = 32
FEW = 300
"""More values than this make a field an identifier."""
PRIOR = 20.0
"""Requests at the common rate that a value's rate starts from."""
NUMBERS = {
    "account.created", "conversation.turn", "gen_ai.request.max_tokens", "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens", "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.image.input_tokens",
    "tools.count", "time",
}  # fmt: skip

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Traffic(NamedTuple):
    """Requests in columns: the values of each field (None: absent), their accounts, and whether those are guilty."""

    fields: Mapping[str, list[object]]
    account: Ints
    guilty: Bools


class Separation(NamedTuple):
    """How well one field tells apart, as areas under the curve from 0.5 to 1."""

    field: str
    how: str
    requests: float
    accounts: float

    @property
    def decides(self) -> float:
        """The area that must not be above the limit."""
        return self.accounts if self.field == "account.id" else self.requests


def read(events: Path, labels: Path) -> Traffic:
    """Read what `write` wrote."""
    truth = {}
    for line in labels.read_bytes().splitlines():
        record = msgspec.json.decode(line)
        if "account.id" in record:
            truth[record["account.id"]] = record["campaign"] is not None
    rows = [msgspec.json.decode(line) for line in events.read_bytes().splitlines()]
    names = dict.fromkeys(key for row in rows for key in row)
    ids = {name: i for i, name in enumerate(truth)}
    account = np.array([ids[row["account.id"]] for row in rows])
    guilty = np.array([truth[row["account.id"]] for row in rows])
    skip = ("event.id", "account.id")
    columns = {
        name: [",".join(v) if isinstance(v := row.get(name), list) else v for row in rows]
        for name in names
        if name not in skip
    }
    return Traffic(columns, account, guilty)


def auc(score: Floats, guilty: Bools) -> float:
    """Return the area under the ROC curve of `score`, in the better direction; 0.5 where one class is empty."""
    positive, negative = int(guilty.sum()), int((~guilty).sum())
    if not positive or not negative:
        return 0.5
    _, index, n = np.unique(score, return_inverse=True, return_counts=True)
    rank = np.cumsum(n) - (n - 1) / 2
    area = (rank[index][guilty].sum() - positive * (positive + 1) / 2) / (positive * negative)
    return float(max(area, 1 - area))


def rates(codes: Ints, traffic: Traffic, learn: Bools) -> Floats:
    """Return for each request the rate of guilty ones among the learning half's requests of the same code."""
    size, base = int(codes.max()) + 1, float(traffic.guilty[learn].mean())
    total = np.bincount(codes[learn], minlength=size)
    bad = np.bincount(codes[learn], traffic.guilty[learn].astype(float), minlength=size)
    rate: Floats = (bad + PRIOR * base) / (total + PRIOR)
    return rate[codes]


def binned(values: Floats) -> Ints:
    """Return the number of the quantile bin of each value; frequent values have bins of their own."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)))
    return np.searchsorted(edges, values, side="right").astype(np.int64)


def scores(name: str, values: list[object], traffic: Traffic, learn: Bools) -> dict[str, Floats]:
    """Return the scores of one field by what they go by."""
    there = np.array([v is not None for v in values])
    out = {"presence": there.astype(float)}
    if name in NUMBERS:
        numbers = np.array([-1.0 if v is None else float(str(v)) for v in values])
        if name == "account.created":
            age = np.asarray(traffic.fields["time"], float) - numbers
            numbers = np.where(there, age, -1.0)
        if name == "time":
            out["hour of day"] = rates((numbers // 3_600_000 % 24).astype(np.int64), traffic, learn)
        return out | {"value": numbers, "value, binned": rates(binned(numbers), traffic, learn)}
    _, codes = np.unique(np.array([str(v) for v in values]), return_inverse=True)
    if codes.max() < FEW:
        return out | {"value, learnt": rates(codes, traffic, learn)}
    pairs = np.unique(np.stack([codes, traffic.account]), axis=1)
    fanout = np.where(there, np.bincount(pairs[0])[codes], 0).astype(float)
    powers = np.where(there, np.log2(np.maximum(fanout, 1)).astype(np.int64) + 1, 0)
    return out | {"fan-out": fanout, "fan-out, binned": rates(powers, traffic, learn)}


def separations(traffic: Traffic, seed: int = 0) -> list[Separation]:
    """Return how well each field tells apart, best first, the number of requests of an account among them."""
    accounts = int(traffic.account.max()) + 1
    guilty = np.zeros(accounts, bool)
    guilty[traffic.account] = traffic.guilty
    half = np.random.default_rng(seed).random(accounts) < 0.5
    learn = half[traffic.account]
    test, who = ~learn, traffic.account[~learn]
    count = np.bincount(who, minlength=accounts)
    seen = count > 0
    by_requests = auc(count[seen].astype(float), guilty[seen])
    out = [Separation("account.id", "number of requests", 0.5, by_requests)]
    for name, values in traffic.fields.items():
        found = []
        for how, score in scores(name, values, traffic, learn).items():
            mean = np.bincount(who, score[test], accounts)[seen] / count[seen]
            found.append(Separation(name, how, auc(score[test], traffic.guilty[test]), auc(mean, guilty[seen])))
        out.append(max(found, key=lambda s: max(s.requests, s.accounts)))
    return sorted(out, key=lambda s: -max(s.requests, s.accounts))


def table(rows: list[Separation]) -> str:
    """Return the areas as a Markdown table."""
    out = ["| field | by | AUC over requests | AUC over accounts |", "| --- | --- | ---: | ---: |"]
    for row in rows:
        requests = "—" if row.field == "account.id" else f"{row.requests:.3f}"
        flag = " **above**" if row.decides > LIMIT else " above" if row.accounts > LIMIT else ""
        out.append(f"| {row.field} | {row.how} | {requests} | {row.accounts:.3f}{flag} |")
    return "\n".join(out)


def main() -> None:
    """Write a world, print the table, exit 1 when one field gives the campaign away."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scenario", choices=sorted(set(SCENARIOS) - {"quiet"}), required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=0.004)
    parser.add_argument("--days", type=float)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hydrawatch-fields-") as work:
        events, labels = Path(work, "events.jsonl"), Path(work, "labels.jsonl")
        write(arguments.scenario, events, labels, arguments.seed, arguments.scale, arguments.days)
        traffic = read(events, labels)
    rows = separations(traffic)
    print(table(rows))
    off = [row.field for row in rows if row.decides > LIMIT]
    print(
        f"\n{arguments.scenario}, seed {arguments.seed}, scale {arguments.scale:g}: {len(traffic.guilty):,} requests, "
        f"{traffic.guilty.sum():,} of {len(np.unique(traffic.account[traffic.guilty])):,} campaign accounts; "
        f"above {LIMIT}: {', '.join(off) or 'none'}"
    )
    sys.exit(1 if off else 0)


if __name__ == "__main__":
    main()
