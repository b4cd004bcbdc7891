"""`python -m tests.benchmarks.detection.parts [name …]`: the table of the parts on real labelled streams.

Exits 2 for a name that is no part; a part whose data is missing is named and left out.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from stream.evaluate.layout import columns
from tests.benchmarks.detection.parts import darpa, hop, retweets, shuttle, stars
from tests.benchmarks.detection.parts.row import Row

PARTS = {part.NAME: part for part in (hop, retweets, stars, darpa, shuttle)}
VERDICT = {True: "yes", False: "NO", None: ""}


def main() -> None:
    """Run the parts named, print one table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", choices=[[], *PARTS], metavar="name", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--json", type=Path, help="write the rows here too")
    arguments = parser.parse_args()
    rows: list[Row] = []
    for name in arguments.names or PARTS:
        began = time.perf_counter()
        try:
            rows += PARTS[name].run()
        except FileNotFoundError as missing:
            print(f"{name}: left out, {missing}", file=sys.stderr)
            continue
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    print(columns(("part", "measure", "value", "line", "beaten?", "source"), [_cells(row) for row in rows]))
    if arguments.json:
        arguments.json.write_text(json.dumps([row._asdict() | {"beaten": row.beaten} for row in rows], indent=1))


def _cells(row: Row) -> tuple[str, ...]:
    line = "" if row.line is None else f"{row.line:.4g}"
    return row.part, row.measure, _figure(row.value), line, VERDICT[row.beaten], row.source


def _figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


if __name__ == "__main__":
    main()
