import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from detectors import __version__
from stream.cli import cli
from tests.stream.samples import event


@pytest.fixture
def hydrawatch(monkeypatch):
    for name in [name for name in os.environ if name.startswith("HYDRAWATCH_")]:
        monkeypatch.delenv(name)
    return lambda *arguments, **options: CliRunner().invoke(cli, [str(part) for part in arguments], **options)


def one_line_error(result):
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("hydrawatch: ")
    return result.stderr


def events(path, count=3):
    path.write_text("".join(json.dumps(event(n)) + "\n" for n in range(count)))
    return path


def test_version_and_help(hydrawatch):
    assert hydrawatch("--version").stdout == f"hydrawatch {__version__}\n"
    assert hydrawatch("--help").exit_code == 0


def test_the_commands_are_those_of_this_version_and_all_explain_themselves(hydrawatch):
    assert sorted(cli.commands) == [
        "alerts",
        "decisions",
        "evaluate",
        "feedback",
        "replay",
        "simulate",
        "topics",
        "worker",
    ]
    for name in cli.commands:
        result = hydrawatch(name, "--help")
        assert result.exit_code == 0
        assert len(result.stdout) > 100


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["--nonsense"],
        ["replay", "--nonsense"],
        ["replay", "missing.jsonl"],
        ["replay", "."],
        ["worker", "--metrics-port", "99999"],
        ["simulate", "nonsense", "--out", "a", "--labels", "b"],
        ["simulate", "seeds", "--out", "a"],
        ["simulate", "seeds", "--out", "a", "--labels", "a"],
        ["simulate", "seeds", "--out", "a", "--labels", "b", "--scale", "-1"],
        ["simulate", "seeds", "--out", "a", "--labels", "b", "--seed", "x"],
        ["evaluate", "--events", "missing"],
        ["evaluate", "--events", "missing", "--labels", "b", "--alerts", "c", "--decisions", "d"],
        ["topics", "nonsense"],
        ["feedback", "nonsense", "campaign", "c", "--by", "a", "--reason", "r"],
        ["feedback", "confirm", "campaign", "c", "--reason", "r", "--out", "f"],
        ["feedback", "confirm", "planet", "c", "--by", "a", "--reason", "r", "--out", "f"],
        ["feedback", "confirm", "campaign", "", "--by", "a", "--reason", "r", "--out", "f"],
        ["feedback", "allow", "account", "x", "--by", "a", "--reason", "r", "--out", "f"],
        ["feedback", "allow", "campaign", "x", "--by", "a", "--reason", "r", "--until", "3d", "--out", "f"],
        ["feedback", "allow", "account", "x", "--by", "a", "--reason", "r", "--until", "soon", "--out", "f"],
        ["feedback", "allow", "account", "x", "--by", "a", "--reason", "r", "--until", "2001-01-01", "--out", "f"],
        ["feedback", "dismiss", "campaign", "c", "--by", "a", "--reason", "r", "--out", "."],
        ["replay", "-", "--feedback", "missing"],
    ],
    ids=" ".join,
)
def test_unusable_arguments_are_one_line_and_status_2(hydrawatch, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    one_line_error(hydrawatch(*arguments))


def test_a_bad_configuration_names_the_key(hydrawatch, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text("[windows]\ntick = 5\n")
    assert "windows.tick: unknown key" in one_line_error(hydrawatch("--config", config, "replay", "-", input=""))
    error = one_line_error(hydrawatch("replay", "-", input="", env={"HYDRAWATCH_LINKS__THETA": "0"}))
    assert "links.theta" in error


def test_two_outputs_to_one_file_are_refused(hydrawatch, tmp_path):
    path = events(tmp_path / "in")
    error = one_line_error(hydrawatch("replay", path, "--alerts", tmp_path / "x", "--decisions", tmp_path / "x"))
    assert "same file" in error


def test_an_output_over_an_input_is_refused(hydrawatch, tmp_path):
    path = events(tmp_path / "in")
    assert "is also an input" in one_line_error(hydrawatch("replay", path, "--alerts", path))
    assert path.stat().st_size > 0


def test_replay_reads_standard_input_and_writes_everything(hydrawatch, tmp_path):
    text = "".join(json.dumps(event(n, f"acc-{n}")) + "\n" for n in range(50)) + "nonsense\n"
    outputs = [part for name in ("alerts", "decisions", "errors", "metrics") for part in (f"--{name}", tmp_path / name)]
    result = hydrawatch("replay", "-", *outputs, "--report", tmp_path / "page.html", input=text)
    assert result.exit_code == 0, result.stderr
    assert "No campaign in 50 requests of 50 accounts" in result.stdout
    assert result.stderr.splitlines()[0] == "-:51: not_json: not valid JSON"
    assert (tmp_path / "alerts").read_bytes() == b""
    assert "hydrawatch_requests_total 50.0" in (tmp_path / "metrics").read_text()
    assert "</html>" in (tmp_path / "page.html").read_text()


def test_a_truncated_file_ends_with_status_2_after_the_table(hydrawatch, tmp_path):
    import gzip

    path = tmp_path / "in.gz"
    path.write_bytes(gzip.compress(events(tmp_path / "in", 20_000).read_bytes())[:-100])
    result = hydrawatch("replay", path)
    assert result.exit_code == 2
    assert "No campaign in" in result.stdout
    assert "the compressed data end in the middle" in result.stderr


def run_process(*arguments, **options):
    command = [sys.executable, "-m", "stream", *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)


def test_a_closed_pipe_is_no_traceback(tmp_path):
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = run_process("replay", events(tmp_path / "in"), stdout=write_end)
    os.close(write_end)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 1


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("replay - <&-", "hydrawatch: -: standard input is closed"),
        ("replay in >&-", ""),
        ("replay in --alerts loop", "hydrawatch: loop: Too many levels of symbolic links"),
        ("replay loop --alerts out", "hydrawatch: loop: Too many levels of symbolic links"),
        ("feedback confirm campaign $'\\xff' --by me --reason why --out out", "hydrawatch: '\\udcff': not UTF-8"),
    ],
)
def test_odd_streams_and_names_are_no_traceback(tmp_path, script, message):
    events(tmp_path / "in")
    (tmp_path / "loop").symlink_to("loop")
    command = ["bash", "-c", f"{sys.executable} -m stream {script}"]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert done.stderr.strip() == message
    assert done.returncode == (2 if message else 0)


def test_an_interruption_is_one_line_and_status_130(tmp_path):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs
    try:
        process = run_process("replay", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGINT, before)
    process.stdin.write("nonsense\n")
    process.stdin.flush()
    assert process.stderr.readline() == "-:1: not_json: not valid JSON\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1].strip() == "hydrawatch: interrupted"
    assert process.returncode == 130


def test_help_comes_without_loading_the_detectors():
    script = "import sys, stream.cli; sys.exit(bool({'numpy', 'faust', 'river', 'kafka'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
