"""Models of peer groups: who is compared with whom, who teaches, and what a restart keeps."""

import numpy as np

from detectors.features import NAMES
from detectors.linking.graph import DAY_MS, HOUR_MS, Graph
from detectors.models.peers import PeerModels, peers, verified
from detectors.models.twin import MIN_RANKED, WINDOW

START_MS = 20_000 * DAY_MS
ACCOUNTS = 600


def graph(accounts: int = ACCOUNTS) -> Graph:
    """Return established accounts, old and on no particular plan."""
    subject = Graph(14.0, 100)
    rows = subject.accounts.extend(accounts)
    subject.ids = [f"a{row}" for row in rows]
    subject.accounts["created"][rows] = START_MS - 400 * DAY_MS
    subject.accounts["first"][rows] = START_MS - 100 * DAY_MS
    subject.accounts["last"][rows] = START_MS
    return subject


def usual(rows: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).beta(2, 8, (rows, len(NAMES)))


def trained(subject: Graph, learn: bool = True) -> tuple[PeerModels, int]:
    """Return models after six hours of usual traffic, and the time."""
    models, end = PeerModels(1), START_MS
    for hour in range(6):
        end = START_MS + hour * HOUR_MS
        rows = np.arange(subject.accounts.rows)
        models.update(subject, rows, usual(len(rows), hour), np.full(len(rows), learn), end)
    return models, end


def test_peer_groups() -> None:
    subject = graph(5)
    table = subject.accounts
    table["plan"][0] = subject.names.codes(["enterprise"])[0]
    table["verification"][1] = subject.names.codes(["contract"])[0]
    table["created"][2] = START_MS - DAY_MS
    table["first"][2] = START_MS - DAY_MS
    table["created"][3] = -1
    assert peers(subject, np.arange(5)).tolist() == [0, 0, 1, 2, 2]
    assert verified(subject, np.arange(5)).tolist() == [False, True, False, False, False]


def test_nothing_is_ranked_before_there_are_enough_to_compare_with() -> None:
    subject = graph(MIN_RANKED // 4)
    models, _ = trained(subject)
    assert models.latest == []
    assert not subject.accounts["score"][: subject.accounts.rows].any()


def test_ranks_are_probabilities_and_an_outlier_scores_above_the_usual() -> None:
    subject = graph()
    models, end = trained(subject)
    assert len(models.latest) > ACCOUNTS
    assert min(models.latest) > 0
    assert max(models.latest) <= 1
    models.latest.clear()
    features = usual(40, 99)
    features[0] = 0.97
    models.update(subject, np.arange(40), features, np.zeros(40, bool), end + HOUR_MS)
    assert np.argmin(models.latest) == 0
    assert models.latest[0] < 0.05


def test_an_account_is_scored_once_an_hour() -> None:
    subject = graph()
    models, end = trained(subject)
    before = {name: subject.accounts[name][:ACCOUNTS].copy() for name in ("score", "scored", "novelty_weight")}
    models.latest.clear()
    rows = np.arange(ACCOUNTS)
    models.update(subject, rows, np.ones((ACCOUNTS, len(NAMES))), np.ones(ACCOUNTS, bool), end + HOUR_MS - 1)
    assert models.latest == []
    for name, column in before.items():
        assert np.array_equal(subject.accounts[name][:ACCOUNTS], column), name


def test_members_of_campaigns_teach_nothing() -> None:
    subject = graph()
    models, end = trained(subject)
    state = {name: data for name, data in models.state().items() if name.endswith("/trees")}
    rows, odd = np.arange(ACCOUNTS), np.full((ACCOUNTS, len(NAMES)), 0.9)
    for hour in range(1, 5):
        models.update(subject, rows, odd, np.zeros(ACCOUNTS, bool), end + hour * HOUR_MS)
    assert {name: data for name, data in models.state().items() if name.endswith("/trees")} == state
    for hour in range(5, 9):
        models.update(subject, rows, odd, np.ones(ACCOUNTS, bool), end + hour * HOUR_MS)
    assert {name: data for name, data in models.state().items() if name.endswith("/trees")} != state
    assert ACCOUNTS * 4 > WINDOW


def test_unlearned_models_never_rank() -> None:
    models, _ = trained(graph(), learn=False)
    assert models.latest == []


def test_state_round_trip() -> None:
    subject, twin = graph(), graph()
    models, end = trained(subject)
    trained(twin)
    restored = PeerModels(99)
    restored.load(models.state())
    for one in (models, restored):
        one.latest.clear()
    rows, learn = np.arange(ACCOUNTS), np.arange(ACCOUNTS) % 3 > 0
    for hour in range(1, 5):
        models.update(subject, rows, usual(ACCOUNTS, 50 + hour), learn, end + hour * HOUR_MS)
        restored.update(twin, rows, usual(ACCOUNTS, 50 + hour), learn, end + hour * HOUR_MS)
    assert restored.latest == models.latest
    assert restored.hold_until == models.hold_until
    assert np.array_equal(subject.accounts["score"], twin.accounts["score"])


def test_state_fits_messages() -> None:
    models, _ = trained(graph())
    assert max(map(len, models.state().values())) < 700_000


def test_a_drift_of_a_whole_peer_group_holds_the_references() -> None:
    subject = graph()
    models, end = trained(subject)
    rows = np.arange(ACCOUNTS)
    assert models.hold_until == 0
    for hour in range(1, 200):
        usual_or_not = usual(ACCOUNTS, hour) if hour < 60 else np.full((ACCOUNTS, len(NAMES)), 0.9)
        models.update(subject, rows, usual_or_not, np.zeros(ACCOUNTS, bool), end + hour * HOUR_MS)
        if models.hold_until:
            break
    assert hour > 60
    assert models.hold_until > end + hour * HOUR_MS
