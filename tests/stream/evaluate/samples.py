"""Hand-made runs: figures without files, and folders with files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stream.evaluate import CampaignFigures, Figures, KindFigures
from stream.evaluate.runs import Run

HOUR = 3_600_000
DAY = 24 * HOUR


def campaign(leaked: int | None, name: str = "x", opens: int = 1, hours: float = 5.0) -> CampaignFigures:
    """A campaign of 100 exchanges and 10 accounts; `leaked` None for a missed one."""
    found = leaked is not None
    return CampaignFigures(
        campaign=name,
        found=found,
        exchanges=100,
        leaked=100 if leaked is None else leaked,
        leaked_share=1.0 if leaked is None else leaked / 100,
        hours_to_alert=hours if found else None,
        contained_share=0.5 if found else None,
        accounts=10,
        accounts_decided=8 if found else 0,
        accounts_decided_share=0.8 if found else 0.0,
        precision=1.0 if found else None,
        open_alerts=opens if found else 0,
    )


def figures(campaigns: list[CampaignFigures], false: int = 0, burden: float = 0.0) -> Figures:
    """A week of 1,000 accounts, 990 of them honest chats."""
    found = any(c.found for c in campaigns)
    return Figures(
        events=5000,
        bad_lines=0,
        days=7.0,
        accounts=1000,
        campaigns=campaigns,
        precision=1.0 if found else None,
        b_cubed_precision=1.0 if found else None,
        b_cubed_recall=0.8 if campaigns else None,
        open_alerts=sum(c.open_alerts for c in campaigns) + false,
        false_alerts=false,
        false_alerts_per_week_per_million=false * 1000.0,
        honest_per_million_per_day=burden,
        honest=[
            KindFigures(
                kind="chat",
                accounts=990,
                accounts_decided=round(burden / 1000),
                per_million_per_day=burden,
                false_alerts=false,
            )
        ],
    )


def run(seed: int, detectors: dict[str, Figures], **changed: Any) -> Run:
    """A run of `proxy` at share 0.5."""
    facts: dict[str, Any] = {"scenario": "proxy", "scale": 0.02, "days": 7.0, "dials": {"share": 0.5, "spread": 1.0}}
    facts |= {"lookalikes": None, "seconds": {}, "path": f"{changed.get('scenario', 'proxy')}-{seed}"}
    return Run(seed=seed, detectors=detectors, **(facts | changed))


def alert(campaign_id: str, time: int) -> dict[str, Any]:
    """An `open`."""
    return {"campaign_id": campaign_id, "revision": 1, "state": "open", "kind": "campaign", "time": time}


def decision(campaign_id: str, account: str, start: int) -> dict[str, Any]:
    """A throttle for two days."""
    facts = {"campaign_id": campaign_id, "revision": 1, "scope": "account", "value": account, "type": "throttle"}
    return facts | {"from": start, "until": start + 2 * DAY}


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write JSON Lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def save_run(folder: Path, seed: int = 1, **changed: Any) -> Path:
    """Three days with campaign `x` of a and b and honest h; `good` finds it after an hour, `blind` never."""
    (folder / "good").mkdir(parents=True)
    labels = [{"account.id": a, "campaign": "x" if a in "ab" else None, "kind": "member"} for a in "abh"]
    lines(folder / "labels.jsonl", [{"campaign": "x", "exchanges": 144}, *labels])
    lines(
        folder / "events.jsonl",
        [{"event.id": f"{a}{h}", "time": h * HOUR, "account.id": a} for h in range(73) for a in "abh"],
    )
    lines(folder / "good" / "alerts.jsonl", [alert("k", HOUR)])
    lines(folder / "good" / "decisions.jsonl", [decision("k", a, HOUR) for a in "ab"])
    lines(folder / "nothing.jsonl", [])
    manifest: dict[str, Any] = {"scenario": "made up", "seed": seed, "scale": 1, "days": 3, "dials": {"share": 0.5}}
    manifest |= {"lookalikes": None, "events": "events.jsonl", "labels": "labels.jsonl", "seconds": {"good": 1.5}}
    manifest["detectors"] = {
        "good": {"alerts": "good/alerts.jsonl", "decisions": "good/decisions.jsonl"},
        "blind": {"alerts": "nothing.jsonl", "decisions": "nothing.jsonl"},
    }
    (folder / "run.json").write_text(json.dumps(manifest | changed))
    return folder
