"""The ruler measures: who knows the truth scores near perfect, who knows nothing finds nothing, who lies fails."""

from dataclasses import replace

import numpy as np
import pytest

from tests.benchmarks.detection import columns
from tests.benchmarks.detection.alerts import Flags, by_day
from tests.benchmarks.detection.baselines import Settings, budgeted, detect, everything
from tests.benchmarks.detection.calibrate import calibrate
from tests.benchmarks.detection.columns import DAY_MS, HOUR_MS
from tests.benchmarks.detection.plan import SCALE
from tests.benchmarks.detection.run import frozen

UNTIL_DAY = 4


def settings(small, truth=None):
    return Settings(frozen(SCALE).thresholds, truth or small.traffic.truth)


def test_the_oracle_scores_near_perfect(small, measured):
    found = measured(detect("oracle", small.columns, settings(small)))
    assert len(found.campaigns) == 3
    for campaign in found.campaigns:
        assert campaign.found
        assert campaign.open_alerts == 1
        assert campaign.hours_to_alert == pytest.approx(1.0)
        assert campaign.leaked_share < 0.05
        assert campaign.contained_share == 1.0
        assert campaign.accounts_decided_share == 1.0
        assert campaign.precision == 1.0
    assert found.precision == found.b_cubed_precision == found.b_cubed_recall == 1.0
    assert found.false_alerts == 0
    assert found.honest_per_million_per_day == 0


def test_random_finds_next_to_nothing(small, measured):
    found = measured(detect("random", small.columns, settings(small)))
    assert not any(campaign.found for campaign in found.campaigns)
    assert max(campaign.accounts_decided_share for campaign in found.campaigns) < 0.2
    assert found.precision is None or found.precision < 0.2


def test_random_with_many_alarms_is_called_false(small, measured):
    module = budgeted()["random"]
    found = measured(module.judge(small.columns, module.prepare(small.columns), 0.9))
    assert found.false_alerts >= 5
    assert found.precision < 0.3


def test_an_oracle_of_flipped_labels_fails(small, measured):
    truth = small.traffic.truth
    honest = sorted(set(truth.kind) - set(truth.campaign))
    thirds = {name: honest[number::3] for number, name in enumerate(truth.members)}
    found = measured(detect("oracle", small.columns, settings(small, replace(truth, members=thirds))))
    assert not any(campaign.found for campaign in found.campaigns)
    assert all(campaign.leaked_share == 1.0 for campaign in found.campaigns)
    assert found.precision == 0.0
    assert found.false_alerts == 3
    assert found.honest_per_million_per_day > 100_000


def loose(name, small_columns):
    """A threshold at which a baseline has something to say about so small a world."""
    module = budgeted()[name]
    prepared = module.prepare(small_columns)
    tried = module.levels(prepared)
    return float(tried[len(tried) // 3])


@pytest.fixture(scope="module")
def beginning(small, tmp_path_factory):
    """The first days of the same events, as if nothing had come after."""
    path = tmp_path_factory.mktemp("beginning") / "events.jsonl"
    lines = small.events.read_bytes().splitlines(keepends=True)
    end = (int(small.columns.time[0]) // DAY_MS + UNTIL_DAY) * DAY_MS
    path.write_bytes(b"".join(line for line in lines if int(line.split(b'"time":')[1].split(b",")[0]) < end))
    return columns.read(path), end


@pytest.mark.parametrize("name", [name for name in everything() if name != "oracle"])
def test_no_baseline_looks_ahead(small, beginning, name):
    first, end = beginning
    thresholds = {name: loose(name, small.columns)} if name in budgeted() else {}
    whole, part = (detect(name, c, Settings(thresholds, small.traffic.truth)) for c in (small.columns, first))
    early = [alert for alert in whole.alerts if alert.time <= end]
    assert early
    assert [alert for alert in part.alerts if alert.time <= end] == early
    decided = [d for d in whole.decisions if d.from_ <= end]
    assert [d for d in part.decisions if d.from_ <= end] == decided


def flags(*rows):
    time, account = (np.array(column) for column in zip(*rows, strict=True))
    return Flags(time, account, np.ones(len(rows)))


def test_an_alert_opens_with_the_account_that_makes_it_enough():
    rows = [(HOUR_MS * n, n) for n in range(1, 8)]
    out = by_day("d", [str(n) for n in range(8)], flags(*rows), 1.0, least=5)
    assert [(alert.time, alert.accounts) for alert in out.alerts] == [(5 * HOUR_MS, 5)]
    assert [d.from_ // HOUR_MS for d in out.decisions] == [5, 5, 5, 5, 5, 6, 7]
    assert by_day("d", [str(n) for n in range(8)], flags(*rows[:4]), 1.0, least=5).alerts == []


def test_accounts_under_a_decision_open_nothing_and_are_renewed():
    rows = [(day * DAY_MS + HOUR_MS + n, n) for day in range(9) for n in range(5)]
    out = by_day("d", [str(n) for n in range(5)], flags(*rows), 1.0, least=5)
    assert len(out.alerts) == 1
    assert {d.campaign_id for d in out.decisions} == {out.alerts[0].campaign_id}
    assert sorted({d.revision for d in out.decisions}) == [1, 2]


@pytest.fixture(scope="module")
def calibrated(small):
    return calibrate([small.columns] * 4, SCALE, [5])


@pytest.mark.parametrize("name", list(budgeted()))
def test_calibration_finds_the_least_threshold_within_the_budget(small, calibrated, name):
    made = calibrated
    assert made.false_alerts[name] <= 4 * 6 / 7 * 0.5
    module = budgeted()[name]
    prepared = module.prepare(small.columns)
    lower = [level for level in module.levels(prepared) if level < made.thresholds[name]]
    assert lower
    assert 4 * len(module.judge(small.columns, prepared, lower[0]).alerts) > 4 * 6 / 7 * 0.5


def test_thresholds_come_from_seeds_that_no_run_uses():
    assert min(frozen(SCALE).seeds) > 1000
    assert set(frozen(SCALE).thresholds) == set(budgeted())
    with pytest.raises(LookupError, match=r"calibrate --scale 0\.3"):
        frozen(0.3)
