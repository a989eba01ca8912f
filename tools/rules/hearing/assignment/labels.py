"""What the label of a field or a column is about: `Number of CPUs per machine` above `2` is a number of CPUs and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from tools.rules.hearing.layout.pieces import LABEL_LENGTH_MAX
from tools.rules.hearing.lexicon import listed
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.tokens.cutting import Token, tokens
from tools.rules.hearing.tokens.dates import days
from tools.rules.hearing.words.able import COUNT, counts_part
from tools.rules.hearing.words.dictionary import Lexicon
from tools.rules.hearing.words.meanings import Mark, same

SIZED = frozenset(("cpu_count", "memory", "disk"))
APART = SIZED | {"environment", "network", "os"}
"""What one label may name several of: `CPU / RAM / disk: 4 / 8 / 100`, `Network and environment?`"""
LABEL_TOKENS_MAX = 14
TELEPHONES_MAX = 3
"""Words of who called."""
LABELS_MAX = 8_192
"""That are remembered: forms use the same ones again."""


_DRIVE = re.compile(r"[C-H]")
"""`E: 300 GB` of Windows."""
_KEY = re.compile(r"(?<=[a-z])(?=[A-Z]{1,2}(?:[a-z]|$))|^[\w$]+(?:\.\w+)*\.(?=\w+$)")
"""Within `memoryGB` and before the last word of `vb.memory`."""


class Labelled(NamedTuple):
    """What a label is about."""

    facts: tuple[str, ...] = ()
    unit: str = ""
    """Of a bare number behind it."""
    wishes: tuple[str, ...] = ()
    choice: str = ""
    """The environment that a `yes` behind it says: `Is this for production?`"""
    remark: bool = False
    """What stands behind it tells why, and asks for nothing."""
    part: str = ""
    """The machines of one kind that it is said of: `Worker memory`."""
    bound: bool = False
    """It is the least or the most of what is told elsewhere: `Memory (minimum)`."""


def label_of(scene: Scene, text: str, *, heads_row: bool = False) -> Labelled | None:
    """None when it is the label of nothing that may be asked for. `heads_row`: it stands over a column."""
    return _label_of(scene.words, text, heads_row=heads_row)


def is_label(lexicon: Lexicon, text: str) -> bool:
    return _label_of(lexicon, text, heads_row=False) is not None


@lru_cache(maxsize=LABELS_MAX)
def _label_of(lexicon: Lexicon, text: str, *, heads_row: bool) -> Labelled | None:
    text = _KEY.sub(" ", re.sub(r"[(\[][^)\]]*\d[^)\]]*[)\]]", " ", text).replace("_", " ").replace("vRAM", "RAM"))
    said = tokens(text)
    figures = [t for t in said if t.kind in ("size", "money", "address") or (t.kind == "number" and t.value > 9)]
    if not said or figures or len(text) > LABEL_LENGTH_MAX or len(said) > LABEL_TOKENS_MAX:
        return None
    if _DRIVE.fullmatch(text.strip()):
        return Labelled(("disk",))
    words = [token for token in said if token.kind in ("word", "name")]
    marks = lexicon.marks(said)
    is_of_others = any(same(token.text) in map(same, listed("of_others")) for token in said)
    spelled = " ".join(word.text for word in words)
    if spelled in listed("people") or (0 < len(words) <= 3 and words[-1].text in listed("people")):
        return Labelled(remark=True)
    if said[-1].text in listed("telephones") and len(words) <= TELEPHONES_MAX:
        return None  # `the customer called: 3 of them`
    has_day = any(days(text, date(2000, 1, 1)))
    if not has_day and (
        day := next(
            (n for n in ("needed_by", "until") if spelled in listed(n) or any(_is_day(lexicon, mark, n, said) for mark in marks)), ""
        )
    ):
        return Labelled((day,))
    if any(mark.does("purpose") and mark.first == 0 for mark in marks) or (is_of_others and any(m.does("called") for m in marks)):
        return Labelled(remark=True)
    alone = words[0].text if len(words) == 1 else ""
    if lexicon.is_body(alone) and not alone.endswith("s") and alone != "node" and (heads_row or alone != "host"):
        return Labelled(("name",))
    unit = next((mark.names("unit")[0] for mark in marks if mark.names("unit")), "")
    facts, counts = _facts(marks, len(said))
    if counts and not any(set(mark.names("fact")) & (lexicon.counting - {"count"}) for mark in facts):
        others = [word for word in words if not lexicon.is_body(word.text) and not lexicon.fills(word)]
        return Labelled(("count",), unit) if len(others) <= 2 else None
    if not counts and _is_called(lexicon, said, marks):
        return Labelled(("name",), unit)
    if has_day or (len(words) > 5 and any(mark.does("polite") for mark in marks)):
        return None
    return _about(lexicon, text, said, words, marks, facts, unit)


def _is_day(lexicon: Lexicon, mark: Mark, name: str, said: Sequence[Token]) -> bool:
    others = (token for n, token in enumerate(said) if token.kind in ("word", "name") and not mark.first <= n < mark.last)
    return mark.does(name) and (mark.last - mark.first > 1 or all(lexicon.fills(token) for token in others))


def _facts(marks: Sequence[Mark], length: int) -> tuple[list[Mark], bool]:
    """(what it may be about, whether it asks how many): `Number of CPUs` of `Number of CPUs per machine`."""
    scoped = next((mark.first for mark in marks if mark.does("per", "each", "for") and mark.first), length)
    facts = [mark for mark in marks if mark.has("fact", "wish") and mark.first < scoped]
    asks = next((mark.first for mark in marks if mark.does("how_many")), None)
    counts = asks is not None and all(mark.first > asks for mark in facts)
    if len(facts) > 1:
        facts = [mark for mark in facts if set(mark.names("fact")) != {"count"} or mark.names("wish")] or facts
    return facts, counts


def _is_called(lexicon: Lexicon, said: Sequence[Token], marks: Sequence[Mark]) -> bool:
    """`VM name`, `Hostname of the machine`."""
    called = next((mark for mark in marks if mark.does("called")), None)
    others = [t for n, t in enumerate(said) if t.kind in ("word", "name") and called and not called.first <= n < called.last]
    return called is not None and all(lexicon.is_body(word.text) or lexicon.fills(word) for word in others)


def _about(
    lexicon: Lexicon, text: str, said: Sequence[Token], words: Sequence[Token], marks: Sequence[Mark], facts: Sequence[Mark], unit: str
) -> Labelled | None:
    places = {value for mark in marks for value in mark.choices("environment")}
    if not facts and len(places) == 1 and any(mark.does("ask") and mark.first == 0 for mark in marks):
        return Labelled(("environment",), choice=places.pop())
    if marks and marks[0].first == 0 and marks[0].does("adds"):
        return None  # `add their disk: 100 GB for data`
    is_sentence = len(said) > 6 and not text.rstrip().endswith("?") and facts and facts[0].first > 2
    orders = any(m.does("ask_for", "polite") and not m.does("change", "with", "needed_by") for m in marks)
    asks = len(words) > 4 and orders and not marks[0].does("how_many", "ask")
    begins = len(words) > 2 and any(mark.does("article") and mark.first == 0 for mark in marks)  # `a storage account with containers: raw`
    if not facts or is_sentence or asks or begins:
        return None
    if any(mark.does("sum") for mark in marks):
        return None  # `Total vCPUs`: whether of each or of all is told by the sentence
    joined = any(token.text in "/,+&" for token in said) or any(mark.does("join") for mark in marks)
    if len({name for mark in facts for name in mark.names("fact")} & APART) > 1 and joined:
        return None
    chosen = max(
        facts, key=lambda mark: (mark.last - mark.first, not SIZED.isdisjoint(mark.names("fact")), not mark.has("does"), -mark.first)
    )
    if marks[0].first == 0 and marks[0].does("former") and not {*chosen.names("fact")} & lexicon.placing:
        return Labelled(remark=True)  # `Current RAM`
    either = any(token.text == "/" for token in said)  # `Subnet/VLAN`
    alike = {name for mark in facts if either or set(mark.names("fact")) & set(chosen.names("fact")) for name in mark.names("fact")}
    names_one = same(said[-1].text) in listed("identifiers")
    if alike == {"count"} and (names_one or any(not _builds(lexicon, token, marks, n) for n, token in enumerate(said))):
        return None  # `VM id`, `server owner`
    plain = {name.partition("_")[2] for name in alike} & SIZED - alike  # `Disk per server`, where a server is no part of anything
    counted = [name for mark in facts if mark is not chosen for name in mark.names("fact") if counts_part(name)]
    spelled = [f"{same(word.text)}s" for word in words[:1] if lexicon.is_body(word.text) and len(words) == 2]  # `server_cpu`
    part = next(iter([*(name.removesuffix(f"_{COUNT}") for name in counted), *spelled]), "")
    own = sorted(chosen.names("fact"))
    facts_ = (*own, *sorted(alike - {*own}), *sorted(plain))
    return Labelled(facts_, unit, chosen.names("wish"), bound=any(mark.does("bound") for mark in marks), part=part)


def _builds(lexicon: Lexicon, token: Token, marks: Sequence[Mark], number: int) -> bool:
    """It means something, or asks for nothing."""
    known = any(mark.first <= number < mark.last for mark in marks) or lexicon.is_body(token.text)
    return token.kind not in ("word", "name") or known or lexicon.fills(token)


def is_section(lexicon: Lexicon, text: str) -> bool:
    """A heading that is an environment and nothing else."""
    said = tokens(text)
    marks = lexicon.marks(said) if len(said) <= 3 else []
    return (
        not any(mark.does("needed_by") for mark in marks)
        and any(mark.choices("environment") for mark in marks)
        and all(mark.choices("environment") or mark.names("part") for mark in marks)
    )
