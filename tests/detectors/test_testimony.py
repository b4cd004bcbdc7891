"""What an alert says besides its evidence."""

from detectors.testimony import _left_out


def test_the_reader_is_told_when_the_evidence_is_of_more_accounts_than_are_accused() -> None:
    assert _left_out(84, 84) == []
    (fact,) = _left_out(139, 84)
    assert fact.text == "the evidence is of the 139 accounts of a group; 55 of them are not accused"
