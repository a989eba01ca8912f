"""What exists is changed in its place: names stay, pools are added, and what Azure cannot change in place is refused with the way out."""

from __future__ import annotations

from collections.abc import Callable

from tools.capabilities import chain
from tools.rules.plans.picking import pick_by_rule
from tools.values.manifest import Manifest
from tools.values.offer import Offer
from tools.values.site import Site
from tools.values.snapshot import SubscriptionSnapshot

from .conftest import Folder, Look, composed, errors, name_of, required, situation, wanted_changes


def changed(words: str, built: Manifest, seen: SubscriptionSnapshot) -> tuple[Offer, Manifest | None]:
    requirements = required(words)
    offer = chain.offer(requirements, situation(seen), built)
    if not offer.parts[0].candidates:
        return offer, None
    return offer, chain.compose(requirements, offer, pick_by_rule(offer), situation(seen), built.digest, built)


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
    assert any(name_of(old, "vault") in command.argv for command in new.commands)
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
    assert changed("a storage account with containers raw, gold and silver", built, seen)[1] is not None
    for words, told in (
        ("a storage account with containers raw", "gold would go"),
        ("a storage account with containers raw and gold, zrs", "zones"),
        ("a storage account with containers raw and gold, data lake", "for life"),
        ("a storage account called another9 with containers raw and gold", "keeps its name"),
    ):
        offer, made = changed(words, built, seen)
        assert made is None and told in offer.parts[0].exclusions[0].reason
