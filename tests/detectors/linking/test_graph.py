"""Accounts, values and uses: when a value gets a row, what decays, what a restart keeps."""

import numpy as np
import pytest

from detectors.linking import traits
from detectors.linking.graph import DAY_MS, Graph, Tick
from detectors.partials import MAX_CONTENTS, SCHEMA
from tests.detectors.made import TICK_MS, partial

HALF_LIFE_DAYS = 2.0


def graph(max_values: int = 1_000) -> Graph:
    return Graph(HALF_LIFE_DAYS, max_values)


def tick(number: int, uses: list[tuple[str, str, int]], **columns: np.ndarray) -> Tick:
    one = partial(number, uses)
    return Tick((number + 1) * TICK_MS, one.accounts, {name: one.column(name) for name in SCHEMA} | columns)


def degree(subject: Graph) -> list[int]:
    return subject.values["accounts"][: subject.values.rows].tolist()


def test_a_value_gets_a_row_with_its_second_account() -> None:
    subject = graph()
    rows, uses = subject.update(tick(0, [("a", "payment", 7)]))
    assert (rows.tolist(), uses.tolist(), degree(subject)) == ([0], [-1], [])
    _, uses = subject.update(tick(1, [("a", "payment", 7)]))
    assert uses.tolist() == [-1]
    rows, uses = subject.update(tick(2, [("b", "payment", 7)]))
    assert degree(subject) == [2]
    assert [subject.uses["account"][use] for use in subject.members[0]] == [0, 1]
    assert subject.uses["account"][uses[0]] == rows[0] == 1
    subject.update(tick(3, [("a", "payment", 7), ("b", "payment", 7), ("c", "payment", 7)]))
    assert degree(subject) == [3]


def test_the_same_number_in_two_families_is_two_values() -> None:
    subject = graph()
    subject.update(tick(0, [("a", "payment", 7), ("b", "device", 7)]))
    assert degree(subject) == []
    subject.update(tick(1, [("b", "payment", 7), ("a", "device", 7)]))
    assert degree(subject) == [2, 2]
    assert sorted(subject.values["family"][:2].tolist()) == [1, 2]


def test_counts_of_accounts_and_uses_decay_by_half_in_a_half_life() -> None:
    subject = graph()
    both = [("a", "payment", 7), ("b", "payment", 7)]
    subject.update(tick(0, both))
    subject.update(tick(0, both))
    account, use = subject.accounts["counts"][0, 0], subject.uses["counts"][subject.members[0][0], 0]
    later = int(HALF_LIFE_DAYS * DAY_MS / TICK_MS)
    subject.update(tick(later, both))
    assert subject.accounts["counts"][0, 0] == pytest.approx(account / 2 + 1, rel=1e-4)
    assert subject.uses["counts"][subject.members[0][0], 0] == pytest.approx(use / 2 + 1, rel=1e-4)


@pytest.mark.parametrize("late_ms", [0, TICK_MS - 1, 60 * 60_000])
def test_late_requests_fade_no_faster(late_ms: int) -> None:
    subject, both = graph(), [("a", "payment", 7), ("b", "payment", 7)]
    days = int(HALF_LIFE_DAYS * DAY_MS / TICK_MS)
    for number in range(8, 8 + days):
        one = tick(number, both)
        one.columns["first"] = one.columns["last"] = one.columns["last"] - late_ms
        one.columns |= {name: np.zeros(1, SCHEMA[name][0]) for name in ("mix_account", "mix_kind", "mix_name")}
        one.columns["mix_requests"], one.columns["mix_failed"] = np.ones(1, np.float32), np.ones(1, np.float32)
        one.columns["elicitations"] = np.ones((2, 4), np.float32)
        subject.update(one)
    steady = 1.0 / (1.0 - 0.5 ** (TICK_MS / DAY_MS / HALF_LIFE_DAYS))
    use = subject.members[0][1]
    assert subject.accounts["counts"][0, 0] == pytest.approx(steady / 2, rel=1e-3)
    assert subject.uses["counts"][use, 0] == pytest.approx(steady / 2, rel=1e-2)
    weeks = sum(0.5 ** (number * TICK_MS / (14 * DAY_MS)) for number in range(days))
    assert subject.accounts["elicitations"][0, 0] == pytest.approx(weeks, rel=1e-3)
    assert subject.accounts["blocked"][0, 0, 0] == pytest.approx(weeks, rel=1e-3)
    mix = sum(0.5 ** (number * TICK_MS / (3 * DAY_MS)) for number in range(days))
    assert subject.accounts["models"][0, 0] == pytest.approx(mix, rel=1e-3)


@pytest.mark.parametrize("days", [1, 2, 14, 90])
def test_a_steady_account_has_the_same_rate_however_old_it_is(days: int) -> None:
    subject = Graph(14.0, 1_000)
    ticks = 8 * np.arange(1, 12 * days + 1)  # every two hours
    for number in ticks.tolist():
        subject.update(tick(number, [("a", "payment", 7)]))
    span = [subject.accounts[name][:1] for name in ("first", "last")]
    assert subject.daily(subject.accounts["counts"][:1, 0], *span) == pytest.approx(12.0, rel=0.05)


def test_less_than_the_least_days_counts_as_so_many() -> None:
    subject, now = Graph(14.0, 1_000), np.full(4, 100 * DAY_MS)
    first = now - np.array([0, DAY_MS // 24, DAY_MS // 4, DAY_MS])
    rates = [subject.daily(np.ones(4), first, now, least) for least in (1.0, 0.25)]
    assert rates[0] == pytest.approx(1.0, rel=0.03)
    assert rates[1] == pytest.approx([4.0, 4.0, 4.0, 1.0], rel=0.03)


def test_first_and_last_sight() -> None:
    subject = graph()
    subject.update(tick(3, [("a", "payment", 7)]))
    subject.update(tick(9, [("a", "payment", 7)]))
    assert subject.accounts["first"][0] == 3 * TICK_MS
    assert subject.accounts["last"][0] == 10 * TICK_MS - 1


def test_hours_of_the_day_are_remembered_as_bits() -> None:
    subject = graph()
    for number in (0, 1, 5, 96):  # 96 ticks are a day
        subject.update(tick(number, [("a", "payment", 7)]))
    assert subject.accounts["hours"][0].tolist() == [0b11, 0]


def test_hours_of_two_periods_count_and_older_ones_do_not() -> None:
    subject, period = graph(), traits.PERIOD_MS // TICK_MS
    rows = {"accounts": 0, "uses": 1}
    for turns, hours in enumerate(([0], [0, 4], [4, 8], [8, 12])):
        number = turns * period + 16 * turns  # four hours later in the day each time
        subject.update(tick(number, [("a", "payment", 7), ("b", "payment", 7)]))
        for name, row in rows.items():
            bits = getattr(subject, name)["hours"][row]
            assert bits[0] | bits[1] == sum(1 << hour for hour in hours)
    assert traits.hours_of_day(subject.accounts["hours"][:1]).tolist() == [2]


@pytest.mark.parametrize("different", [50, 500, 20_000])
def test_different_contents_within_the_error_of_64_registers(different: int) -> None:
    rng, errors = np.random.default_rng(different), []
    for _ in range(15):
        subject = graph()
        contents = np.repeat(rng.integers(1, 2**64, different, np.uint64), 2)
        per_use = np.array([different, different], np.int32)
        columns = {"contents": contents, "use_contents": per_use}
        subject.update(tick(0, [("a", "template", 7), ("b", "template", 7)], **columns))
        subject.update(tick(1, [("a", "template", 7), ("b", "template", 7)], **columns))
        errors.append(subject.different_contents(np.array([0])) / different - 1)
    assert np.sqrt(np.mean(np.square(errors))) < 0.22  # 1.04 / √64 = 0.13
    assert abs(np.mean(errors)) < 0.15


def test_contents_of_two_values_together() -> None:
    subject = graph()
    uses = [("a", "template", 7), ("a", "template", 8), ("b", "template", 7), ("b", "template", 8)]
    contents = np.random.default_rng(1).integers(1, 2**64, 400, np.uint64)
    columns = {"contents": contents, "use_contents": np.full(4, 100, np.int32)}
    for number in range(2):
        subject.update(tick(number, uses, **columns))
    one, other, both = (subject.different_contents(np.array(values)) for values in ([0], [1], [0, 1]))
    assert both == pytest.approx(400, rel=0.3)
    assert max(one, other) < both


@pytest.mark.parametrize(("listed", "share"), [(1, 40 / 4_000), (MAX_CONTENTS, 1.0)], ids=["each its own", "too many"])
def test_contents_are_compared_with_the_requests_that_sent_them(listed: int, share: float) -> None:
    subject, uses = graph(), [(f"a{one:02}", "template", 7) for one in range(40)]
    contents = np.random.default_rng(3).integers(1, 2**64, 40 * listed, np.uint64)
    columns = {"contents": contents, "use_contents": np.full(40, listed, np.int32)}
    subject.update(tick(0, uses))
    before = subject.values["content_requests"][0]
    busy = tick(1, uses, **columns)
    subject.update(Tick(busy.end_ms, busy.accounts, busy.columns | {"use_counts": 100 * busy.columns["use_counts"]}))
    requests = subject.values["content_requests"][0] - before
    assert subject.different_contents(np.array([0])) / requests == pytest.approx(share, rel=0.3)


def test_values_of_one_account_are_bounded() -> None:
    subject = graph(max_values=10)
    for number in range(40):
        subject.update(tick(number, [("a", "payment", 100 + number)]))
    assert len(subject.singles) <= 10
    subject.update(tick(41, [("b", "payment", 139), ("b", "payment", 100)]))
    assert degree(subject) == [2]


def test_an_account_twice_in_a_tick_is_one_account() -> None:
    subject = graph()
    once = tick(0, [("a", "payment", 7), ("b", "payment", 8)])
    rows, _ = subject.update(Tick(once.end_ms, ["a", "a"], once.columns))
    assert rows.tolist() == [0, 0]
    assert subject.ids == ["a"]
    assert subject.accounts["counts"][0, 0] == 2
    assert degree(subject) == []


def test_recent_infrastructure_newest_first() -> None:
    subject = graph()
    for value in (1, 2, 3, 4, 5, 6):
        subject.update(tick(value, [("a", "payment", value), ("b", "payment", value)]))
    assert subject.accounts["recent"][0, 0].tolist() == [5, 4, 3, 2]
    assert subject.accounts["recent"][0, 1].tolist() == [-1] * 4


def test_a_use_that_was_forgotten_and_comes_again_stands_once_among_the_recent() -> None:
    subject = graph()
    for value in (1, 2, 3):
        subject.update(tick(value, [("a", "payment", value), ("b", "payment", value)]))
    subject.free_uses(subject.members[0][:1], np.zeros(0, np.int64))
    subject.update(tick(9, [("a", "payment", 1)]))
    assert subject.accounts["recent"][0, 0].tolist() == [0, 2, 1, -1]
    assert subject.accounts["recent"][1, 0].tolist() == [2, 1, 0, -1]
    subject.update(tick(10, [("a", "payment", 4), ("b", "payment", 4), ("a", "payment", 5), ("b", "payment", 5)]))
    assert subject.accounts["recent"][0, 0].tolist() == [4, 3, 0, 2]


def test_restored_it_goes_on_alike() -> None:
    rng = np.random.default_rng(5)

    def made(number: int) -> Tick:
        uses = {
            (
                f"acc-{rng.integers(40)}",
                ("template", "payment", "device", "network")[rng.integers(4)],
                int(rng.integers(1, 60)),
            )
            for _ in range(50)
        }
        return tick(number, sorted(uses))

    subject, log = graph(), {}
    for number in range(6):
        subject.update(made(number))
        log |= subject.snapshot()
    restored = graph()
    restored.restore(iter(log.items()), subject.singles.arrived)
    restored.templates.load(subject.templates.state())
    restored.handovers.load(subject.handovers.state())
    for value in range(subject.values.rows):
        assert restored.members[value].tolist() == subject.members[value].tolist()
    for number in range(6, 9):
        one = made(number)
        for found, expected in zip(restored.update(one), subject.update(one), strict=True):
            assert found.tolist() == expected.tolist()
    for table in ("accounts", "values", "uses"):
        mine, other = getattr(restored, table), getattr(subject, table)
        assert mine.page(0) == other.page(0)
    assert restored.ids == subject.ids
