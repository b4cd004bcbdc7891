"""Light, dependency-free readings of a prompt: its language, the capability it uses, and reasoning it tries to elicit.

Keywords and scripts, no model: a reading is a hint that becomes evidence only in the mass of a group's requests.
Every function takes the text with case folded and white space collapsed.
"""

from __future__ import annotations

import re
from collections import Counter

from detectors.prompt_cues import CUES

_STOP_WORDS = {
    "en": "the and of is are you your what how this that with for it from which write be can should not have was her",
    "es": "el los las una qué cómo por para con del que es su como más está cuál pero muy y eres tus sus",
    "fr": "le les des une est vous que pour dans avec sur qui du au et ce cette comment je pas plus ne vos être",
    "de": "der die das und ist nicht ein eine mit für auf von zu den wie ich sie es dem auch werden du wird dein",
    "pt": "um uma não você como para com que em da dos das é mais por ao seu sua são e quais",
    "it": "il lo gli una che per con del della non sono come di è più nel alla questo quale e",
    "nl": "de het een en van is dat niet met voor zijn op te wat hoe ik je aan ook",
}
_LANGUAGES_OF: dict[str, list[str]] = {}
for _name, _list in _STOP_WORDS.items():
    for _word in _list.split():
        _LANGUAGES_OF.setdefault(_word, []).append(_name)

_MARKS = {"ñ": "es", "¿": "es", "¡": "es", "ß": "de", "ä": "de", "ã": "pt", "õ": "pt", "ê": "fr", "è": "fr", "œ": "fr"}
_SCRIPTS = tuple(
    (code, re.compile(pattern))
    for code, pattern in (
        ("ja", r"[\u3041-\u30ff]"),
        ("ko", r"[\uac00-\ud7af]"),
        ("zh", r"[\u3400-\u9fff]"),
        ("ru", r"[\u0400-\u04ff]"),
        ("ar", r"[\u0600-\u06ff]"),
        ("hi", r"[\u0900-\u097f]"),
        ("th", r"[\u0e00-\u0e7f]"),
        ("he", r"[\u0590-\u05ff]"),
        ("el", r"[\u0370-\u03ff]"),
    )
)
_LOOK_AT = 1_000
"""Characters, and a quarter of it words, that the language is read from."""
_UNKNOWN = "und"


def language(folded: str, words: list[str]) -> str:
    """Return the BCP 47 tag of the main language, `und` when it cannot be told."""
    head = folded[:_LOOK_AT]
    if not head.isascii():
        found = _by_script(head)
        if found:
            return found
    votes: Counter[str] = Counter()
    for word in words[: _LOOK_AT // 4]:
        for code in _LANGUAGES_OF.get(word, ()):
            votes[code] += 1
    if not head.isascii():
        for mark, code in _MARKS.items():
            votes[code] += 2 * (mark in head)
    ranked = votes.most_common(2)
    if not ranked or ranked[0][1] == 0 or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return _UNKNOWN
    return ranked[0][0]


def _by_script(head: str) -> str | None:
    """Return the language of the script that holds a quarter of the letters; kana settle Japanese against Chinese."""
    letters = max(1, sum(map(str.isalpha, head)))
    counts = {code: len(pattern.findall(head)) for code, pattern in _SCRIPTS}
    if counts["ja"]:
        counts["ja"] += counts["zh"] if counts["ja"] * 10 >= counts["zh"] else 0
    code = max(counts, key=lambda name: counts[name])
    return code if counts[code] * 4 >= letters else None


_ELICITATION = ("chain_of_thought", "trace_reconstruction", "reasoning_tags", "filter_evasion")
_CAPABILITIES = (
    "reasoning",
    "coding",
    "tool_use",
    "agentic",
    "vision",
    "computer_use",
    "data_analysis",
    "rubric_grading",
    "policy_rewrite",
)
_PREFIX = 4


Cue = tuple[str, str]


def _index() -> tuple[dict[str, list[Cue]], dict[str, list[Cue]]]:
    """Return the ASCII cues by the first letters of their first word, the others by their first character."""
    by_head: dict[str, list[Cue]] = {}
    by_character: dict[str, list[Cue]] = {}
    for name, cues in CUES.items():
        for cue in cues:
            first = re.search(r"\w+", cue)
            if cue.isascii() and first:
                by_head.setdefault(first[0][:_PREFIX], []).append((name, cue))
            else:
                by_character.setdefault(cue[0], []).append((name, cue))
    return by_head, by_character


_BY_HEAD, _BY_CHARACTER = _index()
_HEADS, _CHARACTERS = frozenset(_BY_HEAD), frozenset(_BY_CHARACTER)
_FENCE = "```"


def find_cues(folded: str, words: list[str]) -> dict[str, list[str]]:
    """Return the cues of `CUES` that the text holds, by name; names without any are left out.

    Args:
        folded: the text.
        words: its words.
    """
    padded = f" {folded} "
    candidates = [cue for head in _HEADS & {word[:_PREFIX] for word in words} for cue in _BY_HEAD[head]]
    if not folded.isascii():
        candidates += [cue for first in _CHARACTERS & set(padded) for cue in _BY_CHARACTER[first]]
    found: dict[str, list[str]] = {}
    for name, cue in candidates:
        if cue in padded:
            found.setdefault(name, []).append(cue)
    return found


_HOW_TO = re.compile(
    r"(?:step[ -]by[ -]step|paso a paso|passo a passo|pas à pas|étape par étape)"
    r" (?:\w+ )?(?:guide|instruction|tutorial|plan|recipe|manual|guía|guia|walkthrough)\w*"
    r"|(?:guide|guía|guia|instructions|instrucciones|tutorial) (?:\w+ )?"
    r"(?:step[ -]by[ -]step|paso a paso|passo a passo|pas à pas|étape par étape)"
)
"""A guide in steps is a thing one asks for, not reasoning one wants to see."""


def elicitation(folded: str, cues: dict[str, list[str]]) -> list[str]:
    """Return the ways in which the prompt asks for reasoning that is not its answer's business."""
    flags = [flag for flag in _ELICITATION if flag in cues]
    if "chain_of_thought" in cues and _HOW_TO.search(folded):
        rest = _HOW_TO.sub("", folded)
        if not any(cue in rest for cue in cues["chain_of_thought"]):
            flags.remove("chain_of_thought")
    return flags


_CODE = re.compile(
    r"^[ \t]*(?:def \w+\(|class \w+[(:]|import \w+|from \w+ import|#include|public \w+|function \w+\()", re.M
)


def capabilities(text: str, cues: dict[str, list[str]], flags: list[str]) -> list[str]:
    """Return the capabilities the prompt draws on, at least `other`.

    Args:
        text: the prompt as it came: fences and lines tell code from prose.
        cues: what `find_cues` found in it.
        flags: its elicitation flags; whoever asks for reasoning uses reasoning.
    """
    found = set(cues)
    if _FENCE in text or _CODE.search(text):
        found.add("coding")
    if flags:
        found.add("reasoning")
    if {"rewrite", "policy"} <= found:
        found.add("policy_rewrite")
    return [name for name in _CAPABILITIES if name in found] or ["other"]
