"""Tables as plain text and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def percent(share: float | None) -> str:
    """Return a share as per cent, a dash for none."""
    return "–" if share is None else f"{100 * share:.1f} %"


def columns(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Return aligned plain text, the first column to the left."""
    rows = [head, *body]
    width = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, width, strict=True))
        ).rstrip()
        for row in rows
    )


def markdown(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, the first column to the left."""
    rule = [":--", *("--:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (head, rule, *body))
