"""Folding one tick of requests into partials: per account, and per account and attribute value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detectors.accounts import AccountWindows, bits
from detectors.columns import Columns
from detectors.linking.handovers import FAILED_BIT
from detectors.partials import COUNTS, FAMILIES, SCHEMA, Partial
from detectors.slots import masks

CHUNK_BYTES = 250_000
"""A chunk ends before the account that takes it past a multiple of this; one account alone is at most 420 kB."""
ACCOUNT_BYTES, USE_BYTES, MIX_BYTES, CONTENT_BYTES = 256, 126, 15, 8
"""Encoded size of a row of each kind; an account has its id besides."""
MAX_USES = {"template": 1_500, "payment": 300, "device": 300, "network": 300, "signature": 300}
"""Values of each family that one account is followed through in a tick: those with most requests."""
MAX_CONTENTS = 8_000
"""Different contents listed of one account in a tick."""
MIX_KINDS = ("model", "access_path")
TURNED_AWAY = [COUNTS.index(name) for name in ("status_429", "status_403")]
FAILED = [COUNTS.index(name) for name in ("refused", "status_429", "status_403")]
CODED = ("plan", "verification", "pathway", "mix_name")


def fold(
    partition: int,
    tick: int,
    accounts: AccountWindows,
    active: NDArray,
    columns: Columns,
    names: Sequence[str],
    end_ms: int,
) -> list[Partial]:
    """Return the partials of one tick, accounts sorted by id, each small enough for one Kafka message.

    Args:
        accounts: the windows, already updated with the tick.
        active: the different account rows in `columns`, ascending, shape (A,).
        columns: the requests of the tick.
        names: what the codes in `columns` stand for.
        end_ms: end of the tick.
    """
    ids = [accounts.ids[row] for row in active.tolist()]
    order = np.argsort(np.array(ids, object), kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    who = place[np.searchsorted(active, columns["row"])]
    columns = columns | {"slots": masks(columns["time"], end_ms // (tick + 1))}
    data = _per_account(accounts, active[order], who, columns, end_ms)
    data |= _mixes(who, columns)
    data |= _uses(who, columns)
    names = _alphabetical(names, data)
    return list(_chunks(partition, tick, [ids[position] for position in order], names, data))


def _alphabetical(names: Sequence[str], data: Columns) -> list[str]:
    """Renumber the names in the order of the alphabet: that of their arrival depends on the batches."""
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.full(len(names) + 1, -1)
    rank[order] = np.arange(len(order))
    for name in CODED:
        data[name] = rank[data[name]]
    by_name = np.lexsort((data["mix_name"], data["mix_kind"], data["mix_account"]))
    data.update({name: column[by_name] for name, column in data.items() if name.startswith("mix_")})
    return [names[code] for code in order]


def _group(keys: NDArray) -> tuple[NDArray, NDArray]:
    """Return an order that puts equal rows of `keys` (B, K) together, and where each run of them starts."""
    order = np.lexsort(keys.T[::-1])
    ordered = keys[order]
    return order, np.flatnonzero(np.concatenate([[True], np.any(ordered[1:] != ordered[:-1], axis=1)]))


def _per_account(accounts: AccountWindows, rows: NDArray, who: NDArray, columns: Columns, end_ms: int) -> Columns:
    table = accounts.table
    order = np.argsort(who, kind="stable")
    start = np.searchsorted(who[order], np.arange(len(rows)))
    time = columns["time"][order]
    return {
        **{name: table[name][rows] for name in ("created", "plan", "verification", "pathway", "organization")},
        "first": np.minimum.reduceat(time, start),
        "last": np.maximum.reduceat(time, start),
        "counts": np.add.reduceat(columns["counts"][order], start, axis=0),
        "capabilities": np.add.reduceat(bits(columns["capabilities"][order]), start, axis=0),
        "slots": np.bitwise_or.reduceat(columns["slots"][order], start, axis=0),
        "features": accounts.features(rows, end_ms),
        "elicitations": np.add.reduceat(columns["elicitations"][order], start, axis=0),
        "variety": np.bitwise_or.reduceat(columns["variety"][order], start, axis=0),
    }


def _mixes(who: NDArray, columns: Columns) -> Columns:
    keys = np.concatenate(
        [
            np.stack([who, np.full(len(who), kind), columns[name].astype(np.int64)], axis=1)
            for kind, name in enumerate(MIX_KINDS)
        ]
    )
    failed = np.tile(columns["counts"][:, FAILED].max(1) > 0, len(MIX_KINDS))[keys[:, 2] >= 0]
    keys = keys[keys[:, 2] >= 0]
    if not len(keys):
        return {name: np.zeros(0, dtype) for name, (dtype, _) in SCHEMA.items() if name.startswith("mix_")}
    order, start = _group(keys)
    first = keys[order[start]]
    requests = np.diff(np.append(start, len(order)))
    return {
        "mix_account": first[:, 0],
        "mix_kind": first[:, 1],
        "mix_name": first[:, 2],
        "mix_requests": requests,
        "mix_failed": np.add.reduceat(failed[order].astype(np.float32), start),
    }


def _uses(who: NDArray, columns: Columns) -> Columns:
    """Return the uses in the order of their accounts, each account's templates first, and the templates' contents."""
    rows, family = np.nonzero(np.stack([columns[name] for name in FAMILIES], axis=1))
    if not len(rows):
        return {
            column: np.zeros((0, *shape), dtype)
            for column, (dtype, shape) in SCHEMA.items()
            if column.startswith("use_") or column == "contents"
        }
    value = np.choose(family, [columns[name][rows] for name in FAMILIES])
    owner = who[rows] * len(FAMILIES) + family
    order = np.lexsort((value, owner))
    rows, family, owner, value = rows[order], family[order], owner[order], value[order]
    start = np.flatnonzero(np.concatenate([[True], (np.diff(owner) != 0) | (value[1:] != value[:-1])]))
    requests = np.diff(np.append(start, len(rows)))
    prompt = family[start] == FAMILIES.index("template")
    kept = _busiest(owner[start], requests, np.array([MAX_USES[name] for name in FAMILIES])[family[start]])
    followed = np.repeat(np.where(prompt & kept, np.arange(len(start)), -1), requests)
    contents, per_use = _contents(followed, _flagged(columns)[rows], who[rows[start]])
    uses = {
        "use_account": who[rows[start]],
        "use_family": family[start],
        "use_value": value[start],
        "use_simhash": np.where(prompt, columns["simhash"][rows[start]], np.uint64(0)),
        "use_counts": np.add.reduceat(columns["counts"][rows], start, axis=0),
        "use_capabilities": np.add.reduceat(bits(columns["capabilities"])[rows], start, axis=0),
        "use_slots": np.bitwise_or.reduceat(columns["slots"][rows], start, axis=0),
        "use_contents": per_use,
    }
    return {column: values[kept] for column, values in uses.items()} | {"contents": contents}


def _busiest(owner: NDArray, requests: NDArray, most: NDArray) -> NDArray[np.bool_]:
    """Return which uses are among the `most` of their owner with most requests; `owner` is ascending."""
    place = _place(owner)
    if (place < most).all():
        return np.ones(len(owner), bool)
    kept = np.empty(len(owner), bool)
    kept[np.lexsort((-requests, owner))] = place < most
    return kept


def _place(owner: NDArray) -> NDArray[np.int64]:
    """Return the place of each row among those of its owner; `owner` is ascending."""
    return np.arange(len(owner)) - np.searchsorted(owner, owner)


def _flagged(columns: Columns) -> NDArray[np.uint64]:
    """Return the contents' hashes, their lowest bit telling whether the request was answered 429 or 403."""
    content = columns["content"]
    away = columns["counts"][:, TURNED_AWAY].max(1) > 0
    return np.where(content > 0, (content & ~FAILED_BIT) | np.where(away, FAILED_BIT, np.uint64(0)), np.uint64(0))


def _contents(use: NDArray, content: NDArray, account: NDArray) -> tuple[NDArray, NDArray]:
    """Return the different contents of each use, end to end, and how many there are of each.

    Args:
        use: the use whose contents are wanted that each request belongs to, −1 for none; ascending but for that.
        content: of each request, see `_flagged`; 0 for none.
        account: of each use.
    """
    known = (content > 0) & (use >= 0)
    if not known.any():
        return np.zeros(0, np.uint64), np.zeros(len(account), np.int64)
    use, content = use[known], content[known]
    order = np.lexsort((content, use))
    use, content = use[order], content[order]
    last = np.concatenate([(np.diff(use) != 0) | ((content[1:] ^ content[:-1]) > FAILED_BIT), [True]])
    use, content = use[last], content[last]
    listed = _place(account[use]) < MAX_CONTENTS
    return content[listed], np.bincount(use[listed], minlength=len(account))


def _chunks(partition: int, tick: int, ids: list[str], names: Sequence[str], data: Columns) -> Iterator[Partial]:
    content_account = np.repeat(data["use_account"], data["use_contents"])
    size = np.array([ACCOUNT_BYTES + len(account.encode()) for account in ids])
    rows = ((data["use_account"], USE_BYTES), (data["mix_account"], MIX_BYTES), (content_account, CONTENT_BYTES))
    for owner, each in rows:
        size += each * np.bincount(owner, minlength=len(ids))
    _, starts = np.unique(np.cumsum(size) // CHUNK_BYTES, return_index=True)
    bounds = [*starts.tolist(), len(ids)]
    last = len(starts) - 1
    for chunk, (first, end) in enumerate(pairwise(bounds)):
        part = _part(data, content_account, first, end)
        used, part = _used_names(names, part)
        encoded = {name: column.astype(SCHEMA[name][0]).tobytes() for name, column in part.items()}
        yield Partial(partition, tick, chunk, chunk == last, False, ids[first:end], used, encoded)


def _part(data: Columns, content_account: NDArray, first: int, end: int) -> Columns:
    """Return the columns of the accounts from `first` to before `end`; all are in the order of the accounts."""
    owners = {"use": data["use_account"], "mix": data["mix_account"], "contents": content_account}
    slices = {prefix: slice(*np.searchsorted(owner, [first, end])) for prefix, owner in owners.items()}
    part = {name: column[slices.get(name.partition("_")[0], slice(first, end))] for name, column in data.items()}
    for name in ("mix_account", "use_account"):
        part[name] = part[name] - first
    return part


def _used_names(names: Sequence[str], part: Columns) -> tuple[list[str], Columns]:
    """Renumber the names of one chunk so that it carries only those it uses."""
    codes = np.unique(np.concatenate([part[name] for name in CODED]))
    codes = codes[codes >= 0].astype(np.int64)
    for name in CODED:
        part[name] = np.where(part[name] >= 0, np.searchsorted(codes, part[name]), -1)
    return [names[code] for code in codes.tolist()], part
