"""A chat that is pasted: who says what, one after the other. What a later speaker says is heard as a later message would be, so that `make
it 8` changes what somebody else asked for. Fields of a form are no speakers."""

from __future__ import annotations

import re

from tools.rules.hearing.layout.cleaning import clean
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.words.dictionary import Catalogue

TURNS_MAX = 20
_TURN = re.compile(
    r"^[ \t]*(?P<time>\[?\d{1,2}:\d\d(?::\d\d)?(?: ?[AP]M)?\]?[ \t]+)?<?(?P<who>@?[^\W\d_][\w.-]{1,24})>?:[ \t]+(?=\S)", re.MULTILINE
)
ANSWERS = ("mends", "change", "deny", "affirm", "prefer", "them", "polite", "instead")


def turns(text: str, catalogue: Catalogue) -> list[str]:
    """What each says, in their order; the whole text where it is no chat."""
    found = list(_TURN.finditer(text))
    if not 2 <= len(found) <= TURNS_MAX or len({match["who"].lower() for match in found}) < 2 or text[: found[0].start()].strip():
        return [text]
    ends = [*(match.start() for match in found[1:]), len(text)]
    said = [text[match.end() : end].strip() for match, end in zip(found, ends, strict=True)]
    scene = Scene.of(text, clean(text), catalogue)
    names = [scene.tokens_between(match.start("who"), match.end("who"))[0] for match in found]
    known = any(scene.at(i).meanings or scene.fills(i) or scene.mention_at(i) or scene.is_listed(i, "of_others", "no_role") for i in names)
    firsts = [scene.tokens_between(match.end(), end) for match, end in zip(found, ends, strict=True)]
    timed = all(match["time"] for match in found)
    answered = any(scene.any_does(first, min(first + 3, last), *ANSWERS) for first, last in firsts[1:])
    again = len({match["who"].lower() for match in found}) < len(found)
    return said if not known and (timed or answered or again) else [text]
