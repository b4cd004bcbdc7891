"""Light, dependency-free readings of a prompt: its language, the capability it uses, and reasoning it tries to elicit.

Keywords and scripts, no model: a reading is a hint that becomes evidence only in the mass of a group's requests.
Every function takes the text with case folded and white space collapsed.
"""

from __future__ import annotations

import re
from collections import Counter
from operator import itemgetter
from typing import NamedTuple

from detectors.prompt_cues import CUES, HOW_TO

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
_ANY_SCRIPT = re.compile("|".join(pattern.pattern for _, pattern in _SCRIPTS))
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
    votes: dict[str, int] = {}
    for codes in filter(None, map(_LANGUAGES_OF.get, words[: _LOOK_AT // 4])):
        for code in codes:
            votes[code] = votes.get(code, 0) + 1
    if not head.isascii():
        for mark, code in _MARKS.items():
            if mark in head:
                votes[code] = votes.get(code, 0) + 2
    most = max(votes.values(), default=0)
    leading = [code for code, count in votes.items() if count == most]
    return leading[0] if len(leading) == 1 else _UNKNOWN


def _by_script(head: str) -> str | None:
    """Return the language of the script that holds a quarter of the letters; kana settle Japanese against Chinese."""
    if not _ANY_SCRIPT.search(head):
        return None
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
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts each of whose characters is a word to `detectors.prompts`."""


_prefix = itemgetter(slice(_PREFIX))


class Cue(NamedTuple):
    """A cue, what it is a sign of, and the beginning of its first word, if it is in ASCII."""

    name: str
    text: str
    head: str | None


def _index() -> tuple[dict[str, list[Cue]], dict[str, list[Cue]]]:
    """Return cues by the beginning of one of their words, and those without a word to go by by one of their characters.

    That is the word or character that is likely to be the rarest, the character as judged by the cues themselves; a
    text without it does not hold the cue.
    """
    by_word: dict[str, list[Cue]] = {}
    by_character: dict[str, list[Cue]] = {}
    usual = Counter("".join(text for cues in CUES.values() for text in cues).casefold())
    for name, cues in CUES.items():
        for text in map(str.casefold, cues):
            words = re.findall(r"\w+", text)
            whole = _whole(text, words)
            if text.isascii() and words:
                telling = max(whole, key=len) if whole else words[0]
                by_word.setdefault(telling[:_PREFIX], []).append(Cue(name, text, words[0][:_PREFIX]))
                continue
            foreign = [word for word in whole if not word[:_PREFIX].isascii()]
            if foreign and not _UNSPACED.search(text):
                by_word.setdefault(max(foreign, key=len)[:_PREFIX], []).append(Cue(name, text, None))
            else:
                rarest = min(text, key=lambda character: (character.isascii(), usual[character], character))
                by_character.setdefault(rarest, []).append(Cue(name, text, None))
    return by_word, by_character


def _whole(text: str, words: list[str]) -> list[str]:
    """Return the words of a cue whose beginning a text that holds the cue must have as a word's beginning.

    Not the first: it may begin within a word of the text. Nor a short last one, which may be the beginning of a longer
    word.
    """
    cut = bool(words) and len(words[-1]) < _PREFIX and text.endswith(words[-1])
    return words[1:-1] if cut else words[1:]


_BY_WORD, _BY_CHARACTER = _index()
_KNOWN_WORDS, _CHARACTERS = frozenset(_BY_WORD), frozenset(_BY_CHARACTER)
_FENCE = "```"


def find_cues(folded: str, words: list[str]) -> dict[str, list[str]]:
    """Return the cues of `CUES` that the text holds, by name; names without any are left out.

    Args:
        folded: the text.
        words: its words.
    """
    padded = f" {folded} "
    beginnings = set(map(_prefix, words))
    candidates = [cue for word in _KNOWN_WORDS & beginnings for cue in _BY_WORD[word]]
    if not folded.isascii():
        candidates += [cue for character in _CHARACTERS & set(padded) for cue in _BY_CHARACTER[character]]
    found: dict[str, list[str]] = {}
    for name, text, head in candidates:
        if (head is None or head in beginnings) and text in padded:
            found.setdefault(name, []).append(text)
    return found


_NEAR = 45
_WORD, _END = (rf"[^\s.,:;!?؟।。]{{{least},{most}}}" for least, most in ((1, 20), (0, 8)))


def _guides() -> dict[str, list[tuple[re.Pattern[str], re.Pattern[str]]]]:
    """Return what stands before, and after, each cue of `HOW_TO` where it is about a guide; a word may be between."""
    patterns: dict[str, list[tuple[re.Pattern[str], re.Pattern[str]]]] = {}
    for row in HOW_TO:
        steps, before, after = (re.sub("^$", "(?!)", part.casefold()) for part in row)
        pair = (
            re.compile(rf"(?:{before}){_END} ?(?:{_WORD} )?\Z"),
            re.compile(rf"{_END}(?:[ -](?:{_WORD} )?)?(?:{after})"),
        )
        for step in steps.split("|"):
            patterns.setdefault(step, []).append(pair)
    return patterns


_GUIDES = _guides()


def _guide(folded: str, cue: str) -> bool:
    """Tell whether the cue is about a guide wherever the text holds it."""
    start = folded.find(cue)
    while start >= 0:
        end = start + len(cue)
        for before, after in _GUIDES[cue]:
            if after.match(folded, end) or before.search(folded, max(start - _NEAR, 0), start):
                break
        else:
            return False
        start = folded.find(cue, end)
    return True


def elicitation(folded: str, cues: dict[str, list[str]]) -> list[str]:
    """Return the ways in which the prompt asks for reasoning that is not its answer's business."""
    flags = [flag for flag in _ELICITATION if flag in cues]
    steps = cues.get("chain_of_thought", ())
    if steps and _GUIDES.keys() >= set(steps) and all(_guide(folded, cue) for cue in steps):
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
