"""Runs of the same code are not made again, others are; the results say who is not behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from stream.evaluate.summary import summarise
from tests.benchmarks.detection import __main__ as ruler
from tests.benchmarks.detection import run as runs
from tests.benchmarks.detection.plan import FIRST_SEED, Planned
from tests.benchmarks.detection.report import not_behind
from tests.benchmarks.detection.run import PRODUCT, commit, made, make
from tests.stream.evaluate.samples import campaign, figures
from tests.stream.evaluate.samples import run as sample_run

PLANNED = Planned("proxy", 11)


def put(work, detectors, at, planned=PLANNED):
    folder = work / planned.path
    folder.mkdir(parents=True, exist_ok=True)
    judged = {name: figures([campaign(10)]) for name in detectors}
    done = sample_run(planned.seed, judged, scenario=planned.scenario, dials={}, path=planned.path)
    (folder / runs.FIGURES).write_bytes(msgspec.json.encode(done))
    (folder / runs.MANIFEST).write_bytes(msgspec.json.encode({"commit": at}))
    return done


def test_a_run_of_the_same_code_is_read(tmp_path):
    assert made(PLANNED, tmp_path, [PRODUCT]) is None
    done = put(tmp_path, [PRODUCT, "volume"], commit())
    assert made(PLANNED, tmp_path, [PRODUCT]) == make(PLANNED, tmp_path, [PRODUCT]) == done


@pytest.mark.parametrize(("detectors", "at"), [([PRODUCT], "another"), (["volume"], None)])
def test_a_run_of_other_code_or_detectors_is_made_again(tmp_path, detectors, at):
    put(tmp_path, detectors, at or commit())
    assert made(PLANNED, tmp_path, [PRODUCT]) is None


def test_who_found_as_much_and_leaked_no_more_is_not_behind():
    found = {
        PRODUCT: [20, 30],
        "worse": [20, None],
        "later": [20, 31],
        "level": [30, 20],
        "first": [1, 1],
        "oracle": [0, 0],
    }
    judged = {name: figures([campaign(leaked) for leaked in leaks]) for name, leaks in found.items()}
    (setting,) = summarise([sample_run(11, judged)]).settings
    assert not_behind(setting) == ["level", "first"]


def test_the_results_hold_what_other_calls_made(tmp_path, monkeypatch, capsys):
    first = FIRST_SEED
    for scenario, seed in (("failover", first), ("drip", first), ("drip", first + 1), ("drip", first + 2)):
        put(tmp_path, [PRODUCT], commit(), Planned(scenario, seed))
    monkeypatch.setattr(ruler, "ProcessPoolExecutor", lambda jobs, context: ThreadPoolExecutor(jobs))
    words = ["--scenarios", "failover", "--seeds", "1", "--detectors", PRODUCT, "--no-parts"]
    ruler.main([*words, "--work", str(tmp_path), "--results", str(tmp_path / "results")])
    (text,) = (path.read_text() for path in (tmp_path / "results").glob("*.md"))
    assert "1/1 failover" in capsys.readouterr().out
    assert "| failover |" in text
    assert "| drip |" in text
    assert f"seeds {first + 1}" not in text
    assert "**2 of 11 runs so far**" in text
    assert f"Seeds of these figures: {first}. Tuned on" in text
    assert f"--seeds 1 --first-seed {first} --scale 0.005" in text


def test_baselines_need_thresholds_the_product_alone_does_not(capsys):
    assert ruler.arguments(["--scale", "0.3", "--detectors", PRODUCT]).thresholds is None
    with pytest.raises(SystemExit):
        ruler.arguments(["--scale", "0.3"])
    assert "no thresholds for scale 0.3" in capsys.readouterr().err
