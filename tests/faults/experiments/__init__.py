"""The experiments, by number: what each does is its docstring, its function the whole of it.

The numbers are those of the plan of fault tests: 1-20, and 21 and 22 for what was added to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.faults.oracle import Verdict
from tests.faults.rig import Rig

Body = Callable[[Rig], Verdict | None]


class Experiment(NamedTuple):
    """One experiment.

    `body` does it and returns the verdict, or None when there is nothing to compare. `quick` ones are part of `make
    test`, and one with its `own_broker` leaves it in another state than before.
    """

    number: int
    name: str
    title: str
    quick: bool
    own_broker: bool
    settings: dict[str, Any]
    body: Body


ALL: dict[str, Experiment] = {}


def experiment(
    number: int, *, quick: bool = False, own_broker: bool = False, **settings: Any
) -> Callable[[Body], Body]:
    """Register an experiment under the name of its function; `settings` are of the rig."""

    def register(body: Body) -> Body:
        name = body.__name__.replace("_", "-")
        title = (body.__doc__ or name).split("\n")[0].rstrip(".")
        ALL[name] = Experiment(number, name, title, quick, own_broker, settings, body)
        return body

    return register
