"""The plan covers every scenario and every dial, and its values are allowed."""

from stream.simulate import SCENARIOS
from stream.simulate.dials import settle
from tests.benchmarks.detection.plan import (
    FIRST_SEED,
    FULL_SEEDS,
    QUICK_SEEDS,
    SCALE,
    SWEEPS,
    TUNING_SEEDS,
    TUNING_WORLDS,
    planned,
    reference_seeds,
    seeds,
    tuning_text,
)
from tests.benchmarks.detection.run import frozen


def test_quick_is_every_scenario_at_its_defaults():
    runs = planned(False, seeds(FIRST_SEED, QUICK_SEEDS), list(SCENARIOS), 0.005)
    assert {run.scenario for run in runs} == set(SCENARIOS)
    assert len(runs) == len(SCENARIOS) * QUICK_SEEDS
    assert not any(run.dials for run in runs)


def test_full_turns_every_dial():
    assert {name: set(scenario.dials) for name, scenario in SCENARIOS.items() if scenario.dials} == {
        name: set(dials) for name, dials in SWEEPS.items()
    }
    assert SWEEPS["proxy"]["campaign_share"] == (0.05, 0.1, 0.25, 0.5, 0.75, 0.9)
    assert FULL_SEEDS == 10


def test_values_are_allowed_and_runs_have_folders_of_their_own():
    runs = planned(True, [11, 12], list(SCENARIOS), 0.005)
    for run in runs:
        settle(run.scenario, SCENARIOS[run.scenario].dials, run.dials)
    assert len({run.path for run in runs}) == len(runs)


def test_figures_are_of_seeds_that_nothing_was_tuned_on():
    used = seeds(FIRST_SEED, FULL_SEEDS)
    assert used == list(range(221, 231))
    assert reference_seeds()
    assert not set(used) & {*TUNING_SEEDS, *reference_seeds(), *frozen(SCALE).seeds}
    assert [name for name in TUNING_WORLDS if name.endswith("-2")] == ["fifth-seeds-2"]
    assert "None of them" in tuning_text(used)
    assert f"both: 1, 31, {reference_seeds()[0]}." in tuning_text([1, 31, 221, reference_seeds()[0]])
