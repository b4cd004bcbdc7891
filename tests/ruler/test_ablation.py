"""The ablation takes out what it says, keeps every variant's false-alarm budget, and makes no world twice."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from detectors.alerts import Outputs
from detectors.evidence.fusion import NAMES
from detectors.linking.members import KINDS
from detectors.settings import DetectorSettings
from detectors.stages.account import AccountStage
from stream import simulate
from stream.evaluate import Truth
from tests.benchmarks import reference
from tests.benchmarks.detection import ablation, ablation_report, plan, variants
from tests.benchmarks.detection.ablation_report import Reach
from tests.benchmarks.detection.variants import EVERY_KIND, UNBUNDLED, Variant
from tests.benchmarks.reference import Judged
from tests.detectors.made import DAY_MS, campaign_among, run
from tests.stream.evaluate.samples import campaign, figures
from tests.stream.evaluate.samples import run as sample_run


def groups(count: int, seed: int = 0) -> list[Judged]:
    """Return honest groups of all kinds, each judged three times; the families' statistics differ in scale."""
    rng = np.random.default_rng(seed)
    scale = np.linspace(0.2, 1.2, len(NAMES))
    rows = scale * rng.exponential(size=(count, 3, len(NAMES)))
    return [
        Judged(kind=number % len(KINDS), size=1.0, identified=1, rows=part, accuses=np.arange(3) >= number % 2)
        for number, part in enumerate(rows)
    ]


ALL, NONE = Variant("all", shipped=True), Variant("none", kinds=(), shipped=True)
HONEST = {EVERY_KIND: groups(400), UNBUNDLED: groups(400)}


def test_every_family_kind_and_layer_is_taken_out_once():
    every = variants.variants()
    assert len({variant.name for variant in every}) == len(every)
    assert sorted(name for variant in every for name in variant.without) == sorted(NAMES)
    missing = [set(EVERY_KIND) - set(variant.kinds) for variant in every]
    assert sorted(kind for kinds in missing if len(kinds) == 1 for kind in kinds) == list(EVERY_KIND)
    assert missing.count(set(EVERY_KIND)) == 1
    assert [variant.name for variant in every if not variant.account_alerts] == [variants.NO_D2]


@pytest.mark.parametrize("name", NAMES)
def test_a_family_that_is_out_says_nothing_either_way(name):
    statistics = np.random.default_rng(1).exponential(size=(len(NAMES), 50)) * np.linspace(0, 3, 50)
    whole = variants.fusion(Variant("whole"), HONEST).nats(statistics)
    without = variants.fusion(Variant("without", without=(name,)), HONEST).nats(statistics)
    place = NAMES.index(name)
    assert (without[place] == 0).all()
    assert (whole[place] != 0).any()
    assert np.array_equal(np.delete(without, place, axis=0), np.delete(whole, place, axis=0))


OWN_TOTALS = [variant for variant in variants.variants() if variant.kinds and not variant.shipped]


@pytest.mark.parametrize("variant", OWN_TOTALS, ids=lambda variant: variant.name)
def test_every_variant_keeps_the_same_budget(variant):
    """A tenth of them or less: few could be reported at all, and of those few the rule of three asks for more."""
    made, others = variants.fusion(variant, HONEST), groups(400, seed=2)
    mine = [group for group in others if group.kind in variant.kinds]
    assert 0.02 < (reference.surprises(made, mine) >= np.log(10)).mean() < 0.18


def test_honest_groups_come_back_as_they_were(tmp_path):
    for kept in (HONEST[EVERY_KIND], []):
        variants.save(kept, tmp_path / "groups.npz")
        back = variants.load(tmp_path / "groups.npz")
        assert [(one.kind, one.size, one.identified) for one in back] == [(g.kind, g.size, g.identified) for g in kept]
        assert all(np.array_equal(one.rows, other.rows) for one, other in zip(back, kept, strict=True))
        assert all(one.accuses.tolist() == other.accuses.tolist() for one, other in zip(back, kept, strict=True))


@pytest.fixture(scope="module")
def partials():
    stage = AccountStage(DetectorSettings())
    return run(stage, campaign_among(150, 40, DAY_MS), [10**6]) + stage.advance()


def opened(outputs: Outputs) -> int:
    return sum(alert.state == "open" for alert in outputs.alerts)


def test_a_campaign_is_found_until_what_finds_it_is_taken_out(partials):
    assert opened(variants.judge(ALL, partials, {})) == 1
    assert opened(variants.judge(NONE, partials, {})) == 0


def test_groups_of_a_kind_that_is_out_are_not_judged(partials):
    kinds = {group.kind for group in reference.groups_of(partials)}
    assert len(kinds) > 1
    for kind in kinds:
        others = tuple(other for other in EVERY_KIND if other != kind)
        left = {group.kind for group in reference.groups_of(partials, others)}
        assert kind not in left
        assert left >= kinds - {kind}


def test_without_account_alerts_campaigns_stay(partials):
    outputs = variants.judge(ALL, partials, {})
    alert, decision = outputs.alerts[0], outputs.decisions[0]
    single = msgspec.structs.replace(alert, kind="account", campaign_id="one")
    observed = msgspec.structs.replace(decision, campaign_id="one", value="customer")
    heard = Outputs([single, *outputs.alerts], [*outputs.decisions, observed])
    assert variants.without_account_alerts(heard) == outputs
    truth = Truth({decision.value: "x", "absent": "x"}, {}, {}, {})
    assert ablation.reached(Outputs([], [decision, observed]), truth) == Reach(members=2, reached=1, honest=1)


def test_the_tables_say_what_a_part_was_good_for():
    def judged(leaked):
        return figures([campaign(leaked), campaign(10)], false=0 if leaked is not None else 2)

    reach = dict.fromkeys(("whole", "links out"), Reach(members=4, reached=3, honest=1))
    runs = [sample_run(seed, {"whole": judged(10), "links out": judged(None)}) for seed in (11, 12)]
    worlds = [ablation_report.World(commit="c", honest=["x1 seed-1"], groups=9, run=one, reach=reach) for one in runs]
    whole, without = ablation_report.lines(worlds)
    assert (whole.found, whole.campaigns, whole.false_campaigns) == (4, 4, 0)
    assert (without.found, without.campaigns, without.false_campaigns) == (2, 4, 4)
    assert without.leaked_share > whole.leaked_share
    assert without.members_reached_share == 0.75
    text = ablation_report.document(worlds, 3, "the command")
    assert "2 of 3 worlds" in text
    assert "2/4 (-2)" in text


def test_a_world_that_is_there_is_not_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(variants, "variants", lambda: [ALL, NONE])
    monkeypatch.setattr(ablation, "in_pool", lambda jobs, calls: (call(*rest) for call, *rest in calls))
    words = ["--scenarios", "failover", "--seeds", "1", "--scale", "0.0005", "--days", "1", "--honest-worlds", "0"]
    words += ["--work", str(tmp_path), "--results", str(tmp_path / "results")]
    ablation.main(words)
    texts = [path.read_text() for path in (tmp_path / "results").glob("*.md")]
    assert ["1 of 1 worlds" in text for text in texts] == [True]
    planned = plan.Planned("failover", plan.FIRST_SEED, 0.0005, 1.0)
    first = msgspec.json.decode((tmp_path / planned.path / ablation.FIGURES).read_bytes(), type=ablation.World)
    assert set(first.run.detectors) == set(first.reach) == {"all", "none"}

    def again(*arguments):
        raise InterruptedError

    monkeypatch.setattr(simulate, "write", again)
    assert ablation.ablate(planned, [], tmp_path) == first
    with pytest.raises(FileNotFoundError):
        ablation.ablate(planned, [tmp_path / "other honest world"], tmp_path)
    monkeypatch.setattr(ablation, "commit", lambda: "another")
    with pytest.raises(InterruptedError):
        ablation.ablate(planned, [], tmp_path)
