"""Over seeds: what is averaged over what, and what is never thrown together."""

from __future__ import annotations

import json
import math

import pytest

from stream.errors import InputError
from stream.evaluate.intervals import TAIL
from stream.evaluate.summary import Row, summarise
from tests.stream.evaluate.samples import campaign, figures, run


def only(runs: list) -> Row:
    (setting,) = summarise(runs).settings
    (row,) = setting.rows
    return row


def test_found_leak_and_delay_over_three_seeds() -> None:
    row = only(
        [
            run(1, {"d": figures([campaign(10, hours=4)])}),
            run(2, {"d": figures([campaign(None)])}),
            run(3, {"d": figures([campaign(30, hours=8, opens=3)])}),
        ]
    )
    assert (row.seeds, row.campaigns, row.found, row.missed) == ([1, 2, 3], 3, 2, 1)
    assert (row.found_share.value, row.found_share.n) == (pytest.approx(2 / 3), 3)
    assert (row.leaked.value, row.leaked_share.value) == (pytest.approx(140 / 3), pytest.approx(1.4 / 3))
    assert (row.hours_to_alert.value, row.hours_to_alert.n) == (6, 2)
    assert (row.open_alerts_per_campaign.value, row.open_alerts_per_campaign.n) == (2, 2)
    assert row.accounts_decided_share.value == pytest.approx(1.6 / 3)
    assert (row.precision.value, row.precision.n) == (1, 2)


def test_campaigns_of_a_seed_count_alike_and_seeds_are_the_sample() -> None:
    row = only(
        [
            run(1, {"d": figures([campaign(0, "x"), campaign(None, "y")])}),
            run(2, {"d": figures([campaign(20, "x"), campaign(40, "y")])}),
        ]
    )
    assert (row.campaigns, row.found) == (4, 3)
    assert (row.leaked_share.value, row.leaked_share.n) == (pytest.approx((0.5 + 0.3) / 2), 2)


def test_false_alarms_are_a_poisson_rate_over_account_weeks() -> None:
    row = only([run(seed, {"d": figures([], false=2 * (seed == 1))}) for seed in (1, 2, 3, 4)])
    false = row.false_alerts_per_week_per_million
    assert (row.false_alerts, row.account_weeks) == (2, pytest.approx(4000))
    assert (false.value, false.method) == (pytest.approx(500), "poisson")
    assert [(k.kind, k.false_alerts) for k in row.honest] == [("chat", 2)]
    assert (row.found_share.value, row.leaked_share.value) == (None, None)


def test_no_false_alarm_and_nobody_touched_still_has_a_bound() -> None:
    row = only([run(1, {"d": figures([])}), run(2, {"d": figures([])})])
    assert row.false_alerts_per_week_per_million.high == pytest.approx(-math.log(TAIL) / 2000 * 1e6)
    assert row.honest_per_million_per_day.high == pytest.approx(-math.log(TAIL) / 1980 * 1e6)


def test_burden_of_honest_accounts_varies_with_the_seed() -> None:
    row = only([run(seed, {"d": figures([], burden=b)}) for seed, b in ((1, 0.0), (2, 3000.0), (3, 6000.0))])
    burden = row.honest_per_million_per_day
    assert (burden.value, burden.method) == (3000, "t")
    assert row.honest[0].accounts_decided == 9


@pytest.mark.parametrize(
    "changed",
    [{"scenario": "drip"}, {"dials": {"share": 0.9}}, {"scale": 0.1}, {"days": 14.0}, {"lookalikes": ["classroom"]}],
)
def test_other_settings_stand_apart(changed: dict) -> None:
    some = {"d": figures([campaign(10)])}
    report = summarise([run(1, some), run(2, some), run(1, some, **changed)])
    assert sorted(len(s.seeds) for s in report.settings) == [1, 2]


def test_the_same_seed_twice_is_refused() -> None:
    some = {"d": figures([campaign(10)])}
    with pytest.raises(InputError, match="here and there: the same run of proxy, seed 4"):
        summarise([run(4, some, path="here"), run(4, some, path="there")])


def test_a_detector_absent_from_a_seed_rests_on_the_others() -> None:
    some = figures([campaign(10)])
    (setting,) = summarise([run(1, {"d": some, "e": some}), run(2, {"d": some})]).settings
    assert {row.detector: row.seeds for row in setting.rows} == {"d": [1, 2], "e": [1]}


def test_json_holds_the_figures_of_every_seed() -> None:
    runs = [run(seed, {"d": figures([campaign(seed * 10)])}) for seed in (2, 1)]
    data = json.loads(summarise(runs).json())
    assert data["confidence"] == 0.95
    assert {r["seed"]: r["detectors"]["d"]["campaigns"][0]["leaked"] for r in data["runs"]} == {1: 10, 2: 20}
    assert data["settings"][0]["seeds"] == [1, 2]
    assert data["settings"][0]["rows"][0]["leaked"]["value"] == 15


def test_campaigns_of_one_name_are_followed_over_seeds() -> None:
    row = only(
        [
            run(1, {"d": figures([campaign(0, "x"), campaign(None, "y")])}),
            run(2, {"d": figures([campaign(20, "x"), campaign(None, "y")])}),
        ]
    )
    assert [(c.campaign, c.seeds, c.found) for c in row.by_campaign] == [("x", 2, 2), ("y", 2, 0)]
    assert [c.leaked_share.value for c in row.by_campaign] == [pytest.approx(0.1), 1.0]
