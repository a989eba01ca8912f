"""What exists is changed in its place: names stay, pools are added, and what Azure cannot change in place is refused with the way out."""

from __future__ import annotations

from collections.abc import Callable

from tests.hearing.facts import said
from tools.capabilities import chain
from tools.rules.plans.picking import pick_by_rule
from tools.values.manifest import Manifest, Part
from tools.values.offer import Offer
from tools.values.site import Site
from tools.values.snapshot import CloudResource, SecurityRule, SubscriptionSnapshot

from .conftest import Folder, Look, composed, errors, name_of, required, situation, wanted_changes


def changed(words: str, built: Manifest, seen: SubscriptionSnapshot, site: Site | None = None) -> tuple[Offer, Manifest | None]:
    requirements, at = required(words, site), situation(seen, site)
    offer = chain.offer(requirements, at, built)
    if not offer.parts[0].candidates:
        return offer, None
    return offer, chain.compose(requirements, offer, pick_by_rule(offer), at, built.digest, built)


def test_a_workspace_grows_in_its_place(folder: Callable[[str], Folder], look: Look) -> None:
    words = "spark for the growth team, 1 TB daily"
    places = chain.places_to_look(required(words), Site())
    built = composed(words, look(*places))
    old = built.parts[0]
    place = folder(old.module)
    place.vary(old)
    place.plan()
    place.apply()
    after = look(*places)
    _, made = changed("spark for the growth team, 4 TB daily, GPU", built, after)
    assert made is not None
    new = made.parts[0]
    assert (new.cloud, new.variables["address_space"]) == (old.cloud, old.variables["address_space"])
    assert {name_of(old, "cluster"), name_of(old, "storage")} <= {r.name for r in new.resources}
    assert any(name_of(old, "vault") in word for command in new.commands for word in command.argv)
    assert errors(new, after) == set()
    place.vary(new)
    # The issuer is the cluster's to say, so what names it is looked at again; it comes out the same.
    assert wanted_changes(place.plan()) == ["azapi_resource.cluster", "azapi_resource.jobs_federation"]
    place.apply()
    assert wanted_changes(place.plan()) == []
    place.plan(destroy=True)
    place.apply()


def test_what_cannot_be_changed_in_place_is_told(seen: SubscriptionSnapshot) -> None:
    built = composed("spark 1 TB daily, GPU", seen)
    offer, made = changed("spark 1 TB daily, GPU, in westus2", built, seen)
    assert made is None and offer.parts[0].counter_offer == "Ask for a new one there, and remove this one afterwards."
    offer, made = changed("spark 1 TB daily, no spot, GPU", built, seen)
    assert made is None and "for life" in offer.parts[0].exclusions[0].reason
    private = composed("spark 1 TB daily over private endpoints", seen)
    assert changed("spark 1 TB daily over service endpoints", private, seen)[1] is None
    assert changed("spark 1 TB daily over private endpoints", composed("spark 1 TB daily", seen), seen)[1] is not None


def test_an_account_keeps_its_containers_and_its_kind(seen: SubscriptionSnapshot) -> None:
    built = composed("a storage account with containers raw and gold", seen)
    made = changed("a storage account with containers raw, gold and silver", built, seen)[1]
    assert made is not None and (made.parts[0].lets_go, made.parts[0].confirm) == ((), "")
    fewer = changed("a storage account with containers raw", built, seen)[1]
    assert fewer is not None and fewer.parts[0].lets_go == ('azapi_resource.container["gold"]',)
    assert fewer.parts[0].confirm.startswith("gold will be deleted"), "what is in it goes, so it is confirmed by itself"
    for words, told in (
        ("a storage account with containers raw and gold, zrs", "zones"),
        ("a storage account with containers raw and gold, data lake", "for life"),
        ("a storage account called another9 with containers raw and gold", "keeps its name"),
    ):
        offer, made = changed(words, built, seen)
        assert made is None and told in offer.parts[0].exclusions[0].reason


def test_a_data_platform_gets_more_workers_in_the_network_that_it_has(seen: SubscriptionSnapshot) -> None:
    words = "Databricks on Standard_E8ds_v5 for the ml team, {} workers"
    old = composed(words.format(2), seen).parts[0]
    there = _with_group(old, seen)
    made = changed(words.format(4), composed(words.format(2), seen), there)[1]
    assert made is not None
    new = made.parts[0]
    assert (new.cloud, new.variables) == (old.cloud, old.variables)
    assert old.configure and new.configure
    inside, was = new.configure.variables, old.configure.variables
    assert inside["pool"]["max_capacity"] == 5
    names = [("pool", "instance_pool_name"), ("policy", "name"), ("cluster", "cluster_name")]
    assert [inside[of][name] for of, name in names] == [was[of][name] for of, name in names]
    # Of 96 cores 88 are in use, 24 of them by itself: eleven workers and a driver are beyond what is left to it, four are not.
    full = tuple(q.model_copy(update={"used": 88.0}) if q.name == "standardEDSv5Family" else q for q in there.quotas)
    crowded = there.model_copy(update={"quotas": full})
    assert changed(words.format(3), composed(words.format(2), seen), crowded)[1] is not None
    assert changed(words.format(11), composed(words.format(2), seen), crowded)[1] is None
    other = changed("Databricks on Standard_D8s_v5 for the ml team, 2 workers", composed(words.format(2), seen), there)
    assert other[1] is None and "node type" in other[0].parts[0].exclusions[0].reason
    assert changed(words.format(50), composed(words.format(2), seen), there)[1] is None, "its subnets are too small"


def test_deployments_come_grow_and_go_and_keep_their_kind(seen: SubscriptionSnapshot) -> None:
    built = composed("Azure OpenAI with gpt-5.4-mini and text-embedding-3-small, in eastus, data zone", seen)
    old = built.parts[0]
    deployed = {one["name"]: one for one in old.variables["deployments"]}
    assert set(deployed) == {"gpt-5.4-mini", "text-embedding-3-small"}
    there = _with_group(old, seen)
    offer, made = changed("Azure OpenAI with gpt-5.4-mini and gpt-5.4, in eastus, data zone, 80000 tokens a minute", built, there)
    assert made is not None, offer
    new = made.parts[0]
    assert new.cloud == old.cloud and new.variables["address_space"] == old.variables["address_space"]
    assert new.lets_go == ('azapi_resource.deployment["text-embedding-3-small"]',)
    grown = {one["name"]: one for one in new.variables["deployments"]}
    assert grown["gpt-5.4-mini"] == {**deployed["gpt-5.4-mini"], "capacity_thousands": 80}
    assert set(grown) == {"gpt-5.4-mini", "gpt-5.4"}
    # What it has of the quota already is its own: only what comes on top has to be left.
    name = f"openai.{grown['gpt-5.4-mini']['sku']}.gpt-5.4-mini".lower()
    full = tuple(q.model_copy(update={"used": q.limit - 30}) if q.name.lower() == name else q for q in there.quotas)
    words = "Azure OpenAI with gpt-5.4-mini and text-embedding-3-small, in eastus, data zone, {} tokens a minute"
    assert changed(words.format(80_000), built, there.model_copy(update={"quotas": full}))[1] is not None
    assert changed(words.format(81_001), built, there.model_copy(update={"quotas": full}))[1] is None
    zone = changed("Azure OpenAI with gpt-5.4-mini and text-embedding-3-small, in eastus, regional", built, there)
    assert zone[1] is None and "for life" in zone[0].parts[0].exclusions[0].reason


def test_rules_keep_their_names_and_priorities(seen: SubscriptionSnapshot) -> None:
    def opened(part: Part) -> list[tuple[object, ...]]:
        return [(one["name"], one["priority"], one["ports"], one["sources"]) for one in part.variables["rules"]]

    before = "open port 443 from 10.1.0.0/16 on nsg-shared"
    built = composed(before, seen)
    name, priority = opened(built.parts[0])[0][:2]
    group_id = seen.security_rules[0].group_id
    own = SecurityRule(group_id=group_id, name=str(name), priority=int(str(priority)), inbound=True, allow=True)
    there = seen.model_copy(update={"security_rules": (*seen.security_rules, own)})

    more = _after(before, "also open port 8443", built, there)
    assert opened(more) == [(name, priority, ["443", "8443"], ["10.1.0.0/16"])]
    apart = _after(before, "also open port 8443 from 10.2.0.0/16", built, there)
    assert opened(apart)[0] == (name, priority, ["443"], ["10.1.0.0/16"])
    assert opened(apart)[1][2:] == (["8443"], ["10.2.0.0/16"]) and opened(apart)[1][1] not in (priority, seen.security_rules[0].priority)
    assert errors(apart, there) == set()
    wider = _after(before, "also from 10.3.0.0/16", built, there)
    assert opened(wider) == [(name, priority, ["443"], ["10.1.0.0/16", "10.3.0.0/16"])]
    assert not (more.lets_go or apart.lets_go or wider.lets_go)
    fewer = _after(before, "close port 8443", Manifest.model_validate({**built.model_dump(), "parts": (apart,)}), there, apart)
    assert [one[0] for one in opened(fewer)] == [name] and fewer.lets_go == (f'azapi_resource.rule["{opened(apart)[1][0]}"]',)


def _after(first: str, then: str, built: Manifest, there: SubscriptionSnapshot, so_far: Part | None = None) -> Part:
    """The part as it is to be after one more message."""
    heard = said(first, *(("also open port 8443 from 10.2.0.0/16",) if so_far else ()), then)
    requirements = chain.understand(heard, Site(), "tester")
    offer = chain.offer(requirements, situation(there), built)
    return chain.compose(requirements, offer, pick_by_rule(offer), situation(there), built.digest, built).parts[0]


def _with_group(part: Part, seen: SubscriptionSnapshot) -> SubscriptionSnapshot:
    """As a look afterwards shows it: names that are taken are the part's own."""
    name = name_of(part, "resource_group")
    group = CloudResource(id=f"/subscriptions/{seen.subscription_id}/resourceGroups/{name}", type="group", name=name, region="eastus")
    return seen.model_copy(update={"groups": (*seen.groups, group)})
