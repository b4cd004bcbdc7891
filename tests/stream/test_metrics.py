import re
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from detectors import __version__
from detectors.request import REASONS
from stream.metrics import Metrics
from tests.stream.samples import HOUR_MS, START_MS, alert, decision

CONTRACT = {
    "hydrawatch_requests_total": ("counter", ()),
    "hydrawatch_dead_letters_total": ("counter", ("reason",)),
    "hydrawatch_late_requests_total": ("counter", ()),
    "hydrawatch_duplicate_requests_total": ("counter", ()),
    "hydrawatch_alerts_total": ("counter", ("kind", "severity", "state")),
    "hydrawatch_open_campaigns": ("gauge", ("severity",)),
    "hydrawatch_decisions_total": ("counter", ("type", "simulated")),
    "hydrawatch_batch_duration_seconds": ("histogram", ()),
    "hydrawatch_detection_delay_seconds": ("histogram", ()),
    "hydrawatch_consumer_lag_records": ("gauge", ("topic", "partition")),
    "hydrawatch_missed_records_total": ("counter", ("topic",)),
    "hydrawatch_tracked_accounts": ("gauge", ()),
    "hydrawatch_tracked_clusters": ("gauge", ()),
    "hydrawatch_state_bytes": ("gauge", ("store",)),
    "hydrawatch_checkpoint_duration_seconds": ("histogram", ()),
    "hydrawatch_model_score": ("histogram", ("model",)),
    "hydrawatch_false_positive_budget_used_ratio": ("gauge", ()),
    "hydrawatch_build_info": ("gauge", ("version", "python")),
}


def account_stage(requests=0, late=0, duplicates=0, tracked_accounts=0, state_bytes=0):
    return SimpleNamespace(
        requests=requests,
        late=late,
        duplicates=duplicates,
        tracked_accounts=tracked_accounts,
        state_bytes=state_bytes,
    )


def group_stage(**changes):
    figures = {"tracked_clusters": 3, "open_campaigns": {"critical": 2}, "state_bytes": 77, "budget_used": 0.25}
    return SimpleNamespace(**figures, model_scores=[0.02, 0.5, 0.51, 1.0], **changes)


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def value(metrics):
    return lambda name, **labels: metrics.registry.get_sample_value(name, labels)


def test_every_metric_of_the_contract_is_exposed_with_its_type_and_labels(metrics):
    metrics.batch(0.01)
    metrics.checkpoint(0.2)
    metrics.dead_letters(["not_json"])
    metrics.account_stage(0, account_stage())
    metrics.group_stage(group_stage())
    metrics.outputs([alert()], [decision()])
    metrics.lag("hydrawatch.requests", 0, 5)
    metrics.missed("hydrawatch.requests", 7)
    found = {}
    for family in text_string_to_metric_families(metrics.exposition()):
        assert family.documentation.endswith(".")
        suffix = "_total" if family.type == "counter" else ""
        labels = {tuple(name for name in sample.labels if name != "le") for sample in family.samples}
        assert len(labels) == 1, family.name
        found[family.name + suffix] = (family.type, labels.pop())
    assert {name: (kind, sorted(labels)) for name, (kind, labels) in found.items()} == {
        name: (kind, sorted(labels)) for name, (kind, labels) in CONTRACT.items()
    }


def test_nothing_is_exposed_that_names_an_account_or_campaign(metrics):
    metrics.outputs([alert(campaign_id="c-secret")], [decision(value="acc-secret")])
    assert not re.search("secret|acc-", metrics.exposition())


def test_request_counters_grow_by_what_each_partition_adds(metrics, value):
    metrics.account_stage(0, account_stage(10, 1, 2, 5, 100))
    metrics.account_stage(1, account_stage(5, 0, 0, 4, 50))
    metrics.account_stage(0, account_stage(15, 3, 2, 6, 110))
    assert value("hydrawatch_requests_total") == 20
    assert value("hydrawatch_late_requests_total") == 3
    assert value("hydrawatch_duplicate_requests_total") == 2
    assert value("hydrawatch_tracked_accounts") == 10
    assert value("hydrawatch_state_bytes", store="account") == 160


def test_a_partition_that_leaves_and_returns_is_counted_on(metrics, value):
    metrics.account_stage(0, account_stage(10, tracked_accounts=5))
    metrics.forget_partition(0)
    assert value("hydrawatch_tracked_accounts") == 0
    metrics.account_stage(0, account_stage(4, tracked_accounts=5))
    assert value("hydrawatch_requests_total") == 14
    metrics.forget_partition(7)


def test_dead_letters_of_every_reason_start_at_zero(metrics, value):
    assert all(value("hydrawatch_dead_letters_total", reason=reason) == 0 for reason in REASONS)
    metrics.dead_letters(["not_json", "too_large", "not_json"])
    assert value("hydrawatch_dead_letters_total", reason="not_json") == 2


def test_the_detection_delay_counts_first_alerts_alone(metrics, value):
    metrics.outputs([alert(), alert(state="updated", revision=2, time=START_MS + 900 * HOUR_MS)], [])
    assert value("hydrawatch_detection_delay_seconds_count") == 1
    assert value("hydrawatch_detection_delay_seconds_sum") == 6 * 3600
    assert value("hydrawatch_alerts_total", kind="campaign", severity="critical", state="updated") == 1
    metrics.outputs([alert(kind="account", severity="info")], [])
    assert value("hydrawatch_alerts_total", kind="account", severity="info", state="open") == 1
    assert value("hydrawatch_detection_delay_seconds_count") == 1


def test_decisions_say_whether_they_are_simulated(metrics, value):
    metrics.outputs([], [decision(), decision(simulated=False, type="restrict")])
    assert value("hydrawatch_decisions_total", type="throttle", simulated="true") == 1
    assert value("hydrawatch_decisions_total", type="restrict", simulated="false") == 1


def test_the_group_stage_sets_gauges_and_its_scores_are_counted_once(metrics, value):
    stage = group_stage()
    metrics.group_stage(stage)
    metrics.group_stage(stage)
    assert stage.model_scores == []
    assert value("hydrawatch_open_campaigns", severity="critical") == 2
    assert value("hydrawatch_open_campaigns", severity="info") == 0
    assert value("hydrawatch_false_positive_budget_used_ratio") == 0.25
    score = {"model": "half_space_trees"}
    assert value("hydrawatch_model_score_count", **score) == 4
    assert value("hydrawatch_model_score_sum", **score) == pytest.approx(2.03)
    assert value("hydrawatch_model_score_bucket", le="0.02", **score) == 1
    assert value("hydrawatch_model_score_bucket", le="0.5", **score) == 2
    assert value("hydrawatch_model_score_bucket", le="1.0", **score) == 4
    metrics.forget_group()
    assert value("hydrawatch_open_campaigns", severity="critical") == 0


def test_the_lag_of_a_partition_that_left_is_gone(metrics, value):
    metrics.lag("t", 3, 9)
    assert value("hydrawatch_consumer_lag_records", topic="t", partition="3") == 9
    metrics.forget_lag("t", 3)
    metrics.forget_lag("t", 3)
    assert value("hydrawatch_consumer_lag_records", topic="t", partition="3") is None


def test_the_version_is_told(metrics):
    assert f'version="{__version__}"' in metrics.exposition()
