"""The experiments that every `make test` can afford; `make test-faults` runs all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import kafka
from tests.faults import __main__ as command
from tests.faults import experiments, rig

SEED = 11
QUICK = sorted((one for one in experiments.ALL.values() if one.quick), key=lambda one: one.number)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    return rig.simulated(tmp_path_factory.mktemp("input"), *command.QUICK, SEED)


@pytest.fixture(scope="module")
def brokers() -> Iterator[command.Brokers]:
    with command.Brokers() as made:
        try:
            made.one(new=False)
        except kafka.Unavailable as reason:
            if os.environ.get("CI") == "true":
                pytest.fail(f"CI needs a Kafka: {reason}")
            pytest.skip(f"no Kafka that may be killed: {reason}")
        yield made


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.parametrize("one", QUICK, ids=lambda one: one.name)
def test_keeps_its_promises(
    one: experiments.Experiment, lines: list[bytes], tmp_path: Path, brokers: command.Brokers
) -> None:
    report = command.run(one, lines, tmp_path / one.name, SEED, brokers)
    assert report.passed, command.row(report)
