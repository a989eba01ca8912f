"""What of a message was used for nothing: told to the operator in whole phrases, so that no wish is dropped without a word."""

from __future__ import annotations

from collections.abc import Iterable

from tools.rules.hearing.lexicon import listed
from tools.rules.hearing.scene import Scene
from tools.rules.hearing.seen import STOPS

PHRASES_MAX = 60
"""Of one message; beyond it nobody reads on."""
PHRASE_LENGTH_MAX = 160
NAME_WORDS_MAX = 3
"""Of whoever signs."""
ENDS = STOPS | set(',()|"“”:')


def give_back(scene: Scene, quotes: Iterable[str]) -> None:
    """Figures that were taken up and came to nothing, since a later one won or their thing was dropped, are of no use after all, with the
    words around them. `quotes` are of everything that was made of the message."""
    told = bytearray(scene.settled)
    for quote in set(quotes) - {""}:
        start = scene.text.find(quote)
        while start >= 0:
            first, last = scene.tokens_between(start, start + len(quote))
            told[first:last] = b"\1" * (last - first)
            start = scene.text.find(quote, start + len(quote))
    for i in scene.figures():
        first = last = i
        if told[i]:
            continue
        while first > 0 and scene.used[first - 1] and not told[first - 1] and scene.said[first - 1].text not in ENDS:
            first -= 1
        while last < len(scene.said) and scene.used[last] and not told[last] and scene.said[last].text not in ENDS:
            last += 1
        scene.used[first:last] = bytes(last - first)


def sign_off(scene: Scene) -> None:
    """`Thanks, Anna`, `viele Grüße, Jens Müller`: whoever writes, at the end of a message."""
    end = len(scene.said)
    while end and scene.is_text(end - 1, *ENDS):
        end -= 1
    first = end
    while first > max(end - NAME_WORDS_MAX, 0) and scene.is_plain_word(first - 1):
        first -= 1
    before = first - 1
    while before > first - 3 and scene.is_text(before, ",", "\n", "!", "."):
        before -= 1
    words = {word for closing in listed("closing") for word in closing.split()}
    if first < end and before < first - 1 and scene.token(before).text in words:
        scene.settle(first, end)


def unused(scene: Scene) -> tuple[str, ...]:
    """Phrases in the operator's own spelling; a phrase ends where a clause does, or where something was used."""
    phrases, first = list[str](), 0
    for i in range(len(scene.said) + 1):
        if i == len(scene.said) or scene.used[i] or scene.said[i].text in ENDS:
            if i > first:
                phrases.append(_phrase(scene, first, i))
            first = i + 1
    return tuple(dict.fromkeys(filter(None, phrases)))[:PHRASES_MAX]


def _phrase(scene: Scene, first: int, last: int) -> str:
    telling = [i for i in range(first, last) if _tells(scene, i)]
    if not telling:
        return ""
    if scene.is_text(first - 1, ":", "=") and any(one in scene.token(first - 2).text for one in listed("secrets")):
        return ""  # `POSTGRES_PASSWORD: …`
    secret = next((i for i in range(first, last) if scene.is_listed(i, "secrets")), None)
    if secret is not None:
        return scene.said[secret].text
    while first < telling[0] and not scene.does(first, "deny") and (scene.fills(first) or scene.kind(first) == "mark"):
        first += 1
    phrase = " ".join(scene.quote(first, telling[-1] + 1).split()).rstrip(".:")
    return phrase if len(phrase) <= PHRASE_LENGTH_MAX else f"{phrase[:PHRASE_LENGTH_MAX]} …"


def _tells(scene: Scene, number: int) -> bool:
    """It says something by itself."""
    token, mark = scene.said[number], scene.at(number)
    if (token.kind == "mark" and not token.text.isdecimal()) or scene.fills(number) or (token.kind == "word" and len(token.text) == 1):
        return False
    return not mark.meanings or mark.has("fact", "choice", "wish", "service", "body") or mark.does("double", "half")
