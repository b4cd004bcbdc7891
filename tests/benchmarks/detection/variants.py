"""What the ablation takes out of the detector, and the honest groups that each variant ranks its totals among.

Three layers can be missing, after DETECTION §4.3: D1, how odd the members are among their peers (the family
`outlierness`); D2, alerts about single accounts that changed; D3, groups and all evidence about them. Besides, each
family of evidence, and each kind of group. Totals of honest groups are lower, or less spread, without a family: with
the shipped reference a variant would keep another false-alarm budget. So every variant has totals of its own, from
honest worlds that no figure is measured on; their groups' statistics are kept, and added up anew for each variant.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from detectors.alerts import Outputs
from detectors.evidence.expected import EXPECTED, Expected
from detectors.evidence.fusion import NAMES, Fusion
from detectors.linking.members import BUNDLE, KINDS
from detectors.partials import Partial
from detectors.settings import DetectorSettings
from detectors.stages.group import GroupStage
from stream import simulate
from tests.benchmarks import reference
from tests.benchmarks.detection.run import write_whole
from tests.benchmarks.reference import Judged

EVERY_KIND = tuple(range(len(KINDS)))
UNBUNDLED = tuple(kind for kind in EVERY_KIND if kind != BUNDLE)
PER_JUDGEMENT = ("rows", "accuses")
FACTS = tuple(field.name for field in fields(Judged) if field.name not in PER_JUDGEMENT)
WHOLE, SHIPPED, NO_D2, NO_D3 = "whole", "as shipped", "account alerts (D2) out", "groups (D3) out"


@dataclass(frozen=True)
class Variant:
    """A detector without some of its parts.

    Attributes:
        name: as in the tables.
        without: families of evidence that count for nothing, neither way.
        kinds: positions in `KINDS` of the groups that are judged.
        account_alerts: whether alerts of kind `account`, and their decisions, are heard.
        shipped: ranks its totals among the shipped ones.
    """

    name: str
    without: tuple[str, ...] = ()
    kinds: tuple[int, ...] = EVERY_KIND
    account_alerts: bool = True
    shipped: bool = False


def variants() -> list[Variant]:
    """Return all variants, the whole detector first."""
    families = [Variant(f"{name}{' (D1)' * (name == 'outlierness')} out", without=(name,)) for name in NAMES]
    kinds = [
        Variant(f"{name} groups out", kinds=tuple(kind for kind in EVERY_KIND if kind != number))
        for number, name in enumerate(KINDS)
    ]
    layers = [Variant(NO_D2, account_alerts=False), Variant(NO_D3, kinds=())]
    return [Variant(WHOLE), Variant(SHIPPED, shipped=True), *layers, *kinds, *families]


def fusion(variant: Variant, honest: dict[tuple[int, ...], list[Judged]]) -> Fusion:
    """Return the weights and totals of a variant.

    Args:
        honest: groups of honest worlds, by the kinds that were judged there: `EVERY_KIND`, and `UNBUNDLED`, where
            templates that a bundle would have taken in are groups of their own. No other kind displaces another.
    """
    if variant.shipped:
        return Fusion()
    expected = EXPECTED | dict.fromkeys(variant.without, Expected(0.0))
    judged = honest[EVERY_KIND if BUNDLE in variant.kinds else UNBUNDLED]
    mine = [group for group in judged if group.kind in variant.kinds]
    return reference.fusion_from(mine, expected) if mine else Fusion(expected)


def judge(variant: Variant, partials: Sequence[Partial], honest: dict[tuple[int, ...], list[Judged]]) -> Outputs:
    """Return what a variant says about one world."""
    stage = GroupStage(DetectorSettings(), fusion=fusion(variant, honest), kinds=variant.kinds)
    outputs = stage.process(partials)
    return outputs if variant.account_alerts else without_account_alerts(outputs)


def without_account_alerts(outputs: Outputs) -> Outputs:
    """Return the outputs without alerts of kind `account` and the decisions under their ids.

    Campaigns do not ask whether an account has an alert of its own, so leaving these out afterwards is as good as never
    having raised them, but for the models of ordinary accounts: those have learned nothing from an accused one.
    """
    single = {alert.campaign_id for alert in outputs.alerts if alert.kind == "account"}
    return Outputs(
        [alert for alert in outputs.alerts if alert.campaign_id not in single],
        [decision for decision in outputs.decisions if decision.campaign_id not in single],
    )


def keep_honest(seed: int, scale: float, path: Path) -> None:
    """Simulate an honest world, judge it with and without bundles, and keep its groups in the files of `stored`."""
    if all(stored(path, kinds).exists() for kinds in (EVERY_KIND, UNBUNDLED)):
        return
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder, "events.jsonl")
        simulate.write("quiet", events, Path(folder, "labels.jsonl"), seed=seed, scale=scale)
        partials = reference.partials_of(events, reference.UNLOGGED[seed % len(reference.UNLOGGED)])
    path.parent.mkdir(parents=True, exist_ok=True)
    for kinds in (EVERY_KIND, UNBUNDLED):
        save(reference.groups_of(partials, kinds), stored(path, kinds))


def stored(path: Path, kinds: tuple[int, ...]) -> Path:
    """Return the file of the groups of one honest world."""
    return path.with_name(f"{path.name}{'' if BUNDLE in kinds else '-unbundled'}.npz")


def save(groups: list[Judged], path: Path) -> None:
    """Write groups: a column per fact, and what there is per judgement end to end."""
    facts = {name: np.array([getattr(group, name) for group in groups]) for name in FACTS}
    rows = np.concatenate([np.zeros((0, len(NAMES))), *(group.rows for group in groups)])
    accuses = np.concatenate([np.zeros(0, bool), *(group.accuses for group in groups)])
    data = io.BytesIO()
    np.savez_compressed(data, rows=rows, accuses=accuses, judgements=[len(group.rows) for group in groups], **facts)
    write_whole(path, data.getvalue())


def load(path: Path) -> list[Judged]:
    """Read what `save` wrote."""
    with np.load(path) as kept:
        ends = np.cumsum(kept["judgements"])[:-1]
        rows, accuses = (np.split(kept[name], ends) if len(kept["judgements"]) else [] for name in PER_JUDGEMENT)
        facts = [{name: kept[name][group].item() for name in FACTS} for group in range(len(rows))]
    each = zip(rows, accuses, facts, strict=True)
    return [Judged(rows=part, accuses=accused, **fact) for part, accused, fact in each]
