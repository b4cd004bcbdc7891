"""The tools of the fault suite find what they are for."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import msgspec
import pytest

from tests.faults import __main__ as command
from tests.faults import fuzz, oracle, rig, soak, table


def alert(revision: int, identity: str | None = None) -> dict[str, object]:
    return {"alert_id": identity or f"a{revision}", "campaign_id": "c", "revision": revision}


def tally(said: list[dict[str, object]], wanted: list[dict[str, object]]) -> oracle.Verdict:
    made = oracle._Tally()
    expected = {str(one["alert_id"]): msgspec.json.encode(one) for one in wanted}
    made.compare("alerts", expected, [(one["alert_id"], msgspec.json.encode(one)) for one in said])
    made.twins("alerts", "alert_id", said)
    return made.verdict(len(expected))


def test_what_was_never_said_is_lost() -> None:
    verdict = tally([alert(1)], [alert(1), alert(2)])
    assert (verdict.lost, verdict.doubled, verdict.wrong, verdict.repeats) == (1, 0, 0, 0)
    assert not verdict.exact


def test_the_same_again_is_a_repeat_and_does_no_harm() -> None:
    verdict = tally([alert(1), alert(1)], [alert(1)])
    assert (verdict.lost, verdict.doubled, verdict.wrong, verdict.repeats) == (0, 0, 0, 1)
    assert verdict.exact


def test_the_same_under_another_id_is_doubled_and_wrong() -> None:
    verdict = tally([alert(1), alert(1, "other")], [alert(1)])
    assert (verdict.lost, verdict.doubled, verdict.wrong) == (0, 1, 1)


def test_the_same_id_with_other_content_is_wrong() -> None:
    verdict = tally([{**alert(1), "score": 2}], [{**alert(1), "score": 1}])
    assert verdict.wrong == 1
    assert '"score":2' in verdict.notes[0]


def decisions(*revisions: int) -> list[dict[str, object]]:
    return [{"campaign_id": "c", "scope": "account", "value": "a", "revision": one} for one in revisions]


def test_an_older_revision_after_a_newer_one_is_wrong_if_it_is_the_last() -> None:
    found = {}
    for said in ((1, 2), (1, 2, 1, 2), (1, 2, 1)):
        made = oracle._Tally()
        made.stale("decisions", decisions(*said))
        found[said] = made.verdict(2).wrong
    assert found == {(1, 2): 0, (1, 2, 1, 2): 0, (1, 2, 1): 1}


def test_a_report_is_written_for_machines_too() -> None:
    verdict = tally([alert(1)], [alert(1), alert(2)])
    report = rig.Report(6, "zombie", verdict, 6.5, 200.0, "0 75", 30.0, [], [])
    told = msgspec.json.decode(msgspec.json.encode(command.record(report, 7)))
    assert (told["seed"], told["passed"], told["exits"], told["peak_mb"]) == (7, False, "0 75", 200.0)
    assert (told["verdict"]["lost"], told["verdict"]["wrong"]) == (1, 0)


def test_the_table_names_what_was_kept_and_what_was_not() -> None:
    good = rig.Report(0, "Nothing happens", tally([alert(1)], [alert(1)]), 1.0, 200.0, "0", 30.0, [], ["all | well"])
    text = table.document([good, good._replace(number=6, title="zombie", failures=["it wrote"])], 7)
    assert "--seed 7" in text
    assert "**1 of 2 experiments kept all promises.**" in text
    assert "| 0 | Nothing happens | 0 | 0 | 0 | 0 | 0 | 1.0 s | 200 MB | 30 s | 0 | yes |" in text
    assert "| 6 | zombie | 0 | 0 | 0 | 0 | 0 | 1.0 s | 200 MB | 30 s | 0 | **no** |" in text
    assert "- zombie: **it wrote**" in text


def test_hostile_lines_and_files_are_taken(tmp_path: Path) -> None:
    target, rng, corpus = fuzz.Target(tmp_path, tmp_path), random.Random(5), fuzz.seeds()
    for seed in corpus:
        target(seed)
    for _ in range(1_500):
        target(fuzz.mutated(rng, corpus))
    target(b"\xff\n")
    target._to_stage()
    assert {"accepted", "not_json", "files read", "files refused"} <= set(target.outcomes)


def test_no_module_with_a_compiled_loop_is_instrumented() -> None:
    from numba.core.dispatcher import Dispatcher

    import detectors.stages.group  # noqa: F401

    modules = [module for name, module in list(sys.modules.items()) if name.startswith("detectors.")]
    things = [thing for module in modules for thing in vars(module).values()]
    loops = {thing.__module__ for thing in things if isinstance(thing, Dispatcher)}
    assert loops
    assert loops <= {*fuzz.compiled_modules()}


def test_fuzzing_finds_a_stage_that_stumbles_and_keeps_the_lines(tmp_path: Path) -> None:
    target = fuzz.Target(tmp_path, tmp_path)
    target._new_stage = lambda: None  # type: ignore[assignment, return-value]
    target(fuzz.seeds()[0])
    with pytest.raises(AttributeError):
        target._to_stage()
    assert (tmp_path / "lines").read_bytes() == msgspec.json.encode(fuzz.EVENT)


def test_the_slope_is_of_the_second_half() -> None:
    samples = [soak.Sample(n * 60.0, 100.0 + max(0, 30 - n) * 5 + n, 9, 0.0, 0) for n in range(61)]
    assert soak.slope(samples, "memory_mb") == pytest.approx(60)
    assert soak.slope(samples, "files") == pytest.approx(0, abs=1e-6)
