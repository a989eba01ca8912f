"""Parts of one request count each other: where they are offered, where they are reviewed, and in what is said of them."""

from __future__ import annotations

import re

from clusters import GIB, SITE, facts, four_nodes, guest, node
from machine_chain import situation

from tools.capabilities import chain
from tools.rules.names.text import spell_of
from tools.rules.plans.picking import pick_by_rule
from tools.rules.words.telling import arithmetic
from tools.values.manifest import Part
from tools.values.offer import Pick, Proposal
from tools.values.request import Item, Request
from tools.values.requirements import Requirements
from tools.values.review import THE_CLUSTER
from tools.values.site import Reserved
from tools.values.snapshot import ClusterSnapshot

VM = {"cpu_count": "2", "memory": "40 GB", "disk": "20 GB", "network": "20", "environment": "development"}


def wanted(count: int) -> Requirements:
    items = tuple(Item(capability="virtual_machine", label=f"vm-{i}", facts=facts(**VM)) for i in range(count))
    requirements = chain.understand(Request(items=items), SITE, "operator")
    assert requirements.complete
    return requirements


def two_nodes(**changes: object) -> ClusterSnapshot:
    """Room for one such machine on each."""
    return four_nodes(nodes=(node("pve1", memory_gib=64, used_gib=0), node("pve2", memory_gib=64, used_gib=0)), guests=(), **changes)


def test_what_is_offered_to_one_part_is_not_offered_to_the_next() -> None:
    offer = chain.offer(wanted(3), situation(two_nodes()))
    assert [[c.id.split("/")[0] for c in part.candidates][:1] for part in offer.parts] == [["pve1"], ["pve2"], []]


def test_a_parts_sums_count_the_other_parts_as_this_request() -> None:
    requirements, at = wanted(2), situation(four_nodes(nodes=(node("pve1", memory_gib=256, used_gib=0),), guests=()))
    offer = chain.offer(requirements, at)
    manifest = chain.compose(requirements, offer, pick_by_rule(offer), at)
    told = {one.subject: dict(one.terms) for one in arithmetic(manifest).values[0]}
    assert told["memory of pve1"]["this request"] == 80 * 1024
    assert told["processors of pve1"]["this request"] == 4
    assert len(arithmetic(manifest).values[0]) == len(told)


def test_sums_are_made_anew_from_what_a_model_chose() -> None:
    """Of the numbers that it settled, and of the parts beside which the others now stand."""
    said = facts(users="100", network="20", environment="development")
    items = tuple(Item(capability="postgresql", label=f"db-{i}", facts=said) for i in range(2))
    requirements, at = chain.understand(Request(items=items), SITE, "operator"), situation(four_nodes())
    offer = chain.offer(requirements, at)
    first, second = offer.parts
    [memory] = [one for one in first.ranges if one.name == "memory_mib"]
    node = first.candidates[1].places[0].node
    there = next(one for one in second.candidates if one.places[0].node == node)
    picks = (
        Pick(label=first.label, candidate=first.candidates[1].id, settings=(("memory_mib", memory.high),)),
        Pick(label=second.label, candidate=there.id),
    )
    manifest = chain.compose(requirements, offer, Proposal(made_by="model", picks=picks), at)
    assert [part.machines[0].memory_mib for part in manifest.parts] == [memory.high, memory.default]
    told = {one.subject: one for one in arithmetic(manifest).values[0]}
    assert dict(told[f"memory of {node}"].terms)["this request"] == memory.high + memory.default
    for part in manifest.parts:
        tightest = max(part.sums, key=lambda one: one.fullness)
        assert f"{tightest.subject}, {spell_of(tightest.total, tightest.limit, tightest.unit)} used after this change" in part.because
    certified = {one.name: one.memory_after_mib for one in manifest.certificate.nodes}  # type: ignore[union-attr]
    assert told[f"memory of {node}"].total == certified[node], "and a second program comes to the same"


def test_what_is_so_of_the_whole_cluster_is_said_once() -> None:
    crowd = (guest(100, "large", "pve1", memory_gib=60),)
    nodes = (node("pve1", used_gib=0), node("pve2", memory_gib=56, used_gib=0), node("pve3", used_gib=0, memory_gib=56))
    requirements, at = wanted(2), situation(four_nodes(nodes=nodes, guests=crowd))
    offer = chain.offer(requirements, at)
    review = chain.review(chain.compose(requirements, offer, pick_by_rule(offer), at), at)
    assert [(f.check, f.subject) for f in review.findings] == [("failover.memory", THE_CLUSTER)]


def test_disks_of_one_conversation_count_in_another() -> None:
    requirements, at = wanted(1), situation(four_nodes())
    offer = chain.offer(requirements, at)
    part = chain.compose(requirements, offer, pick_by_rule(offer), at).parts[0]
    again = chain.offer(requirements, situation(four_nodes(), chain.reserves(part))).parts[0].candidates
    same = next(c for c in again if c.places == (part.machines[0].placement,))
    [disk] = [one for one in same.sums if one.subject.startswith("storage ")]
    assert dict(disk.terms)["reserved"] == 20
    assert chain.reserves(part).memory_bytes == ((part.machines[0].node, 40 * GIB),)


def test_as_many_machines_are_made_one_after_the_other_as_at_once() -> None:
    """A history of a day knows nothing of machines that were made within an hour."""
    said = VM | {"cpu_count": "8", "memory": "1 GB"}
    requirements = chain.understand(Request(items=(Item(capability="virtual_machine", label="vm", facts=facts(**said)),)), SITE, "operator")
    snapshot, young, made = four_nodes(), Reserved(), 0
    while (offer := chain.offer(requirements, situation(snapshot, young))).parts[0].candidates:
        part = chain.compose(requirements, offer, pick_by_rule(offer), situation(snapshot, young)).parts[0]
        [machine] = part.machines
        running = guest(machine.vm_id, machine.name, machine.node, cpus=8, memory_gib=1)
        snapshot = snapshot.model_copy(update={"guests": (*snapshot.guests, running)})
        young, made = young.plus(chain.made(part)), made + 1
        assert made <= 8
    free = [0.8 * node.cpu_count - node.load.cpu_ratio_p95 * node.cpu_count for node in snapshot.nodes if node.load]  # type: ignore[operator]
    assert made == sum(int(threads // 8) for threads in free)


def test_two_parts_of_one_kind_have_secrets_of_their_own_and_keep_them_through_a_change() -> None:
    """Two clusters with a token each; two tiers with a certificate each. One that an older Berth made keeps what it has."""
    said = {"network": "20", "environment": "development"}
    asked = {
        "redis": ("redis", said | {"data_size": "2 GB"}),
        "redis-2": ("redis", said | {"data_size": "2 GB"}),
        "web_tier": ("web_tier", said | {"virtual_address": "10.20.0.201"}),
        "shop": ("web_tier", said | {"virtual_address": "10.20.0.202"}),
        "lab": ("k3s_cluster", said | {"servers_count": "1", "workers_count": "1"}),
    }
    items = tuple(Item(capability=service, label=label, facts=facts(**said)) for label, (service, said) in asked.items())
    requirements, at = chain.understand(Request(items=items), SITE, "operator"), situation(four_nodes())
    offer = chain.offer(requirements, at)
    proposal = pick_by_rule(offer)
    assert requirements.complete and proposal
    manifest = chain.compose(requirements, offer, proposal, at)
    named = {part.label: secrets_of(part) for part in manifest.parts}
    assert named == {
        "redis": {"redis_password"},
        "redis-2": {"redis_password-redis-2"},
        "web_tier": {"tls_certificate"},
        "shop": {"tls_certificate-shop"},
        "lab": {"k3s_token-lab"},
    }
    for part in manifest.parts:
        told = part.configure.variables if part.configure else {}
        assert {value["secret"] for value in told.values() if isinstance(value, dict) and "secret" in value} == named[part.label]
        assert {end.password or end.certificate for end in part.endpoints} - {""} <= named[part.label]
        files = {found for command in part.commands for word in command.argv for found in re.findall(r"/secrets/([\w.-]+)", word)}
        assert all(file.startswith((*named[part.label], "kubeconfig-")) for file in files), part.label
    again = chain.compose(requirements, offer, proposal, at, built=manifest)
    assert {part.label: secrets_of(part) for part in again.parts} == named
    older = manifest.model_copy(update={"parts": tuple(with_plain_secrets(part) for part in manifest.parts)})
    kept = chain.compose(requirements, offer, proposal, at, built=older)
    assert {part.label: secrets_of(part) for part in kept.parts}["redis-2"] == {"redis_password"}


def secrets_of(part: Part) -> set[str]:
    return {one.name for one in (*part.secrets, *part.certificates)} - {"ssh_key"}


def with_plain_secrets(part: Part) -> Part:
    plain = tuple(one.model_copy(update={"name": one.name.removesuffix(f"-{part.label}")}) for one in part.secrets)
    return part.model_copy(update={"secrets": plain})
