"""Each campaign scenario against what is published of it."""

from __future__ import annotations

import numpy as np
import pytest

from stream.errors import ConfigError
from stream.simulate import SCENARIOS, build
from stream.simulate.campaigns.arbitrage import WEAKER
from stream.simulate.figures import DAY_MS, HOUR_MS, REPORTED
from tests.stream.simulate.campaign import ATTRIBUTES, Campaign, campaign

NEW = ("failover", "proxy", "drip", "cleaner", "sweep", "arbitrage", "pathways", "ramp", "adaptive")
MINUTE_MS = 60_000


def share(mask: np.ndarray) -> float:
    return float(np.mean(mask))


@pytest.mark.parametrize("name", ["failover", "proxy", "cleaner", "arbitrage", "pathways", "adaptive"])
def test_requests_a_day_and_accounts_are_the_published_ones_times_the_scale(name: str) -> None:
    c, reported = campaign(name), REPORTED[name]
    per_day = reported.exchanges / reported.days * 0.01
    assert len(c.rows) / c.days() == pytest.approx(per_day, rel=0.2)
    at_once = max(reported.least_accounts, reported.accounts * 0.01)
    assert at_once <= np.count_nonzero(c.counts) <= 2.1 * at_once


@pytest.mark.parametrize("name", NEW)
def test_a_seed_makes_the_same_rows_again_and_another_one_others(name: str) -> None:
    one, again, other = (Campaign(name, seed, 0.002, 3, {}) for seed in (1, 1, 2))
    assert np.array_equal(one.rows, again.rows)
    assert one.world.accounts == again.world.accounts
    assert not set(one.rows["template"].tolist()) & set(other.rows["template"][other.rows["own"] > 0].tolist()[:50])
    assert one.time.min() != other.time.min()


@pytest.mark.parametrize("name", NEW)
def test_all_accounts_carry_one_campaign_id(name: str) -> None:
    world = campaign(name).world
    assert set(world.campaign) == {name}
    roles = {"pool-1", "pool-2"} if name == "failover" else {"member", "replacement"}
    assert roles >= set(world.kind)
    assert "pool-2" in world.kind or "member" in world.kind


@pytest.mark.parametrize(("name", "dial"), [(name, dial) for name in SCENARIOS for dial in SCENARIOS[name].dials])
def test_a_dial_out_of_range_is_refused_by_name(name: str, dial: str) -> None:
    d = SCENARIOS[name].dials[dial]
    for value in (d.low - 0.001, d.high + 0.001, float("nan")):
        with pytest.raises(ConfigError, match=dial):
            build(name, 1, 0.001, 0.5, {dial: value})


def test_pools_share_no_attribute() -> None:
    c = campaign("failover")
    pool = np.array(c.world.kind)
    for key in ATTRIBUTES:
        behind = c.seen(key)
        assert len(behind) > 10
        assert not [v for v, accounts in behind.items() if len(set(pool[list(accounts)])) > 1], key


def test_pool_2_takes_the_work_over_within_minutes() -> None:
    c = campaign("failover")
    first, second = c.kind == "pool-1", c.kind == "pool-2"
    served = c.rows["status"] == 200
    fallen, risen = c.time[first & served].max(), c.time[second].min()
    assert risen - fallen < 15 * MINUTE_MS
    assert share(c.time[first & served] > fallen - 10 * MINUTE_MS) < 0.01
    turned_away = c.rows[first & (c.rows["status"] == 403) & (c.time > fallen - 15 * MINUTE_MS)]
    assert len(np.unique(turned_away["account"])) > 20
    before, after = (np.sum((c.time >= t) & (c.time < t + 2 * DAY_MS)) for t in (fallen - 2 * DAY_MS, risen))
    assert after == pytest.approx(before, rel=0.25), "the flow goes on"


def test_pools_share_templates_and_work() -> None:
    c = campaign("failover")
    first, second = c.rows[c.kind == "pool-1"], c.rows[c.kind == "pool-2"]
    assert share(np.isin(second["template"], first["template"])) > 0.8
    assert 0.1 < share(np.isin(second["content"], first["content"])) < 0.95


@pytest.mark.parametrize("dial", [0.05, 0.25, 0.9])
def test_campaigns_share_of_the_resellers_traffic_is_the_dial(dial: float) -> None:
    c = campaign("proxy", campaign_share=dial)
    assert share(c.rows["own"] > 0) == pytest.approx(dial, abs=0.03)


def test_resellers_accounts_carry_many_people_behind_one_client() -> None:
    c = campaign("proxy")
    busy = np.flatnonzero(c.counts > 100)
    own = np.bincount(c.account, c.rows["own"] > 0, len(c.counts))
    assert len(busy) > 100
    assert np.all((own[busy] > 0) & (own[busy] < c.counts[busy])), "all carry both"
    tongues = [len(np.unique(c.rows["language"][c.account == a])) for a in busy[:30].tolist()]
    assert np.median(tongues) >= 5
    assert len(np.unique(c.rows["agent"][c.rows["agent"] >= 0])) == 2


def test_proxy_of_nothing_but_the_campaign() -> None:
    assert share(campaign("proxy", scale=0.003, campaign_share=1.0).rows["own"] > 0) == 1.0


def test_drip_is_a_few_requests_a_day_from_singapore_and_japan() -> None:
    c = campaign("drip")
    at_once = max(REPORTED["drip"].least_accounts, round(5380 * 0.01))
    assert len(c.rows) / at_once / 10 == pytest.approx(5.6, rel=0.08)
    assert c.days() == pytest.approx(10, abs=0.3)
    places = [e["client.geo.country"] for e in c.column("exit") if e]
    assert 0.55 < np.mean([p in ("SG", "JP") for p in places]) < 0.95


def test_drip_replays_signatures_of_other_accounts_sessions() -> None:
    rows = campaign("drip", scale=0.05).rows
    rows = rows[rows["signature"] > 0]
    pairs = np.unique(rows[["signature", "account"]])
    _, accounts = np.unique(pairs["signature"], return_counts=True)
    assert np.sum(accounts > 1) > 5
    talks = np.unique(rows[["signature", "conversation"]])
    assert len(talks) > len(np.unique(rows["signature"]))


def test_cleaners_are_few_busy_and_read_long_traces() -> None:
    c = campaign("cleaner", scale=0.25, days=3)
    active = np.count_nonzero(c.counts)
    assert len(c.rows) / c.days() / 68 == pytest.approx(733, rel=0.25)
    assert active < 100
    assert np.median(c.rows["input"]) > 4000
    assert share(c.rows["signature"] > 0) > 0.3
    elicited = {e for s in c.column("shape") for e in s.get("prompt.elicitation", [])}
    assert {"trace_reconstruction", "filter_evasion"} <= elicited


def test_sweep_tries_thousands_of_techniques_and_scales_the_winners() -> None:
    c = campaign("sweep", scale=0.05)
    _, index, often = np.unique(c.rows["template"], return_inverse=True, return_counts=True)
    won = often[index] > 200
    turn = np.quantile(c.time[won], 0.001)
    tries, later = c.rows[c.time < turn], c.rows[c.time >= turn]
    tries = tries[tries["status"] == 200]
    assert len(tries) == pytest.approx(600, rel=0.2)
    assert len(np.unique(tries["template"])) > 0.95 * len(tries)
    assert share(tries["refused"] > 0) > 0.65
    assert len(later) > 10 * len(tries)
    assert share(later["refused"] > 0) < 0.2


def test_arbitrage_leaves_the_guarded_model_after_refusals() -> None:
    c = campaign("arbitrage")
    away = c.rows["model"] == c.world.models[WEAKER]
    quarter = (c.time - c.time.min()) / (c.time.max() - c.time.min())
    assert share(away[quarter < 0.25]) == 0
    assert share(away[quarter > 0.8]) > 0.8
    moves = c.time[away].min()
    stays = ~away & (c.rows["status"] == 200)
    before = share(c.rows["refused"][stays & (c.time < moves - 13 * HOUR_MS)] > 0)
    after = share(c.rows["refused"][stays & (c.time >= moves)] > 0)
    assert before < 0.05 < 0.25 < after
    assert share(c.rows["refused"][away] > 0) < 0.05


def test_pathways_have_no_identifier_in_common() -> None:
    c = campaign("pathways")
    for key in ("organization.id", "payment.fingerprint", "device.fingerprint", "api_key.id"):
        assert max(map(len, c.seen(key).values())) == 1, key
    paths = np.array([f["access.path"] for f in c.facts])
    assert len(set(paths)) == 4
    assert 0.15 < share(paths == "first_party") < 0.5
    through = paths[c.account] != "first_party"
    assert np.all(c.rows["exit"][through] < 0)
    assert np.all(c.rows["device"][through] < 0)
    assert not [f for f in c.facts if f["access.path"] != "first_party" and "payment.fingerprint" in f]
    assert len({f["account.plan"] for f in c.facts}) >= 5


@pytest.mark.parametrize("growth", [0.03, 0.08])
def test_ramp_grows_day_by_day_as_its_dial_says(growth: float) -> None:
    slopes = []
    for seed in (1, 2):
        c = campaign("ramp", seed, growth_per_day=growth)
        assert c.days() > 30
        daily = np.bincount((c.time - c.time.min()) // DAY_MS)[1:-1]
        slopes.append(np.expm1(np.polyfit(np.arange(len(daily)), np.log(daily), 1)[0]))
    assert np.mean(slopes) == pytest.approx(growth, rel=0.25)


def test_ramp_ends_with_its_share_of_the_tenants_requests() -> None:
    shares = []
    for seed in (1, 2, 3):
        world = build("ramp", seed, 0.005, 10, {"final_share": 0.3}, lookalikes=[])
        account = np.concatenate([r["account"][r["time"] > world.end - 2 * DAY_MS] for r in world.slices()])
        kind = np.array(world.kind)[account]
        own, tenants = np.sum(np.isin(kind, ["member", "replacement"])), np.sum(kind == "tenant")
        shares.append(own / (own + tenants))
    assert np.mean(shares) == pytest.approx(0.3, abs=0.12)
