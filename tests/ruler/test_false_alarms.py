"""The bound on false alarms is the exact one, and says when the sample is too small."""

import pytest

from stream.evaluate.intervals import rate
from tests.benchmarks.detection.false_alarms import bounds, document, verdict
from tests.benchmarks.detection.plan import FIRST_SEED, FULL_SEEDS, seeds
from tests.benchmarks.detection.run import PRODUCT
from tests.stream.evaluate.samples import figures, run


def quiet(seed, false=0):
    changed = {"scenario": "quiet", "dials": {"strength": 1.0}}
    return run(seed, {PRODUCT: figures([], false=false, burden=2000.0 * false)}, **changed)


@pytest.mark.parametrize(
    ("count", "exposure", "expected"), [(0, 3.7, "shown"), (0, 3.6, "open"), (3, 3.0, "open"), (9, 3.0, "missed")]
)
def test_a_goal_is_shown_only_where_its_whole_interval_keeps_it(count, exposure, expected):
    assert verdict(rate(count, exposure), 1.0).startswith(expected)


def test_no_false_campaign_still_allows_what_the_sample_cannot_exclude():
    found = bounds([quiet(seed) for seed in seeds(FIRST_SEED, FULL_SEEDS)], "the command")
    assert found.account_weeks == 10_000
    assert (found.campaigns, found.false_campaigns.value) == (0, 0.0)
    assert found.false_campaigns.high == pytest.approx(3.689 / 0.01, rel=1e-3)
    assert found.needed == pytest.approx(3.689, rel=1e-3)
    text = document(found)
    assert "open: the sample is too small to tell" in text
    assert "368.9 times this sample" in text
    assert "None of them is a seed of this figure" in found.tuning


def test_false_alarms_are_counted_by_kind():
    found = bounds([quiet(11), quiet(12, false=3)], "the command")
    assert found.campaigns == 3
    assert found.false_campaigns.value == pytest.approx(3 / 0.002)
    assert [(kind.kind, kind.false_alerts, kind.accounts_decided) for kind in found.by_kind] == [("chat", 3, 6)]
    assert "missed" in document(found)
