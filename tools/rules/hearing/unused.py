"""What of a message was used for nothing: told to the operator in whole phrases, so that no wish is dropped without a word."""

from __future__ import annotations

from tools.rules.hearing.scene import STOPS, Scene
from tools.values.request import Doubt

PHRASES_MAX = 60
"""Of one message; beyond it nobody reads on."""
PHRASE_LENGTH_MAX = 160
SECRETS = frozenset(("password", "passwd", "passphrase", "secret", "token", "key", "private"))
"""What stands beside these is not said again."""


def unused(scene: Scene, doubts: tuple[Doubt, ...]) -> tuple[str, ...]:
    """Phrases in the operator's own spelling; a phrase ends where a clause does, or where something was used."""
    phrases: list[str] = []
    begin: int | None = None
    for i in range(len(scene.said) + 1):
        token = scene.token(i)
        ends = token is None or scene.used[i] or token.text in STOPS or token.text in ',()|"“”:'
        if not ends and begin is None:
            begin = i
        if ends and begin is not None:
            phrase = _phrase(scene, begin, i)
            if phrase:
                phrases.append(phrase)
            begin = None
    return tuple(dict.fromkeys(phrases))[:PHRASES_MAX]


def _phrase(scene: Scene, first: int, last: int) -> str:
    telling = [i for i in range(first, last) if _tells(scene, i)]
    if not telling:
        return ""
    secret = next((scene.said[i].text for i in range(first, last) if scene.said[i].text in SECRETS), "")
    if secret:
        return secret
    while (
        first < telling[0]
        and not scene.at(first).does("deny")
        and (scene.words.fills(scene.said[first]) or scene.said[first].kind == "mark")
    ):
        first += 1
    end = telling[-1] + 1
    phrase = " ".join(scene.quote(first, end).split()).rstrip(".:")
    return phrase if len(phrase) <= PHRASE_LENGTH_MAX else f"{phrase[:PHRASE_LENGTH_MAX]} …"


def _tells(scene: Scene, number: int) -> bool:
    """It says something by itself."""
    token, mark = scene.said[number], scene.at(number)
    if token.kind == "mark" or scene.words.fills(token):
        return False
    if token.kind == "word" and len(token.text) == 1:
        return False
    structural = mark.meanings and all(one.kind in ("does", "part", "unit", "relation") for one in mark.meanings)
    return not structural or mark.does("double", "half")
