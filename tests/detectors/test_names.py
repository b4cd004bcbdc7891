"""Ids in the order that `sorted` gives."""

from hypothesis import given
from hypothesis import strategies as st

from detectors.names import id_order

WORDS = st.text(st.sampled_from("ab\x00é\U0001f600"), max_size=12)


@given(st.lists(WORDS, unique=True, max_size=40), st.sampled_from(["", "account-"]))
def test_ids_are_ordered_as_strings(words: list[str], prefix: str) -> None:
    ids = [prefix + word for word in words]
    order, sizes = id_order(ids)
    assert [ids[position] for position in order.tolist()] == sorted(ids)
    assert sizes.tolist() == [len(one.encode()) for one in ids]
