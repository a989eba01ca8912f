"""What a message is, from its own words. What follows from it is `reducer.step`'s to say.

Approval words are read here, from the text the operator typed in this very message. No model, no history and no session
state has a say in it.
"""

from __future__ import annotations

import re
import tomllib
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from tools.rules.hearing.lexicon import listed
from tools.rules.hearing.tokens import quantities
from tools.rules.names.text import fold
from tools.values.events import Intent, Message

MESSAGE_BYTES_MAX = 16_384
"""Longer messages are answered, not read: a request for infrastructure is a few sentences."""
WORDS_MAX = 12
"""Of a message that is nothing but a command."""
PARTS_MAX = 4
MENDED_MIN = 5
"""Letters of a word that a slip is mended in."""
MENDED_WORDS_MAX = 5
LIKENESS = 0.83

_APPROVE = re.compile(
    r"(?:i\s+)?approve\s+(?:plan\s+)?([0-9a-f]{8,64})(?:\s+as\s+([a-z][a-z0-9 _-]{0,30}?))?(?:\s+because\s+(.{1,500}))?",
    re.IGNORECASE,
)
_NEARLY = re.compile(
    r"(?:(?:please|ok|okay|yes|yep|sure|fine|good|i|we|now|then|and|so|go ahead)[ ,.!:]+)*approve\s+(?:plan\s+)?([0-9a-f]{6,64})"
    r"(?:[ ,.!]+(?:please|now|thanks|thank you))*",
    re.IGNORECASE,
)
"""Meant as one, and no exact one: it is told how to say it."""
_NO_DIGEST = re.compile(r"(?:i\s+|please\s+)*approve\s+(?:plan\s+)?[0-9a-f]{1,5}", re.IGNORECASE)
"""Digits that are too few to name a plan."""
_TAKES_BACK = re.compile(
    r"^\W*(?:no|nope|nah|not|never|wait|stop|cancel|hold|abort)\b(?! (?:one|other|longer)\b)"
    r"|\b(?:do not|don['’`]?t|never mind|nevermind|must not|should not)\b",
    re.IGNORECASE,
)
"""A reason that takes the approval back, or may."""
_CONFIRM = re.compile(r"confirm\s+([0-9a-f]{8,64})\s+([a-z0-9][a-z0-9._-]{0,90})", re.IGNORECASE)
_REMOVE = re.compile(
    r"(?:remove|destroy|delete|tear down)\s+(?:it|everything|this|(?:run\s+)?([A-Za-z0-9][A-Za-z0-9_-]{0,40}))", re.IGNORECASE
)
_LOOK = re.compile(r"(status|follow|drift)(?:\s+(?:of\s+)?(?:run\s+)?([A-Za-z0-9][A-Za-z0-9_-]{0,40}))?", re.IGNORECASE)
_PLAN = re.compile(r"(?:show\s+)?(?:me\s+)?(?:the\s+)?(?:plan|details of|details)\s+([0-9a-f]{8,64})", re.IGNORECASE)
_BACK = re.compile(r"(?:roll\s+back|rollback)\s+(?:the\s+)?([a-z0-9][a-z0-9_-]{0,40}(?: [a-z0-9][a-z0-9_-]{0,40}){0,2})", re.IGNORECASE)
_AGAIN = re.compile(r"(retry|try\s+again|roll\s+back|rollback|leave|keep)\s+(?:the\s+)?(?:run\s+)?(run-[a-z0-9-]{1,40})", re.IGNORECASE)
_RESUME = re.compile(r"(?:resume|take up|apply)\s+(request-[0-9a-f]{8,64})", re.IGNORECASE)

_EMOJI = re.compile("[\u2700-\u27bf\U0001f300-\U0001faff]")
_NUMBERS = re.compile(r"(?:(?:number|no\.?|option)\s+)?(\d{1,2})(?:\s*(?:,|and|&|\s)\s*(\d{1,2}))*", re.IGNORECASE)


_ORDINALS = {"first": 1, "former": 1, "second": 2, "latter": 2, "third": 3, "fourth": 4, "fifth": 5}
_ORDINAL = re.compile(rf"(?:i (?:mean|meant) )?(?:the )?({'|'.join(_ORDINALS)})(?: one)?", re.IGNORECASE)


def numbers(text: str) -> tuple[int, ...]:
    """`1`, `2 and 3`, `the second one`: of a message that is nothing but numbers; else none."""
    bare = text.strip().rstrip(".!").strip()
    if found := _ORDINAL.fullmatch(bare):
        return (_ORDINALS[found[1].lower()],)
    return tuple(int(one) for one in re.findall(r"\d{1,2}", bare)) if _NUMBERS.fullmatch(bare) else ()


@cache
def _data() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(files("tools.rules.words").joinpath("texts", "sayings.toml").read_text("utf-8"))


@cache
def _sayings() -> dict[str, Intent]:
    """Whole messages that are commands."""
    meant = {intent.name.lower(): intent for intent in Intent}
    return {
        _bare(saying): meant[name]
        for name, languages in _data().items()
        if name in meant
        for sayings in languages.values()
        for saying in sayings
    }


@cache
def _words() -> frozenset[str]:
    """Of commands. A slip is mended in the longer ones."""
    return frozenset(word for saying in _sayings() for word in saying.split())


def _mend(word: str) -> str:
    if len(word) < MENDED_MIN or word in _words():
        return word
    return next(iter(get_close_matches(word, _longer(), 1, LIKENESS)), word)


@cache
def _longer() -> list[str]:
    return sorted(one for one in _words() if len(one) >= MENDED_MIN)


def _bare(text: str) -> str:
    """Its words and nothing between them."""
    return " ".join(re.findall(r"[\w'+-]+", fold(text)) or _EMOJI.findall(text)[:1])


def _saying(text: str) -> tuple[str, Intent] | None:
    """What a message means that is nothing but a command, with courtesy around it; none of it where it may be something else."""
    words = _bare(text).split()[: WORDS_MAX + 1]
    if not words or len(words) > WORDS_MAX:
        return None
    known, courtesy = _sayings(), _data()["courtesy"]
    spelled = [_mend(word) for word in words] if len(words) <= MENDED_WORDS_MAX else words
    for said in (words, spelled):
        if found := known.get(" ".join(said)):
            return " ".join(said), found
        while said and said[0] in courtesy["words"]:
            said = said[1:]
        while said and said[-1] in courtesy["words"]:
            said = said[:-1]
        left = " ".join(said)
        if left not in courtesy["unsure"] and (found := known.get(left)):
            return left, found
        while said and said[0] in courtesy["no"]:
            said = said[1:]
        if (left := " ".join(said)) and (found := known.get(left)) in (Intent.UNDO, Intent.REDO, Intent.SHOW):
            return left, found  # `hm no undo that`
    return None


def leading(text: str) -> Intent | None:
    """What the first words of a message command, up to a sign, or its last ones agree to: `forget it, we use the old one`, `I can live with
    that, go`. It counts where nothing else is heard."""
    parts = [part for part in re.split(r"[,.!;:\n]+", text.strip()) if part.strip()]
    if len(parts) < 2:
        return None
    found, last = _saying(parts[0]), _saying(parts[-1])
    agrees = last is not None and last[1] is Intent.APPROVE_WHAT and not _TAKES_BACK.search(text)
    return found[1] if found and " " in found[0] else Intent.APPROVE_WHAT if agrees else None


def says_yes(text: str) -> bool:
    """`yes`, `yes please`, `evet`: an answer, and no agreement to a plan as `yes, build it` is."""
    words = [word for word in _bare(text).split() if word not in _data()["courtesy"]["words"]]
    return bool(words) and all(word in listed("yes") for word in words)


def says_do(text: str) -> bool:
    """`do it`, `ok do that`: of what was asked about last, where something was."""
    words = [word for word in _bare(text).split() if word not in _data()["courtesy"]["words"] and word not in listed("yes")]
    return " ".join(words) in _data()["courtesy"]["do"]


def _of_parts(text: str) -> Intent | None:
    """`looks good, ship it`, `lgtm ship it`, `thanks, cancel`: sayings that all agree, where agreement and thanks say no more than the
    other one does."""
    parts = [part for part in re.split(r"[,.!;\n]+", text) if part.strip()]
    if len(parts) > PARTS_MAX:
        return None
    alone = [(part, _saying(part)) for part in parts]
    said = [one for part, found in alone for one in ([found[1]] if found else _in_a_row(part))]
    meant = {*said}
    if len(said) < 2 or None in meant:
        return None
    rest = meant - {Intent.TAKE, Intent.NOD, Intent.GREET}
    if Intent.APPROVE_WHAT in rest and len(rest) > 1:
        return None  # `yes, cancel`
    if rest == {Intent.CANCEL, Intent.UNDO}:
        return Intent.UNDO  # `no, undo`: the one that loses less
    return rest.pop() if len(rest) == 1 else Intent.NOD if not rest else None


def _in_a_row(part: str) -> list[Intent | None]:
    """`lgtm ship it`: sayings with no sign between them, the longest first; none where a word is left over."""
    words, known, found = _bare(part).split(), _sayings(), list[Intent | None]()
    courtesy = _data()["courtesy"]["words"]
    while words and len(found) < PARTS_MAX:
        length = next((n for n in range(min(len(words), WORDS_MAX), 0, -1) if " ".join(words[:n]) in known), 0)
        if not length and words[0] not in courtesy:
            return [None]
        found += [known[" ".join(words[:length])]] if length else []
        words = words[max(length, 1) :]
    return found if not words and found else [None]


def _walk(text: str) -> tuple[Intent, int] | None:
    """(undo or redo, how many steps) of `undo the last two changes`, `undo that twice`."""
    walking, words = _data()["walking"], _bare(text).split()[:WORDS_MAX]
    courtesy = _data()["courtesy"]["words"]
    words = [word for word in words if word not in courtesy]
    while words and words[0] in _data()["courtesy"]["no"]:
        words = words[1:]
    for name, intent in (("undo", Intent.UNDO), ("redo", Intent.REDO)):
        verb = next((one.split() for one in walking[name] if words[: len(one.split())] == one.split()), None)
        if verb is None:
            continue
        steps = 1
        for word in words[len(verb) :]:
            number = 2 if word in walking["twice"] else quantities.count(word)
            if word not in walking["of"] and not number:
                return None
            steps = number if number and word not in walking["of"] else steps
        return intent, steps
    return None


def read(text: str) -> Message:
    """What a message is, from its own words alone. Never raises."""
    bare = text.strip().rstrip(".!").strip()
    if not bare:
        return Message(intent=Intent.EMPTY, text="")
    if len(text.encode("utf-8", "replace")) > MESSAGE_BYTES_MAX:
        return Message(intent=Intent.TOO_LONG, text="")
    if (found := _APPROVE.fullmatch(bare)) and _TAKES_BACK.search(found[3] or ""):
        return Message(intent=Intent.APPROVE_WHAT, text=text)  # Whatever it means, it is no clear yes.
    if found:
        digest, role, reason = found.groups()
        return Message(
            intent=Intent.APPROVE, text=text, digest_typed=digest.lower(), role=(role or "").lower().strip(), reason=reason or ""
        )
    if found := _CONFIRM.fullmatch(bare):
        digest, part = found.groups()
        return Message(intent=Intent.APPROVE, text=text, digest_typed=digest.lower(), role=f"confirm {part.lower()}")
    if found := _NEARLY.fullmatch(bare):
        return Message(intent=Intent.APPROVE_WHAT, text=text, digest_typed=found[1].lower())
    if not _bare(bare):
        return Message(intent=Intent.HELP if "?" in bare else Intent.WORDS, text=text)
    if said := _saying(bare):
        return Message(intent=said[1], text=text, subject=said[0] if said[1] is Intent.EXPLAIN else "")
    if plain := _of_parts(bare):
        return Message(intent=plain, text=text)
    if found := _NO_DIGEST.fullmatch(bare):
        return Message(intent=Intent.APPROVE_WHAT, text=text)
    if walk := _walk(bare):
        return Message(intent=walk[0], text=text, subject=str(walk[1]))
    if found := _REMOVE.fullmatch(bare):
        return Message(intent=Intent.REMOVE, text=text, subject=found.group(1) or "")
    if found := _PLAN.fullmatch(bare):
        return Message(intent=Intent.SHOW_PLAN, text=text, subject=found.group(1).lower())
    if found := _AGAIN.fullmatch(bare):
        return Message(intent=_sayings()[_bare(found.group(1))], text=text, subject=found.group(2).lower())
    if found := _BACK.fullmatch(bare):
        return Message(intent=Intent.ROLL_BACK, text=text, subject=found.group(1))
    if found := _RESUME.fullmatch(bare):
        return Message(intent=Intent.RESUME, text=text, subject=found.group(1).lower())
    if found := _LOOK.fullmatch(bare):
        return Message(intent=Intent(found.group(1).lower()), text=text, subject=found.group(2) or "")
    return Message(intent=Intent.WORDS, text=text)
