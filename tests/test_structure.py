"""The rule that keeps the detectors testable: they decide, and neither read, write, wait nor look at the clock."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DETECTORS = sorted((ROOT / "detectors").rglob("*.py"))
FORBIDDEN_MODULES = {
    *("faust", "mode", "kafka", "aiokafka", "stream", "prometheus_client", "click", "rich"),
    *("time", "datetime", "pathlib", "os", "io", "sys", "shutil", "tempfile", "glob", "random", "secrets"),
    *("socket", "ssl", "asyncio", "threading", "multiprocessing", "subprocess", "logging", "urllib", "http"),
}
FORBIDDEN_CALLS = {"open", "print", "input", "exec", "eval", "__import__"}
FORBIDDEN_METHODS = {"tofile", "fromfile", "memmap", "savez", "loadtxt", "savetxt", "default_rng_from_os"}


def breaches(source: str) -> list[str]:
    """Return what `source` does that a detector must not."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            if node.level:
                found.append(f"line {node.lineno}: relative import")
        else:
            names = []
        found += [f"line {node.lineno}: import {name}" for name in names if name.split(".")[0] in FORBIDDEN_MODULES]
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
                found.append(f"line {node.lineno}: {node.func.id}(")
            if isinstance(node.func, ast.Attribute):
                name = node.func.attr
                if name in FORBIDDEN_METHODS:
                    found.append(f"line {node.lineno}: .{name}(")
                if name == "default_rng" and not node.args and not node.keywords:
                    found.append(f"line {node.lineno}: a generator without a seed")
    return found


@pytest.mark.parametrize("path", DETECTORS, ids=lambda path: str(path.relative_to(ROOT)))
def test_detectors_touch_no_file_clock_broker_or_network(path: Path) -> None:
    assert breaches(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import faust",
        "import os.path",
        "from time import monotonic",
        "from stream import config",
        "from datetime import datetime",
        "def f():\n    import kafka.admin",
        "x = open('file')",
        "print(1)",
        "from . import request",
        "import numpy\nnumpy.random.default_rng()",
    ],
)
def test_the_rule_sees_a_breach(source: str) -> None:
    assert len(breaches(source)) == 1


def test_there_are_detectors_to_check() -> None:
    assert len(DETECTORS) > 10


def test_the_structure_is_the_published_one() -> None:
    for name in ("README.md", "LICENSE", "Makefile", "pyproject.toml", "detectors", "stream", "tests"):
        assert (ROOT / name).exists(), name


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 170
