"""Ports that come to those that there are, and that stand for others: `also 8080`, `8443 from 10.0.0.0/8`, `not 8080, 8443`, `only 443`."""

from __future__ import annotations

from tools.rules.hearing.assignment.ports import ports_at
from tools.rules.hearing.assignment.stretch import Stretch
from tools.rules.hearing.assignment.thing import Thing
from tools.rules.hearing.assignment.things import Message
from tools.rules.hearing.assignment.values import Amount

WORDS_MAX = 14
"""Tokens of a message that says nothing but ports."""


def changes_ports(message: Message, thing: Thing, at: Stretch, number: Amount) -> bool:
    """Where ports are said, and nothing else, whether this number is one."""
    ports, scene = at.able.named("ports"), at.scene
    before = message.before(thing, ports) if ports else None
    if before is None or len(scene.said) > WORDS_MAX or thing.facts.keys() - {ports, "addresses"}:
        return False
    there, (end, said) = before.value.split(", "), ports_at(scene, number.first, at.last)
    denied = {scene.said[i].text for i in range(at.first, at.last) if scene.denied[i] or scene.does(i - 1, "deny")}  # `no 80`
    said = [one for one in said if one.split()[0] not in denied]
    gone = [port for port in there if port.split()[0] in denied]
    if scene.any_does(at.first, number.first, "only") and said:
        there = []
    elif not (gone or scene.any_does(0, len(scene.said), "too") or scene.does(0, "join") or any(" from " in one for one in said)):
        return False
    value = ", ".join(dict.fromkeys((*(port for port in there if port not in gone), *said)))
    at.say(ports, value, number.first, max(end, number.last))
    return True
