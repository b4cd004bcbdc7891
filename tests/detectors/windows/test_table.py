"""Growable columns: growth keeps rows, snapshots hold what changed and put it back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.errors import StateError
from detectors.windows import Table
from detectors.windows.table import PAGE_ROWS

SPEC = {"a": ("i8", ()), "b": ("f4", (2,))}


def filled(rows: int) -> Table:
    table = Table(SPEC, {"a": -1})
    numbers = table.extend(rows)
    table["a"][numbers] = numbers
    table["b"][numbers] = numbers[:, None] / 2
    return table


def same(one: Table, other: Table) -> bool:
    return one.rows == other.rows and all(
        np.array_equal(one[name][: one.rows], other[name][: one.rows]) for name in SPEC
    )


def test_growth_keeps_the_rows_and_fills_new_ones() -> None:
    table = filled(PAGE_ROWS - 1)
    fresh = table.extend(3 * PAGE_ROWS)
    assert table["a"][:3].tolist() == [0, 1, 2]
    assert np.all(table["a"][fresh] == -1)
    assert np.all(table["b"][fresh] == 0)


def test_clear_makes_rows_fresh() -> None:
    table = filled(3)
    table.clear(np.array([1]))
    assert table["a"][:3].tolist() == [0, -1, 2]
    assert table["b"][1].tolist() == [0.0, 0.0]


def test_snapshot_holds_only_pages_that_changed() -> None:
    table = filled(3 * PAGE_ROWS)
    assert set(table.snapshot("t")) == {"t/0", "t/1", "t/2"}
    assert table.snapshot("t") == {}
    table["a"][PAGE_ROWS + 5] = 99
    table.touch(np.array([PAGE_ROWS + 5]))
    assert set(table.snapshot("t")) == {"t/1"}


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("extend"), st.integers(0, 300)),
            st.tuples(st.just("set"), st.integers(0, 2_000)),
            st.tuples(st.just("snapshot"), st.just(0)),
        ),
        max_size=20,
    )
)
def test_latest_pages_of_any_snapshots_restore_the_table(steps: list[tuple[str, int]]) -> None:
    table, log = Table(SPEC, {"a": -1}), {}
    for number, (step, argument) in enumerate(steps):
        if step == "extend":
            table.extend(argument)
        elif step == "set" and argument < table.rows:
            table["a"][argument] = number
            table.touch(np.array([argument]))
        elif step == "snapshot":
            log |= table.snapshot("t")
    log |= table.snapshot("t")
    restored = Table(SPEC, {"a": -1})
    restored.restore("t", [*log.items(), ("other/0", b"not mine")])
    assert same(table, restored)
    assert restored.snapshot("t") == {}


def test_a_page_of_other_columns_is_refused() -> None:
    other = Table({"x": ("i8", ())})
    other.extend(1)
    with pytest.raises(StateError, match="x"):
        filled(1).load_page(0, other.page(0))
