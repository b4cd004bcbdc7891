"""`hydrawatch evaluate`: one run, many runs, and what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stream.cli import cli
from stream.evaluate import evaluate
from tests.stream.evaluate.samples import save_run


def hydrawatch(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["evaluate", *map(str, arguments)])


def refusal(*arguments: object) -> str:
    result = hydrawatch(*arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    return result.stderr


@pytest.fixture
def one(tmp_path: Path) -> dict[str, Path]:
    folder = save_run(tmp_path / "run")
    names = {"events": "events.jsonl", "labels": "labels.jsonl"}
    names |= {"alerts": "good/alerts.jsonl", "decisions": "good/decisions.jsonl"}
    return {f"--{option}": folder / name for option, name in names.items()}


def options(given: dict[str, Path]) -> list[object]:
    return [part for pair in given.items() for part in pair]


def test_one_run_as_table_and_as_json_in_any_order_of_options(one: dict[str, Path], tmp_path: Path) -> None:
    expected = evaluate(*one.values())
    assert hydrawatch(*options(one)).stdout == expected.table() + "\n"
    turned = dict(reversed(one.items()))
    for arguments in (["--json", *options(turned)], [*options(turned), "--json"]):
        assert json.loads(hydrawatch(*arguments).stdout) == json.loads(expected.json())
    result = hydrawatch(*options(one), "--json", tmp_path / "out.json")
    assert result.stdout == expected.table() + "\n"
    assert json.loads((tmp_path / "out.json").read_text()) == json.loads(expected.json())


def test_options_that_miss_or_contradict_each_other_are_refused(one: dict[str, Path], tmp_path: Path) -> None:
    assert "--labels" in refusal("--events", one["--events"])
    assert "leave out --events" in refusal("--runs", tmp_path, "--events", one["--events"])
    assert "need --runs" in refusal(*options(one), "--markdown", tmp_path / "x.md")
    assert "two outputs" in refusal("--runs", tmp_path, "--json", tmp_path / "x", "--markdown", tmp_path / "x")
    assert "also an input" in refusal(*options(one), "--json", one["--alerts"])


@pytest.mark.parametrize("option", ["--json", "--markdown"])
def test_an_output_that_cannot_be_written_is_refused_at_once(tmp_path: Path, option: str) -> None:
    save_run(tmp_path / "runs")
    assert "No such file" in refusal("--runs", tmp_path, option, tmp_path / "missing" / "out")


UNREADABLE = (b'{"account.id": "\xff", "time": 5}', b"[" * 5_000, b'{"account.id": "a", "time": 9223372036854775808}')
UNTIMELY = (b'{"account.id": "a", "time": -5}', b'{"account.id": "a", "time": 4102444800000}')


def test_events_that_replay_refuses_are_passed_over(one: dict[str, Path]) -> None:
    before = json.loads(evaluate(*one.values()).json())
    with one["--events"].open("ab") as file:
        file.writelines(line + b"\n" for line in (*UNREADABLE, *UNTIMELY))
    after = json.loads(evaluate(*one.values()).json())
    different = {name for name in before if before[name] != after[name]}
    assert {name: after[name] - before[name] for name in different} == {"bad_lines": len(UNREADABLE) + len(UNTIMELY)}


@pytest.mark.parametrize("option", ["--labels", "--alerts", "--decisions"])
@pytest.mark.parametrize("line", UNREADABLE[:2])
def test_what_is_held_against_them_is_refused_by_its_line(one: dict[str, Path], option: str, line: bytes) -> None:
    one[option].write_bytes(line + b"\n")
    assert f"{one[option].name}, line 1" in refusal(*options(one))


def test_missing_runs_and_broken_files_exit_2(tmp_path: Path) -> None:
    assert "no run.json" in refusal("--runs", tmp_path)
    path = save_run(tmp_path / "run") / "good" / "alerts.jsonl"
    path.write_text(path.read_text()[:-15])
    assert "alerts.jsonl, line 1" in refusal("--runs", tmp_path)
    path.unlink()
    assert "alerts.jsonl: No such file" in refusal("--runs", tmp_path)


def sweep(folder: Path) -> None:
    for share in (0.1, 0.9):
        for seed in (1, 2):
            save_run(folder / f"{share}-{seed}", seed, dials={"share": share})


def test_runs_give_tables_json_and_curves(tmp_path: Path) -> None:
    sweep(tmp_path / "runs")
    result = hydrawatch(
        *("--runs", tmp_path / "runs", "--json", tmp_path / "out.json"),
        *("--markdown", tmp_path / "out.md", "--curves", tmp_path / "curves"),
    )
    assert result.exit_code == 0
    assert "made up share=0.1: 2 seeds (1, 2), scale 1, 3 days" in result.stdout
    assert "| good | 2/2 [15.8–100 %] |" in (tmp_path / "out.md").read_text()
    data = json.loads((tmp_path / "out.json").read_text())
    assert [len(data["runs"]), len(data["settings"])] == [4, 2]
    assert str(tmp_path) not in json.dumps(data)
    assert {p.name for p in (tmp_path / "curves").iterdir()} == {"made up-share.csv", "made up-share.png"}
    assert "made up-share.png" in result.stderr


def test_runs_as_json_on_standard_output(tmp_path: Path) -> None:
    save_run(tmp_path)
    data = json.loads(hydrawatch("--json", "--runs", tmp_path).stdout)
    assert [row["detector"] for row in data["settings"][0]["rows"]] == ["good", "blind"]


def test_without_matplotlib_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep(tmp_path / "runs")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = hydrawatch("--runs", tmp_path / "runs", "--curves", tmp_path / "curves")
    assert result.exit_code == 0
    assert "hydrawatch[plots]" in result.stderr
    assert [p.suffix for p in (tmp_path / "curves").iterdir()] == [".csv"]


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    save_run(tmp_path / "runs")
    assert "no curve" in hydrawatch("--runs", tmp_path / "runs", "--curves", tmp_path / "curves").stderr
