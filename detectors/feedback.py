"""What people say of campaigns and accounts: the record, and the book of the verdicts that stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from detectors.errors import FeedbackError

CONFIRMED, DISMISSED, ALLOW = "confirmed", "dismissed", "allow"
SCOPES = ("account", "organization", "cluster", "template", "campaign")
ALLOWED_SCOPES = ("account", "organization")
CAMPAIGN_SCOPES = ("campaign", "cluster")
"""A cluster is named by the id of its campaign, so the two mean the same."""
DAY_MS = 86_400_000
DISMISSED_MS = 90 * DAY_MS
"""A dismissed account, organisation or template stands for so long without `until`: appeals must not be for ever."""

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Reason = Annotated[str, Meta(min_length=1, max_length=500)]
Time = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
"""Unix ms, to the end of the year 9999."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One verdict, as it stands on the topic; times in Unix ms.

    `by` is as good as the control over who may write to the topic. Unknown fields are refused: a misspelt `until`
    would make a verdict stand for ever.

    Raises:
        ValueError: `allow` without `until` or of a scope that has no decisions, or `until` not after `time`.
    """

    verdict: Literal["confirmed", "dismissed", "allow"]
    scope: Literal["account", "organization", "cluster", "template", "campaign"]
    value: Name
    by: Name
    reason: Reason
    time: Time
    until: Time | None = None

    def __post_init__(self) -> None:
        if self.until is not None and self.until <= self.time:
            raise ValueError("until: expected a time after `time`")
        if self.verdict == ALLOW and self.until is None:
            raise ValueError("until: required for allow")
        if self.verdict == ALLOW and self.scope not in ALLOWED_SCOPES:
            raise ValueError(f"scope: only {' or '.join(ALLOWED_SCOPES)} can be allowed")

    @property
    def key(self) -> tuple[str, str]:
        """What it is about."""
        return self.scope, self.value

    @property
    def end(self) -> int | None:
        """Until when it stands, Unix ms; None for good."""
        if self.until is None and self.verdict == DISMISSED and self.scope not in CAMPAIGN_SCOPES:
            return self.time + DISMISSED_MS
        return self.until

    def stands(self, now: int) -> bool:
        """Tell whether it still counts at `now`, ms of event time."""
        return self.end is None or now < self.end


_decoder = msgspec.json.Decoder(Verdict)


def decode(data: bytes) -> Verdict:
    """Return the verdict in a JSON object.

    Raises:
        FeedbackError: says what is wrong with it.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FeedbackError(str(error)) from None


class Book:
    """The latest verdict on each subject.

    A verdict may come twice, late or out of order: the greatest `time` counts, and of two at the same time the one
    that is greater as text, so that every order of arrival leaves the same book.
    """

    def __init__(self) -> None:
        self._latest: dict[str, dict[str, Verdict]] = {scope: {} for scope in SCOPES}

    def __iter__(self) -> Iterator[Verdict]:
        return (verdict for known in self._latest.values() for verdict in known.values())

    def add(self, verdict: Verdict) -> bool:
        """Enter a verdict; False when a later one, or the same, is known."""
        known = self._latest[verdict.scope].get(verdict.value)
        if known is not None and _order(known) >= _order(verdict):
            return False
        self._latest[verdict.scope][verdict.value] = verdict
        return True

    def standing(self, scope: str, now: int) -> list[Verdict]:
        """Return the verdicts of a scope that count at `now`, ms of event time, in the order of their values."""
        known = self._latest[scope]
        return [known[value] for value in sorted(known) if known[value].stands(now)]

    def about(self, scope: str, value: str, now: int) -> Verdict | None:
        """Return the latest verdict on a subject that counts at `now`, ms of event time; None for none."""
        scopes = CAMPAIGN_SCOPES if scope in CAMPAIGN_SCOPES else (scope,)
        known = [self._latest[each][value] for each in scopes if value in self._latest[each]]
        return max((verdict for verdict in known if verdict.stands(now)), key=_order, default=None)

    def forget(self, now: int) -> None:
        """Drop what no longer counts, so that the book stays as short as what stands in it."""
        for scope, known in self._latest.items():
            self._latest[scope] = {value: verdict for value, verdict in known.items() if verdict.stands(now)}

    def state(self) -> list[dict[str, Any]]:
        """Return what `load` takes."""
        return [msgspec.to_builtins(verdict) for verdict in self]

    def load(self, state: Iterable[dict[str, Any]]) -> None:
        """Put back what `state` returned."""
        for entry in state:
            self.add(msgspec.convert(entry, Verdict))


def _order(verdict: Verdict) -> tuple[int, bytes]:
    return verdict.time, msgspec.json.encode(verdict)
