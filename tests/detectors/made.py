"""Made-up requests and partials for the tests of the stages."""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.accounts import AccountWindows
from detectors.hashing import digests
from detectors.linking.graph import Graph
from detectors.partials import CAPABILITIES, COUNTS, FAMILIES, SCHEMA, Partial
from detectors.request import Request
from detectors.settings import DetectorSettings, WindowSettings
from detectors.stages.account import AccountStage

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
TICK_MS = 900_000
START_MS = 20_000 * DAY_MS
Made = list[tuple[int, str, dict[str, Any]]]
"""When, ms after the start; the account; and what else is known of the request."""


def request(number: int, time: int, account: str = "a", **fields: Any) -> Request:
    """Return request `number` at `time` ms."""
    plain: dict[str, Any] = {"gen_ai_request_model": "m-large", **fields}
    return Request(event_id=f"e{number}", time=time, account_id=account, **plain)


def rows_of(windows: AccountWindows, ids: list[str]) -> np.ndarray:
    """Return the rows of accounts."""
    return windows.rows(digests(ids), ids.__getitem__)


def settings(**windows: int) -> DetectorSettings:
    """Return the defaults but for the window settings given."""
    return DetectorSettings(windows=WindowSettings(**windows))


def crowd(accounts: int, count: int, span_ms: int, seed: int = 0) -> list[Request]:
    """Return requests of many kinds, out of order by a minute or so, some of them twice and some late."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.integers(0, span_ms, count)) + rng.integers(-60_000, 60_000, count)
    times -= np.where(rng.random(count) < 0.02, 2 * HOUR_MS, 0)
    made = []
    for number, time in enumerate(np.maximum(times, 0).tolist()):
        who = int(rng.integers(accounts))
        fields: dict[str, Any] = {
            "gen_ai_request_model": f"m-{rng.integers(3)}",
            "gen_ai_usage_input_tokens": int(rng.integers(2_000)),
            "gen_ai_usage_output_tokens": int(rng.integers(2_000)),
            "prompt_template": f"t{rng.integers(12)}",
            "prompt_content": f"c{rng.integers(400)}",
            "prompt_capabilities": [CAPABILITIES[rng.integers(len(CAPABILITIES))]],
            "client_address": f"10.0.{rng.integers(20)}.7",
            "http_response_status_code": int(rng.choice([200, 200, 429, 403])),
            "conversation_turn": int(rng.integers(1, 4)),
            "prompt_language": f"l{number % 7}",
            "client_geo_country": f"C{who % 5}",
            "user_agent_original": f"client/{who % 3}",
            "response_refused": number % 9 == 0,
            "prompt_elicitation": ["reasoning_tags"] if number % 3 == 0 else [],
        }
        if rng.random() < 0.7:
            fields |= {"account_plan": ("free", "pro", "api")[who % 3], "account_created": who + 1}
        if rng.random() < 0.5:
            fields |= {"access_path": f"path-{who % 4}", "organization_id": f"o{who % 5}"}
        made.append(request(number - (number % 50 == 7), START_MS + time, f"acc-{who}", **fields))
    return made


def told(partials: list[Partial]) -> dict[tuple[int, int], tuple[list[str], list[str], dict[str, bytes]]]:
    """Return what partials say by (tick, chunk), whatever the empty ones between them."""
    result = {}
    for one in partials:
        if one.accounts:
            assert (one.tick, one.chunk) not in result
            result[one.tick, one.chunk] = (one.accounts, one.names, one.columns)
    return result


def run(stage: AccountStage, requests: list[Request], sizes: list[int], first_offset: int = 0) -> list[Partial]:
    """Return the partials of `requests` in batches of `sizes`, over and over."""
    partials: list[Partial] = []
    start = turn = 0
    while start < len(requests):
        batch = requests[start : start + sizes[turn % len(sizes)]]
        partials += stage.process(batch, np.arange(len(batch)) + first_offset + start)
        start, turn = start + len(batch), turn + 1
    return partials


def partial(tick: int, uses: list[tuple[str, str, int]], number: int = 0, idle: bool = False) -> Partial:
    """Return a partial of one request per use; a use is (account, family, value).

    A template use has one content of its own; SimHashes are 0, so every template stands alone.
    """
    ids = sorted({account for account, _, _ in uses})
    order = sorted(uses, key=lambda use: (ids.index(use[0]), FAMILIES.index(use[1]), use[2]))
    template = np.array([family == "template" for _, family, _ in order], bool)
    count = np.bincount([ids.index(account) for account, _, _ in order], minlength=len(ids))
    columns: dict[str, Any] = {name: np.zeros((len(ids), *shape), dtype) for name, (dtype, shape) in SCHEMA.items()}
    one = np.zeros((len(order), len(COUNTS)), "f4")
    one[:, 0] = 1
    columns |= {
        "first": np.full(len(ids), tick * TICK_MS),
        "last": np.full(len(ids), (tick + 1) * TICK_MS - 1),
        "created": np.full(len(ids), -1),
        "counts": np.concatenate([count[:, None], np.zeros((len(ids), len(COUNTS) - 1))], axis=1),
        **dict.fromkeys(("plan", "verification", "pathway"), np.full(len(ids), -1)),
        **{name: np.zeros(0) for name in ("mix_account", "mix_kind", "mix_name", "mix_requests", "mix_failed")},
        "use_account": np.array([ids.index(account) for account, _, _ in order]),
        "use_family": np.array([FAMILIES.index(family) for _, family, _ in order]),
        "use_value": np.array([value for _, _, value in order], np.uint64),
        "use_simhash": np.zeros(len(order)),
        "use_counts": one,
        "use_capabilities": np.zeros((len(order), len(CAPABILITIES))),
        "use_slots": np.zeros((len(order), *SCHEMA["use_slots"][1])),
        "use_contents": template.astype(int),
        "contents": np.arange(template.sum()) + 1_000 * tick + 1,
    }
    encoded = {name: np.asarray(column).astype(SCHEMA[name][0]).tobytes() for name, column in columns.items()}
    return Partial(number, tick, 0, True, idle, ids, [], encoded)


def campaign_among(honest: int, members: int, span_ms: int, seed: int = 0) -> list[Request]:
    """Return requests in order of time: honest people, and accounts that farm one template from few cards."""
    rng = np.random.default_rng(seed)
    return in_order(people(rng, honest, span_ms) + farm(rng, range(members), 0, span_ms))


def people(rng: np.random.Generator, honest: int, span_ms: int) -> Made:
    """Return what honest people do, each with a card, a device and a prompt of their own, and with popular ones.

    One in five is an organisation, so that it is known which accounts are of none.
    """
    made: Made = []
    for who in range(honest):
        for time in np.sort(
            rng.integers(0, span_ms, rng.poisson(span_ms / DAY_MS * rng.lognormal(2.0, 0.5)) + 1)
        ).tolist():
            fields = {
                "prompt_template": f"t{rng.integers(10**6)}" if rng.random() < 0.8 else f"popular{rng.integers(30)}",
                "prompt_content": f"c{rng.integers(10**9)}",
                "prompt_capabilities": [CAPABILITIES[rng.integers(len(CAPABILITIES))]],
                "payment_fingerprint": f"card{who}",
                "device_fingerprint": f"device{who}",
                "client_address": f"10.{who % 60}.{who // 60}.{rng.integers(250)}",
                "account_created": START_MS - int(rng.integers(10, 900)) * DAY_MS,
                "organization_id": f"house{who}" if who % 5 == 0 else None,
            }
            made.append((time, f"user{who}", fields))
    return made


def farm(rng: np.random.Generator, members: range, start_ms: int, end_ms: int, work: str = "farm") -> Made:
    """Return what accounts do that farm one template after the other; each hundred has cards and exits of its own."""
    made: Made = []
    for who in members:
        pool = who // 100
        for time in range(start_ms + int(rng.integers(600_000)), end_ms, 600_000):
            fields = {
                "prompt_template": f"{work}{time // HOUR_MS % 2}",
                "prompt_content": f"slot{rng.integers(10**9)}",
                "prompt_capabilities": ["reasoning"],
                "prompt_elicitation": ["chain_of_thought"],
                "payment_fingerprint": f"mule{4 * pool + who % 4}",
                "device_fingerprint": f"farm{4 * pool + who % 4}",
                "client_address": f"10.{200 + pool}.{who % 8}.{rng.integers(250)}",
                "account_created": START_MS - 3 * DAY_MS,
                "gen_ai_usage_input_tokens": 300,
                "gen_ai_usage_output_tokens": int(rng.integers(2_800, 3_200)),
            }
            made.append((time, f"worker{who}", fields))
    return made


def in_order(made: Made) -> list[Request]:
    """Return the requests in order of time."""
    made = sorted(made, key=lambda entry: entry[:2])
    return [request(number, START_MS + time, account, **fields) for number, (time, account, fields) in enumerate(made)]


def population() -> Graph:
    """Return 5,000 accounts of all ages and volumes."""
    graph, rng = Graph(14.0, 1_000), np.random.default_rng(3)
    rows = graph.accounts.take(5_000)
    table = graph.accounts
    table["first"][rows], table["last"][rows] = 500 * DAY_MS, 510 * DAY_MS
    table["created"][rows] = (500 - rng.integers(0, 400, len(rows))) * DAY_MS
    table["counts"][rows, 0] = rng.lognormal(3, 1.5, len(rows)) + 1
    table["hours"][rows, 0] = rng.integers(0, 1 << 24, len(rows))
    return graph


def share(graph: Graph, accounts: np.ndarray, family: int, known: int, place: int = 0) -> None:
    """Let accounts have one value in common that `known` accounts have, their latest or one of those before."""
    value = graph.values.take(1)
    graph.values["family"][value] = family
    graph.values["accounts"][value] = known
    graph.accounts["recent"][accounts, family - 1, place] = value


def pairs(graph: Graph, accounts: np.ndarray, known: int) -> None:
    """Let accounts share a network two by two, each known of `known` accounts."""
    network = FAMILIES.index("network")
    for first in range(0, len(accounts), 2):
        share(graph, accounts[first : first + 2], network, known)
    graph.accounts["carries"][accounts] = 1 << network


def use(graph: Graph, accounts: np.ndarray, template: int) -> None:
    """Let accounts send ten requests each through a template."""
    rows = graph.uses.take(len(accounts))
    graph.uses["account"][rows], graph.uses["value"][rows] = accounts, template
    graph.uses["counts"][rows, 0] = 10.0
    graph.values["accounts"][template] += len(accounts)


def machines(graph: Graph, rows: np.ndarray) -> np.ndarray:
    """Make accounts new, alike and busy round the clock."""
    graph.accounts["counts"][rows, 0] = np.random.default_rng(1).poisson(200, len(rows))
    graph.accounts["created"][rows] = 499 * DAY_MS
    graph.accounts["hours"][rows, 0] = (1 << 24) - 1
    return rows
