"""What a machine's firewall on a cluster lets in: the ports that were said of it, those that it serves, and those by which it is reached
and watched. Without a port that was said, nothing is shut. Whether it counts is the datacentre's to say, and is told before a plan."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from tools.rules.machines.watching import NODE
from tools.rules.request.doors import Door, doors
from tools.values.machine import Machine, Rule
from tools.values.manifest import Part
from tools.values.review import Fault, Severity, fault
from tools.values.snapshot import ClusterSnapshot

SSH = Door(22, 22, "tcp", ())
OWN_NETWORK = "its own network"
"""Of a system whose machines need one another, by ports that are many and their own business."""


def guard(part: Part, served: Iterable[str]) -> Part:
    """With its rules, where ports were said of it. One that has a firewall keeps it, whatever is said: a port is shut by leaving it out."""
    if not part.needs.strings("ports") and not any(machine.rules for machine in part.machines):
        return part
    opened = tuple(dict.fromkeys((*served, *(str(one) for one in _endpoints(part)))))
    machines = tuple(one.model_copy(update={"rules": tuple(_rules(part, one, doors(opened)))}) for one in part.machines)
    facts = dict(part.facts) | {"firewall": spell(machines[0].rules) if machines else ""}
    return part.model_copy(update={"machines": machines, "facts": tuple(facts.items())})


def _endpoints(part: Part) -> Iterator[int]:
    return (one.port for one in part.endpoints)


def _rules(part: Part, machine: Machine, served: tuple[Door, ...]) -> Iterator[Rule]:
    """What is its own comes in from wherever, unless something narrower was said of it."""
    said = doors(part.needs.strings("ports"))
    figures = (NODE, *(one for one in part.exporters if one.group in ("", machine.group)))
    own = (("SSH", SSH), *(("served", one) for one in served), *((one.job, Door(one.port, one.port, "tcp", ())) for one in figures))
    told: set[Rule] = set()
    for because, one in (*own, *(("asked for", one) for one in said)):
        if because != "asked for" and any(other.holds(one) for other in said):
            continue
        for sources in _by_version(one.sources):
            rule = Rule(protocol=one.protocol, ports=_span(one), source=",".join(sources), comment=f"Berth: {because}")
            if (same := rule.model_copy(update={"comment": ""})) not in told:
                told.add(same)
                yield rule
    if network := needed_network(part):
        yield Rule(source=network, comment=f"Berth: {OWN_NETWORK}")


def _by_version(sources: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """A rule of Proxmox VE speaks of IPv4 or of IPv6."""
    each = tuple(tuple(one for one in sources if ipaddress.ip_network(one).version == version) for version in (4, 6))
    return tuple(one for one in each if one) or ((),)


def _span(one: Door) -> str:
    return f"{one.low}:{one.high}" if one.high > one.low else str(one.low)


def need_one_another(part: Part) -> bool:
    return bool(part.needs.groups or part.needs.virtual_addresses)


def needed_network(part: Part) -> str:
    """The network by which the machines of such a system reach one another; empty where it is not known, or not needed."""
    subnet = str(dict(part.facts).get("subnet", ""))
    return str(ipaddress.ip_network(subnet, strict=False)) if need_one_another(part) and subnet else ""


def spell(rules: Iterable[Rule]) -> str:
    """`22, 443 from 10.0.0.0/8, everything from 10.20.0.0/24`."""
    return ", ".join(map(spell_rule, rules))


def spell_rule(rule: Rule) -> str:
    span = rule.ports.replace(":", "-") + ("" if rule.protocol in ("", "tcp") else f"/{rule.protocol}")
    return (span or "everything") + (f" from {rule.source.replace(',', ' and ')}" if rule.source else "")


# What is told before a plan


def findings(part: Part, seen: ClusterSnapshot) -> Iterator[tuple[str, Severity, Fault | None]]:
    """(check, how bad, what was found)."""
    guarded = [one for one in part.machines if one.rules]
    lost = next((one.name for one in guarded if need_one_another(part) and not needed_network(part)), "")
    yield "firewall.network", Severity.ERROR, fault("firewall.network", machine=lost) if lost else None
    narrow = next((rule.source for one in guarded for rule in one.rules if _is_ssh(rule) and rule.source), "")
    yield "firewall.ssh", Severity.WARNING, fault("firewall.ssh", sources=narrow.replace(",", " and ")) if narrow else None
    off = bool(guarded) and seen.firewall_on is False
    yield "firewall.on", Severity.WARNING, fault("firewall.off", machine=guarded[0].name) if off else None


def _is_ssh(rule: Rule) -> bool:
    low, _, high = rule.ports.partition(":")
    return rule.protocol == "tcp" and low.isdecimal() and int(low) <= SSH.low <= int(high or low)
