"""Folding one tick of requests into partials: per account, and per account and attribute value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from detectors.accounts import AccountWindows
from detectors.columns import CUSTOMERS, MIXED, OTHER, Columns
from detectors.compiled import by_row, rank_in_run
from detectors.linking.handovers import FAILED_BIT
from detectors.names import id_order
from detectors.partials import COUNTS, FAMILIES, MAX_CONTENTS, SCHEMA, Partial
from detectors.slots import masks
from detectors.tallies import contents_of, extremes, mixes_of, rearranged, tally, uses_of

CHUNK_BYTES = 250_000
"""A chunk ends before the account that takes it past a multiple of this; one account alone is at most 420 kB."""
ACCOUNT_BYTES, USE_BYTES, MIX_BYTES, CONTENT_BYTES = 256, 126, 15, 8
"""Encoded size of a row of each kind; an account has its id besides."""
MAX_USES = {"template": 1_500, "payment": 300, "device": 300, "network": 300, "signature": 300}
"""Values of each family that one account is followed through in a tick: those with most requests."""
MOST_NAMES = 1_024
"""Models, and access paths, told apart in a tick: those with most requests."""
TURNED_AWAY = [COUNTS.index(name) for name in ("status_429", "status_403")]
FAILED = [COUNTS.index(name) for name in ("refused", "status_429", "status_403")]
CODED = (*CUSTOMERS, "mix_name")


def fold(
    partition: int,
    tick: int,
    accounts: AccountWindows,
    active: NDArray,
    columns: Columns,
    named: tuple[Sequence[str], Sequence[str]],
    end_ms: int,
) -> list[Partial]:
    """Return the partials of one tick, accounts sorted by id, each small enough for one Kafka message.

    Args:
        accounts: the windows, already updated with the tick.
        active: the different account rows in `columns`, ascending, shape (A,).
        columns: the requests of the tick.
        named: what the codes of customers, and those of models and access paths, stand for.
        end_ms: end of the tick.
    """
    ids = [accounts.ids[row] for row in active.tolist()]
    by_id, sizes = id_order(ids)
    order, _, start = by_row(columns["row"], accounts.table.rows)
    order, start = rearranged(order, start, by_id)
    columns = columns | {"slots": masks(columns["time"], end_ms // (tick + 1))}
    columns, mixed = _most_asked(columns, named[1])
    names, ranks = _alphabetical(named[0], mixed)
    data = _per_account(accounts, active, by_id, order, start, columns, ranks[0], end_ms)
    data |= _mixes(order, start, columns, ranks[1], len(names) + 1)
    data |= _uses(order, start, columns)
    ids = [ids[position] for position in by_id.tolist()]
    return list(_chunks(partition, tick, ids, sizes[by_id], names, data))


def _most_asked(columns: Columns, names: Sequence[str]) -> tuple[Columns, Sequence[str]]:
    """Let models and access paths that few of a tick's requests name share one name, if there are too many."""
    result, names = columns, list(names)
    for kind in MIXED:
        count = np.bincount(columns[kind] + 1, minlength=1)[1:]
        used = np.flatnonzero(count)
        if len(used) > MOST_NAMES:
            fewest = sorted(used.tolist(), key=lambda code: (-count[code], names[code]))[MOST_NAMES - 1 :]
            new = np.arange(-1, len(names))
            new[np.array(fewest) + 1] = len(names)
            result = result | {kind: new[columns[kind] + 1]}
            names.append(OTHER)
    return result, names


def _alphabetical(*known: Sequence[str]) -> tuple[list[str], list[NDArray[np.int64]]]:
    """Return all names in the order of the alphabet, since that of their arrival depends on the batches.

    And for each of `known` the new number of each of its names, that of −1 at the end.
    """
    names = sorted(set(chain(*known)))
    number = {name: place for place, name in enumerate(names)}
    return names, [np.array([*map(number.__getitem__, part), -1]) for part in known]


def _per_account(
    accounts: AccountWindows,
    active: NDArray,
    by_id: NDArray,
    order: NDArray,
    start: NDArray,
    columns: Columns,
    rank: NDArray,
    end_ms: int,
) -> Columns:
    table, rows = accounts.table, active[by_id]
    counts, capabilities, slots = tally(order, start, columns["counts"], columns["capabilities"], columns["slots"])
    first, last, elicitations, variety = extremes(
        order, start, columns["time"], columns["elicitations"], columns["variety"]
    )
    return {
        **{name: table[name][rows] for name in ("created", "organization")},
        **{name: rank[table[name][rows]] for name in CUSTOMERS},
        "first": first,
        "last": last,
        "counts": counts,
        "capabilities": capabilities,
        "slots": slots,
        "features": accounts.features(active, end_ms)[by_id],
        "elicitations": elicitations,
        "variety": variety,
    }


def _mixes(order: NDArray, start: NDArray, columns: Columns, rank: NDArray, names: int) -> Columns:
    which = np.stack([rank[columns[name]] for name in MIXED], axis=1)
    failed = columns["counts"][:, FAILED].max(1) > 0
    mixes = mixes_of(order, start, which, failed, names)
    return dict(zip([name for name in SCHEMA if name.startswith("mix_")], mixes, strict=True))


def _uses(order: NDArray, start: NDArray, columns: Columns) -> Columns:
    """Return the uses in the order of their accounts, each account's templates first, and the templates' contents."""
    values = np.stack([columns[name] for name in FAMILIES], axis=1)
    rows, start, owner = uses_of(order, start, values)
    account, family = np.divmod(owner, len(FAMILIES))
    first = rows[start[:-1]]
    prompt = family == FAMILIES.index("template")
    kept = _busiest(owner, np.diff(start), np.array([MAX_USES[name] for name in FAMILIES])[family])
    contents, per_use = contents_of(rows, start, prompt & kept, account, _flagged(columns), MAX_CONTENTS)
    if not kept.all():
        rows, start = rearranged(rows, start, np.flatnonzero(kept))
    counts, capabilities, slots = tally(rows, start, columns["counts"], columns["capabilities"], columns["slots"])
    return {
        "use_account": account[kept],
        "use_family": family[kept],
        "use_value": values[first, family][kept],
        "use_simhash": np.where(prompt, columns["simhash"][first], np.uint64(0))[kept],
        "use_counts": counts,
        "use_capabilities": capabilities,
        "use_slots": slots,
        "use_contents": per_use[kept],
        "contents": contents,
    }


def _busiest(owner: NDArray, requests: NDArray, most: NDArray) -> NDArray[np.bool_]:
    """Return which uses are among the `most` of their owner with most requests; `owner` is ascending."""
    place = rank_in_run(owner)
    if (place < most).all():
        return np.ones(len(owner), bool)
    kept = np.empty(len(owner), bool)
    kept[np.lexsort((-requests, owner))] = place < most
    return kept


def _flagged(columns: Columns) -> NDArray[np.uint64]:
    """Return the contents' hashes, their lowest bit telling whether the request was answered 429 or 403."""
    content = columns["content"]
    away = columns["counts"][:, TURNED_AWAY].max(1) > 0
    return np.where(content > 0, (content & ~FAILED_BIT) | np.where(away, FAILED_BIT, np.uint64(0)), np.uint64(0))


def _chunks(
    partition: int, tick: int, ids: list[str], sizes: NDArray, names: Sequence[str], data: Columns
) -> Iterator[Partial]:
    data = {name: np.ascontiguousarray(data[name], dtype) for name, (dtype, _) in SCHEMA.items()}
    content_account = np.repeat(data["use_account"], data["use_contents"])
    size = sizes + ACCOUNT_BYTES
    rows = ((data["use_account"], USE_BYTES), (data["mix_account"], MIX_BYTES), (content_account, CONTENT_BYTES))
    for owner, each in rows:
        size += each * np.bincount(owner, minlength=len(ids))
    _, starts = np.unique(np.cumsum(size) // CHUNK_BYTES, return_index=True)
    bounds = np.append(starts, len(ids))
    owners = {"use": data["use_account"], "mix": data["mix_account"], "contents": content_account}
    slices = {prefix: np.searchsorted(owner, bounds).tolist() for prefix, owner in owners.items()}
    chunk_of = np.repeat(np.arange(len(starts)), np.diff(bounds))
    used = _renumber(names, data, chunk_of)
    for name in ("mix_account", "use_account"):
        data[name] = (data[name] - starts[chunk_of[data[name]]]).astype(np.int32)
    of = {name: slices.get(name.partition("_")[0], bounds.tolist()) for name in data}
    last = len(starts) - 1
    for chunk, (first, end) in enumerate(pairwise(bounds.tolist())):
        encoded = {name: column[of[name][chunk] : of[name][chunk + 1]].tobytes() for name, column in data.items()}
        yield Partial(partition, tick, chunk, chunk == last, False, ids[first:end], used[chunk], encoded)


def _renumber(names: Sequence[str], data: Columns, chunk_of: NDArray) -> list[list[str]]:
    """Renumber the names by chunk, so that each carries only those it uses; return those.

    Args:
        chunk_of: the chunk of each account.
    """
    chunk = {name: chunk_of[data["mix_account"]] if name == "mix_name" else chunk_of for name in CODED}
    used = np.zeros((int(chunk_of[-1]) + 1, len(names) + 1), bool)  # the last for the −1 of no name
    for name in CODED:
        used[chunk[name], data[name]] = True
    number = (np.cumsum(used, axis=1) - 1).astype(np.int16)
    number[:, -1] = -1
    for name in CODED:
        data[name] = number[chunk[name], data[name]]
    return [[names[code] for code in np.flatnonzero(row).tolist()] for row in used[:, :-1]]
