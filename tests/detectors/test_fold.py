"""One tick folded into partials: nothing lost, each small enough for a message."""

from collections import Counter

import numpy as np
import pytest

from detectors import fold as folding
from detectors.accounts import AccountWindows
from detectors.columns import Extractor
from detectors.fold import fold
from detectors.hashing import digest
from detectors.partials import FAMILIES, Partial, encode
from detectors.request import Request
from detectors.scan.requests import gather
from tests.detectors.made import START_MS, TICK_MS, crowd, request, rows_of

TICK = START_MS // TICK_MS


def folded(requests: list[Request]) -> list[Partial]:
    windows, extract = AccountWindows(), Extractor()
    columns = extract(gather(requests))
    columns["row"] = rows_of(windows, [event.account_id for event in requests])
    windows.describe(columns["row"], columns)
    end = START_MS + TICK_MS
    active = windows.update(columns["row"], columns, end)
    return fold(0, TICK, windows, active, columns, (extract.names.known, extract.mixed.known), end)


@pytest.fixture(params=[250_000, 4_000])
def chunk_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(folding, "CHUNK_BYTES", request.param)
    return request.param


def test_sums_are_kept_over_chunks(chunk_bytes: int) -> None:
    requests = crowd(30, 500, TICK_MS)
    partials = folded(requests)
    assert (len(partials) > 3) == (chunk_bytes == 4_000)
    total = Extractor()(gather(requests))["counts"].sum(0, dtype=np.float64)
    assert sum(part.column("counts").sum(0, dtype=np.float64) for part in partials).tolist() == total.tolist()
    for number, family in enumerate(FAMILIES):
        counted = sum(part.column("use_counts")[part.column("use_family") == number, 0].sum() for part in partials)
        assert counted == (len(requests) if family in ("template", "network") else 0)


def test_chunks_are_numbered_and_accounts_sorted(chunk_bytes: int) -> None:
    partials = folded(crowd(30, 500, TICK_MS))
    assert [part.chunk for part in partials] == list(range(len(partials)))
    assert [part.last_chunk for part in partials] == [False] * (len(partials) - 1) + [True]
    assert not any(part.idle for part in partials)
    ids = [account for part in partials for account in part.accounts]
    assert ids == sorted(set(ids))


def test_uses_contents_and_mixes_belong_to_their_accounts(chunk_bytes: int) -> None:
    requests = crowd(30, 500, TICK_MS)
    uses, contents, mixes = Counter(), {}, Counter()
    for part in folded(requests):
        end = np.cumsum(part.column("use_contents"))
        for position, (who, family, value) in enumerate(
            zip(part.column("use_account"), part.column("use_family"), part.column("use_value").tolist(), strict=True)
        ):
            key = (part.accounts[who], FAMILIES[family], value)
            uses[key] += int(part.column("use_counts")[position, 0])
            listed = part.column("contents")[end[position] - part.column("use_contents")[position] : end[position]]
            if FAMILIES[family] == "template":
                contents[key[0], value] = listed.tolist()
        for who, kind, name, count in zip(
            *(part.column(f"mix_{name}") for name in ("account", "kind", "name", "requests")), strict=True
        ):
            mixes[part.accounts[who], int(kind), part.names[name]] += int(count)
    templates = {key[::2]: count for key, count in uses.items() if key[1] == "template"}
    assert templates == Counter((event.account_id, digest(event.prompt_template)) for event in requests)
    expected = {}
    for event in requests:
        listed = expected.setdefault((event.account_id, digest(event.prompt_template)), {})
        content = digest(event.prompt_content) & ~1
        listed[content] = listed.get(content, False) | (event.http_response_status_code in (403, 429))
    assert any(any(listed.values()) for listed in expected.values())
    assert {key: sorted(c | away for c, away in listed.items()) for key, listed in expected.items()} == contents
    models = Counter((event.account_id, 0, event.gen_ai_request_model) for event in requests)
    paths = Counter((event.account_id, 1, event.access_path) for event in requests if event.access_path)
    assert mixes == models + paths


def test_a_chunk_carries_only_the_names_it_uses(chunk_bytes: int) -> None:
    requests = crowd(30, 500, TICK_MS)
    plan = {event.account_id: event.account_plan for event in requests if event.account_plan}
    for part in folded(requests):
        codes = [part.column(name) for name in ("plan", "verification", "pathway", "mix_name")]
        used = np.unique(np.concatenate(codes))
        assert used[used >= 0].tolist() == list(range(len(part.names)))
        assert part.names == sorted(part.names)
        plans = [part.names[code] if code >= 0 else None for code in part.column("plan").tolist()]
        assert plans == [plan.get(account) for account in part.accounts]


def test_first_and_last_are_those_of_the_tick() -> None:
    (part,) = folded(
        [request(n, START_MS + time, account) for n, (time, account) in enumerate([(9, "a"), (3, "b"), (5, "a")])]
    )
    assert part.column("first").tolist() == [START_MS + 5, START_MS + 3]
    assert part.column("last").tolist() == [START_MS + 9, START_MS + 3]


def test_the_same_template_of_two_accounts_is_two_uses() -> None:
    (part,) = folded([request(n, START_MS, f"a{n % 2}", prompt_template="t", prompt_simhash="ff") for n in range(4)])
    assert part.column("use_value").tolist() == [digest("t")] * 2
    assert part.column("use_simhash").tolist() == [255, 255]
    assert part.column("use_counts")[:, 0].tolist() == [2, 2]
    assert part.column("use_contents").tolist() == [0, 0]


def messages(kind: str) -> list[Request]:
    if kind == "many accounts with long ids":
        return [request(n, START_MS, f"{n:05}" + "x" * 120) for n in range(8_000)]
    if kind == "an account with a template and a content per request":
        return [request(n, START_MS, "a", prompt_template=f"t{n}", prompt_content=f"c{n}") for n in range(20_000)]
    fields = {"prompt_template": "t", "payment_fingerprint": "p", "device_fingerprint": "d"}
    return [
        request(n, START_MS, f"acc-{n // 4}", client_address=f"10.{n // 256 % 256}.{n % 256}.1", **fields)
        for n in range(20_000)
    ]


@pytest.mark.parametrize(
    "kind",
    [
        "many accounts with long ids",
        "an account with a template and a content per request",
        "many uses of each account",
    ],
)
def test_every_chunk_fits_a_message(kind: str) -> None:
    requests = messages(kind)
    partials = folded(requests)
    assert max(len(encode(part)) for part in partials) < 700_000
    assert sum(part.column("counts")[:, 0].sum() for part in partials) == len(requests)


def test_of_too_many_templates_the_busiest_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(folding.MAX_USES, "template", 2)
    templates = ["t1", "t2", "t2", "t3", "t3", "t3"]
    requests = [
        request(n, START_MS, "a", prompt_template=template, prompt_content=f"c{n}")
        for n, template in enumerate(templates)
    ]
    (part,) = folded([*requests, request(9, START_MS, "b", prompt_template="t1", prompt_content="c9")])
    found = list(zip(part.column("use_account").tolist(), part.column("use_value").tolist(), strict=True))
    assert sorted(found) == sorted([(0, digest("t2")), (0, digest("t3")), (1, digest("t1"))])
    assert part.column("use_contents").sum() == len(part.column("contents")) == 6
    assert part.column("counts")[:, 0].tolist() == [6, 1]


def test_of_too_many_models_those_with_most_requests_keep_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "MOST_NAMES", 3)
    asked = [("made-up-1", 1), ("made-up-2", 1), ("made-up-3", 1), ("large", 4), ("small", 2)]
    models = [model for model, times in asked for _ in range(times)]
    requests = [request(number, START_MS + number, gen_ai_request_model=model) for number, model in enumerate(models)]
    one = folded(requests)[0]
    told = zip(one.column("mix_name").tolist(), one.column("mix_requests").tolist(), strict=True)
    assert {one.names[name]: count for name, count in told} == {"large": 4, "small": 2, "(other)": 3}


def test_as_many_models_as_there_are_numbers_can_be_folded() -> None:
    models = 1 << 15
    requests = [request(number, START_MS, gen_ai_request_model=f"made-up-{number}") for number in range(models)]
    told = [partial.column("mix_requests").sum() for partial in folded(requests)]
    assert sum(told) == models
