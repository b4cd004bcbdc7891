"""What is kept of a prompt's text: hashes of its skeleton, shingles and content, its language, and what it asks for.

The *skeleton* is the part that a program repeats. Slots (numbers, quotes, code, links, what stands between brackets or
tags) are masked; then, where enough of the prompt talks about the answer
itself ("your response should end with", "given the following problem"), only those sentences are kept, because the
rest is the slot. The text is read and forgotten here; nothing derived from it can be turned back into it, short of
guessing the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
import numpy as np
import xxhash
from numpy.typing import NDArray

from detectors.prompt_signals import capabilities, elicitation, find_cues, language

MAX_CHARS = 20_000
"""Only so much of a prompt is looked at, its head and its tail; the content hash covers all."""
_TAIL = 4_000
AT_ONCE = 256
"""Prompts whose SimHashes are computed together."""
MIN_WORDS = 5
"""Fewer words about the answer do not make a template: the whole masked text is the skeleton then."""
_ENOUGH_CHARS = 400


class Derived(msgspec.Struct, frozen=True):
    """The six derived fields of a request, without the prefix `prompt.`."""

    template: str
    simhash: str
    content: str
    language: str
    capabilities: list[str]
    elicitation: list[str]


def derive(text: str) -> Derived:
    """Return the derived fields of one prompt. Any string will do, the empty one too."""
    return derive_all([text])[0]


def derive_all(texts: Sequence[str]) -> list[Derived]:
    """Return the derived fields of each prompt."""
    result: list[Derived] = []
    for start in range(0, len(texts), AT_ONCE):
        some = texts[start : start + AT_ONCE]
        seen = [text if len(text) <= MAX_CHARS else f"{text[: MAX_CHARS - _TAIL]}\n{text[-_TAIL:]}" for text in some]
        lower = [text.casefold() for text in seen]
        folded = [" ".join(text.split()) for text in lower]
        words = list(map(_words, folded))
        result += map(_derived, some, seen, lower, folded, words, _simhashes(words).tolist())
    return result


def _derived(text: str, seen: str, lower: str, folded: str, words: list[str], simhash: int) -> Derived:
    cues = find_cues(folded, words)
    flags = elicitation(folded, cues)
    return Derived(
        _xxh64_hex(skeleton(lower, cues.get("template", [])).encode("utf-8", "replace")),
        f"{simhash:016x}",
        xxhash.xxh3_128_hexdigest(text.encode("utf-8", "surrogatepass")),
        language(folded, words),
        capabilities(seen, cues, flags),
        flags,
    )


def _words(text: str) -> list[str]:
    if text.isascii():
        return text.translate(_SPACED).split()
    return (_WORDS if _UNSPACED.search(text) else _SPACED_WORDS).findall(text)


# --- skeleton ---------------------------------------------------------------------------------------------------------

_xxh64, _xxh64_hex = xxhash.xxh3_64_intdigest, xxhash.xxh3_64_hexdigest
_FENCE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{1,400}`", re.DOTALL)
_CODE_LINE = re.compile(
    r"^(?:[ \t]{4,}\S.*|\t\S.*|def \w+\(.*|class \w+[:(].*|import \w[\w.]*|from [\w.]+ import .*|#include .*)$",
    re.MULTILINE,
)
_TAG = re.compile(r"<([a-z][\w|:-]{0,40})>.{0,2000}?</\1>", re.DOTALL)
_LINK = re.compile(r"(?:https?://|www\.)\S+")
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]+")
_BRACKETS = re.compile(r"\{[^{}]{0,2000}\}|\[[^\[\]]{0,2000}\]")
_QUOTES = tuple(
    (opening, re.compile(pattern))
    for opening, pattern in (
        ('"', r'"[^"]{1,2000}"'),
        ("'", r"(?<!\w)'[^'\n]{2,400}'(?!\w)"),
        ("“", r"“[^”]{1,2000}”"),
        ("«", r"«[^»]{1,2000}»"),
        ("「", r"「[^」]{1,2000}」"),
    )
)
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_RUNS = re.compile(r"¤(?:\s*¤)+")
_SPACED = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) == "_")}
"""Leaves of an ASCII text what `\\w` matches."""
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Every character of these scripts counts as a word."""
_SPACED_WORDS = re.compile(r"\w+")
_WORDS = re.compile(rf"{_UNSPACED.pattern}|\w+")
_ENOUGH_ASCII = re.compile(rf"\w++(?:\W++\w++){{{MIN_WORDS - 1}}}", re.ASCII)
_GENERIC = re.compile(
    r"^you are (?:a|an) (?:(?:very )?(?:helpful|harmless|honest)(?:,? and |, | )?)+(?:ai )?assistant\W*$"
)


def skeleton(lower: str, cues: Sequence[str]) -> str:
    """Return the part of a prompt that stays when only its slots change.

    Args:
        lower: the text, its case folded. One that is all slot (bare code, a JSON document) keeps all but its numbers.
        cues: the cues by which sentences about the answer are known, as far as the text holds them.
    """
    text = _mask(lower)
    segments = _segments(text)
    kept = _about_the_answer(segments, cues) if cues else []
    masked = _RUNS.sub("¤", _NUMBER.sub("0", "\n".join(kept or segments)))
    return masked if _enough_words(masked) else _NUMBER.sub("0", " ".join(lower.split()))


def _mask(text: str) -> str:
    if "`" in text:
        text = _FENCE.sub("\n¤\n", text)
    text = _CODE_LINE.sub("¤", text)
    if "</" in text:
        text = _TAG.sub(r"\n<\1>¤\n", text)
    if "{" in text or "[" in text:
        text = _BRACKETS.sub("¤", text)
    if "://" in text or "www." in text:
        text = _LINK.sub("¤", text)
    if "@" in text:
        text = _MAIL.sub("¤", text)
    for opening, pattern in _QUOTES:
        if opening in text:
            text = pattern.sub("¤", text)
    return text


def _segments(text: str) -> list[str]:
    """Return sentences and lines, white space collapsed, empty ones left out."""
    for end in ". ", "! ", "? ", ": ", "; ":
        text = text.replace(end, end[0] + "\n")
    if not text.isascii():
        for end in "。！？：；":
            text = text.replace(end, end + "\n")
    return [segment for segment in (" ".join(line.split()) for line in text.splitlines()) if segment]


def _about_the_answer(segments: list[str], cues: Sequence[str]) -> list[str]:
    """Return the segments that speak of the answer or its form; none when they are too few words to be a template."""
    meta = [segment for segment in segments if any(cue in segment for cue in cues) and not _GENERIC.match(segment)]
    return meta if _enough_words(" ".join(meta)) else []


def _enough_words(text: str) -> bool:
    head = text[:_ENOUGH_CHARS]
    return bool(_ENOUGH_ASCII.search(head)) if head.isascii() else len(_words(head)) >= MIN_WORDS


# --- SimHash ----------------------------------------------------------------------------------------------------------

_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
_FINAL = np.uint64(0xFF51AFD7ED558CCD)
_SHIFT = np.uint64(32)


def _simhashes(texts: Sequence[list[str]]) -> NDArray[np.uint64]:
    """Return the 64-bit SimHash of the shingles of three consecutive words of each text, shape (B,); 0 without words.

    A text of one or two words is one shingle, with zeros in place of the words that are missing.
    """
    count = np.array([len(words) for words in texts])
    some = np.flatnonzero(count)
    result = np.zeros(len(count), np.uint64)
    if not len(some):
        return result
    encoded = " ".join([word for words in texts for word in words]).encode("utf-8", "replace").split()
    count, shingled = count[some], np.maximum(count[some] - 2, 1)
    start = np.cumsum(shingled + 2) - (shingled + 2)
    hashes = np.zeros(int(start[-1] + shingled[-1] + 2), np.uint64)
    hashes[_ranges(start, count)] = np.fromiter(map(_xxh64, encoded), np.uint64, len(encoded))
    first = _ranges(start, shingled)
    shingles: NDArray[np.uint64] = hashes[first] * _MIX[0] + hashes[first + 1] * _MIX[1] + hashes[first + 2] * _MIX[2]
    shingles = (shingles ^ (shingles >> _SHIFT)) * _FINAL
    shingles ^= shingles >> _SHIFT
    bits = np.unpackbits(shingles.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
    ones = np.add.reduceat(bits, np.cumsum(shingled) - shingled, axis=0, dtype=np.int32)
    result[some] = np.packbits(ones * 2 > shingled[:, None], axis=1).view(">u8")[:, 0]
    return result


def _ranges(start: NDArray, count: NDArray) -> NDArray[np.int64]:
    """Return start, start + 1, … start + count − 1 of each, end to end."""
    return np.arange(count.sum()) + np.repeat(start - (np.cumsum(count) - count), count)
