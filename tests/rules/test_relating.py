"""Which items of a request need which: by label, name or kind of service; what cannot be is a sentence."""

from __future__ import annotations

import json

import pytest
from clusters import KEY, SITE, facts, four_nodes

from tools.capabilities import catalogue, chain
from tools.platforms import proxmox
from tools.rules.plans.picking import pick_by_rule
from tools.rules.request.relating import relate
from tools.values.manifest import Manifest
from tools.values.request import Item, Relation, Request
from tools.values.situation import Situation

SAID = {"environment": "development", "network": "20", "public_key": KEY}


def item(label: str, capability: str, *relations: tuple[str, str], **said: str) -> Item:
    told = tuple(Relation(kind=kind, to=to, quote=f"{kind} {to}") for kind, to in relations)  # type: ignore[arg-type]
    return Item(capability=capability, label=label, facts=facts(**(SAID | said)), relations=told)


DB = item("db", "postgresql", name="orders-db", users="20")
CASES = [
    ("by label", (DB, item("shop", "web_server", ("uses", "db"))), {"db": (), "shop": ("db",)}),
    ("by name", (DB, item("shop", "web_server", ("uses", "orders-db"))), {"db": (), "shop": ("db",)}),
    ("by service", (DB, item("shop", "web_server", ("uses", "the database".removeprefix("the ")))), {"db": (), "shop": ("db",)}),
    ("behind", (item("api", "web_server", ("behind", "front")), item("front", "web_tier")), {"api": (), "front": ("api",)}),
    ("near orders nothing", (DB, item("shop", "web_server", ("near", "db"))), {"db": (), "shop": ()}),
    ("of none of them", (DB, item("shop", "web_server", ("uses", "db-07"))), {"db": (), "shop": ()}),
]


@pytest.mark.parametrize(("name", "items", "uses"), CASES, ids=[case[0] for case in CASES])
def test_an_item_needs_what_it_uses_and_what_is_behind_it(name: str, items: tuple[Item, ...], uses: dict[str, tuple[str, ...]]) -> None:
    found = relate(Request(items=items), catalogue())
    assert {label: one.uses for label, one in found.items()} == uses
    assert not any(one.problems for one in found.values())
    assert bool(found["shop"].not_included if "shop" in found else ()) == (name == "of none of them")


def test_two_that_could_be_meant_are_asked_about_and_a_round_is_refused() -> None:
    two = relate(Request(items=(DB, item("old", "postgresql"), item("shop", "web_server", ("uses", "database")))), catalogue())
    assert "db and old" in two["shop"].problems[0] and two["shop"].uses == ()
    ring = relate(Request(items=(item("a", "web_server", ("uses", "b")), item("b", "web_server", ("uses", "a")))), catalogue())
    assert ring["a"].problems and ring["b"].problems


def planned(*items: Item) -> Manifest:
    required = chain.understand(Request(items=items), SITE, "operator")
    assert required.complete, required
    at = Situation({"proxmox": four_nodes()}, SITE)
    offered = chain.offer(required, at)
    manifest = chain.compose(required, offered, pick_by_rule(offered), at)
    assert chain.review(manifest, at).clean
    return manifest


def test_a_part_comes_after_what_it_uses_and_is_told_its_endpoints() -> None:
    manifest = planned(item("shop", "web_server", ("uses", "db"), count="2"), DB)
    shop, db = manifest.part("shop"), manifest.part("db")
    assert (shop.after, shop.uses, db.after, db.uses) == (("db",), ("db",), (), ())
    [end] = db.endpoints
    assert (end.protocol, end.port, end.machines, end.password) == ("postgresql", 5432, ("orders-db",), "database_password-db")
    tried = [c for c in shop.commands if c.expect == "reached"]
    assert [c.machine for c in tried] == [m.name for m in shop.machines]
    assert "db" not in json.dumps(proxmox.variables(shop)), "what the module is handed is its own alone"


ONE, OTHER = item("one", "web_server"), item("other", "web_server")
STANDING = [
    ("two of one item apart", (item("web", "web_server", ("apart", ""), count="2"),), {"web": (True, False, (), ())}),
    ("two of one item together", (item("web", "web_server", ("near", ""), count="2"),), {"web": (False, True, (), ())}),
    ("one apart from every other", (item("web", "web_server", ("apart", "")), DB), {"db": (False, False, (), ("web",))}),
    ("one near another that comes later", (item("web", "web_server", ("near", "db")), DB), {"db": (False, False, ("web",), ())}),
    ("one near another that comes before", (DB, item("web", "web_server", ("near", "db"))), {"web": (False, False, ("db",), ())}),
    ("near what is none of them", (item("web", "web_server", ("near", "pve-run")),), {"web": (False, False, (), ())}),
]


@pytest.mark.parametrize(("name", "items", "stands"), STANDING, ids=[case[0] for case in STANDING])
def test_how_machines_stand_to_one_another(
    name: str, items: tuple[Item, ...], stands: dict[str, tuple[bool, bool, tuple[str, ...], tuple[str, ...]]]
) -> None:
    required = chain.understand(Request(items=items), SITE, "operator")
    found = {
        one.label: (one.kinds[0].one_a_node, one.kinds[0].together, one.near, one.away)
        for one in required.parts
        if one.groups or one.near or one.away or len(items) == 1
    }
    assert found == stands
    assert bool(required.parts[0].not_included) == ("none of them" in name)


@pytest.mark.parametrize(("kind", "nodes"), [("near", 1), ("apart", 2)])
def test_an_item_is_placed_by_another_and_the_review_sees_where_it_is(kind: str, nodes: int) -> None:
    manifest = planned(DB, item("web", "web_server", (kind, "db")))
    assert len({m.node for part in manifest.parts for m in part.machines}) == nodes
    first, second = manifest.parts
    elsewhere = next(one for one in ("pve1", "pve2", "pve3") if (one == first.machines[0].node) == (kind == "apart"))
    moved = second.model_copy(update={"machines": (second.machines[0].model_copy(update={"node": elsewhere}),)})
    at = Situation({"proxmox": four_nodes()}, SITE)
    found = chain.review(manifest.model_copy(update={"parts": (first, moved)}), at).findings
    assert "group.beside" in {one.check for one in found}
