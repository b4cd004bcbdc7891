import gzip
import io
import json

import pytest
from rich.console import Console

from detectors.alerts import Outputs
from stream import replay
from stream.errors import InputError, OutputError
from stream.replay import Targets
from tests.stream.samples import HOUR_MS, START_MS, alert, decision, event


class CountingAccounts:
    """An account stage that hands on every third request, and the rest at the end."""

    def __init__(self):
        self.requests = self.late = self.duplicates = 0
        self.tracked_accounts, self.state_bytes = 2, 100
        self.seen = []
        self.offsets = []
        self.held = []

    def process(self, requests, offsets):
        self.requests += len(requests)
        ids = [requests.text("event_id", row) for row in range(len(requests))]
        self.seen += ids
        self.offsets += [int(offset) for offset in offsets]
        self.held += ids
        ready, self.held = self.held[: len(self.held) // 3 * 3], self.held[len(self.held) // 3 * 3 :]
        return ready

    def advance(self):
        return self.held


class AlertingGroups:
    """A group stage that alerts on the first partial, updates on each `process`, and decides per partial."""

    tracked_clusters = 1
    state_bytes = 10
    budget_used = 0.5

    def __init__(self):
        self.offsets = []
        self.latest = []
        self.model_scores = [0.5]

    @property
    def open_campaigns(self):
        return {"critical": len(self.latest)}

    def process(self, partials, offsets):
        self.offsets += list(offsets)
        state = "updated" if self.latest else "open"
        later = START_MS + (50 if self.latest else 6) * HOUR_MS
        self.latest = [alert(state=state, time=later, revision=len(self.offsets))]
        return Outputs(self.latest, [decision(decision_id=str(offset)) for offset in offsets])

    def campaigns(self):
        return self.latest


class Run:
    """One replay with fake stages, and all that it said."""

    def __init__(self, tmp_path):
        self.tmp_path = tmp_path
        self.accounts, self.groups = CountingAccounts(), AlertingGroups()
        self.targets = Targets(
            **{name: str(tmp_path / name) for name in ("alerts", "decisions", "errors", "metrics", "report")}
        )
        self.out, self.err = io.StringIO(), io.StringIO()

    def __call__(self, *paths, targets=None):
        replay.run(
            [str(path) for path in paths],
            (self.accounts, self.groups),
            targets or self.targets,
            Console(file=self.out, width=120),
            Console(file=self.err, width=120),
        )
        return self

    def lines(self, name):
        return [json.loads(line) for line in (self.tmp_path / name).read_bytes().splitlines()]


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def written(path, *values):
    path.write_bytes(b"".join((v if isinstance(v, bytes) else json.dumps(v).encode()) + b"\n" for v in values))
    return path


def test_every_request_passes_both_stages_in_order(run, tmp_path):
    first = written(tmp_path / "b.jsonl", *(event(n) for n in range(5)))
    second = tmp_path / "a.jsonl.gz"
    second.write_bytes(gzip.compress(b"".join(json.dumps(event(n)).encode() + b"\n" for n in range(5, 8))))
    run(first, second)
    assert run.accounts.seen == [f"e{n}" for n in range(8)]
    assert run.accounts.offsets == list(range(8))
    assert run.groups.offsets == list(range(8))
    assert [line["decision_id"] for line in run.lines("decisions")] == [str(n) for n in range(8)]
    assert [line["state"] for line in run.lines("alerts")] == ["open", "updated", "updated"]
    assert run.lines("decisions")[0]["from"] == START_MS


def test_the_table_the_page_and_the_metrics_agree(run, tmp_path):
    run(written(tmp_path / "in", *(event(n, f"acc-{n % 3}") for n in range(9))))
    assert "1 campaign in 9 requests of 3 accounts" in run.out.getvalue()
    assert "6 h 0 min" in run.out.getvalue()
    assert "1 campaign in 9 requests of 3 accounts" in (tmp_path / "report").read_text(encoding="utf-8")
    metrics = (tmp_path / "metrics").read_text(encoding="utf-8").splitlines()
    assert "hydrawatch_requests_total 9.0" in metrics
    assert 'hydrawatch_alerts_total{kind="campaign",severity="critical",state="open"} 1.0' in metrics
    assert 'hydrawatch_open_campaigns{severity="critical"} 1.0' in metrics
    assert run.err.getvalue() == ""


def test_bad_lines_are_named_counted_and_skipped(run, tmp_path):
    bad = [b"nonsense", b"[1]", {"time": 1}, event(1, time="soon"), event(2, **{"tools.count": -1}), b"\xff\xfe"]
    values = [v for n, b in enumerate(bad) for v in (event(100 + n), b)]
    run(written(tmp_path / "in", b"", *values))
    assert run.accounts.seen == [f"e{100 + n}" for n in range(6)]
    assert run.accounts.offsets == [0, 2, 4, 6, 8, 10]
    refused = run.lines("errors")
    assert [(item["line"], item["reason"]) for item in refused] == [
        (3, "not_json"),
        (5, "not_an_object"),
        (7, "missing_key"),
        (9, "wrong_type"),
        (11, "negative_count"),
        (13, "not_json"),
    ]
    assert {item["file"] for item in refused} == {str(tmp_path / "in")}
    text = run.err.getvalue()
    assert f"{tmp_path / 'in'}:3: not_json: " in text.replace("\n", "")
    assert "refused lines: 1 missing_key, 1 negative_count, 1 not_an_object, 2 not_json, 1 wrong_type" in text
    assert "lines refused: 6" in run.out.getvalue()
    assert 'hydrawatch_dead_letters_total{reason="not_json"} 2.0' in (tmp_path / "metrics").read_text()


def test_ten_thousand_bad_lines_among_good_ones_are_all_counted_and_few_are_shown(run, tmp_path):
    values = []
    for n in range(20_000):
        values.append(event(n))
        if n % 2:
            values.append((b"{", b"null", {"event.id": "x"}, b"x" * (1 << 20 | 1) if n == 999 else b"}")[n // 2 % 4])
    run(written(tmp_path / "in", *values))
    assert run.accounts.seen == [f"e{n}" for n in range(20_000)]
    assert len(run.lines("errors")) == 10_000
    assert 4 <= len(run.err.getvalue().splitlines()) <= 30
    assert "2,500 not_an_object" in run.err.getvalue()
    assert {item["reason"] for item in run.lines("errors")} >= {"too_large", "not_json", "missing_key"}


def test_an_event_of_the_future_is_refused_by_the_wall_clock(run, tmp_path):
    run(written(tmp_path / "in", event(1), event(2, time=START_MS * 2)))
    assert [item["reason"] for item in run.lines("errors")] == ["future_time"]


def test_a_truncated_file_is_judged_to_where_it_breaks_and_then_refused(run, tmp_path):
    lines = b"".join(json.dumps(event(n)).encode() + b"\n" for n in range(30_000))
    path = tmp_path / "in.gz"
    path.write_bytes(gzip.compress(lines)[:-2000])
    later = written(tmp_path / "later", event(1))
    with pytest.raises(InputError, match=r"in\.gz: cannot be read after line \d+"):
        run(path, later)
    assert 10_000 < len(run.accounts.seen) < 30_000
    assert len(run.lines("decisions")) == len(run.accounts.seen)
    assert "1 campaign in" in run.out.getvalue()
    assert (tmp_path / "report").exists()


def test_an_empty_input_ends_with_no_campaign(run, tmp_path):
    run(written(tmp_path / "in"))
    assert "No campaign in 0 requests" in run.out.getvalue()
    assert run.lines("alerts") == []


@pytest.mark.parametrize("name", ["alerts", "decisions", "errors", "metrics", "report"])
def test_an_output_that_cannot_be_written_is_refused_before_reading(run, tmp_path, name):
    path = written(tmp_path / "in", event(1))
    with pytest.raises(OutputError, match="No such file or directory"):
        run(path, targets=Targets(**{name: str(tmp_path / "missing" / name)}))
    assert run.accounts.seen == []


def test_a_missing_input_is_refused_before_the_first_is_read(run, tmp_path):
    path = written(tmp_path / "in", event(1))
    with pytest.raises(InputError, match="No such file"):
        run(path, tmp_path / "missing")
    assert run.accounts.seen == []
    assert not (tmp_path / "alerts").exists()
