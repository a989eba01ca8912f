"""Firewall ports: what is understood and asked, where the rule stands among the others, and that nobody is let in by accident."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.hearing.facts import plain, said
from tools.capabilities.azure_firewall_ports.choices import free_priority
from tools.platforms import estimate
from tools.rules.azure.checks import cloud_of
from tools.rules.plans.policy import document, judge, refused
from tools.values.snapshot import SecurityRule, SubscriptionSnapshot

from . import bodies
from .conftest import POLICY, Folder, Look, composed, errors, offered, situation, wanted_changes
from .test_databricks import needs_of, values

SHARED = "open ports 443 and 8080 from 10.1.0.0/16 on nsg-shared"


@pytest.mark.parametrize(
    ("words", "ports", "sources"),
    [
        (SHARED, ("443", "8080"), ("10.1.0.0/16",)),
        ("open port 22 from 203.0.113.7", ("22",), ("203.0.113.7/32",)),
        ("open ports 8000-8100, 9000 from 10.0.0.5 and 10.2.0.0/16", ("8000-8100", "9000"), ("10.0.0.5/32", "10.2.0.0/16")),
        ("firewall: 443/tcp from anywhere", ("443",), ("Internet",)),
        ("open port 443 from 0.0.0.0/0", ("443",), ("Internet",)),
        ("open port 443 from 10.1.2.3/16", ("443",), ("10.1.0.0/16",)),
    ],
)
def test_what_is_understood(words: str, ports: tuple[str, ...], sources: tuple[str, ...]) -> None:
    needs = needs_of(words)
    assert not needs.missing
    assert not needs.problems
    assert values(needs, "ports", "sources", "public_exposure") == (ports, sources, sources == ("Internet",))


@pytest.mark.parametrize(("words", "missing"), [("open port 443", {"sources"}), ("firewall rule from 10.0.0.0/16", {"ports"})])
def test_ports_and_sources_are_asked_for(words: str, missing: set[str]) -> None:
    assert {m.name for m in needs_of(words).missing} == missing


def test_a_bare_answer_is_understood() -> None:
    so_far = said("open port 443 on nsg-shared")
    request = said("10.1.0.0/16", so_far=so_far, asked=(("azure_firewall_ports", "sources"),))
    assert plain(request) == {"azure_firewall_ports": {"ports": "443", "security_group": "nsg-shared", "sources": "10.1.0.0/16"}}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("open port 22 from anywhere", "Port 22 is not opened to the whole internet"),
        ("open ports 3000-4000 from the internet", "Port 3389 is not opened to the whole internet"),
        ("open port 22 from 0.0.0.0/1", "Port 22 is not opened to the whole internet"),
        ("open port 99999 from 10.0.0.0/16", "from 1 to 65535"),
        ("open port 0 from 10.0.0.0/16", "from 1 to 65535"),
        ("open port -5 from 10.0.0.0/16", "from 1 to 65535"),
        ("open ports 100-50 from 10.0.0.0/16", "from 1 to 65535"),
        ("open port 443 from 10.0.0.0/99", "is no address"),
        ("open port 443 from 300.1.1.1", "is no address"),
    ],
)
def test_what_cannot_be_taken_is_told(words: str, said: str) -> None:
    assert said in " ".join(needs_of(words).problems)


def rule(name: str, priority: int, *, allow: bool = True) -> SecurityRule:
    return SecurityRule(group_id="nsg", name=name, priority=priority, inbound=True, allow=allow)


@pytest.mark.parametrize(
    ("rules", "priority"),
    [
        ((), 100),
        ((rule("a", 100),), 110),
        ((rule("a", 100), rule("b", 110)), 120),
        ((rule("a", 100), rule("no", 105, allow=False)), 101),
        ((rule("no", 100, allow=False),), 101),
        (tuple(rule(str(p), p) for p in range(100, 4097)), 0),
    ],
)
def test_the_priority_is_free_and_before_every_refusal(rules: tuple[SecurityRule, ...], priority: int) -> None:
    assert free_priority(rules) == priority


@pytest.mark.parametrize(
    ("group", "counter_offer"),
    [("nsg-sharde", "It would fit on nsg-shared."), ("nsg-zzzzzz", "Without a name, a new security group is made.")],
)
def test_an_unknown_group_is_told(seen: SubscriptionSnapshot, group: str, counter_offer: str) -> None:
    offer = offered(f"open port 443 from 10.1.0.0/16 on {group}", seen).parts[0]
    assert not offer.candidates
    assert offer.counter_offer == counter_offer


def test_the_internet_needs_a_word_of_its_own_and_security(seen: SubscriptionSnapshot) -> None:
    made = composed("open port 443 from anywhere in eastus", seen)
    part = made.parts[0]
    assert part.confirm == "It opens port 443 to the whole internet."
    assert errors(part, seen) == set()
    cost = estimate(made.parts, situation(seen))
    assert dict(judge(POLICY, document(part, cost, requester="tester", team="")).approvals).keys() == {"security"}
    closed = composed(SHARED, seen).parts[0]
    assert closed.confirm == ""
    # A manifest that somebody else composed is looked at all the same.
    wide = {**closed.variables, "rules": [{**closed.variables["rules"][0], "ports": ["20-30"], "sources": ["Internet"]}]}
    assert errors(closed.model_copy(update={"variables": wide}), seen) == {"exposure"}


def test_review_finds_what_has_moved(seen: SubscriptionSnapshot) -> None:
    part = composed(SHARED, seen).parts[0]
    mine = part.variables["rules"][0]
    group_id = seen.security_rules[0].group_id
    assert (mine["name"], mine["priority"]) == ("allow-tcp-443-8080", 110)
    other = SecurityRule(group_id=group_id, name="allow-TCP-443-8080", priority=110, inbound=True, allow=True)
    assert errors(part, seen.model_copy(update={"security_rules": (other,)})) == {"priority.free", "name.free"}
    outbound = other.model_copy(update={"name": "out", "inbound": False})
    assert errors(part, seen.model_copy(update={"security_rules": (outbound,)})) == set()
    assert errors(part, seen.model_copy(update={"resources": ()})) == {"group.there"}


@pytest.mark.parametrize("words", [SHARED, "open port 443 from 10.1.0.0/16 and 10.2.0.0/16 in eastus"])
def test_from_a_sentence_to_an_empty_plan_and_back(folder: Callable[[str], Folder], look: Look, words: str) -> None:
    before = look()
    part = composed(words, before).parts[0]
    place = folder(part.module)
    place.vary(part)
    plan = place.plan()
    assert bodies.faults(plan) == []
    assert refused(POLICY, part, plan) == ()
    place.apply()
    assert wanted_changes(place.plan()) == []
    after = look()
    assert len(after.security_rules) == len(before.security_rules) + 1, "what was there stays"
    # Another owner in the run's tags puts no group again, which would lose the rules.
    place.vary(part, tags={**dict(cloud_of(part).tags), "owner": "somebody-else"})
    assert not [one for one in wanted_changes(place.plan()) if "security_group" in one]
    again = composed(SHARED, after).parts[0].variables["rules"][0]
    assert again["priority"] != part.variables["rules"][0]["priority"] or words != SHARED
    place.plan(destroy=True)
    place.apply()
    assert look().security_rules == before.security_rules
