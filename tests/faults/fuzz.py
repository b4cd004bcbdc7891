"""Hostile lines and files through the decoder, the account stage and the reader: no traceback, hang or flood of memory.

`python -m tests.faults.fuzz --lines 10000000` goes on until so many lines were judged, or `--seconds` are over. With
`atheris` installed (Google's binding of libFuzzer; `pip install atheris`) inputs are led by coverage; without it they
are mutations of the seeds alone, and the first line of output says so. Exit status 0 when nothing was found; otherwise
the traceback is printed, and the input is in the folder of `--found`.
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import zstandard

try:
    import atheris
except ImportError:
    atheris = None

HANG_S = 20
MEMORY_MB = 1_500
MAX_BYTES = 1 << 16
NESTED = 500
"""How deep a value may nest depends on how deep the caller stands in Python's stack, beyond this."""
STAGE_BATCH = 500
"""Accepted lines that a stage, always a new one, is given at once."""
LINES_AT_ONCE = 32
NOW_MS = 1_800_000_000_000
EVENT = {
    "event.id": "e1", "time": 1_767_225_600_000, "account.id": "a", "gen_ai.request.model": "m", "account.plan": "pro",
    "client.address": "192.0.2.7", "payment.fingerprint": "p", "device.fingerprint": "d", "organization.id": "o",
    "prompt.template": "t", "prompt.simhash": "00ff00ff00ff00ff", "prompt.content": "c", "response.refused": False,
    "prompt.capabilities": ["coding"], "prompt.elicitation": ["chain_of_thought"], "conversation.turn": 1,
    "gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 2**62, "http.response.status_code": 429,
    "account.created": -1, "client.asn": 64500, "tools.count": 3, "access.path": "first_party",
}  # fmt: skip
TEXT = {
    "event.id": "e2",
    "time": 1,
    "account.id": "ä",
    "gen_ai.request.model": "m",
    "prompt.text": "Think step by step: 12",
}


def seeds() -> list[bytes]:
    """Return inputs to begin with; the first byte chooses what is done with the rest."""
    whole, text = msgspec.json.encode(EVENT), msgspec.json.encode(TEXT)
    odd = [
        b"{",
        b"[" * 3000,
        b"null",
        b'"\\ud800"',
        b'{"time":1e400}',
        b'{"event.id":"\\u0000"}',
        b"\xff\xfe",
        b"1" * 400,
    ]
    lines = [whole, text, b"\n".join([whole, text, *odd]), *odd]
    body = b"\r\n\n".join([b"\xef\xbb\xbf" + whole, text])
    files = [body, gzip.compress(body) + gzip.compress(text), zstandard.compress(body) * 2, gzip.compress(body)[:-5]]
    return [bytes([0]) + one for one in lines] + [bytes([1]) + one for one in files]


class Target:
    """Takes one input at a time and raises whatever a traceback would have shown.

    Args:
        directory: for the file that the reader reads.
        found: for lines that a stage stumbles over.
    """

    def __init__(self, directory: Path, found: Path) -> None:
        from detectors import request
        from detectors.scan import requests
        from detectors.settings import DetectorSettings
        from detectors.stages import account
        from stream import reader
        from stream.errors import InputError

        self._decode, self._reader, self._refused = requests.decode, reader.LineReader, InputError
        self._plainly, self._gather = request.decode_batch, requests.gather
        self._reasons = set(request.REASONS)
        self._new_stage = lambda: account.AccountStage(DetectorSettings())
        self._waiting: list[bytes] = []
        self._file, self._found = directory / "input", found
        self.lines = 0
        self.outcomes: Counter[str] = Counter()

    def __call__(self, data: bytes) -> None:
        """Judge one input."""
        if data[:1] in (b"", b"\x00"):
            self._judge(data[1:].split(b"\n"))
        else:
            self._read(data[1:])

    def _judge(self, lines: list[bytes]) -> None:
        requests, indices, rejects = self._decode(lines, NOW_MS)
        if max((line.count(b"[") + line.count(b"{") for line in lines), default=0) < NESTED:
            plain, places, refused = self._plainly(lines, NOW_MS)
            assert (indices.tolist(), rejects) == (list(places), refused), "both ways to decode accept the same"
            other = self._gather(plain)
            assert all((getattr(requests, n) == getattr(other, n)).all() for n in ("hashes", "numbers", "lists"))
        assert all(reject.reason in self._reasons and len(reject.detail) < 200 for reject in rejects)
        self._waiting += [lines[index] for index in indices]
        self.lines += len(lines)
        if len(self._waiting) >= STAGE_BATCH:
            self._to_stage()
        self.outcomes["accepted"] += len(requests)
        self.outcomes.update(reject.reason for reject in rejects)

    def _to_stage(self) -> None:
        """Let a stage judge what was accepted, fold it, and take over its own snapshot."""
        waiting, self._waiting = self._waiting, []
        stage, restored = self._new_stage(), self._new_stage()
        try:
            stage.process(self._decode(waiting, NOW_MS)[0], range(len(waiting)))
            restored.restore(stage.snapshot().items())
            assert len(restored.advance()) == len(stage.advance())
        except BaseException:
            (self._found / "lines").write_bytes(b"\n".join(waiting))
            raise

    def _read(self, data: bytes) -> None:
        self._file.write_bytes(data)
        reader = self._reader(str(self._file), limit=4096)
        try:
            for batch in reader:
                assert len(batch.lines) == len(batch.numbers)
                self._judge(batch.lines)
            self.outcomes["files read"] += 1
        except self._refused:
            self.outcomes["files refused"] += 1


def mutated(rng: random.Random, corpus: list[bytes]) -> bytes:
    """Return a seed with a few things done to it."""
    data = bytearray(rng.choice(corpus))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(1, len(data) + 1)
        act = rng.randrange(6)
        if act == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif act == 1:
            data[at:at] = rng.randbytes(rng.randrange(1, 5))
        elif act == 2:
            del data[at : at + rng.randrange(1, 20)]
        elif act == 3:
            data[at:at] = data[at : at + rng.randrange(1, 60)] * rng.randrange(1, 9)
        elif act == 4:
            data[at:at] = rng.choice((b"\n", b"\\u0000", b"-1", b"1e999", b"\xc3\x28", b'"', b"{}", b"null", b"9" * 25))
        else:
            other = rng.choice(corpus)
            data[at:] = other[rng.randrange(len(other)) :]
    return bytes(data[:MAX_BYTES])


class Session:
    """One run: counts, knows when to end, keeps what was found.

    Args:
        target: is given every input.
        lines, seconds: when to end.
    """

    def __init__(self, target: Target, lines: int, seconds: float) -> None:
        self.target, self.lines, self.seconds = target, lines, seconds
        self.began = time.monotonic()
        self.inputs = 0

    def one(self, data: bytes) -> None:
        """Judge one input; end the process when it was the last."""
        self.target(data)
        self.inputs += 1
        if self.target.lines >= self.lines or time.monotonic() - self.began > self.seconds:
            self.report()
            os._exit(0)

    def report(self) -> None:
        """Print what was done."""
        took = time.monotonic() - self.began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{self.target.lines:,} lines in {self.inputs:,} inputs, {took:.0f} s, {peak:.0f} MB at most; nothing found"
        )
        for outcome, count in sorted(self.target.outcomes.items()):
            print(f"  {outcome:16}{count:14,}")
        sys.stdout.flush()


def compiled_modules() -> list[str]:
    """Return the modules with loops that numba compiles, which it can do with their own instructions alone."""
    root = Path(__file__).parents[2]
    paths = {
        path for word in ("@compiled", "njit") for path in root.glob("detectors/**/*.py") if word in path.read_text()
    }
    return sorted(".".join(path.relative_to(root).with_suffix("").parts) for path in paths)


def by_coverage(directory: Path, arguments: argparse.Namespace) -> None:
    """Let libFuzzer find inputs; it ends the process."""
    watched = ["detectors", "stream.reader", "stream.errors"]
    with atheris.instrument_imports(include=watched, exclude=compiled_modules()):
        target = Target(directory, arguments.found)
    corpus = directory / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds()):
        (corpus / str(number)).write_bytes(seed)
    words = directory / "words"
    words.write_text("".join(f'"\\"{key}\\":"\n' for key in EVENT))
    session = Session(target, arguments.lines, arguments.seconds)
    options = {
        "seed": arguments.seed, "timeout": HANG_S, "rss_limit_mb": MEMORY_MB, "max_len": MAX_BYTES, "dict": words,
        "artifact_prefix": f"{arguments.found}/", "verbosity": 0,
    }  # fmt: skip
    atheris.Setup([sys.argv[0], *(f"-{name}={value}" for name, value in options.items()), str(corpus)], session.one)
    atheris.Fuzz()


def by_chance(directory: Path, arguments: argparse.Namespace) -> None:
    """Mutate the seeds; an alarm ends a hang, a limit of address space a flood of memory."""
    session = Session(Target(directory, arguments.found), arguments.lines, arguments.seconds)
    rng, corpus = random.Random(arguments.seed), seeds()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MB << 21, MEMORY_MB << 21))
    signal.signal(signal.SIGALRM, _hung)
    while True:
        data = mutated(rng, corpus)
        if data[:1] == b"\0":
            data = b"\0" + b"\n".join(mutated(rng, corpus)[1:] for _ in range(LINES_AT_ONCE))
        signal.alarm(HANG_S)
        _guarded(session.one, data, arguments.found)
        signal.alarm(0)


def _hung(*_: Any) -> None:
    raise TimeoutError(f"one input took over {HANG_S} s")


def _guarded(judge: Callable[[bytes], None], data: bytes, found: Path) -> None:
    try:
        judge(data)
    except BaseException:
        traceback.print_exc()
        (found / "input").write_bytes(data)
        print(f"found: {found}/input", flush=True)
        os._exit(1)


def main() -> None:
    """Fuzz."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=float, default=86_400.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--found", type=Path, default=Path("build/fuzz"), help="folder for inputs that broke something")
    parser.add_argument("--by-chance", action="store_true", help="without atheris, even if it is installed")
    arguments = parser.parse_args()
    arguments.found.mkdir(parents=True, exist_ok=True)
    led = atheris is not None and not arguments.by_chance
    print(f"seed {arguments.seed}, {'led by coverage (atheris)' if led else 'mutations without coverage'}", flush=True)
    with tempfile.TemporaryDirectory(prefix="hydrawatch-fuzz-") as work:
        (by_coverage if led else by_chance)(Path(work), arguments)


if __name__ == "__main__":
    main()
