"""The README tells what there is: every key with its default, every metric, every command it shows."""

import re
import shlex
from pathlib import Path

import pytest

from stream import config
from stream.cli import cli
from stream.metrics import Metrics

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
SECRETS = {"sasl_password", "key"}


@pytest.mark.parametrize("key", list(config.keys()), ids=lambda key: key.variable)
def test_every_key_is_in_the_table(key):
    if key.name in SECRETS:
        assert key.variable in README
    else:
        assert f"`{key.name}`" in README


def test_defaults_in_the_table_are_the_real_ones():
    rows = [[cell.strip() for cell in line.split(" | ")] for line in README.splitlines() if line.startswith("| ")]
    defaults = {key.name: key.default for key in config.keys() if key.name not in SECRETS}  # noqa: SIM118
    checked = set()
    for row in rows:
        names = [name for name in re.findall(r"`(\w+)`", row[1]) if name in defaults] if len(row) >= 4 else []
        values = re.findall(r"`([^`]+)`", row[2]) if names else []
        for name, value in zip(names, values, strict=False):
            assert str(defaults[name]).lower() == value.lower(), name
            checked.add(name)
    assert checked >= {name for name, default in defaults.items() if default is not None}


def test_every_metric_is_named():
    families = [family.name for family in Metrics().registry.collect()]
    assert len(families) == 18
    for name in families:
        assert name.removeprefix("hydrawatch") in README


def test_the_commands_shown_exist_with_their_options():
    lines = [line for line in README.splitlines() if line.startswith("hydrawatch ")]
    assert len(lines) >= 6
    for line in lines:
        command, options = cli, []
        for word in shlex.split(line, comments=True)[1:]:
            if word.startswith("--"):
                options.append(word)
            elif hasattr(command, "commands") and not options:
                command = command.commands[word]
        known = {name for parameter in command.params for name in parameter.opts}
        assert set(options) <= known, line


def test_the_detection_figures_are_those_of_the_latest_run():
    latest = max((Path(__file__).parent / "benchmarks" / "results").glob("detection-*.md"), key=lambda path: path.name)
    summary = latest.read_text(encoding="utf-8").split("## Summary\n\n")[1].split("\n\n")[0]
    assert summary.startswith("| scenario |")
    assert summary in README
    assert latest.name in README
