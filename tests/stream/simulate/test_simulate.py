"""What `write` promises: valid events in time order, labels apart, the published volumes, the published shapes."""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
import zstandard

from detectors.request import Request, decode_batch
from stream.errors import ConfigError, OutputError
from stream.simulate import SCENARIOS, build, write
from stream.simulate.campaigns.february import OPERATIONS
from stream.simulate.figures import DAY_MS, FEBRUARY
from stream.simulate.lookalikes import LOOKALIKES

SCALE = 0.004


class Run:
    """One written world, decoded with the product's own decoder."""

    def __init__(self, folder: Path) -> None:
        begun = time.perf_counter()
        self.summary = write("seeds", folder / "events.jsonl", folder / "labels.jsonl", 5, SCALE)
        self.seconds = time.perf_counter() - begun
        self.raw = (folder / "events.jsonl").read_bytes()
        self.requests, _, self.rejects = decode_batch(self.raw.splitlines(), 1 << 42)
        records = [json.loads(line) for line in (folder / "labels.jsonl").read_text().splitlines()]
        self.campaigns = {r["campaign"]: r for r in records if "account.id" not in r}
        self.labels = {r["account.id"]: r for r in records if "account.id" in r}

    def of(self, campaign: str) -> list[Request]:
        return [r for r in self.requests if self.labels[r.account_id]["campaign"] == campaign]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("world"))


def test_every_event_is_valid_and_few_come_late_or_twice(run: Run) -> None:
    assert run.rejects == []
    assert len(run.requests) == run.summary.events > 100_000
    ids = Counter(r.event_id for r in run.requests)
    assert 0.0004 < 1 - len(ids) / len(run.requests) < 0.002
    assert max(ids.values()) == 2
    times = np.array([r.time for r in run.requests])
    behind = np.maximum.accumulate(times) - times
    assert 0.0005 < np.mean(behind > 2000) < 0.004
    assert behind.max() < 1_900_000
    assert run.summary.start_ms <= times.min() <= times.max() < run.summary.end_ms


def test_a_second_copy_is_word_for_word_the_first(run: Run) -> None:
    lines = Counter(run.raw.splitlines())
    assert sum(n - 1 for n in lines.values()) == len(run.requests) - len({r.event_id for r in run.requests})


def test_labels_count_what_the_events_hold(run: Run) -> None:
    requests = {r.event_id: r for r in run.requests}.values()
    counts = Counter(r.account_id for r in requests)
    first: dict[str, int] = {}
    for r in requests:
        first[r.account_id] = min(r.time, first.get(r.account_id, r.time))
    assert {a: label["requests"] for a, label in run.labels.items()} == counts
    assert {a: label["first_ms"] for a, label in run.labels.items()} == first
    for name, record in run.campaigns.items():
        members = [label for label in run.labels.values() if label["campaign"] == name]
        assert record["accounts"] == len(members)
        assert record["exchanges"] == sum(m["requests"] for m in members) == run.summary.campaigns[name]


def test_truth_is_nowhere_in_the_events(run: Run) -> None:
    for word in (*OPERATIONS, *LOOKALIKES, "campaign", "replacement", "member", "honest"):
        if word == "reseller":
            continue  # also a sign-up pathway of the contract
        assert word.encode() not in run.raw
    order = sorted(run.labels)
    guilty = np.array([run.labels[a]["campaign"] is not None for a in order])
    positions = np.flatnonzero(guilty) / len(order)
    assert abs(positions.mean() - 0.5) < 4 * 0.29 / np.sqrt(len(positions)), "account ids do not sort by label"
    assert len({len(a) for a in order}) == 1


def test_volumes_are_the_published_ones_times_the_scale(run: Run) -> None:
    assert set(run.campaigns) == set(FEBRUARY)
    for name, figures in FEBRUARY.items():
        assert run.campaigns[name]["exchanges"] == pytest.approx(figures.exchanges * SCALE, rel=0.15)
        assert run.campaigns[name]["accounts"] >= figures.least_accounts


def test_campaign_accounts_are_few_and_quiet(run: Run) -> None:
    guilty = sum(r["accounts"] for r in run.campaigns.values())
    assert guilty / len(run.labels) < 0.08
    busiest: dict[str, Counter[int]] = defaultdict(Counter)
    for r in run.requests:
        busiest[r.account_id][r.time // DAY_MS] += 1
    by_side = defaultdict(list)
    for account, days in busiest.items():
        by_side[run.labels[account]["campaign"] is not None].append(max(days.values()))
    assert max(by_side[True]) <= 900
    assert max(by_side[False]) > np.quantile(by_side[True], 0.9), "volume alone does not tell"


def test_every_lookalike_is_there(run: Run) -> None:
    assert set(LOOKALIKES) <= set(run.summary.kinds)
    assert len(LOOKALIKES) == 21, "the 14 that issue 4 names, and seven more"


def test_deepseek_is_synchronised_over_its_accounts(run: Run) -> None:
    hours = Counter(r.time // 3_600_000 for r in run.of("deepseek"))
    values = np.array(sorted(hours.values(), reverse=True))
    span = max(hours) - min(hours) + 1
    assert values[: max(1, span // 2)].sum() / values.sum() > 0.85, "most of the load in half of the hours"
    kinds = {c for r in run.of("deepseek") for c in r.prompt_capabilities or ()}
    assert {"reasoning", "rubric_grading", "policy_rewrite"} <= kinds


def test_moonshot_comes_by_several_paths_and_turns_to_traces_later(run: Run) -> None:
    requests = run.of("moonshot")
    assert len({r.access_path for r in requests}) >= 3
    assert len({r.account_plan for r in requests}) >= 3
    traces = [r.time for r in requests if "trace_reconstruction" in (r.prompt_elicitation or ())]
    begin, end = requests[0].time, requests[-1].time
    assert len(traces) > 0.02 * len(requests)
    assert min(traces) > begin + 0.4 * (end - begin)
    assert all(
        r.client_address is None and r.payment_fingerprint is None for r in requests if r.access_path != "first_party"
    )


def test_minimax_moves_half_its_traffic_within_a_day_of_the_release(run: Run) -> None:
    release = run.summary.release_ms
    before = [r for r in run.of("minimax") if r.time < release]
    after = [r for r in run.of("minimax") if r.time >= release + DAY_MS]
    assert not any(r.gen_ai_request_model == "atlas-large-5" for r in before)
    assert np.mean([r.gen_ai_request_model == "atlas-large-5" for r in after]) == pytest.approx(0.5, abs=0.06)


def test_banned_accounts_fall_silent_and_their_work_goes_on_elsewhere(run: Run) -> None:
    requests = run.of("minimax")
    turned_away = [r for r in requests if r.http_response_status_code == 403 and r.gen_ai_usage_output_tokens == 0]
    served = defaultdict(list)
    for r in requests:
        if r.http_response_status_code == 200:
            served[r.prompt_content].append(r)
    moved = [(r, [s for s in served[r.prompt_content] if 0 < s.time - r.time <= 15_000]) for r in turned_away]
    moved = [(r, after) for r, after in moved if after]
    banned = {r.account_id: r.time for r, _ in moved if run.labels[r.account_id]["last_ms"] == r.time}
    assert len(banned) > 3
    assert len(moved) > 0.5 * len(turned_away), "the rest are 403 answers such as everybody gets"
    assert np.mean([after[0].account_id != r.account_id for r, after in moved]) > 0.9
    assert any(label["kind"] == "replacement" for label in run.labels.values())


def test_accounts_share_hubs_honestly(run: Run) -> None:
    behind: dict[str, set[str]] = defaultdict(set)
    cards: dict[str, set[str]] = defaultdict(set)
    for r in run.requests:
        if run.labels[r.account_id]["campaign"] is None:
            behind[r.client_address or ""].add(r.account_id)
            cards[r.payment_fingerprint or ""].add(r.account_id)
    behind.pop("")
    cards.pop("")
    assert max(map(len, behind.values())) > 60
    assert max(map(len, cards.values())) > 40


def test_writes_fast_enough(run: Run) -> None:
    assert run.summary.events / run.seconds > 17_000, "a million events in a minute"


def test_same_seed_same_bytes_and_compression_by_suffix(tmp_path: Path) -> None:
    for name, seed in (("a.jsonl", 1), ("b.jsonl.gz", 1), ("c.jsonl.zst", 1), ("d.jsonl", 2)):
        write("seeds", tmp_path / name, tmp_path / f"labels-{name}", seed, 0.001, days=0.5)
    plain = (tmp_path / "a.jsonl").read_bytes()
    assert gzip.decompress((tmp_path / "b.jsonl.gz").read_bytes()) == plain
    with (tmp_path / "c.jsonl.zst").open("rb") as file:
        assert zstandard.ZstdDecompressor().stream_reader(file).read() == plain
    assert (tmp_path / "d.jsonl").read_bytes() != plain


def test_scenario_without_campaigns_has_no_guilty_account(tmp_path: Path) -> None:
    summary = write("quiet", tmp_path / "e.jsonl", tmp_path / "l.jsonl", 1, 0.001, days=0.5)
    assert summary.campaigns == {}
    assert all(json.loads(line)["campaign"] is None for line in (tmp_path / "l.jsonl").read_text().splitlines())


def test_labels_of_a_reseller_tell_its_campaign_from_its_customers(tmp_path: Path) -> None:
    summary = write("proxy", tmp_path / "e.jsonl", tmp_path / "l.jsonl", 1, 0.003, days=3, lookalikes=[])
    records = [json.loads(line) for line in (tmp_path / "l.jsonl").read_text().splitlines()]
    (campaign,) = [r for r in records if "account.id" not in r]
    members = [r for r in records if "account.id" in r and r["campaign"] == "proxy"]
    assert campaign["exchanges"] == summary.campaigns["proxy"]
    assert campaign["exchanges"] / campaign["requests"] == pytest.approx(0.25, abs=0.05)
    assert campaign["requests"] == sum(r["requests"] for r in members)
    assert campaign["exchanges"] == sum(r.get("exchanges", r["requests"]) for r in members)
    assert not any("exchanges" in r for r in records if "account.id" in r and r["campaign"] is None)


@pytest.mark.parametrize(
    ("change", "named"),
    [({"scenario": "nonsense"}, "seeds"), ({"seed": -1}, "seed"), ({"scale": 0.0}, "scale"), ({"days": 0.0}, "days")],
)
def test_impossible_arguments_are_refused_by_name(change: dict[str, object], named: str) -> None:
    arguments: dict[str, object] = {"scenario": "seeds", "seed": 1, "scale": 0.01, "days": 1.0}
    with pytest.raises(ConfigError, match=named):
        build(**{**arguments, **change})  # type: ignore[arg-type]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="missing"):
        write("seeds", tmp_path / "missing" / "e.jsonl", tmp_path / "l.jsonl", 1, 0.001, days=0.5)


def test_dials_and_lookalikes_that_do_not_exist_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="brightness"):
        build("seeds", 1, 0.001, 0.5, dials={"brightness": 1.0})
    with pytest.raises(ConfigError, match="unicorn"):
        build("seeds", 1, 0.001, 0.5, lookalikes=["ci_review", "unicorn"])


@pytest.mark.parametrize("kinds", [[], ["classroom", "reseller"]])
def test_lookalikes_can_be_chosen(kinds: list[str]) -> None:
    world = build("quiet", 1, 0.001, 0.5, lookalikes=kinds)
    assert set(world.kind) & set(LOOKALIKES) == set(kinds)


def test_every_scenario_says_what_it_is_and_its_dials_what_they_mean() -> None:
    for scenario in SCENARIOS.values():
        assert scenario.summary
        for dial in scenario.dials.values():
            assert dial.low <= dial.default <= dial.high
            assert dial.meaning
