"""Ten thousand malformed lines of every kind among a hundred thousand good ones, through `replay`.

`python -m tests.benchmarks.malformed`: every bad line must be reported with its line number and the reason that it was
made for, every good one counted, and no traceback seen. Exits 1 otherwise.
"""

from __future__ import annotations

import argparse
import itertools
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from detectors.request import REASONS
from tests.benchmarks import equivalence, harness

HOUR_MS = 3_600_000
MIB = 1 << 20
LARGE = 40
"""Lines over 1 MiB, each a megabyte on the disk."""
COUNTS = (
    "conversation.turn", "gen_ai.request.max_tokens", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens",
    "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.image.input_tokens", "tools.count",
)  # fmt: skip
REQUIRED = ("event.id", "time", "account.id", "gen_ai.request.model")
Event = dict[str, Any]
Breaker = Callable[[Event], bytes]


def _with(key: str, value: Any) -> Breaker:
    return lambda event: msgspec.json.encode({**event, key: value})


def _without(key: str) -> Breaker:
    return lambda event: msgspec.json.encode({name: value for name, value in event.items() if name != key})


def _text(value: bytes) -> Breaker:
    return lambda event: value


def _spoilt(change: Callable[[bytes], bytes]) -> Breaker:
    return lambda event: change(msgspec.json.encode(event))


def breakers(now_ms: int) -> dict[str, list[Breaker]]:
    """Return the ways to spoil an event, by the reason with which each must be refused."""
    not_json = [
        _text(value)
        for value in (b"x", b"{", b"}", b"NaN", b"{'event.id': 1}", b"\x00", b"\xff\xfe", b"null,", b"[1,2", b'"open',
                      b"2026-01-05 12:00:00 INFO started", b"<event/>", b"\x1b[31mred\x1b[0m", b"[" * 100_000)
    ]  # fmt: skip
    not_json += [
        _spoilt(lambda line: line[: len(line) // 2]),
        _spoilt(lambda line: line + b","),
        _spoilt(lambda line: line + line),
        _spoilt(lambda line: line.replace(b'":', b'"', 1)),
        _spoilt(lambda line: line[:-2] + b'\xe9"}'),
        _spoilt(lambda line: line[:-1] + b',"user_agent.original":"\xc3\x28"}'),
        _spoilt(lambda line: line[:-1] + b',"later":\t\x01}'),
    ]
    return {
        "not_json": not_json,
        "not_an_object": [_text(v) for v in (b"[]", b"1", b"null", b"true", b'"event"', b"-0.5", b'[{"a":1}]')],
        "missing_key": [
            *map(_without, REQUIRED), _text(b"{}"), _with("event.id", ""), _with("account.id", ""),
            _with("gen_ai.request.model", ""),
        ],
        "wrong_type": [
            _with("time", "yesterday"), _with("time", 1.5), _with("time", None), _with("time", -1),
            _with("time", 10**30), _with("client.asn", 1.5),
            _with("event.id", 7), _with("account.id", ["a"]), _with("account.id", None), _with("client.asn", "AS64500"),
            _with("gen_ai.request.model", {}), _with("prompt.capabilities", "coding"), _with("prompt.text", 5),
            _with("prompt.elicitation", [1]), _with("response.refused", "no"), _with("tools.count", True),
            _with("gen_ai.usage.input_tokens", "12"), _with("gen_ai.usage.output_tokens", 2.5),
        ],
        "negative_count": [*(_with(key, -3) for key in COUNTS), _with("conversation.turn", 0)],
        "future_time": [_with("time", now_ms + 2 * HOUR_MS), _with("time", now_ms + 365 * 24 * HOUR_MS)],
        "too_large": [_with("user_agent.original", "x" * (MIB + 1)), _text(b"x" * (MIB + 7))],
        "too_long": [_with("event.id", "e" * 129), _with("account.id", "a" * 5000), _with("account.id", "ä" * 129)],
    }  # fmt: skip


def spoil(good: Path, mixed: Path, bad: int, lines: int, seed: int) -> dict[int, str]:
    """Write `lines` lines of `good` with `bad` malformed ones between them; return line number → reason."""
    rng = np.random.default_rng(seed)
    ways = breakers(int(time.time() * 1000))
    assert set(ways) == set(REASONS), "every reason is tried"
    each = (bad - LARGE) // (len(REASONS) - 1)
    counts = dict.fromkeys(REASONS, each) | {"too_large": LARGE}
    counts["not_json"] += bad - sum(counts.values())
    broken = [(reason, ways[reason][n % len(ways[reason])]) for reason, count in counts.items() for n in range(count)]
    order = iter(rng.permutation(bad).tolist())
    places = set(rng.choice(lines + bad, bad, replace=False).tolist())
    expected: dict[int, str] = {}
    with good.open("rb") as source, mixed.open("wb") as file:
        for number in range(lines + bad):
            if number in places:
                reason, way = broken[next(order)]
                expected[number + 1] = reason
                file.write(way({"event.id": f"bad-{number}", "time": 1_767_571_200_000, "account.id": "a",
                                "gen_ai.request.model": "m"}) + b"\n")  # fmt: skip
            else:
                file.write(source.readline())
    return expected


def check(expected: dict[int, str], lines: int, errors: Path, metrics: Path, log: str, status: int) -> list[str]:
    """Return what is wrong with a replay of the mixed file; nothing when all is as it should be."""
    with errors.open("rb") as file:
        reported = {record["line"]: record["reason"] for record in map(msgspec.json.decode, file)}
        file.seek(0)
        number = sum(1 for _ in file)
    values = {name: float(value) for name, _, value in (m.rpartition(" ") for m in metrics.read_text().splitlines())
              if not name.startswith("#")}  # fmt: skip
    wrong = [f"line {line}: {reason} reported as {reported.get(line)}" for line, reason in expected.items()
             if reported.get(line) != reason]  # fmt: skip
    wrong += [f"line {line} is good, but was refused: {reported[line]}" for line in reported.keys() - expected.keys()]
    if number != len(expected):
        wrong.append(f"{number:,} lines reported, {len(expected):,} malformed")
    for reason, count in Counter(expected.values()).items():
        if values.get(f'hydrawatch_dead_letters_total{{reason="{reason}"}}') != count:
            wrong.append(f"the metric of {reason} is not {count}")
    if values.get("hydrawatch_requests_total") != lines:
        wrong.append(f"{values.get('hydrawatch_requests_total'):,.0f} requests counted, {lines:,} sent")
    if "Traceback" in log:
        wrong.append("a traceback was printed")
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", log.replace("\r\n", "\n")):
        wrong.append("control characters of the input were printed")
    return wrong + ([f"exit status {status}"] if status else [])


def main() -> None:
    """Mix, replay, compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--good", type=int, default=100_000)
    parser.add_argument("--bad", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hydrawatch-malformed-") as work:
        directory = Path(work)
        good = equivalence.simulated(directory, 0.005, arguments.seed)
        with good.open("rb") as lines:
            available = sum(1 for _ in itertools.islice(lines, arguments.good))
        mixed, errors, metrics = (directory / name for name in ("mixed.jsonl", "errors.jsonl", "metrics"))
        expected = spoil(good, mixed, arguments.bad, available, arguments.seed)
        command = [sys.executable, "-m", "stream", "replay", str(mixed), "--errors", str(errors)]
        done = subprocess.run(
            [*command, "--metrics", str(metrics)], cwd=harness.ROOT, capture_output=True, text=True, errors="replace"
        )
        if not (errors.exists() and metrics.exists()):
            sys.exit(f"replay ended with status {done.returncode}:\n{done.stderr[-3000:]}")
        wrong = check(expected, available, errors, metrics, done.stdout + done.stderr, done.returncode)
    for reason, count in sorted(Counter(expected.values()).items()):
        print(f"{reason:16}{count:8,}")
    print(f"{'good':16}{available:8,}")
    for line in wrong[:20]:
        print(f"WRONG: {line}")
    print("all counted by reason, none lost, no traceback" if not wrong else f"{len(wrong):,} things are wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
