"""Where two stages differ, as far as what they will say of later requests depends on it."""

from __future__ import annotations

import math
import pickle
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from detectors.columns import CUSTOMERS, MIXED
from detectors.stages.account import AccountStage
from detectors.windows.index import RowIndex
from detectors.windows.keyset import KeySet

BOOKKEEPING = {"_saved", "_stale", "_saved_pending", "_entries", "_saved_pieces", "_unsaved", "_dirty"}
BOOKKEEPING |= {"_order", "_start", "_tail", "_new"}
"""What was already saved, which depends on when checkpoints were taken, and when an order was last made anew."""
PLAIN = (int, float, str, bytes, bool, type(None))


def differences(one: Any, other: Any, path: str = "", ignored: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield a line for each place where two object graphs differ.

    Args:
        one, other: of the same class.
        path: what the lines begin with.
        ignored: attributes of the outermost object that do not count.
    """
    seen: dict[int, Any] = {}  # what is seen is kept, so that no other object gets its id
    for name in sorted(_attributes(one).keys() - ignored):
        yield from _differences(getattr(one, name), getattr(other, name), f"{path}.{name}", seen)


def _differences(one: Any, other: Any, path: str, seen: dict[int, Any]) -> Iterator[str]:
    if isinstance(one, PLAIN):
        if one != other and not (isinstance(one, float) and math.isnan(one) and math.isnan(other)):
            yield f"{path}: {str(one)[:60]}, not {str(other)[:60]}"
        return
    if id(one) in seen:
        return
    seen[id(one)] = one
    if type(one) is not type(other):
        yield f"{path}: {type(one).__name__}, not {type(other).__name__}"
    elif isinstance(one, np.ndarray):
        if one.shape != other.shape or one.dtype != other.dtype or one.tobytes() != other.tobytes():
            yield f"{path}: {_arrays(one, other)}"
    elif isinstance(one, Mapping):
        yield from _mappings(one, other, path, seen)
    elif isinstance(one, list | tuple | deque):
        if len(one) != len(other):
            yield f"{path}: {len(one)} entries, not {len(other)}"
        for number, (mine, its) in enumerate(zip(one, other, strict=False)):
            yield from _differences(mine, its, f"{path}[{number}]", seen)
    elif isinstance(one, set | frozenset):
        if one != other:
            yield f"{path}: {len(one - other)} only in the first, {len(other - one)} only in the second"
    elif isinstance(one, KeySet):
        yield from _differences(set(one.keys().tolist()), set(other.keys().tolist()), path, seen)
    elif isinstance(one, np.random.Generator):
        yield from _differences(one.bit_generator.state, other.bit_generator.state, path, seen)
    elif not callable(one) and not isinstance(one, RowIndex):  # derived; where an entry stands says nothing
        mine, its = _attributes(one), _attributes(other)
        if not mine and one != other and pickle.dumps(one) != pickle.dumps(other):
            yield f"{path}: {str(one)[:60]}, not {str(other)[:60]}"
        yield from _mappings(mine, its, path, seen)


def _mappings(one: Mapping[Any, Any], other: Mapping[Any, Any], path: str, seen: dict[int, Any]) -> Iterator[str]:
    missing = one.keys() ^ other.keys()
    if missing:
        yield f"{path}: {len(missing)} keys in one alone, such as {next(iter(missing))!r}"
    for key in (key for key in one if key in other):
        yield from _differences(one[key], other[key], f"{path}.{key}", seen)


def alphabetical(stage: AccountStage) -> AccountStage:
    """Renumber the names of plans, models and the like: the order in which they were met depends on the batches.

    So does how long models and access paths are known that no open tick holds.
    """
    opened = [*stage._open._whole, *stage._open._recent]
    for names, columns in ((stage._extract.names, CUSTOMERS), (stage._extract.mixed, MIXED)):
        if columns is MIXED:
            used = [part[column] for part in opened for column in columns]
            _renumber(opened, columns, names.keep(np.concatenate([np.zeros(0, np.int16), *used])))
        order = sorted(range(len(names.known)), key=names.known.__getitem__)
        rank = np.full(len(order) + 1, -1)
        rank[order] = np.arange(len(order))
        _renumber([*opened, *([stage.accounts.table._columns] if columns is CUSTOMERS else [])], columns, rank)
        names._know([names.known[code] for code in order])
    return stage


def _renumber(parts: list[dict[str, np.ndarray]], columns: Iterable[str], number: np.ndarray) -> None:
    for part in parts:
        for column in columns:
            part[column] = number[part[column]].astype(part[column].dtype)


def _arrays(one: np.ndarray, other: np.ndarray) -> str:
    if one.shape != other.shape or one.dtype != other.dtype:
        return f"{one.dtype}{one.shape}, not {other.dtype}{other.shape}"
    rows = np.flatnonzero((one != other).reshape(len(one), -1).any(axis=1))
    return f"{len(rows)} of {len(one)} rows differ, the first is row {rows[0] if len(rows) else '(signs of NaN)'}"


def _attributes(thing: Any) -> dict[str, Any]:
    if isinstance(thing, msgspec.Struct):
        return msgspec.structs.asdict(thing)
    names = {name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())}
    names |= set(getattr(thing, "__dict__", ()))
    return {name: getattr(thing, name, None) for name in sorted(names - BOOKKEEPING)}
