"""Everything that `detectors` raises on purpose.

DetectorError
├── StateError            a snapshot that cannot be restored
│   └── StateVersionError a snapshot written by another state schema
└── FeedbackError         a verdict that is none
"""

from __future__ import annotations


class DetectorError(Exception):
    """Base of the errors of this package."""


class StateError(DetectorError):
    """A snapshot that cannot be restored."""


class StateVersionError(StateError):
    """A snapshot written by another state schema.

    Operator action: run the version that wrote it, or start a new group.
    """


class FeedbackError(DetectorError):
    """A record of feedback is no verdict. The message says which field is wrong."""
