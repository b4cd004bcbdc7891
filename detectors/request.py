"""Request events: from bytes off the log to `Request` records, and the reasons why some are refused.

The keys, their types and what counts as bad input are the public contract of the topic `hydrawatch.requests`. Values
decode straight into a struct, in batches; only a refused value takes the slow road that finds out why.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Annotated

import msgspec
from msgspec import Meta

from detectors import prompts

REASONS: tuple[str, ...] = (
    "not_json",
    "not_an_object",
    "missing_key",
    "wrong_type",
    "negative_count",
    "future_time",
    "too_large",
    "too_long",
)
"""Why an event is refused: the values of the label `reason` of `hydrawatch_dead_letters_total`."""

FUTURE_MS = 3_600_000
"""An event may be this far ahead of its record time, in ms."""

MAX_BYTES = 1 << 20
MAX_ID = 128

FUTURE_TIME = ("future_time", "time: more than one hour ahead of the record time")
"""Reason and detail of an event too far ahead."""
_INT64 = 2**63 - 1
Integer = Annotated[int, Meta(ge=-_INT64 - 1, le=_INT64)]
Count = Annotated[int, Meta(ge=0, le=_INT64)]
Turn = Annotated[int, Meta(ge=1, le=_INT64)]
Identifier = Annotated[str, Meta(min_length=1, max_length=MAX_ID)]
Name = Annotated[str, Meta(min_length=1)]

KEYS = {
    "event_id": "event.id",
    "account_id": "account.id",
    "gen_ai_request_model": "gen_ai.request.model",
    "organization_id": "organization.id",
    "api_key_id": "api_key.id",
    "account_created": "account.created",
    "account_plan": "account.plan",
    "account_verification": "account.verification",
    "account_signup_pathway": "account.signup_pathway",
    "access_path": "access.path",
    "payment_fingerprint": "payment.fingerprint",
    "device_fingerprint": "device.fingerprint",
    "client_address": "client.address",
    "client_asn": "client.asn",
    "client_geo_country": "client.geo.country",
    "user_agent_original": "user_agent.original",
    "gen_ai_operation_name": "gen_ai.operation.name",
    "gen_ai_conversation_id": "gen_ai.conversation.id",
    "conversation_turn": "conversation.turn",
    "gen_ai_request_max_tokens": "gen_ai.request.max_tokens",
    "gen_ai_usage_input_tokens": "gen_ai.usage.input_tokens",
    "gen_ai_usage_output_tokens": "gen_ai.usage.output_tokens",
    "gen_ai_usage_reasoning_output_tokens": "gen_ai.usage.reasoning.output_tokens",
    "gen_ai_usage_image_input_tokens": "gen_ai.usage.image.input_tokens",
    "tools_count": "tools.count",
    "http_response_status_code": "http.response.status_code",
    "prompt_template": "prompt.template",
    "prompt_simhash": "prompt.simhash",
    "prompt_content": "prompt.content",
    "prompt_language": "prompt.language",
    "prompt_capabilities": "prompt.capabilities",
    "prompt_elicitation": "prompt.elicitation",
    "prompt_text": "prompt.text",
    "thinking_signature_hash": "thinking_signature.hash",
    "response_refused": "response.refused",
}
"""The key of each field whose name differs from it."""


class Request(msgspec.Struct, gc=False, kw_only=True, rename=KEYS):
    """One request. None means not known, never zero. Times in Unix ms; `prompt_text` is None once decoded."""

    event_id: Identifier
    time: Count
    account_id: Identifier
    gen_ai_request_model: Name
    organization_id: str | None = None
    api_key_id: str | None = None
    account_created: Integer | None = None
    account_plan: str | None = None
    account_verification: str | None = None
    account_signup_pathway: str | None = None
    access_path: str | None = None
    payment_fingerprint: str | None = None
    device_fingerprint: str | None = None
    client_address: str | None = None
    client_asn: Integer | None = None
    client_geo_country: str | None = None
    user_agent_original: str | None = None
    gen_ai_operation_name: str | None = None
    gen_ai_conversation_id: str | None = None
    conversation_turn: Turn | None = None
    gen_ai_request_max_tokens: Count | None = None
    gen_ai_usage_input_tokens: Count | None = None
    gen_ai_usage_output_tokens: Count | None = None
    gen_ai_usage_reasoning_output_tokens: Count | None = None
    gen_ai_usage_image_input_tokens: Count | None = None
    tools_count: Count | None = None
    http_response_status_code: Integer | None = None
    prompt_template: str | None = None
    prompt_simhash: str | None = None
    prompt_content: str | None = None
    prompt_language: str | None = None
    prompt_capabilities: list[str] | None = None
    prompt_elicitation: list[str] | None = None
    prompt_text: str | None = None
    thinking_signature_hash: str | None = None
    response_refused: bool | None = None


class Reject(msgspec.Struct):
    """A refused value: its `index` in the batch, one of `REASONS`, and a `detail` that names the key, never content."""

    index: int
    reason: str
    detail: str


_decode = msgspec.json.Decoder(Request).decode
_validate = msgspec.json.Decoder().decode
_time = attrgetter("time")
_text = attrgetter("prompt_text")
_DERIVED = tuple((name, f"prompt_{name}") for name in prompts.Derived.__struct_fields__)


def decode_batch(
    values: Sequence[bytes | None], latest_ms: int | Sequence[int], max_bytes: int = MAX_BYTES
) -> tuple[list[Request], list[int] | range, list[Reject]]:
    """Decode `values` and sort the good from the bad; nothing in a value makes it raise.

    Args:
        values: record values; None (no value) is refused as `not_json`.
        latest_ms: record time of each value, or one wall-clock time for all, Unix ms.
        max_bytes: longer values are refused unread.

    Returns:
        The accepted requests, their indices in the batch (`range` when none was refused), and the refusals; both in
        the order of the batch.

    Raises:
        ValueError: `latest_ms` is a sequence of another length than `values`.
    """
    if not isinstance(latest_ms, int) and len(latest_ms) != len(values):
        raise ValueError(f"{len(latest_ms)} record times for {len(values)} values")
    requests, rejects = _decode_all(_screened(values, max_bytes), values, max_bytes)
    indices: list[int] | range = range(len(values))
    if rejects:
        refused = {reject.index for reject in rejects}
        indices = [index for index in indices if index not in refused]
    if requests and max(map(_time, requests)) > _earliest(latest_ms) + FUTURE_MS:
        requests, indices, late = _drop_future(requests, indices, latest_ms)
        rejects = sorted(rejects + late, key=attrgetter("index"))
    _derive([request for request in requests if request.prompt_text is not None])
    return requests, indices, rejects


def _screened(values: Sequence[bytes | None], max_bytes: int) -> Sequence[bytes | None]:
    """Return `values` with None in place of those too long or not UTF-8: msgspec looks into neither of its own."""
    try:
        if max(map(len, values), default=0) <= max_bytes and b"".join(values).isascii():  # type: ignore[arg-type]
            return values
    except TypeError:
        pass
    return [value if value is not None and len(value) <= max_bytes and _is_utf8(value) else None for value in values]


def _is_utf8(value: bytes) -> bool:
    try:
        str(value, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _decode_all(
    screened: Sequence[bytes | None], values: Sequence[bytes | None], max_bytes: int
) -> tuple[list[Request], list[Reject]]:
    """Decode in one `extend` per stretch of good values: what came before the one that raises is kept."""
    requests: list[Request] = []
    rejects: list[Reject] = []
    rest = iter(screened)
    while len(requests) + len(rejects) < len(values):
        try:
            requests.extend(map(_decode, rest))  # type: ignore[arg-type]
        except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
            index = len(requests) + len(rejects)
            rejects.append(Reject(index, *_why(values[index], error, max_bytes)))
    return requests, rejects


def _why(value: bytes | None, error: Exception, max_bytes: int) -> tuple[str, str]:
    """Return reason and detail for a value that did not decode."""
    if value is None:
        return "not_json", "no value"
    if len(value) > max_bytes:
        return "too_large", f"{len(value)} bytes, more than {max_bytes}"
    if not _is_utf8(value):
        return "not_json", "not valid UTF-8"
    try:
        _validate(value)
    except RecursionError:
        return "not_json", "nested too deeply"
    except (msgspec.MsgspecError, ValueError):
        return "not_json", "not valid JSON" if value else "empty value"
    return _breach(str(error))


def _breach(message: str) -> tuple[str, str]:
    """Return reason and detail for what msgspec says of valid JSON: `<expectation> - at `$.<key>``."""
    expectation, _, path = message.rpartition(" - at `$.")
    if not path or not expectation:
        if message.startswith("Object missing required field"):
            return "missing_key", message.split("`")[1]
        if message.startswith("Expected `object`"):
            return "not_an_object", "not a JSON object"
        return "not_json", "cannot be decoded"
    key = path.rstrip("`").partition("[")[0]
    if expectation.startswith("Expected `str` of length >="):
        return "missing_key", f"{key}: empty"
    if expectation.startswith("Expected `str` of length <="):
        return "too_long", f"{key}: longer than {MAX_ID} characters"
    if key != "time" and expectation in ("Expected `int` >= 0", "Expected `int` >= 1"):
        return "negative_count", f"{key}: {expectation.removeprefix('Expected ').replace('`', '')} expected"
    return "wrong_type", key


def _earliest(latest_ms: int | Sequence[int]) -> int:
    return latest_ms if isinstance(latest_ms, int) else int(min(latest_ms))


def _drop_future(
    requests: list[Request], indices: list[int] | range, latest_ms: int | Sequence[int]
) -> tuple[list[Request], list[int] | range, list[Reject]]:
    """Move the requests too far ahead of their record time to the refusals."""
    kept: list[Request] = []
    kept_indices: list[int] = []
    rejects: list[Reject] = []
    for request, index in zip(requests, indices, strict=True):
        latest = latest_ms if isinstance(latest_ms, int) else int(latest_ms[index])
        if request.time > latest + FUTURE_MS:
            rejects.append(Reject(index, *FUTURE_TIME))
        else:
            kept.append(request)
            kept_indices.append(index)
    return kept, kept_indices if rejects else indices, rejects


def _derive(requests: list[Request]) -> None:
    """Fill the derived prompt fields that are missing from the texts and forget the texts."""
    told = [request for request in requests if request.prompt_text and not request.prompt_text.isspace()]
    for request, derived in zip(told, prompts.derive_all(list(map(_text, told))), strict=True):
        for name, field in _DERIVED:
            if getattr(request, field) is None:
                setattr(request, field, getattr(derived, name))
    for request in requests:
        request.prompt_text = None
