"""The group stage: the same outputs whatever the partitions, batches, repeats and restarts."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.alerts import Outputs
from detectors.errors import StateVersionError
from detectors.evidence.fusion import Fusion, Judgement
from detectors.evidence.reference import OWN_ENOUGH
from detectors.evidence.totals import UNTOLD
from detectors.hashing import digest
from detectors.linking.members import KINDS, Groups
from detectors.partials import Partial
from detectors.request import Request
from detectors.settings import DetectorSettings
from detectors.stages.account import AccountStage
from detectors.stages.group import GroupStage
from tests.detectors.made import DAY_MS, TICK_MS, campaign_among, partial

SETTINGS = DetectorSettings()


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    return campaign_among(150, 40, DAY_MS)


def through_partitions(requests: list[Request], partitions: int, batch: int = 500) -> list[Partial]:
    """Return the partials of `partitions` account stages, in the order of a log that all of them write."""
    stages = [AccountStage(SETTINGS, number) for number in range(partitions)]
    offsets, partials = [0] * partitions, []
    for start in range(0, len(requests), batch):
        for number, stage in enumerate(stages):
            mine = [one for one in requests[start : start + batch] if digest(one.account_id) % partitions == number]
            partials += stage.process(mine, np.arange(len(mine)) + offsets[number])
            offsets[number] += len(mine)
    for stage in stages:
        partials += stage.advance()
    return partials


@pytest.fixture(scope="module")
def partials(requests: list[Request]) -> list[Partial]:
    return through_partitions(requests, 1)


def judged(stage: GroupStage, partials: list[Partial], batch: int = 10**6, first_offset: int = 0) -> Outputs:
    outputs = Outputs([], [])
    for start in range(0, len(partials), batch):
        part = partials[start : start + batch]
        some = stage.process(part, range(first_offset + start, first_offset + start + len(part)))
        outputs.alerts += some.alerts
        outputs.decisions += some.decisions
    return outputs


@pytest.fixture(scope="module")
def outputs(partials: list[Partial]) -> Outputs:
    return judged(GroupStage(SETTINGS), partials)


def test_the_campaign_is_opened_once_and_its_accounts_decided_about(outputs: Outputs) -> None:
    assert [alert.state for alert in outputs.alerts].count("open") == 1
    assert {alert.campaign_id for alert in outputs.alerts} == {outputs.alerts[0].campaign_id}
    assert {decision.value for decision in outputs.decisions} == {f"worker{number}" for number in range(40)}


def test_more_is_asked_where_nothing_is_known_of_who_a_customer_is(requests: list[Request]) -> None:
    surprises = []
    for known in (True, False):
        made = requests if known else [msgspec.structs.replace(one, organization_id=None) for one in requests]
        stage, highest = GroupStage(SETTINGS), [0.0]

        def observe(
            end_ms: int, due: list[int], groups: Groups, judgement: Judgement, calls: NDArray, highest: list = highest
        ) -> None:
            highest.append(float((judgement.surprise * judgement.telling).max()))

        stage.observer = observe
        judged(stage, through_partitions(made, 1))
        surprises.append(max(highest))
    assert surprises[0] > surprises[1] + 2.0 > 2.0, "the campaign might be a customer with many keys"


@pytest.mark.parametrize(("votes", "provisional"), [(OWN_ENOUGH - 1, True), (OWN_ENOUGH, False)])
def test_alerts_are_provisional_until_own_groups_have_taken_over(
    partials: list[Partial], votes: int, provisional: bool
) -> None:
    fusion = Fusion()
    for kind in range(len(KINDS)):
        for vote in range(votes):
            fusion.totals.add(UNTOLD, kind, (40.0, 500.0)[vote % 2])
    found = judged(GroupStage(SETTINGS, fusion=fusion), partials)
    assert found.alerts
    assert {alert.provisional for alert in found.alerts} == {provisional}


@pytest.mark.parametrize("partitions", [2, 4])
def test_the_number_of_partitions_does_not_show(requests: list[Request], outputs: Outputs, partitions: int) -> None:
    found = judged(GroupStage(SETTINGS, partitions), through_partitions(requests, partitions))
    assert found == outputs


def test_batches_do_not_show(requests: list[Request], outputs: Outputs) -> None:
    made = through_partitions(requests, 4, batch=3_000)
    assert judged(GroupStage(SETTINGS, 4), made, batch=3) == outputs


def test_outputs_come_with_the_tick_that_calls_for_them(partials: list[Partial], outputs: Outputs) -> None:
    stage, first = GroupStage(SETTINGS), outputs.alerts[0]
    early = [one for one in partials if (one.tick + 1) * TICK_MS <= first.time]
    assert judged(stage, early).alerts == [first]
    before = [one for one in partials if (one.tick + 1) * TICK_MS < first.time]
    assert judged(GroupStage(SETTINGS), before).alerts == []
    assert stage.campaigns() == [first]
    assert sum(stage.open_campaigns.values()) == 1


@pytest.mark.parametrize("cuts", [[1], [20, 21], [30, 50, 80]])
def test_restored_in_mid_stream_it_goes_on_alike(partials: list[Partial], outputs: Outputs, cuts: list[int]) -> None:
    stage, log, found, start = GroupStage(SETTINGS), {}, Outputs([], []), 0
    for cut in [*cuts, len(partials)]:
        some = judged(stage, partials[start:cut], 7, start)
        found.alerts += some.alerts
        found.decisions += some.decisions
        log |= stage.snapshot()
        start, stage = cut, GroupStage(SETTINGS)
        stage.restore(log.items())
        assert stage.last_offset == cut - 1
    assert found == outputs
    assert stage.campaigns()[0] == outputs.alerts[-1]


def test_waiting_partials_survive_a_restart(requests: list[Request], outputs: Outputs) -> None:
    made = through_partitions(requests, 2)
    made.sort(key=lambda one: one.partition)  # partition 1 is a whole run behind
    stage, restored = GroupStage(SETTINGS, 2), GroupStage(SETTINGS, 2)
    half = sum(one.partition == 0 for one in made)
    assert judged(stage, made[:half]) == Outputs([], [])
    restored.restore(stage.snapshot().items())
    assert judged(restored, made[half:], 5, half) == outputs


def test_partials_already_in_the_state_are_skipped_by_offset(partials: list[Partial]) -> None:
    stage = GroupStage(SETTINGS)
    judged(stage, partials)
    assert judged(stage, partials) == Outputs([], [])
    assert stage.last_offset == len(partials) - 1


def test_repeats_by_tick_and_chunk_are_dropped(partials: list[Partial], outputs: Outputs) -> None:
    doubled = [one for start in range(0, len(partials), 4) for one in partials[start : start + 4] * 2]
    assert judged(GroupStage(SETTINGS), doubled, batch=6) == outputs


def test_a_partition_that_is_behind_holds_up_and_an_idle_one_does_not() -> None:
    uses = [("a", "payment", 1)]
    stage = GroupStage(SETTINGS, 2)
    stage.process([partial(5, uses)])
    assert stage.graph.ids == []
    stage.process([Partial(1, 3, 0, True, False)])
    assert stage.graph.ids == []
    stage.process([Partial(1, 3, 0, True, True)])
    assert stage.graph.ids == ["a"]
    stage.process([partial(9, [("b", "payment", 1)])])
    assert stage.graph.ids == ["a", "b"]


def test_all_idle_judges_all_there_is() -> None:
    stage = GroupStage(SETTINGS, 2)
    stage.process([partial(5, [("a", "payment", 1)]), Partial(1, -1, 0, True, True)])
    stage.process([partial(7, [("b", "payment", 1)], 1, idle=True)])
    assert stage.graph.ids == ["a"]
    stage.process([Partial(0, 5, 0, True, True)])
    assert stage.graph.ids == ["a", "b"]


def chunk(tick: int, account: str, number: int, last: bool) -> Partial:
    one = partial(tick, [(account, "payment", 1)])
    return Partial(0, tick, number, last, False, one.accounts, one.names, one.columns)


@pytest.mark.parametrize("tick", [0, 5])
def test_a_tick_waits_for_its_last_chunk(tick: int) -> None:
    whole, pieces = GroupStage(SETTINGS), GroupStage(SETTINGS)
    made = [chunk(tick, "b", 0, False), chunk(tick, "a", 1, True)]
    if tick:
        made.insert(0, Partial(0, tick - 1, 0, True, False))
    whole.process(made)
    for one in made:
        pieces.process([one])
    assert whole.graph.ids == ["a", "b"]
    assert pieces.graph.ids == ["a", "b"]


def test_late_partials_of_an_idle_partition_count_in_the_next_tick() -> None:
    stage = GroupStage(SETTINGS, 2)
    stage.process([Partial(1, 3, 0, True, True), partial(5, [("a", "payment", 1)])])
    stage.process([partial(4, [("a", "payment", 1), ("late", "payment", 1)], 1), partial(6, [("a", "payment", 1)])])
    stage.process([Partial(1, 6, 0, True, False)])
    assert stage.graph.ids == ["a", "late"]
    assert stage.graph.accounts["counts"][0, 0] == pytest.approx(3, rel=0.01)


@pytest.mark.parametrize(("members", "opens"), [(9, 0), (17, 1)])
def test_groups_of_fewer_than_ten_are_not_judged(members: int, opens: int) -> None:
    stage, sizes = GroupStage(SETTINGS), set[float]()

    def observe(end_ms: int, due: list[int], groups: Groups, judgement: Judgement, calls: NDArray) -> None:
        sizes.update(groups.size.tolist())

    stage.observer = observe
    found = judged(stage, through_partitions(campaign_among(150, members, DAY_MS), 1))
    assert sizes == ({17.0} if opens else set())
    assert [alert.accounts for alert in found.alerts if alert.state == "open"] == [members] * opens
    assert stage.clusters.table["tested"].any() == bool(opens)


@pytest.mark.parametrize(("members", "cells"), [(15, []), (25, [25, 25])])
def test_cells_of_behaviour_are_crowds_twice_as_large(members: int, cells: list[int]) -> None:
    stage = GroupStage(SETTINGS)
    judged(stage, through_partitions(campaign_among(150, members, DAY_MS), 1))
    assert [len(accounts) for accounts in stage.clusters.cell_members.values()] == cells


def test_what_is_telling_is_found_without_the_other_families(partials: list[Partial]) -> None:
    stage, found = GroupStage(SETTINGS), []

    def observe(end_ms: int, due: list[int], groups: Groups, judgement: Judgement, calls: NDArray) -> None:
        found.append(judgement.telling)
        assert stage.fusion.telling(groups).tolist() == judgement.telling.tolist()

    stage.observer = observe
    judged(stage, partials)
    assert np.concatenate(found).any()


def test_still_smaller_groups_are_not_judged() -> None:
    stage = GroupStage(SETTINGS)
    stage.observer = lambda end_ms, due, groups, judgement, calls: pytest.fail("judged")
    assert judged(stage, through_partitions(campaign_among(150, 9, DAY_MS), 1)) == Outputs([], [])


def test_who_is_accused_once_is_not_yet_accused() -> None:
    stage, found = GroupStage(SETTINGS), []
    for who in ([1, 2], [2, 5], [2, 5], None, [2, 5]):
        calls = np.array([who is not None])
        (accused,) = stage._twice([7], calls, {} if who is None else {0: np.array(who)})
        found.append(accused.tolist())
    assert found == [[], [2], [2, 5], [], []]


def test_what_holds_members_of_a_campaign_need_not_tell_by_itself_what_that_is_after(partials: list[Partial]) -> None:
    stage, last = GroupStage(SETTINGS), []
    stage.observer = lambda end_ms, due, groups, judgement, calls: last.append((end_ms, groups, judgement))
    judged(stage, partials)
    end_ms, groups, judgement = last[-1]
    dumb = replace(judgement, telling=np.zeros(len(groups), bool))
    low = np.zeros(len(groups))
    known = stage._guilty(groups, dumb, low)
    assert known
    assert stage._calls(dumb, low, known, end_ms)[list(known)].all()
    stage.campaign_book.roster.release(0)
    assert not stage._guilty(groups, dumb, low), "nobody is known"


def test_nothing_is_restored_from_nothing() -> None:
    stage = GroupStage(SETTINGS)
    stage.restore([])
    assert stage.last_offset == -1
    assert stage.tracked_clusters == 0


def test_another_schema_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = GroupStage(SETTINGS)
    monkeypatch.setattr("detectors.stages.group.SCHEMA_VERSION", 99)
    log = stage.snapshot()
    monkeypatch.undo()
    with pytest.raises(StateVersionError, match="99"):
        GroupStage(SETTINGS).restore(log.items())


def test_snapshots_fit_messages(partials: list[Partial]) -> None:
    stage = GroupStage(SETTINGS)
    judged(stage, partials)
    assert max(map(len, stage.snapshot().values())) < 700_000
    assert stage.tracked_clusters > 0
    assert stage.state_bytes > 0
    assert 0 <= stage.budget_used < 1


def test_the_order_of_a_ticks_partials_numbers_no_name(requests: list[Request], outputs: Outputs) -> None:
    named = [msgspec.structs.replace(one, account_plan=f"plan{n % 7}") for n, one in enumerate(requests)]
    made = sorted(through_partitions(named, 3), key=lambda one: one.tick)
    there, back = GroupStage(SETTINGS, 3), GroupStage(SETTINGS, 3)
    found = judged(there, made)
    assert judged(back, sorted(made, key=lambda one: (one.tick, -one.partition, one.chunk))) == found
    for names in ("names", "models", "paths"):
        assert getattr(there.graph, names).known == getattr(back.graph, names).known
