"""What is forgotten and what stays: idle accounts and values, those beyond the bound, members of campaigns."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import structs

from detectors.feedback import Verdict
from detectors.linking.graph import DAY_MS
from detectors.settings import DetectorSettings, LinkSettings
from detectors.stages.group import GroupStage
from tests.detectors.made import TICK_MS, partial

DAY_TICKS = DAY_MS // TICK_MS
Uses = list[tuple[str, str, int]]


def stage(**links: float) -> GroupStage:
    return GroupStage(DetectorSettings(links=LinkSettings(half_life_days=2.0, **links)))


def check(subject: GroupStage) -> None:
    """Every pointer leads to a live row, and what is counted twice agrees."""
    graph, clusters = subject.graph, subject.clusters
    uses = np.flatnonzero(graph.uses["live"][: graph.uses.rows])
    account, value = graph.uses["account"][uses], graph.uses["value"][uses]
    assert graph.accounts["live"][account].all()
    assert graph.values["live"][value].all()
    recent = graph.accounts["recent"][: graph.accounts.rows]
    assert graph.values["live"][recent[recent >= 0]].all()
    for row in np.flatnonzero(graph.values["live"][: graph.values.rows]).tolist():
        assert graph.members[row].tolist() == np.sort(uses[value == row]).tolist()
    holders = graph.singles.table["account"][: graph.singles.table.rows]
    assert graph.accounts["live"][holders[holders >= 0]].all()
    cluster = graph.values["cluster"][: graph.values.rows]
    assert clusters.table["live"][cluster[cluster >= 0]].all()
    assert sum(map(bool, graph.ids)) == graph.population
    assert all(graph.accounts["live"][row] for part in clusters.component_members.values() for row in part)
    assert all(graph.values["live"][row] for part in clusters.bundles.values() for row in part)


def test_idle_accounts_and_values_are_forgotten_and_their_rows_used_again() -> None:
    subject = stage()
    subject.process([partial(0, [("old-a", "payment", 1), ("old-b", "payment", 1), ("kept", "device", 2)])])
    for day in range(1, 7):
        subject.process([partial(day * DAY_TICKS, [("kept", "device", 2), ("kept-too", "device", 2)])])
    check(subject)
    assert sorted(filter(None, subject.graph.ids)) == ["kept", "kept-too"]
    assert (subject.graph.values.live, subject.evicted) == (1, 2)
    subject.process([partial(7 * DAY_TICKS, [("new", "payment", 1), ("newer", "payment", 1)])])
    check(subject)
    assert subject.graph.accounts.rows == 4
    assert subject.graph.values["accounts"][subject.graph.values["family"] == 1].tolist() == [2]


def test_requests_so_late_that_their_rows_are_idle_at_once_count_for_nobody_else() -> None:
    subject = stage()
    crowd: Uses = [(f"regular{one}", "template", 1) for one in range(5)]
    subject.process([partial(0, crowd), partial(5 * DAY_TICKS - 9, crowd)])
    cluster = subject.graph.values["cluster"][0]
    assert cluster >= 0
    before = subject.clusters.table["requests"][cluster]
    late = partial(0, [(f"late{one}", "template", 2) for one in range(5)], number=1)
    subject.partitions = 2
    day = 5 * DAY_TICKS
    subject.process([partial(day, [("regular0", "device", 9)]), structs.replace(late, tick=day)])
    assert subject._evicted_on == 5
    assert subject.clusters.table["requests"][cluster] == before
    assert subject.evicted == 5
    check(subject)


def test_many_accounts_of_one_request_are_bounded_and_regulars_stay() -> None:
    subject = stage(max_accounts=64, max_values=1_000)
    for number in range(30):
        regulars: Uses = [(f"regular{one}", "device", one) for one in range(8)]
        once: Uses = [(f"once{number}-{one}", "payment", 1_000 * number + one) for one in range(50)]
        subject.process([partial(number, regulars + once)])
        check(subject)
        assert subject.graph.population <= 64
    assert {f"regular{one}" for one in range(8)} <= set(subject.graph.ids)
    assert subject.graph.accounts.rows <= 64 + 58
    assert len(subject.graph.singles) <= 1_000


def test_a_value_shared_by_accounts_of_one_request_each_is_seen_though_they_are_forgotten() -> None:
    subject = stage(max_accounts=32)
    for number in range(40):
        once: Uses = [(f"once{number}-{one}", "payment", 100 * number + one) for one in range(20)]
        subject.process([partial(number, [(f"mule{number}", "template", 7), *once])])
    check(subject)
    row = int(np.flatnonzero(subject.graph.values["live"][: subject.graph.values.rows])[0])
    assert subject.graph.values["accounts"][row] >= 20
    assert subject.clusters.table["requests"][subject.graph.values["cluster"][row]] >= 30


def test_a_value_of_a_forgotten_account_is_shared_with_the_next_one() -> None:
    subject = stage(max_accounts=16)
    subject.process([partial(0, [("first", "payment", 7)])])
    subject.process([partial(1, [(f"other{one}", "device", one) for one in range(30)])])
    assert "first" not in subject.graph.ids
    subject.process([partial(2, [("second", "payment", 7)])])
    check(subject)
    assert subject.graph.values["accounts"][subject.graph.values["live"] > 0].tolist() == [2]


def test_members_of_a_campaign_stay_until_30_days_after_its_end() -> None:
    subject = stage()
    uses: Uses = [(f"member{one}", "payment", 1) for one in range(3)]
    subject.process([partial(0, [*uses, ("stranger", "payment", 1)])])
    book = subject.campaign_book
    book._open([0, 1, 2], TICK_MS)
    book._add_members(0, [subject.graph.ids.index(f"member{one}") for one in range(3)])
    for day in range(1, 60):
        subject.process([partial(day * DAY_TICKS, [("regular", "device", 2), ("regular-too", "device", 2)])])
        names = set(filter(None, subject.graph.ids)) - {"regular", "regular-too"}
        ended = book.roster.campaigns[0].state == "resolved"
        if day > 5 and not (ended and day * DAY_MS + TICK_MS >= book.roster.campaigns[0].alerted + 30 * DAY_MS):
            assert names == {"member0", "member1", "member2"}
    check(subject)
    assert ended
    assert names == set()


def test_members_of_a_dismissed_campaign_stay_until_30_days_after_they_fell_silent() -> None:
    subject = stage()
    subject.process([partial(0, [(f"member{one}", "payment", 1) for one in range(3)])])
    book = subject.campaign_book
    book._open([0, 1, 2], TICK_MS)
    book._add_members(0, [subject.graph.ids.index(f"member{one}") for one in range(3)])
    about: dict[str, Any] = {"by": "ann", "reason": "a class", "time": TICK_MS}
    name = book.roster.campaigns[0].campaign_id
    regular: Uses = [("regular", "device", 2), ("regular-too", "device", 2)]
    subject.feedback([Verdict(verdict="confirmed", scope="account", value="member2", until=90 * DAY_MS, **about)])
    subject.process([partial(1, regular)])
    assert list(book.rulings.on_account) == [subject.graph.account_row("member2")]
    subject.feedback([Verdict(verdict="dismissed", scope="campaign", value=name, **about)])
    for day in range(1, 70):
        late: Uses = [("member0", "payment", 1), ("member1", "payment", 1)] if day < 20 else []
        subject.process([partial(day * DAY_TICKS, [*regular, *late])])
        names = set(filter(None, subject.graph.ids)) - {"regular", "regular-too"}
        assert not book.is_member(np.arange(3)).any()
        assert book.campaign_of(0) is None
        if day < 20 + 28:
            assert names == {"member0", "member1", "member2"}
            assert book.holds(np.array([subject.graph.account_row(name) for name in sorted(names)])).all()
    check(subject)
    assert names == set()
    assert subject.graph.account_row("member0") == -1
    assert not book.holds(np.arange(subject.graph.accounts.rows)).any()
    assert (book.rulings.on_account, book._revision) == ({}, {})
    assert book.next_revision(0) == 3, "one decision, and its revocation"
    told = len(book.latest())
    subject.feedback([Verdict(verdict="confirmed", scope="campaign", value=name, **about | {"time": 69 * DAY_MS})])
    again = subject.process([partial(70 * DAY_TICKS, [("regular", "device", 2)])])
    assert (len(again.alerts), len(book.latest())) == (0, told)


def test_what_was_said_of_a_forgotten_account_is_not_said_of_the_next_one() -> None:
    subject = stage(max_accounts=16)
    subject.process([partial(0, [("first", "payment", 7)])])
    row, book = subject.graph.account_row("first"), subject.campaign_book
    spared = Verdict(verdict="allow", scope="account", value="first", by="ann", reason="x", time=0, until=DAY_MS)
    book.rulings.on_account[row] = spared
    assert book.next_revision(row) == 1
    subject.process([partial(1, [(f"other{one}", "device", one) for one in range(30)])])
    assert subject.graph.account_row("first") == -1
    assert not book.rulings.spared(row)
    assert book.next_revision(row) == 2


def test_decisions_about_an_account_that_was_forgotten_go_on_above_the_old_ones_after_a_restart_too() -> None:
    subject, others = stage(max_accounts=16), [(f"other{one}", "device", one) for one in range(30)]
    subject.process([partial(0, [("first", "payment", 7)])])
    row = subject.graph.account_row("first")
    assert [subject.campaign_book.next_revision(row) for _ in range(3)] == [1, 2, 3]
    subject.process([partial(1, others)])
    restored = stage(max_accounts=16)
    restored.restore(subject.snapshot().items())
    for each in (subject, restored):
        each.process([partial(2, [("first", "payment", 7)])])
        row = each.graph.account_row("first")
        assert [each.campaign_book.next_revision(row) for _ in range(2)] == [4, 5]


def test_decisions_about_an_account_go_on_when_its_campaign_lets_go_of_it() -> None:
    subject = stage()
    subject.process([partial(0, [("first", "payment", 7), ("second", "payment", 7)])])
    book = subject.campaign_book
    book._add_members(book._open([0, 1], TICK_MS), [0, 1])
    assert [book.next_revision(0) for _ in range(3)] == [1, 2, 3]
    book.roster.campaigns[0].state = "resolved"
    book.release(40 * DAY_MS)
    assert not book.holds(np.array([0])).any()
    assert book.next_revision(0) == 4


def test_restored_after_evictions_it_goes_on_alike() -> None:
    rng = np.random.default_rng(7)
    families = ("template", "payment", "device", "network")

    def made(number: int) -> Uses:
        picks = {
            (f"acc{number // 200}-{rng.integers(30)}", families[rng.integers(4)], int(rng.integers(40)))
            for _ in range(25)
        }
        return sorted(picks)

    ticks = [(number * 8, made(number * 8)) for number in range(120)]
    whole, restored, log = stage(max_accounts=45), stage(max_accounts=45), {}
    for position, (number, uses) in enumerate(ticks):
        whole.process([partial(number, uses)])
        restored.process([partial(number, uses)])
        if position % 17 == 0:
            log |= restored.snapshot()
            log = {key: value for key, value in log.items() if value}
            restored = stage(max_accounts=45)
            restored.restore(log.items())
    assert whole.evicted == restored.evicted > 45
    check(restored)
    assert restored.graph.ids == whole.graph.ids
    for name in ("accounts", "values", "uses"):
        mine, other = getattr(restored.graph, name), getattr(whole.graph, name)
        assert [mine.page(number) for number in range(mine.rows // 256 + 1)] == [
            other.page(number) for number in range(other.rows // 256 + 1)
        ]
    assert restored.clusters.table.page(0) == whole.clusters.table.page(0)


def test_a_checkpoint_without_news_writes_a_header_and_little_more() -> None:
    subject = stage()
    subject.process([partial(number, [(f"a{one}", "template", one) for one in range(500)]) for number in range(3)])
    everything = subject.snapshot()
    again = subject.snapshot()
    assert set(again) == {"header"}
    assert sum(map(len, again.values())) < sum(map(len, everything.values())) / 1_000
