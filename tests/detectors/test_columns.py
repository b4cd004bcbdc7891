"""Requests as columns: what is missing, what is hashed, what is keyed."""

import numpy as np
import pytest

from detectors.columns import MAX_NAME, Extractor, Names
from detectors.hashing import digest, network
from detectors.partials import CAPABILITIES, COUNTS
from detectors.scan.requests import gather
from tests.detectors.made import request


def counts(**fields: object) -> dict[str, float]:
    return dict(zip(COUNTS, Extractor()(gather([request(0, 1, **fields)]))["counts"][0].tolist(), strict=True))


def test_missing_values_are_zero_hashes_and_unknown_codes() -> None:
    columns = Extractor()(gather([request(0, 5)]))
    for name in ("organization", "template", "simhash", "content", "payment", "device", "network", "capabilities"):
        assert columns[name].tolist() == [0], name
    for name in ("created", "plan", "verification", "pathway", "access_path"):
        assert columns[name].tolist() == [-1], name
    assert columns["time"].tolist() == [5]
    assert counts() == dict.fromkeys(COUNTS, 0.0) | {"requests": 1.0}


def test_counts_of_one_request() -> None:
    found = counts(
        gen_ai_usage_input_tokens=11,
        gen_ai_usage_output_tokens=12,
        gen_ai_usage_reasoning_output_tokens=13,
        tools_count=14,
        gen_ai_usage_image_input_tokens=15,
        response_refused=True,
        http_response_status_code=429,
        prompt_elicitation=["chain_of_thought"],
        conversation_turn=2,
    )
    assert found == {
        "requests": 1, "input_tokens": 11, "output_tokens": 12, "reasoning_tokens": 13, "tools": 14, "images": 1,
        "refused": 1, "status_429": 1, "status_403": 0, "elicited": 1, "multi_turn": 1,
    }  # fmt: skip


def test_counts_beside_requests_that_lack_them() -> None:
    made = [request(0, 1), request(1, 1, gen_ai_usage_input_tokens=7, http_response_status_code=403)]
    columns = Extractor()(gather(made))
    assert columns["counts"][:, COUNTS.index("input_tokens")].tolist() == [0, 7]
    assert columns["counts"][:, COUNTS.index("status_403")].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("fields", "name", "off"),
    [
        ({"response_refused": False}, "refused", 0),
        ({"conversation_turn": 1}, "multi_turn", 0),
        ({"prompt_elicitation": []}, "elicited", 0),
        ({"http_response_status_code": 200}, "status_429", 0),
    ],
)
def test_flags_that_are_off(fields: dict, name: str, off: float) -> None:
    assert counts(**fields)[name] == off


def test_capabilities_are_a_mask_without_repeats_or_unknown_names() -> None:
    columns = Extractor()(gather([request(0, 1, prompt_capabilities=["coding", "coding", "other", "telepathy"])]))
    assert columns["capabilities"].tolist() == [1 << CAPABILITIES.index("coding") | 1 << CAPABILITIES.index("other")]


def test_hashes_are_stable_and_keyed_ones_depend_on_the_key() -> None:
    fields = {"prompt_template": "t", "payment_fingerprint": "p", "client_address": "192.0.2.17"}
    plain = Extractor()(gather([request(0, 1, **fields)]))
    keyed, other = (Extractor(key)(gather([request(0, 1, **fields)])) for key in (b"one", b"two"))
    assert plain["template"][0] == keyed["template"][0] == digest("t")
    assert plain["payment"][0] == digest("p")
    assert len({int(columns["payment"][0]) for columns in (plain, keyed, other)}) == 3
    assert len({int(columns["network"][0]) for columns in (plain, keyed, other)}) == 3


@pytest.mark.parametrize(
    ("simhash", "number"),
    [("00000000000000ff", 255), ("ffffffffffffffff", 2**64 - 1), ("no hex", 0), ("", 0), ("1" + "0" * 16, 0)],
)
def test_simhash(simhash: str, number: int) -> None:
    assert Extractor()(gather([request(0, 1, prompt_simhash=simhash)]))["simhash"].tolist() == [number]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.254", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8:7:1::1", "2001:0DB8:7:ffff::2", True),
        ("2001:db8:7::1", "2001:db8:8::1", False),
        ("::1", "::2", True),
        ("odd", "odd", True),
    ],
)
def test_network_is_the_24_or_48(one: str, other: str, same: bool) -> None:
    assert (network(one) == network(other)) is same


def test_names_are_numbered_in_order_and_the_excess_shares_one() -> None:
    names = Names(3)
    assert names.codes(["a", None, "b", "a", "c", "d"]).tolist() == [0, -1, 1, 0, 2, 2]
    assert names.known == ["a", "b", "(other)"]


def test_a_renamed_number_stands_for_the_new_name_and_the_others_stay() -> None:
    names = Names(4)
    names.codes(["a", "b", "c", "d"])
    names.rename(1, "d")
    assert names.full
    assert names.codes(["a", "b", "c", "d", "e"]).tolist() == [0, 3, 2, 1, 3]


def test_known_names_keep_their_numbers_when_a_full_table_forgets_its_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detectors.columns.CACHE_ENTRIES", 2)
    names = Names(3)
    assert [names.codes([name]).tolist() for name in ("a", "b", "c", "d", "a", "b")] == [[0], [1], [2], [2], [0], [1]]


def test_names_restored_from_what_is_known_number_alike() -> None:
    names, restored = Names(4), Names(4)
    names.codes(["x", "y", "z", "w"])
    restored.codes(names.known)
    assert restored.codes(["w", "y", "x", "new"]).tolist() == names.codes(["w", "y", "x", "new"]).tolist()


def test_long_names_are_cut() -> None:
    names = Names()
    assert names.codes(["m" * 1_000_000, "m" * MAX_NAME]).tolist() == [0, 0]
    assert names.known == ["m" * MAX_NAME]


def test_a_full_cache_starts_over_with_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [request(n, 1, payment_fingerprint=f"p{n}", account_plan=f"plan-{n % 3}") for n in range(20)]
    extract, cramped = Extractor(b"key"), Extractor(b"key")
    known = [extract(gather([one])) for one in made]
    monkeypatch.setattr("detectors.columns.CACHE_ENTRIES", 2)
    for one, columns in zip(made, known, strict=True):
        again = cramped(gather([one]))
        assert again["payment"].tolist() == columns["payment"].tolist()
        assert again["plan"].tolist() == columns["plan"].tolist()


def test_dtypes() -> None:
    columns = Extractor()(gather([request(0, 1, prompt_template="t")]))
    assert columns["template"].dtype == np.uint64
    assert columns["counts"].dtype == np.float32


def test_languages_countries_and_agents_are_bits_and_elicitations_flags() -> None:
    fields = {"client_geo_country": "PT", "prompt_elicitation": ["trace_reconstruction", "unheard of"]}
    made = [request(0, 1, prompt_language=tag, **fields) for tag in ("pt-BR", "PT")] + [request(1, 1)]
    columns = Extractor()(gather(made))
    variety = columns["variety"]
    assert np.bitwise_count(variety).tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert variety[0].tolist() == variety[1].tolist()
    assert columns["elicitations"].tolist() == [[0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
