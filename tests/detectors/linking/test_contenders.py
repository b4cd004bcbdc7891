"""Names that many accounts use have a column, whatever else clients made up before."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec import structs

from detectors.linking.contenders import MOST
from detectors.linking.graph import MODELS, PATHS
from detectors.partials import SCHEMA, Partial
from detectors.settings import DetectorSettings
from detectors.stages.group import GroupStage
from tests.detectors.made import DAY_MS, TICK_MS, partial

DAY_TICKS = DAY_MS // TICK_MS
MADE_UP = [f"made-up-{number:02}" for number in range(MODELS - 1)]
Asked = list[tuple[str, str]]


def asked(tick: int, pairs: Asked, number: int = 0, failed: float = 0.0, kind: int = 0) -> Partial:
    """Return a partial in which accounts send one request each to models, or by access paths (`kind` 1)."""
    plain = partial(tick, [(account, "device", 1) for account in sorted({account for account, _ in pairs})], number)
    names = sorted({model for _, model in pairs})
    count = len(pairs)
    columns = {
        "mix_account": [plain.accounts.index(account) for account, _ in pairs],
        "mix_kind": np.full(count, kind),
        "mix_name": [names.index(model) for _, model in pairs],
        "mix_requests": np.ones(count),
        "mix_failed": np.full(count, failed),
    }
    encoded = {name: np.asarray(column).astype(SCHEMA[name][0]).tobytes() for name, column in columns.items()}
    return structs.replace(plain, names=names, columns=plain.columns | encoded)


def people(count: int, model: str) -> Asked:
    return [(f"user{number:02}", model) for number in range(count)]


def hidden(partitions: int = 1) -> GroupStage:
    """Return a stage in which one account made up a name for every column but one, and others use that."""
    stage = GroupStage(DetectorSettings(), partitions)
    stage.process([asked(DAY_TICKS, people(30, "real"))])
    stage.process([asked(DAY_TICKS + 1, [("stranger", name) for name in MADE_UP])])
    return stage


def judged(stage: GroupStage, ticks: list[list[Partial]]) -> GroupStage:
    for partials in ticks:
        stage.process(partials)
    return stage


def taken_up(accounts: int = 25, days: tuple[int, ...] = (4, 5)) -> list[list[Partial]]:
    ticks = sorted(day * DAY_TICKS + hour * 4 for day in days for hour in (3, 6, 9, 12))
    return [[asked(tick, people(30, "real") + people(accounts, "new"))] for tick in ticks]


def test_a_new_model_gets_the_column_of_one_made_up_and_is_a_release() -> None:
    stage = judged(hidden(), taken_up())
    graph, releases = stage.graph, stage.population.norms.releases
    column = graph.models.known.index("new")
    assert (len(graph.models.known), graph.models.known[-1], graph.models.known[0]) == (MODELS, "(other)", "real")
    assert graph.models.codes(["new", "real", MADE_UP[-1]]).tolist()[:2] == [column, 0]
    assert (graph.accounts["models"][[graph.account_row(f"user{n:02}") for n in range(25)], column] > 1).all()
    assert releases.model == column


def test_access_paths_contend_alike() -> None:
    made_up = [("stranger", f"made-up-{number}") for number in range(PATHS)]
    stage = judged(GroupStage(DetectorSettings()), [[asked(DAY_TICKS, made_up, kind=1)]])
    judged(stage, [[asked(4 * DAY_TICKS, people(5, "cloud"), kind=1)]])
    assert "cloud" in stage.graph.paths.known
    assert stage.graph.models.known == []


def test_a_client_that_says_other_opens_no_column_too_many() -> None:
    made_up = [("stranger", "(other)"), *(("stranger", name) for name in MADE_UP)]
    stage = judged(GroupStage(DetectorSettings()), [[asked(DAY_TICKS, made_up)], *taken_up()])
    assert len(stage.graph.models.known) == MODELS - 1
    assert {"(other)", "new", "real"} <= set(stage.graph.models.known)


def test_what_stood_in_the_column_joins_the_others() -> None:
    stage = hidden()
    graph = stage.graph
    stranger, gone = graph.account_row("stranger"), graph.models.known.index("made-up-00")
    graph.accounts["blocked_name"][stranger, 0], graph.accounts["blocked"][stranger, 0, 0] = gone, 1.0
    before = graph.accounts["models"][stranger].copy()
    judged(stage, taken_up()[:1])
    assert graph.models.known[gone] == "new"
    after = graph.accounts["models"][stranger]
    assert (after[gone], after[-1]) == (0.0, before[gone] + before[-1])
    assert graph.accounts["blocked_name"][stranger, 0] == MODELS - 1


@pytest.mark.parametrize(("accounts", "failed"), [(2, 0.0), (25, 1.0)], ids=["two accounts", "nobody was served"])
def test_names_that_hardly_anybody_is_served_under_get_none(accounts: int, failed: float) -> None:
    ticks = [[asked(4 * DAY_TICKS + 8 * n, people(accounts, "new"), failed=failed)] for n in range(9)]
    assert "new" not in judged(hidden(), ticks).graph.models.known


def test_names_in_use_stay() -> None:
    stage = GroupStage(DetectorSettings())
    models = [f"model-{number:02}" for number in range(MODELS - 1)]
    crowd = [(f"{model}-{user}", model) for model in models for user in range(4)]
    ticks = [[asked(DAY_TICKS + 8 * number, crowd + people(30, "new"))] for number in range(20)]
    assert judged(stage, ticks).graph.models.known == [*models, "(other)"]


def test_nothing_changes_while_there_are_columns() -> None:
    stage = GroupStage(DetectorSettings())
    judged(stage, [[asked(DAY_TICKS, [("one", name) for name in MADE_UP[:-2]])], *taken_up()])
    assert stage.graph.models.known == [*MADE_UP[:-2], "new", "real"]
    assert [names.state()[0] for names in stage.graph.contenders] == [{}, {}]


def test_contenders_are_bounded_and_the_most_used_remembered() -> None:
    flood = [(f"bot{number:03}", f"bogus-{number:03}") for number in range(3 * MOST)]
    stage = judged(hidden(), [[asked(4 * DAY_TICKS + 1, flood + people(4, "new"))]])
    stage._linked_ms = 1 << 60
    stage = judged(stage, [[asked(4 * DAY_TICKS + 2, flood + people(4, "new"))]])
    left = stage.graph.contenders[0].state()[0]
    assert len(left) == MOST
    assert "new" in left or "new" in stage.graph.models.known


def test_partitions_and_restarts_do_not_show() -> None:
    ticks = [[*taken_up()[n], asked(4 * DAY_TICKS, [("bot", f"bogus-{n}")])][:1] for n in range(8)]
    whole = judged(hidden(), ticks)
    split, log = hidden(), {}
    split.partitions = 2
    for number, (one,) in enumerate(ticks):
        pairs = people(30, "real") + people(25, "new")
        parts = [asked(one.tick, [pair for pair in pairs if hash_of(pair) == part], part) for part in (0, 1)]
        split.process(parts[:: 1 - 2 * (number % 2)])
        log = {key: value for key, value in (log | split.snapshot()).items() if value}
        restored = GroupStage(DetectorSettings(), 2)
        restored.restore(log.items())
        split = restored
    assert split.graph.models.known == whole.graph.models.known
    assert "new" in whole.graph.models.known
    assert split.graph.accounts.page(0) == whole.graph.accounts.page(0)
    assert [one.state() for one in split.graph.contenders] == [one.state() for one in whole.graph.contenders]


def hash_of(pair: tuple[str, str]) -> int:
    return int(pair[0][-1]) % 2
