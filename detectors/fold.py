"""Folding one tick of requests into partials: per account, and per account and attribute value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.accounts import AccountWindows, bits
from detectors.columns import Columns
from detectors.partials import FAMILIES, SCHEMA, Partial

USES_PER_CHUNK = 3_000
CONTENTS_PER_CHUNK = 20_000
MIX_KINDS = ("model", "access_path")


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
    data = _per_account(accounts, active[order], who, columns, end_ms)
    data |= _mixes(who, columns)
    data |= _uses(who, columns)
    return list(_chunks(partition, tick, [ids[position] for position in order], names, data))


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
        "features": accounts.features(rows, end_ms),
    }


def _mixes(who: NDArray, columns: Columns) -> Columns:
    keys = np.concatenate(
        [
            np.stack([who, np.full(len(who), kind), columns[name].astype(np.int64)], axis=1)
            for kind, name in enumerate(MIX_KINDS)
        ]
    )
    keys = keys[keys[:, 2] >= 0]
    if not len(keys):
        return {name: np.zeros(0, SCHEMA[name][0]) for name in ("mix_account", "mix_kind", "mix_name", "mix_requests")}
    order, start = _group(keys)
    first = keys[order[start]]
    requests = np.diff(np.append(start, len(order)))
    return {"mix_account": first[:, 0], "mix_kind": first[:, 1], "mix_name": first[:, 2], "mix_requests": requests}


def _uses(who: NDArray, columns: Columns) -> Columns:
    parts = [_uses_of(family, name, who, columns) for family, name in enumerate(FAMILIES)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _uses_of(family: int, name: str, who: NDArray, columns: Columns) -> Columns:
    present = np.flatnonzero(columns[name] > 0)
    if not len(present):
        return {
            column: np.zeros((0, *shape), dtype)
            for column, (dtype, shape) in SCHEMA.items()
            if column.startswith("use_") or column == "contents"
        }
    value = columns[name][present]
    order = np.lexsort((value, who[present]))
    rows = present[order]
    account, value = who[rows], value[order]
    start = np.flatnonzero(np.concatenate([[True], (np.diff(account) != 0) | (value[1:] != value[:-1])]))
    run = np.repeat(np.arange(len(start)), np.diff(np.append(start, len(rows))))
    contents, per_use = _contents(run, columns["content"][rows], len(start), name == "template")
    return {
        "use_account": account[start],
        "use_family": np.full(len(start), family),
        "use_value": value[start],
        "use_simhash": columns["simhash"][rows[start]] if name == "template" else np.zeros(len(start), np.uint64),
        "use_counts": np.add.reduceat(columns["counts"][rows], start, axis=0),
        "use_capabilities": np.add.reduceat(bits(columns["capabilities"][rows]), start, axis=0),
        "use_contents": per_use,
        "contents": contents,
    }


def _contents(run: NDArray, content: NDArray, uses: int, wanted: bool) -> tuple[NDArray, NDArray]:
    """Return the different contents of each use, end to end, and how many there are of each."""
    known = content > 0
    if not wanted or not known.any():
        return np.zeros(0, np.uint64), np.zeros(uses, np.int64)
    run, content = run[known], content[known]
    order = np.lexsort((content, run))
    run, content = run[order], content[order]
    first = np.concatenate([[True], (np.diff(run) != 0) | (content[1:] != content[:-1])])
    return content[first], np.bincount(run[first], minlength=uses)


def _chunks(
    partition: int, tick: int, ids: list[str], names: Sequence[str], data: Columns
) -> Iterator[Partial]:
    content_use = np.repeat(np.arange(len(data["use_account"])), data["use_contents"])
    content_account = data["use_account"][content_use]
    weight = np.bincount(data["use_account"], minlength=len(ids)) / USES_PER_CHUNK
    weight += np.bincount(content_account, minlength=len(ids)) / CONTENTS_PER_CHUNK + 1 / USES_PER_CHUNK
    chunk_of = np.floor(np.cumsum(weight)).astype(np.int64)
    _, chunk_of = np.unique(chunk_of, return_inverse=True)
    last = int(chunk_of[-1])
    for chunk in range(last + 1):
        first, end = np.searchsorted(chunk_of, [chunk, chunk + 1])
        part = _part(data, content_account, int(first), int(end))
        used, part = _used_names(names, part)
        encoded = {name: column.astype(SCHEMA[name][0]).tobytes() for name, column in part.items()}
        yield Partial(partition, tick, chunk, chunk == last, False, ids[first:end], used, encoded)


def _part(data: Columns, content_account: NDArray, first: int, end: int) -> Columns:
    part = {}
    for name, column in data.items():
        owner = content_account if name == "contents" else data.get(f"{name.partition('_')[0]}_account")
        if owner is None:
            part[name] = column[first:end]
        else:
            part[name] = column[(owner >= first) & (owner < end)]
    for name in ("mix_account", "use_account"):
        part[name] = part[name] - first
    return part


def _used_names(names: Sequence[str], part: Columns) -> tuple[list[str], Columns]:
    """Renumber the names of one chunk so that it carries only those it uses."""
    coded = ("plan", "verification", "pathway", "mix_name")
    codes = np.unique(np.concatenate([part[name] for name in coded]))
    codes = codes[codes >= 0].astype(np.int64)
    for name in coded:
        part[name] = np.where(part[name] >= 0, np.searchsorted(codes, part[name]), -1)
    return [names[code] for code in codes.tolist()], part
