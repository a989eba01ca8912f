"""Reads public SSH keys, and warns of private ones without repeating them."""

from __future__ import annotations

import re

from tools.rules.hearing.readers.stretch import Stretch
from tools.rules.hearing.wording import Span, find
from tools.values.wanted import Wanted

_KEY = re.compile(
    r"(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-nistp\d{3}|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)"
    r" +[A-Za-z0-9+/]{20,4000}={0,3}(?: +[^\s\"']{1,200})?"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
_KEY_END = re.compile(r"-----END [A-Z ]{0,40}-----")
_NO_KEY = ("no key", "no public key", "no ssh key", "without a key", "without key")


def read_keys(stretch: Stretch, wanted: list[Wanted], own_words: tuple[str, ...]) -> None:
    take_keys(stretch, wanted)
    for span in find(_NO_KEY, stretch.free):
        stretch.say(wanted[0].name, "no key", span)
        stretch.take(span)


def take_keys(stretch: Stretch, wanted: list[Wanted]) -> None:
    """Public keys are kept whole. Of a private key only its first line is repeated, so that the operator can be warned."""
    for pattern in (_KEY, _PRIVATE_KEY):
        for match in pattern.finditer(stretch.text):
            for one in wanted[:1]:
                stretch.say(one.name, match.group(), Span(*match.span()))
            end = _KEY_END.search(stretch.text, match.end()) if pattern is _PRIVATE_KEY else match
            stretch.take(Span(match.start(), end.end() if end else len(stretch.text)))
