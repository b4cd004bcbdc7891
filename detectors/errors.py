"""Everything that `detectors` raises on purpose.

DetectorError
├── InvalidRequest        an event that breaks the request contract
└── StateError            a snapshot that cannot be restored
    └── StateVersionError a snapshot written by another state schema
"""

from __future__ import annotations


class DetectorError(Exception):
    """Base of the errors of this package."""


class InvalidRequest(DetectorError):
    """An event that breaks the request contract.

    Args:
        reason: one of `request.REASONS`, the label under which it is counted.
        detail: what is wrong, naming the key, never quoting content.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class StateError(DetectorError):
    """A snapshot that cannot be restored."""


class StateVersionError(StateError):
    """A snapshot written by another state schema.

    Operator action: run the version that wrote it, or start a new group.
    """
