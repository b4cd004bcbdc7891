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
    seen = text if len(text) <= MAX_CHARS else f"{text[: MAX_CHARS - _TAIL]}\n{text[-_TAIL:]}"
    lower = seen.casefold()
    folded = " ".join(lower.split())
    words = _words(folded)
    cues = find_cues(folded, words)
    flags = elicitation(folded, cues)
    return Derived(
        template=f"{_xxh64(skeleton(lower, cues.get('template', [])).encode('utf-8', 'replace')):016x}",
        simhash=f"{_simhash(words):016x}",
        content=xxhash.xxh3_128_hexdigest(text.encode("utf-8", "surrogatepass")),
        language=language(folded, words),
        capabilities=capabilities(seen, cues, flags),
        elicitation=flags,
    )


def _words(text: str) -> list[str]:
    return (_ASCII_WORDS if text.isascii() else _WORDS).findall(text)


# --- skeleton ---------------------------------------------------------------------------------------------------------

_xxh64 = xxhash.xxh3_64_intdigest
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
_ASCII_WORDS = re.compile(r"\w+", re.ASCII)
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+")
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
    return len(_words(text[:_ENOUGH_CHARS])) >= MIN_WORDS


# --- SimHash ----------------------------------------------------------------------------------------------------------

_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
_FINAL = np.uint64(0xFF51AFD7ED558CCD)
_SHIFT = np.uint64(32)


def _simhash(words: list[str]) -> int:
    """Return the 64-bit SimHash of the shingles of three consecutive words; 0 without words."""
    if not words:
        return 0
    encoded = " ".join(words).encode("utf-8", "replace").split()
    hashes = np.fromiter(map(_xxh64, encoded), np.uint64, len(encoded))
    if len(hashes) < 3:
        hashes = np.pad(hashes, (0, 3 - len(hashes)))
    shingles: NDArray[np.uint64] = hashes[:-2] * _MIX[0] + hashes[1:-1] * _MIX[1] + hashes[2:] * _MIX[2]
    shingles = (shingles ^ (shingles >> _SHIFT)) * _FINAL
    shingles ^= shingles >> _SHIFT
    bits = np.unpackbits(shingles.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
    majority = bits.sum(axis=0, dtype=np.int64) * 2 > len(bits)
    return int.from_bytes(np.packbits(majority).tobytes(), "big")
