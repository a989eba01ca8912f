"""Two people, each logged in in a browser of their own: one asks, the other approves, and a machine stands because of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cluster_sim.run import environment
from tests.conftest import ROOT
from tests.front_ends.browser import two_people, type_message, wait_for_words
from tests.front_ends.provider import Provider
from tests.front_ends.served import berth_serve
from tests.loopback import http_server
from tests.values import opened
from tools.clients.proxmox_removing import Removing
from tools.pipeline.world import World

pytestmark = pytest.mark.systems

ALICE, DAVE = "alice@example.org", "dave@example.org"
"""In docs/roles.example.yaml an operator, and security."""
POLICY = """
version: "of this test"
rules:
  - id: production-is-reviewed
    when: {requirements.environment: production}
    outcome: approval
    role: security
    because: Production is looked at by security.
"""
ASKED = "a Debian VM with 1 core, 1 GB memory and 8 GB disk, production, network 20"


@dataclass
class Site:
    url: str
    provider: Provider
    world: World


@pytest.fixture
def site(emulated_cluster: tuple[dict[str, Any], Path], tmp_path: Path) -> Iterator[Site]:
    ready, _ = emulated_cluster
    provider = Provider()
    (tmp_path / "policy.yaml").write_text(POLICY)
    given = environment(ready, tmp_path) | {
        "BERTH_HOME": str(tmp_path / "home"),
        "BERTH_ROLES_FILE": str(ROOT / "docs" / "roles.example.yaml"),
        "BERTH_POLICY_FILE": str(tmp_path / "policy.yaml"),
    }
    oidc = {"issuer": provider.issuer, "client_id": "berth"}
    with http_server(provider.serve, provider.port), berth_serve(tmp_path, given, oidc=oidc) as served, opened(given) as world:
        yield Site(served.url, provider, world)


def test_one_asks_and_the_other_approves(site: Site) -> None:
    with two_people(site.url, site.provider.issuer, ALICE, DAVE) as (alice, dave):
        type_message(alice, ASKED)
        digest = wait_for_words(alice, "approve ([0-9a-f]{12}) as security", 120)
        kept = site.world.ledger.plans.find(digest)
        plan, [machine] = kept.plan, kept.manifest.parts[0].machines
        assert plan.requester == ALICE

        # Who asked has no approval of it to give.
        told = "(times) => document.body.innerText.split('Somebody else has to approve this').length > times"
        for times, text in ((1, f"approve {digest}"), (2, f"approve {digest} as security")):
            type_message(alice, text)
            alice.wait_for_function(told, arg=times, timeout=60_000)
        assert site.world.ledger.plans.approvals(plan.digest) == ()

        # It waits for the other one, whose sessions are his own.
        type_message(dave, "inbox")
        wait_for_words(dave, f"approve {digest} as security", 60)
        assert dave.request.get(f"{site.url}/apps/provisioner/users/{ALICE}/sessions").status == 404
        type_message(dave, f"approve {digest} as security")
        wait_for_words(dave, f"{plan.run_id} is done", 180)

        type_message(alice, f"follow {plan.run_id}")
        wait_for_words(alice, f"{plan.run_id} is done", 60)
    [given] = site.world.ledger.plans.approvals(plan.digest)
    assert (given.principal, given.role) == (DAVE, "security")
    assert site.world.ledger.runs.row(plan.run_id).status == "done" and site.world.ledger.verify().holds
    there = Removing(site.world.settings).read("cluster", "resources")
    assert [one["vmid"] for one in there if one.get("name") == machine.name] == [machine.vm_id]
