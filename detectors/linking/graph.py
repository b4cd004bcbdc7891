"""Accounts, the attribute values they use, and the traffic of each account through each value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.columns import Names
from detectors.compiled import by_row, numbered, plain
from detectors.hashing import digest, digests
from detectors.linking import traits, updates
from detectors.linking.additions import add_decayed, add_to_mix, extend_spans, sums_by_run
from detectors.linking.contenders import Contenders
from detectors.linking.follow import Followed, NewUses
from detectors.linking.handovers import FAILED_BIT, Handovers
from detectors.linking.templates import TemplateFamilies
from detectors.linking.updates import note_update, since_update, updated_ms
from detectors.models import account_columns
from detectors.partials import CAPABILITIES, COUNTS, FAMILIES, MAX_CONTENTS
from detectors.windows import RowIndex, Table, decay
from detectors.windows.table import LIVE, PAGE_ROWS, Column

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MIX_HALF_LIFE_MS = 3 * DAY_MS
RECENT = 4
"""Values of each infrastructure family remembered per account."""
MODELS, PATHS = 32, 8
"""Different models and access paths told apart."""
ASKED = 4
"""Words of the bitmap of an account's contents (linear counting, Whang et al., ACM TODS 1990): good to ~1,000."""
FAMILY_SALT = 0x9E3779B97F4A7C15
SKETCH = 64
"""Registers of the sketch of a value's contents."""

_TRAFFIC: dict[str, Column] = {
    "first": ("i8", ()),
    "last": ("i8", ()),
    **updates.COLUMNS,
    "counts": ("f4", (len(COUNTS),)),
    "capabilities": ("f4", (len(CAPABILITIES),)),
    "contents": ("f4", ()),
    "hours": ("u4", (2,)),
    "ticks": ("f4", ()),
}
"""Traffic of an account, or of an account through a value. Counts decay with the half-life of links, from one update
to the next; `contents` sums the different contents of each tick, `hours` has a bit per hour of the day (UTC) with a
request in this and in the previous period of `traits`, `ticks` counts the ticks with one."""

_ACCOUNT: dict[str, Column] = _TRAFFIC | {
    LIVE: ("u1", ()),
    "key": ("u8", ()),
    "created": ("i8", ()),
    "plan": ("i2", ()),
    "verification": ("i2", ()),
    "pathway": ("i2", ()),
    "organization": ("u8", ()),
    "models": ("f4", (MODELS,)),
    "paths": ("f4", (PATHS,)),
    "recent": ("i4", (len(FAMILIES) - 1, RECENT)),
    "carries": ("u1", ()),
    "component": ("i4", ()),
    "cells": ("i4", (2,)),
    "asked": ("u8", (ASKED,)),
    "shared": ("f4", ()),
    "replayed": ("f4", ()),
    **account_columns.COLUMNS,
    **traits.COLUMNS,
}
_VALUE: dict[str, Column] = {
    LIVE: ("u1", ()),
    "family": ("i1", ()),
    "value": ("u8", ()),
    "accounts": ("i4", ()),
    "cluster": ("i4", ()),
    "sketch": ("u1", (SKETCH,)),
    "content_requests": ("f4", ()),
}
_USE: dict[str, Column] = _TRAFFIC | {LIVE: ("u1", ()), "account": ("i4", ()), "value": ("i4", ())}


class Tick(msgspec.Struct):
    """One tick of every partition, accounts sorted by id, names renumbered; see `partials.SCHEMA` for the columns."""

    end_ms: int
    accounts: list[str]
    columns: dict[str, NDArray]


class Graph:
    """The bipartite graph of accounts and values, updated a tick at a time.

    Accounts are known by the 64-bit digest of their ids, values by their hashes (see `follow` for when a value gets a
    row).

    Args:
        half_life_days: of the counts.
        max_values: values of one account remembered; the oldest are forgotten beyond.
    """

    def __init__(self, half_life_days: float, max_values: int) -> None:
        self.half_life_ms = half_life_days * DAY_MS
        self.memory_days = half_life_days / np.log(2.0)
        """Counts fade, so they stand for no more than so many days."""
        self.names = Names()
        self.models, self.paths = Names(MODELS), Names(PATHS)
        self.contenders = [Contenders(kind, names) for kind, names in enumerate((self.models, self.paths))]
        """Names without a column in `models` and in `paths`."""
        self.ids: list[str] = []
        self.memo: dict[str, Any] = {}
        """What was worked out from the accounts since the last `update`; whoever needs it again looks here first."""
        self.accounts = Table(
            _ACCOUNT,
            {"created": -1, "plan": -1, "verification": -1, "pathway": -1, "recent": -1, "component": -1, "cells": -1},
        )
        self.values = Table(_VALUE, {"cluster": -1})
        self.uses = Table(_USE)
        self.followed = Followed(self.values, self.uses, max_values)
        self.members = self.followed.members
        """Per value, the rows of its uses."""
        self.singles = self.followed.singles
        self.templates = TemplateFamilies()
        self.handovers = Handovers()
        self._account = RowIndex(lambda rows: self.accounts["key"][rows])

    @property
    def population(self) -> int:
        """Accounts in memory."""
        return self.accounts.live

    @property
    def nbytes(self) -> int:
        """Bytes of the tables and indices, without the ids' text."""
        tables = self.accounts.nbytes + self.values.nbytes + self.uses.nbytes
        return tables + self.followed.nbytes + self._account.nbytes

    def update(self, tick: Tick) -> tuple[NDArray, NDArray]:
        """Take in one tick; return the rows of its accounts (A,) and uses (U,), −1 for a value of one account."""
        self.memo.clear()
        rows = self._account_rows(tick.accounts)
        self._describe(rows, tick)
        traits.note(self.accounts, rows, tick.columns, tick.end_ms)
        self.handovers.update(self.accounts, rows, tick.columns, tick.end_ms)
        per_account = np.bincount(tick.columns["use_account"], tick.columns["use_contents"], len(rows))
        whole = Tick(tick.end_ms, [], tick.columns | {"contents": per_account})
        self._add(self.accounts, rows, whole, "", tick.columns["first"], tick.columns["last"])
        uses = self._use_rows(rows, tick)
        seen = uses >= 0
        who = tick.columns["use_account"][seen]
        columns = {name: tick.columns[name][seen] for name in ("use_counts", "use_capabilities", "use_contents")}
        part = Tick(tick.end_ms, [], columns)
        self._add(self.uses, uses[seen], part, "use_", tick.columns["first"][who], tick.columns["last"][who])
        self._sketch(uses, tick)
        self._mark(rows, tick)
        return rows, uses

    def daily(self, amounts: NDArray, first: NDArray, last: NDArray, least_days: float = 1.0) -> NDArray[np.float64]:
        """Return decayed amounts per day between first and last sight.

        A steady rate r sums to r τ (1 − e^(−T/τ)) in T days when it fades with the mean life τ (`memory_days`), so an
        amount stands for τ (1 − e^(−T/τ)) days. Over T as they are, the old would look idle; over no more than τ, the
        young busy.

        Args:
            amounts, first, last: decayed amounts and the times between which they came, ms, shape (B,).
            least_days: shorter spans count as so long.
        """
        days = np.maximum((last - first) / DAY_MS, least_days)
        return np.asarray(amounts / (-self.memory_days * np.expm1(-days / self.memory_days)), np.float64)

    def account_row(self, account: str) -> int:
        """Return the row of an account, −1 when it was never seen."""
        return int(self._account.get(np.array([digest(account)], np.uint64))[0])

    def template_row(self, template: int) -> int:
        """Return the value row of the family of a template's hash, −1 when not two accounts used it."""
        return self.followed.value_row(self.templates.family(template) ^ FAMILY_SALT)

    def _account_rows(self, ids: Sequence[str]) -> NDArray:
        keys = digests(ids)
        rows = self._account.get(keys)
        unknown = np.flatnonzero(rows < 0)
        if len(unknown):
            first = unknown[numbered(keys[unknown])[1]]
            new = self.accounts.take(len(first))
            self.accounts["key"][new] = keys[first]
            self._account.add(new)
            self.ids += [""] * (self.accounts.rows - len(self.ids))
            for row, position in zip(new.tolist(), first.tolist(), strict=True):
                self.ids[row] = ids[position]
            rows[unknown] = self._account.get(keys[unknown])
        return rows

    def free_accounts(self, rows: NDArray) -> None:
        """Forget accounts, all of whose uses were forgotten before."""
        self._account.remove(self.accounts["key"][rows])
        self.accounts.free(rows)
        gone = np.zeros(self.accounts.rows, bool)
        gone[rows] = True
        self.singles.forget_accounts(gone)
        self.handovers.forget_accounts(gone)
        for row in rows.tolist():
            self.ids[row] = ""

    def free_uses(self, rows: NDArray, kept: NDArray) -> NDArray[np.int64]:
        """Forget uses; return the values that then have none, but for those in `kept`."""
        return np.setdiff1d(self.followed.free_uses(rows), kept)

    def free_values(self, rows: NDArray) -> None:
        """Forget values without uses."""
        gone = np.zeros(self.values.rows + 1, bool)  # the last for the −1 of no value
        gone[rows] = True
        recent = self.accounts["recent"]
        changed = np.flatnonzero(gone[recent].any(axis=(1, 2)))
        slots = np.where(gone[recent[changed]], -1, recent[changed])
        recent[changed] = np.take_along_axis(slots, np.argsort(slots < 0, axis=2, kind="stable"), 2)
        self.accounts.touch(changed)
        self.followed.free_values(rows)

    def _describe(self, rows: NDArray, tick: Tick) -> None:
        for name in ("created", "plan", "verification", "pathway"):
            known = tick.columns[name] >= 0
            self.accounts[name][rows[known]] = tick.columns[name][known]
        known = tick.columns["organization"] > 0
        self.accounts["organization"][rows[known]] = tick.columns["organization"][known]
        kept = decay(since_update(self.accounts, rows, tick.end_ms), MIX_HALF_LIFE_MS)
        for kind, name in enumerate(("models", "paths")):
            mine = tick.columns["mix_kind"] == kind
            who, which, requests = (tick.columns[f"mix_{of}"][mine] for of in ("account", "name", "requests"))
            places = plain(who, np.int64), plain(which, np.int64), plain(requests, np.float32)
            add_to_mix(plain(rows, np.int64), kept, self.accounts[name], *places)

    def _add(self, table: Table, rows: NDArray, tick: Tick, prefix: str, first: NDArray, last: NDArray) -> None:
        """Add a tick's traffic to `rows`, which may repeat when two templates became one family."""
        order, unique, start = by_row(plain(rows, np.int64), table.rows)
        kept = decay(since_update(table, unique, tick.end_ms), self.half_life_ms)
        for name in ("counts", "capabilities"):
            add_decayed(order, start, unique, kept, table[name], plain(tick.columns[prefix + name], np.float32))
        contents = sums_by_run(order, start, plain(tick.columns[prefix + "contents"], np.float64))
        table["contents"][unique] = table["contents"][unique] * kept + contents
        table["ticks"][unique] = table["ticks"][unique] * kept + 1
        if not prefix:
            table["shared"][unique] *= kept
            table["replayed"][unique] *= kept
        traits.turn(table["hours"], unique, updated_ms(table, unique), tick.end_ms)
        table["hours"][unique, 0] |= np.uint32(1 << ((tick.end_ms - 1) % DAY_MS // HOUR_MS))
        note_update(table, unique, tick.end_ms)
        extend_spans(order, start, unique, table["first"], table["last"], plain(first, np.int64), plain(last, np.int64))
        table.touch(unique)

    def _use_rows(self, rows: NDArray, tick: Tick) -> NDArray:
        family, value = tick.columns["use_family"], tick.columns["use_value"].copy()
        prompts = family == 0
        value[prompts] = self.templates.canonical(value[prompts], tick.columns["use_simhash"][prompts])
        traits.note_refusals(
            self.accounts,
            rows[tick.columns["use_account"][prompts]],
            value[prompts],
            tick.columns["use_counts"][prompts],
        )
        value ^= (family.astype(np.uint64) + np.uint64(1)) * np.uint64(FAMILY_SALT)
        accounts = rows[tick.columns["use_account"]]
        np.bitwise_or.at(self.accounts["carries"], accounts, np.left_shift(1, family).astype(np.uint8))
        uses, new = self.followed.update(value, family, accounts)
        self._remember_recent(new)
        return uses

    def _remember_recent(self, new: NewUses) -> None:
        """Put new values of infrastructure before those that the account used before."""
        rows, family = new.rows[new.family > 0], new.family[new.family > 0]
        account, value = self.uses["account"][rows].astype(np.int64), self.uses["value"][rows]
        slot = account * len(FAMILIES) + family
        order = np.argsort(slot, kind="stable")
        end = np.searchsorted(slot[order], slot[order], "right") - np.arange(len(order))
        for back in range(RECENT, 0, -1):
            chosen = order[end == back]
            who, which = account[chosen], family[chosen] - 1
            before, newest = self.accounts["recent"][who, which], value[chosen, None]
            held = before == newest  # a use that was forgotten and comes again
            gone = np.where(held.any(1), held.argmax(1), RECENT - 1)[:, None]
            moved = np.concatenate([newest, before[:, :-1]], axis=1)
            self.accounts["recent"][who, which] = np.where(np.arange(RECENT) <= gone, moved, before)
        self.accounts.touch(account)

    def _sketch(self, uses: NDArray, tick: Tick) -> None:
        """Keep a HyperLogLog of each shared template's contents (Flajolet et al., AofA 2007), and their requests.

        Of an account with more contents than are listed, each that is listed counts for one request.
        """
        per_use = tick.columns["use_contents"]
        use = np.repeat(uses, per_use)
        shared = use >= 0
        if not shared.any():
            return
        value = self.uses["value"][use[shared]]
        mixed = (tick.columns["contents"][shared] & ~FAILED_BIT) * np.uint64(0xFF51AFD7ED558CCD)
        register = (mixed >> np.uint64(58)).astype(np.intp)
        rest = (mixed << np.uint64(6)) | np.uint64(1 << 5)
        rank = (64 - np.floor(np.log2(rest.astype(np.float64)))).clip(1, 58).astype(np.uint8)
        np.maximum.at(self.values["sketch"], (value, register), rank)
        listing = np.flatnonzero((uses >= 0) & (per_use > 0))
        owner = tick.columns["use_account"]
        cut = np.bincount(owner, per_use)[owner[listing]] >= MAX_CONTENTS
        requests = np.where(cut, per_use[listing], tick.columns["use_counts"][listing, 0]).astype(np.float32)
        np.add.at(self.values["content_requests"], self.uses["value"][uses[listing]], requests)
        self.values.touch(np.unique(value))

    def _mark(self, rows: NDArray, tick: Tick) -> None:
        """Mark each account's contents in its bitmap."""
        who = rows[np.repeat(tick.columns["use_account"], tick.columns["use_contents"])]
        mixed = (tick.columns["contents"] & ~FAILED_BIT) * np.uint64(0x9E3779B97F4A7C15)
        word, bit = (mixed >> np.uint64(56)) % np.uint64(ASKED), (mixed >> np.uint64(32)) % np.uint64(64)
        np.bitwise_or.at(self.accounts["asked"], (who, word.astype(np.intp)), np.uint64(1) << bit)

    def asked(self, accounts: NDArray) -> NDArray[np.float64]:
        """Return about how many different contents each account has sent; infinity where too many to tell."""
        empty = 64.0 * ASKED - np.bitwise_count(self.accounts["asked"][accounts]).sum(1)
        return np.where(empty >= 4.0, -64.0 * ASKED * np.log(np.maximum(empty, 1.0) / (64.0 * ASKED)), np.inf)

    def different_contents(self, values: NDArray) -> float:
        """Return about how many different contents went through `values` together."""
        registers = self.values["sketch"][values].max(0).astype(np.float64)
        raw = 0.709 * SKETCH**2 / np.exp2(-registers).sum()
        empty = int((registers == 0).sum())
        return float(SKETCH * np.log(SKETCH / empty) if raw <= 2.5 * SKETCH and empty else raw)

    def snapshot(self) -> dict[str, bytes]:
        """Return the pages that changed."""
        pages = self.values.snapshot("values") | self.uses.snapshot("uses") | self.singles.table.snapshot("singles")
        for number in self.accounts.dirty_pages():
            ids = self.ids[number * PAGE_ROWS : (number + 1) * PAGE_ROWS]
            pages[f"accounts/{number}"] = msgspec.msgpack.encode((ids, self.accounts.page(number)))
        return pages

    def restore(self, items: Iterable[tuple[str, bytes]], arrived: int) -> None:
        """Put back what `snapshot` returned, and `singles.arrived`; the indices are built anew."""
        items = list(items)
        self.values.restore("values", items)
        self.uses.restore("uses", items)
        self.singles.restore(items, arrived)
        pages = sorted((int(key[9:]), data) for key, data in items if key.startswith("accounts/"))
        for number, data in pages:
            ids, page = msgspec.msgpack.decode(data, type=tuple[list[str], bytes])
            self.accounts.load_page(number, page)
            self.ids += ids
        self.accounts.dirty_pages()
        self.accounts.find_free()
        self._account.load(np.flatnonzero(self.accounts[LIVE][: self.accounts.rows]))
        self.followed.load()
