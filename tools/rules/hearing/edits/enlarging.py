"""Whether what a message adds is to be part of what runs: `add a redis to it`. Where these words stand without a verb that adds (`connect
it to them`), they say nothing of the kind."""

from __future__ import annotations

from functools import cache

from tools.rules.hearing.lexicon import listed
from tools.rules.hearing.scene import Scene


def joins_what_runs(scene: Scene) -> bool:
    known = _phrases()
    begun = [(i, known[token.text]) for i, token in enumerate(scene.said) if token.text in known]
    return any(_adds(scene, i) for i, phrases in begun if any(_stands(scene, i, phrase) for phrase in phrases))


@cache
def _phrases() -> dict[str, list[tuple[str, ...]]]:
    """By their first words."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for phrase in sorted(listed("to_it")):
        found.setdefault(phrase.split()[0], []).append(tuple(phrase.split()))
    return found


def _stands(scene: Scene, first: int, phrase: tuple[str, ...]) -> bool:
    return all(scene.is_text(first + n, word) for n, word in enumerate(phrase))


def _adds(scene: Scene, number: int) -> bool:
    """Before it in its clause, or behind it (`ona bir redis ekle`), and no other verb between."""
    if scene.is_listed(number, "adding"):
        return True  # `ajoutez-y`
    for step in (-1, 1):
        i = number + step
        while not scene.stops(i) and not scene.denied[i]:
            if scene.is_listed(i, "adding"):
                return True
            is_another_verb = scene.does(i, "change", "ask_for", "remove", "reaches", "because") or scene.at(i).names("relation")
            if is_another_verb or _is_another_clause(scene, i):
                break
            i += step
    return False


def _is_another_clause(scene: Scene, number: int) -> bool:
    """A comma or an `and` that no further thing stands behind: `add a redis and connect the web server to it`."""
    joins = scene.is_text(number, ",") or scene.does(number, "join")
    after = number + 1
    return joins and not (scene.does(after, "article", "owned", "join") or scene.kind(after) == "number" or scene.mention_at(after))
