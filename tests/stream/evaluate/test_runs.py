"""Runs are found, read once each, and refused by name when something is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream.errors import InputError
from stream.evaluate.runs import Run, measure
from stream.simulate import SCENARIOS
from tests.stream.evaluate.samples import save_run


def test_every_detector_of_every_run_is_measured(tmp_path: Path) -> None:
    save_run(tmp_path / "deep" / "one", 1)
    save_run(tmp_path / "two", 2)
    told: list[tuple[int, int, str]] = []
    runs = measure(tmp_path, lambda *step: told.append(step))
    assert told == [(1, 2, "deep/one"), (2, 2, "two")]
    assert [(r.path, r.seed, list(r.detectors)) for r in runs] == [
        ("deep/one", 1, ["good", "blind"]),
        ("two", 2, ["good", "blind"]),
    ]
    good, blind = runs[0].detectors["good"].campaigns[0], runs[0].detectors["blind"].campaigns[0]
    assert (good.found, good.leaked, good.hours_to_alert, good.accounts_decided_share) == (True, 2, 1.0, 1.0)
    assert (blind.found, blind.leaked) == (False, 146)


def test_dials_left_out_have_the_scenarios_default(tmp_path: Path) -> None:
    name, scenario = next((n, s) for n, s in SCENARIOS.items() if s.dials)
    save_run(tmp_path, scenario=name, dials={}, days=None)
    (run,) = measure(tmp_path)
    assert run.dials == {dial: scenario.dials[dial].default for dial in sorted(scenario.dials)}
    assert run.days == scenario.days


@pytest.mark.parametrize(
    ("given", "kept"),
    [(None, None), ("all", None), ("none", []), ("b,a", ["a", "b"]), (["b", "a"], ["a", "b"]), ([], [])],
)
def test_lookalikes_have_one_form(tmp_path: Path, given: object, kept: object) -> None:
    save_run(tmp_path, lookalikes=given)
    assert measure(tmp_path)[0].lookalikes == kept


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        measure(folder)
    return str(caught.value)


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    assert "no run.json" in refusal(tmp_path)
    assert "gone" in refusal(tmp_path / "gone")
    (tmp_path / "file").write_text("")
    assert "not a folder" in refusal(tmp_path / "file")


def test_missing_files_are_told_before_anything_is_measured(tmp_path: Path) -> None:
    save_run(tmp_path / "a", 1)
    (save_run(tmp_path / "b", 2) / "good" / "alerts.jsonl").unlink()
    told: list[Run] = []
    with pytest.raises(InputError, match=r"b/good/alerts\.jsonl: No such file"):
        measure(tmp_path, lambda *_: told.append(*_))
    assert not told


@pytest.mark.parametrize("text", ["", "{", '{"scenario": 3}', "[]", "\xff"])
def test_a_broken_manifest_is_named(tmp_path: Path, text: str) -> None:
    (save_run(tmp_path) / "run.json").write_text(text, encoding="latin-1")
    assert "run.json: " in refusal(tmp_path)


def test_a_run_without_detectors_is_refused(tmp_path: Path) -> None:
    save_run(tmp_path, detectors={})
    assert "names no detector" in refusal(tmp_path)


def test_a_broken_line_names_its_file(tmp_path: Path) -> None:
    path = save_run(tmp_path) / "good" / "decisions.jsonl"
    path.write_text(path.read_text() + json.dumps({"campaign_id": "k"}) + "\n")
    assert "decisions.jsonl, line 3" in refusal(tmp_path)
