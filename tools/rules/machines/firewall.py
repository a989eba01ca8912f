"""What a machine's firewall on a cluster lets in: the ports that were said of it, those that it serves, and those by which it is reached
and watched. Without a port that was said, nothing is shut. Whether it counts is the datacentre's to say, and is told before a plan."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

from tools.rules.machines.watching import NODE
from tools.rules.names.scanned import display, number, rows
from tools.rules.request.ports import Ports, all_ports
from tools.values.machine import Machine, Rule
from tools.values.manifest import Part
from tools.values.review import Fault, Severity, fault
from tools.values.snapshot import ClusterSnapshot
from tools.values.value import Json, Value

SSH = Ports(22, 22, "tcp", ())
CARDS_MAX = 32
"""Of a machine of Proxmox VE."""
OWN_NETWORK = "its own network"
"""Of a system whose machines need one another, by ports that are many and their own business."""


def with_rules(part: Part, served: Iterable[str]) -> Part:
    """With its rules, where ports were said of it. One that has a firewall keeps it, whatever is said: a port is shut by leaving it out."""
    if not part.needs.strings("ports") and not any(machine.rules for machine in part.machines):
        return part
    opened = tuple(dict.fromkeys((*served, *(str(one) for one in _endpoints(part)))))
    machines = tuple(one.model_copy(update={"rules": tuple(_rules(part, one, all_ports(opened)))}) for one in part.machines)
    facts = dict(part.facts) | {"firewall": spell(machines[0].rules) if machines else ""}
    return part.model_copy(update={"machines": machines, "facts": tuple(facts.items())})


def _endpoints(part: Part) -> Iterator[int]:
    return (one.port for one in part.endpoints)


def _rules(part: Part, machine: Machine, served: tuple[Ports, ...]) -> Iterator[Rule]:
    """What is its own comes in from wherever, unless something narrower was said of it."""
    said = all_ports(part.needs.strings("ports"))
    figures = (NODE, *(one for one in part.exporters if one.group in ("", machine.group)))
    own = (("SSH", SSH), *(("served", one) for one in served), *((one.job, Ports(one.port, one.port, "tcp", ())) for one in figures))
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


def _span(one: Ports) -> str:
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
    shut = [one for one in part.machines if one.rules]
    lost = next((one.name for one in shut if need_one_another(part) and not needed_network(part)), "")
    yield "firewall.network", Severity.ERROR, fault("firewall.network", machine=lost) if lost else None
    narrow = next((rule.source for one in shut for rule in one.rules if _is_ssh(rule) and rule.source), "")
    yield "firewall.ssh", Severity.WARNING, fault("firewall.ssh", sources=narrow.replace(",", " and ")) if narrow else None
    there = {guest.vm_id for guest in seen.guests}
    ruled = {template.vm_id: template.name for template in seen.templates if template.rules_count}
    taken = next((ruled[one.template_vm_id] for one in shut if one.template_vm_id in ruled and one.vm_id not in there), "")
    yield "firewall.template", Severity.ERROR, fault("firewall.template", template=taken) if taken else None
    off = bool(shut) and seen.firewall_on is False
    yield "firewall.on", Severity.WARNING, fault("firewall.off") if off else None


def _is_ssh(rule: Rule) -> bool:
    low, _, high = rule.ports.partition(":")
    return rule.protocol == "tcp" and low.isdecimal() and int(low) <= SSH.low <= int(high or low)


# What a cluster has


def left_out(config: Mapping[str, Json]) -> tuple[str, ...]:
    """Cards of a guest's configuration that its firewall leaves out."""
    names = (f"net{number}" for number in range(CARDS_MAX))
    return tuple(name for name in names if name in config and "firewall=1" not in str(config[name]).split(","))


class Firewall(Value):
    """A machine's firewall as its cluster has it now."""

    on: bool
    drops: bool
    """What no rule lets in."""
    rules: tuple[tuple[str, ...], ...]
    """(direction, action, protocol, ports, source) of those that are on, in their order; a sixth and more say what else they name."""
    left_out: tuple[str, ...] = ()
    """Cards of the machine that it leaves out: `net0`."""


_RULE = ("type", "action", "proto", "dport", "source")
_BESIDES = ("dest", "sport", "macro", "iface", "icmp-type")


def firewall_of(options: Json, told: Json, left_out: tuple[str, ...]) -> Firewall:
    """From a guest's `firewall/options` and `firewall/rules`."""
    known = options if isinstance(options, dict) else {}
    found = (row for row in rows(told) if number(row, "enable"))
    each = (
        (*(display(row.get(name) or "") for name in _RULE), *(f"{name} {display(row[name])}" for name in _BESIDES if row.get(name)))
        for row in found
    )
    # A policy that nobody set is Proxmox VE's own: it drops.
    return Firewall(
        on=bool(number(known, "enable")), drops=known.get("policy_in", "DROP") != "ACCEPT", rules=tuple(each), left_out=left_out
    )


def spell_seen(found: Firewall) -> tuple[str, ...]:
    """What its rules let in, each as `443 from 10.0.0.0/8`; a rule of another kind stands as it is."""
    return tuple(
        (f"{ports or 'everything'}{'' if proto in ('', 'tcp') else f'/{proto}'}" + (f" from {source}" if source else ""))
        if (direction, action, besides) == ("in", "ACCEPT", [])
        else " ".join(filter(None, (direction, action, proto, ports, source, *besides)))
        for direction, action, proto, ports, source, *besides in found.rules
        if direction != "out"
    )


def differences(machine: Machine, found: Firewall) -> tuple[str, ...]:
    """What of its firewall is not as it was approved, a sentence each."""
    return tuple(_differences(machine, found)) if machine.rules else ()


def _differences(machine: Machine, found: Firewall) -> Iterator[str]:
    whose = f"The firewall of {machine.name} (VM {machine.vm_id})"
    if not found.on:
        yield f"{whose} is off."
    if not found.drops:
        yield f"{whose} lets in what no rule names."
    if found.left_out:
        yield f"{whose} leaves out {', '.join(found.left_out)}."
    wanted = [("in", "ACCEPT", rule.protocol, rule.ports, rule.source) for rule in machine.rules]
    if more := [one for one in found.rules if one not in wanted]:
        yield f"{whose} has a rule that was not approved: {' '.join(filter(None, more[0]))}."
    if less := [one for one in wanted if one not in found.rules]:
        yield f"{whose} lacks a rule: {' '.join(filter(None, less[0]))}."


def as_approved(machine: Machine) -> str:
    """The sentence of what was looked at and is so. Of the datacentre's own switch it says nothing: that is told before a plan."""
    count = len(machine.rules)
    return (
        f"The firewall of {machine.name} is on, with {count} rule{'' if count == 1 else 's'} as approved. "
        f"{'It counts' if count == 1 else 'They count'} while the datacentre's is on."
    )
