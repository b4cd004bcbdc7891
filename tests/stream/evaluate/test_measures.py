"""The ruler measures: an oracle scores near perfect, chance near nothing, hand-made cases give hand-made figures."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from stream.errors import InputError
from stream.evaluate import DAY_MS, Figures, evaluate, load
from stream.evaluate import figures as figures_of
from stream.simulate import write

HOUR = 3_600_000


def alert(
    campaign_id: str, time: int, state: str = "open", kind: str = "campaign", sample: list[str] | None = None
) -> Any:
    return {
        "alert_id": f"{campaign_id}{time}",
        "campaign_id": campaign_id,
        "revision": 1,
        "state": state,
        "kind": kind,
        "time": time,
        "sample_accounts": sample or [],
    }


def decision(
    campaign_id: str,
    account: str,
    start: int,
    kind: str = "throttle",
    until: int | None = None,
    revision: int = 1,
    scope: str = "account",
) -> Any:
    return {
        "campaign_id": campaign_id,
        "revision": revision,
        "scope": scope,
        "value": account,
        "type": kind,
        "from": start,
        "until": start + DAY_MS if until is None else until,
    }


class Case:
    """Four files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.alerts: list[Any] = []
        self.decisions: list[Any] = []

    def labels(self, *rows: tuple[str, str | None, str]) -> None:
        self._save(
            "labels",
            [{"campaign": c, "exchanges": 0, "accounts": 0} for c in {c for _, c, _ in rows if c}]
            + [{"account.id": a, "campaign": c, "kind": k, "first_ms": 0} for a, c, k in rows],
        )

    def events(self, *rows: tuple[str, int]) -> None:
        self._save(
            "events",
            [
                {"event.id": str(i), "time": t, "account.id": a, "gen_ai.request.model": "m"}
                for i, (a, t) in enumerate(rows)
            ],
        )

    def figures(self) -> Figures:
        self._save("alerts", self.alerts)
        self._save("decisions", self.decisions)
        return evaluate(*(self.folder / f"{name}.jsonl" for name in ("events", "labels", "alerts", "decisions")))

    def _save(self, name: str, rows: list[Any]) -> None:
        (self.folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Campaign `x` of three accounts with an exchange an hour each, two honest accounts, over ten days."""
    made = Case(tmp_path)
    made.labels(
        ("a", "x", "member"),
        ("b", "x", "member"),
        ("c", "x", "replacement"),
        ("h", None, "chat"),
        ("i", None, "ci_review"),
    )
    hours = range(24, 24 + 48)
    made.events(("h", 0), *((a, h * HOUR) for h in hours for a in "abc"), ("h", 100 * HOUR), ("i", 240 * HOUR))
    return made


def test_nothing_reported_is_nothing_found(case: Case) -> None:
    figures = case.figures()
    (x,) = figures.campaigns
    assert (x.found, x.exchanges, x.leaked, x.leaked_share, x.hours_to_alert) == (False, 144, 144, 1.0, None)
    assert figures.precision is None
    assert figures.false_alerts == 0
    assert figures.days == pytest.approx(10)


def test_leak_and_delay_count_from_the_first_open_alert(case: Case) -> None:
    case.alerts = [
        alert("k", 36 * HOUR, sample=["a", "b"]),
        alert("k", 37 * HOUR, "updated"),
        alert("l", 50 * HOUR, sample=["c"]),
        alert("m", 25 * HOUR, kind="account", sample=["a"]),
    ]
    case.decisions = [decision("k", "a", 36 * HOUR), decision("k", "b", 36 * HOUR)]
    (x,) = case.figures().campaigns
    assert (x.found, x.leaked, x.hours_to_alert, x.open_alerts) == (True, 12 * 3, 12.0, 2)
    assert (x.accounts_decided, x.precision) == (2, 1.0)
    assert x.accounts_decided_share == pytest.approx(2 / 3)


def test_alert_on_honest_accounts_is_false_and_finds_nothing(case: Case) -> None:
    case.alerts = [alert("k", 30 * HOUR, sample=["a"])]
    case.decisions = [decision("k", a, 30 * HOUR) for a in "ahi"]
    figures = case.figures()
    (x,) = figures.campaigns
    assert not x.found
    assert x.accounts_decided == 1
    assert figures.precision == pytest.approx(1 / 3)
    assert (figures.open_alerts, figures.false_alerts) == (1, 1)
    assert figures.false_alerts_per_week_per_million == pytest.approx(1 / (10 / 7) / 5 * 1e6)


def test_half_honest_is_false_and_a_majority_wins(case: Case) -> None:
    case.alerts = [alert("k", 30 * HOUR)]
    case.decisions = [decision("k", a, 30 * HOUR) for a in "ah"]
    assert case.figures().false_alerts == 1
    case.decisions.append(decision("k", "b", 30 * HOUR))
    figures = case.figures()
    assert figures.false_alerts == 0
    assert figures.campaigns[0].precision == pytest.approx(2 / 3)


def test_alert_belongs_to_the_campaign_with_most_of_its_accounts(case: Case) -> None:
    case.labels(("a", "x", "member"), ("b", "y", "member"), ("c", "y", "member"), ("h", None, "chat"))
    case.alerts = [alert("k", 30 * HOUR)]
    case.decisions = [decision("k", a, 30 * HOUR) for a in "abc"]
    by_name = {c.campaign: c for c in case.figures().campaigns}
    assert (by_name["y"].found, by_name["x"].found) == (True, False)
    assert by_name["y"].precision == pytest.approx(2 / 3)
    assert by_name["x"].accounts_decided_share == 1.0


def test_alerts_about_single_accounts_find_no_campaign_but_burden_the_honest(case: Case) -> None:
    case.alerts = [alert("one", 30 * HOUR, kind="account"), alert("two", 30 * HOUR, kind="account")]
    case.decisions = [decision("one", "a", 30 * HOUR, "observe"), decision("two", "i", 30 * HOUR, "observe")]
    figures = case.figures()
    (x,) = figures.campaigns
    assert (x.found, x.accounts_decided, x.open_alerts) == (False, 0, 0)
    assert (figures.precision, figures.b_cubed_precision, figures.false_alerts) == (None, None, 0)
    assert {k.kind: k.accounts_decided for k in figures.honest} == {"chat": 0, "ci_review": 1}
    assert figures.honest_per_million_per_day > 0


def test_honest_burden_is_counted_in_days_and_ends_when_revoked(case: Case) -> None:
    case.decisions = [
        decision("k", "i", 24 * HOUR, until=24 * HOUR + 5 * DAY_MS),
        decision("k", "i", 60 * HOUR, "none", revision=2),
        decision("q", "zz", 0, scope="organization"),
    ]
    figures = case.figures()
    kinds = {k.kind: k for k in figures.honest}
    assert kinds["ci_review"].accounts_decided == 1
    assert kinds["ci_review"].per_million_per_day == pytest.approx(2 / 10 * 1e6)
    assert kinds["chat"].per_million_per_day == 0
    assert figures.honest_per_million_per_day == pytest.approx(2 / 10 / 2 * 1e6)


def test_decision_of_type_none_alone_touches_nobody(case: Case) -> None:
    case.decisions = [decision("k", a, 30 * HOUR, "none") for a in "abh"]
    figures = case.figures()
    assert figures.precision is None
    assert figures.honest_per_million_per_day == 0
    assert figures.campaigns[0].accounts_decided == 0


def test_account_without_label_counts_as_honest(case: Case) -> None:
    case.alerts = [alert("k", 30 * HOUR, sample=["stranger"])]
    assert case.figures().false_alerts == 1


def test_broken_event_is_counted_and_passed_over(case: Case) -> None:
    path = case.folder / "events.jsonl"
    path.write_text(path.read_text() + 'no json\n{"account.id":"a"}\n\n')
    figures = case.figures()
    assert (figures.bad_lines, figures.events) == (2, 147)


@pytest.mark.parametrize("name", ["labels", "alerts", "decisions"])
def test_broken_record_is_named_with_its_line(case: Case, name: str) -> None:
    case.figures()
    paths = {n: case.folder / f"{n}.jsonl" for n in ("events", "labels", "alerts", "decisions")}
    paths[name].write_text(paths[name].read_text() + '{"campaign_id":3}\n')
    with pytest.raises(InputError, match=rf"{name}\.jsonl, line \d+: "):
        evaluate(*paths.values())


def test_missing_and_empty_files_are_named(case: Case) -> None:
    case.figures()
    paths = [case.folder / f"{n}.jsonl" for n in ("events", "labels", "alerts", "decisions")]
    with pytest.raises(InputError, match="gone"):
        evaluate(case.folder / "gone.jsonl", *paths[1:])
    paths[0].write_text("")
    with pytest.raises(InputError, match="no event"):
        evaluate(*paths)
    paths[1].write_text("")
    with pytest.raises(InputError, match="no account"):
        evaluate(*paths)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write("seeds", folder / "events.jsonl", folder / "labels.jsonl", 3, 0.002, days=7)
    return folder


def judge(world: Path, alerts: list[Any], decisions: list[Any]) -> Figures:
    for name, rows in (("alerts", alerts), ("decisions", decisions)):
        (world / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return evaluate(*(world / f"{name}.jsonl" for name in ("events", "labels", "alerts", "decisions")))


def test_oracle_scores_near_perfect(world: Path) -> None:
    records = [json.loads(line) for line in (world / "labels.jsonl").read_text().splitlines()]
    alerts = [alert(r["campaign"], r["first_ms"] + HOUR) for r in records if "account.id" not in r]
    decisions = [
        decision(r["campaign"], r["account.id"], r["first_ms"] + HOUR)
        for r in records
        if "account.id" in r and r["campaign"]
    ]
    figures = judge(world, alerts, decisions)
    assert len(figures.campaigns) == 3
    for c in figures.campaigns:
        assert c.found
        assert c.open_alerts == 1
        assert c.leaked_share < 0.05
        assert c.hours_to_alert == pytest.approx(1)
        assert (c.accounts_decided_share, c.precision) == (1.0, 1.0)
    assert (figures.precision, figures.false_alerts, figures.honest_per_million_per_day) == (1.0, 0, 0)


def test_chance_scores_near_nothing(world: Path) -> None:
    rng = random.Random(1)
    records = [json.loads(line) for line in (world / "labels.jsonl").read_text().splitlines()]
    accounts = [r["account.id"] for r in records if "account.id" in r]
    begin = min(r["first_ms"] for r in records)
    alerts, decisions = [], []
    for k in range(20):
        time = begin + rng.randrange(6 * DAY_MS)
        alerts.append(alert(f"k{k}", time))
        decisions += [decision(f"k{k}", a, time) for a in rng.sample(accounts, 30)]
    figures = judge(world, alerts, decisions)
    assert not any(c.found for c in figures.campaigns)
    assert figures.precision is not None
    assert figures.precision < 0.15
    assert figures.false_alerts == 20
    assert figures.honest_per_million_per_day > 10_000


def test_containment_counts_requests_under_a_decision_in_force(case: Case) -> None:
    case.alerts = [alert("k", 36 * HOUR)]
    case.decisions = [
        decision("k", "a", 36 * HOUR, until=46 * HOUR),
        decision("k", "a", 40 * HOUR, until=50 * HOUR, revision=2),
        decision("k", "b", 40 * HOUR, until=60 * HOUR),
        decision("k", "b", 45 * HOUR, "none", revision=2),
        decision("k", "c", 36 * HOUR, "observe", until=99 * HOUR),
    ]
    (x,) = case.figures().campaigns
    assert x.contained_share == pytest.approx((14 + 5) / (36 * 3))


def test_containment_is_unknown_without_an_alert_or_after_the_last_exchange(case: Case) -> None:
    case.decisions = [decision("k", a, 30 * HOUR) for a in "abc"]
    assert case.figures().campaigns[0].contained_share is None
    case.alerts = [alert("k", 100 * HOUR)]
    (x,) = case.figures().campaigns
    assert (x.found, x.leaked_share, x.contained_share) == (True, 1.0, None)


def test_false_alarms_are_split_by_the_kind_most_accused(case: Case) -> None:
    case.labels(("a", "x", "member"), ("h", None, "chat"), ("i", None, "ci_review"), ("j", None, "ci_review"))
    case.alerts = [alert("k", 30 * HOUR), alert("l", 30 * HOUR, sample=["stranger"]), alert("m", 30 * HOUR)]
    case.decisions = [decision("k", a, 30 * HOUR) for a in "ahij"]
    figures = case.figures()
    assert figures.false_alerts == 3
    assert {k.kind: k.false_alerts for k in figures.honest} == {"chat": 0, "ci_review": 1, "unlabelled": 2}
    assert "ci_review" in figures.table()


def test_merged_alert_adds_no_open_and_its_id_lives_on(case: Case) -> None:
    gone = {**alert("l", 50 * HOUR, "merged"), "merged_into": "k"}
    case.alerts = [alert("k", 36 * HOUR), alert("l", 40 * HOUR), gone, alert("k", 50 * HOUR, "updated")]
    case.decisions = [decision("k", a, 36 * HOUR) for a in "abc"]
    figures = case.figures()
    (x,) = figures.campaigns
    assert (x.open_alerts, figures.open_alerts, figures.false_alerts) == (2, 2, 0)
    case.decisions = [decision("k", a, 36 * HOUR) for a in "ab"] + [decision("l", "c", 40 * HOUR)]
    figures = case.figures()
    assert (figures.b_cubed_precision, figures.b_cubed_recall) == (1.0, 1.0)


def test_ids_merged_in_a_circle_end(case: Case) -> None:
    case.alerts = [{**alert(one, 30 * HOUR, "merged"), "merged_into": other} for one, other in ("kl", "lk")]
    assert case.figures().open_alerts == 0


def test_the_same_alert_twice_counts_once(case: Case) -> None:
    case.alerts = [alert("k", 36 * HOUR, sample=["a"])] * 2
    assert case.figures().campaigns[0].open_alerts == 1


def test_b_cubed_of_a_split_and_of_a_mixed_campaign(case: Case) -> None:
    case.decisions = [decision("k", a, 36 * HOUR) for a in "ab"] + [decision("l", "c", 36 * HOUR)]
    figures = case.figures()
    assert figures.b_cubed_precision == 1.0
    assert figures.b_cubed_recall == pytest.approx((2 * 2 + 1 * 1) / 3 / 3)
    case.decisions = [decision("k", a, 36 * HOUR) for a in "ah"]
    figures = case.figures()
    assert figures.b_cubed_precision == pytest.approx(1 / 2)
    assert figures.b_cubed_recall == pytest.approx(1 / 3)


def test_b_cubed_is_unknown_without_decisions_or_campaigns(case: Case) -> None:
    assert case.figures().b_cubed_precision is None
    case.labels(("a", None, "chat"))
    figures = case.figures()
    assert (figures.b_cubed_recall, figures.campaigns) == (None, [])
    assert "no campaign in the labels" in figures.table()


def test_traffic_is_read_once_for_many_detectors(case: Case) -> None:
    case.alerts = [alert("k", 36 * HOUR, sample=["a"])]
    whole = case.figures()
    traffic = load(case.folder / "events.jsonl", case.folder / "labels.jsonl")
    (case.folder / "events.jsonl").unlink()
    (case.folder / "none.jsonl").write_text("")
    assert figures_of(traffic, case.folder / "alerts.jsonl", case.folder / "decisions.jsonl") == whole
    assert figures_of(traffic, case.folder / "none.jsonl", case.folder / "none.jsonl").campaigns[0].found is False


def test_requests_for_others_are_no_exchanges(case: Case) -> None:
    path = case.folder / "labels.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        if row.get("account.id") in ("a", "b"):
            row |= {"requests": 48, "exchanges": 12 if row["account.id"] == "a" else 0}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    case.alerts = [alert("k", 36 * HOUR, sample=["a"])]
    case.decisions = [decision("k", "a", 36 * HOUR, until=99 * HOUR)]
    (x,) = case.figures().campaigns
    assert (x.exchanges, x.leaked, x.leaked_share) == (12 + 48, 3 + 12, 0.25)
    assert x.contained_share == pytest.approx((36 / 4) / 45)


def test_second_copy_of_an_event_is_no_exchange(case: Case) -> None:
    path = case.folder / "events.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:10] + lines[1:10] + lines[10:]))
    assert case.figures().campaigns[0].exchanges == 144


@pytest.mark.parametrize("name", ["alerts", "decisions"])
def test_last_line_cut_short_is_an_error(case: Case, name: str) -> None:
    case.alerts, case.decisions = [alert("k", 36 * HOUR)], [decision("k", "a", 36 * HOUR)]
    case.figures()
    path = case.folder / f"{name}.jsonl"
    path.write_text(path.read_text()[:-20])
    with pytest.raises(InputError, match=rf"{name}\.jsonl, line 1: "):
        evaluate(*(case.folder / f"{n}.jsonl" for n in ("events", "labels", "alerts", "decisions")))


def test_table_and_json_say_the_same(case: Case) -> None:
    case.alerts = [alert("k", 36 * HOUR)]
    case.decisions = [decision("k", a, 36 * HOUR) for a in "abi"]
    figures = case.figures()
    text, data = figures.table(), json.loads(figures.json())
    line = next(row for row in text.splitlines() if row.startswith("x "))
    assert line.split() == ["x", "yes", "144", "36", "25.0", "%", "12.0", "3", "66.7", "%", "66.7", "%", "1"]
    assert data["campaigns"][0]["leaked"] == 36
    assert "ci_review" in text
