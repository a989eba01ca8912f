"""What a guide begins with is read in a minute, of however many parts; what was wished for and is not done stands at the machine."""

from __future__ import annotations

from clusters import SITE, facts, four_nodes
from machine_chain import situation

from tools.capabilities import chain
from tools.rules.plans.picking import pick_by_rule
from tools.rules.words import guiding
from tools.values.manifest import Manifest
from tools.values.request import Item, Request, Wish

LINES_MAX = 25
PARTS = ("# Web server: web-1\n\nIt serves.\n\n- **web-1**: 10.0.0.1\n\n---\n\n## Log in\n\nssh\n", "# Redis: kv-1\n\n---\n\n## Connect\n")


def made(*wishes: Wish) -> Manifest:
    said = {"network": "20", "environment": "development"}
    web = Item(capability="web_server", label="web", facts=facts(**said))
    db = Item(capability="postgresql", label="db", facts=facts(users="50", **said))
    requirements, at = chain.understand(Request(items=(web, db), wishes=wishes), SITE, "operator"), situation(four_nodes())
    offer = chain.offer(requirements, at)
    return chain.compose(requirements, offer, pick_by_rule(offer), at)  # type: ignore[arg-type]


def test_a_guide_begins_with_every_part_and_how_it_is_undone_and_the_rest_follows() -> None:
    guide = guiding.joined(PARTS, "run-7")
    first, rest = guiding.opening(guide), guide.partition(guiding.RULE)[2]
    assert [line for line in first.splitlines() if line.startswith("#")] == ["# Web server: web-1", "# Redis: kv-1"]
    assert "remove run-7" in first and len(first.splitlines()) <= LINES_MAX
    assert [line for line in rest.splitlines() if line.startswith("#")] == [
        "# Web server: web-1, in full",
        "## Log in",
        "# Redis: kv-1, in full",
        "## Connect",
    ]
    assert guiding.opening(guiding.joined(PARTS[:1], "run-7")) != guiding.joined(PARTS[:1], "run-7").strip()


def test_what_was_wished_for_and_is_not_done_stands_at_the_machine() -> None:
    of_all = Wish(kind="backup", text="nightly backups")
    of_one = Wish(kind="load_balancer", text="behind a load balancer", item="web")
    web, db = made(of_all, of_one).parts
    assert "Not done: “nightly backups”.\nNot done: “behind a load balancer”." in (web.machines[0].description or "")
    assert db.needs.not_included == ("“nightly backups”",)
    assert made().parts[1].needs.not_included == ()
