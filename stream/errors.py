"""Everything that `stream` raises on purpose; the command line prints the message on one line and exits with 2.

HydrawatchError
├── ConfigError       the configuration cannot be used; names the key
├── InputError        a file of events cannot be read, or not to its end
├── OutputError       a file cannot be written
├── BrokerError       Kafka cannot be reached, or refuses
├── TopicError        a topic is missing, or not as configured
└── CheckpointError   stored state and committed offsets do not fit together
    └── FencedError   another worker has taken over the partition
"""

from __future__ import annotations


class HydrawatchError(Exception):
    """Base of the errors of this package."""


class ConfigError(HydrawatchError):
    """The configuration cannot be used. The message names the key."""


class InputError(HydrawatchError):
    """A file of events cannot be read, or not to its end."""


class OutputError(HydrawatchError):
    """A file cannot be written."""


class BrokerError(HydrawatchError):
    """Kafka cannot be reached, or refuses. Operator action: check the bootstrap servers and the credentials."""


class TopicError(HydrawatchError):
    """A topic is missing, or not as configured. Operator action: run `hydrawatch topics check`."""


class CheckpointError(HydrawatchError):
    """Stored state and committed offsets do not fit together. Operator action: see the partition it names."""


class FencedError(CheckpointError):
    """Another worker has taken over the partition. Operator action: none, a supervisor starts the worker again."""
