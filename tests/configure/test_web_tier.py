"""A web tier on real guests: configured, verified, asked while one machine of each kind is stopped, and grown by a machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from cluster_sim.guests import Bodies, GuestProblem, open_bodies
from tests.conftest import wait_until
from tools.capabilities.web_tier import ON
from tools.capabilities.web_tier.commands import commands
from tools.capabilities.web_tier.variables import certificates, variables
from tools.clients.settings import Settings
from tools.pipeline.configure import configure, wait
from tools.pipeline.context import PartContext
from tools.pipeline.guide import write_guide
from tools.pipeline.verify import ran, verify
from tools.rules.machines.choices import base_variables
from tools.values.machine import Machine
from tools.values.manifest import Configure, Part
from tools.values.requirements import Field, Origin

from .guests import NETWORK, commands_in, new_run_folder, part_of, receipt_of, spec_for
from .test_made_good import quiet, quiet_pause

pytestmark = [pytest.mark.systems, pytest.mark.timeout(1800)]

ADDRESS, SITE = "10.20.0.200", "shop.example.org"
BALANCERS = {"shop-lb-1": "10.20.0.51", "shop-lb-2": "10.20.0.52"}
APPLICATIONS = {"shop-app-1": "10.20.0.61", "shop-app-2": "10.20.0.62"}
ONE_MORE = {"shop-app-3": "10.20.0.63"}
FAILOVER_SECONDS_MAX = 60.0
"""keepalived needs a few seconds; the bound is for a busy machine."""


def part_with(applications: dict[str, str]) -> Part:
    plain = part_of("virtual_machine")
    [one] = plain.machines

    def machines(group: str, names: dict[str, str]) -> list[Machine]:
        return [one.model_copy(update={"name": name, "group": group}) for name in names]

    needs = plain.needs.model_copy(
        update={"capability": "web_tier", "fields": (Field(name="site_name", value=SITE, origin=Origin.SAID),), "virtual_addresses": ()}
    )
    part = plain.model_copy(
        update={
            "label": "web_tier",
            "capability": "web_tier",
            "needs": needs,
            "machines": (*machines("balancers", BALANCERS), *machines("applications", applications)),
            "virtual_addresses": (("virtual_address", f"{ADDRESS}/24"),),
        }
    )
    settings = Configure(kind="ansible", playbook="web_tier.yml", variables={**base_variables(), **variables(part)})
    told = tuple(command for machine in part.machines for command in commands(machine, part))
    return part.model_copy(update={"configure": settings, "certificates": certificates(part), "commands": told})


@dataclass
class Tier:
    bodies: Bodies
    context: PartContext

    def on(self, machine: str, line: str) -> str:
        return self.bodies.exec(machine, ["sh", "-c", line]).stdout

    def ask(self, machine: str, times: int = 1) -> list[str]:
        """What the site answers to a client on that machine that trusts its certificate alone: a code each."""
        trust = f"--cacert /var/lib/site.ca --resolve {SITE}:443:{ADDRESS}"
        one = f"curl --silent --max-time 3 --output /dev/null --write-out '%{{http_code}} ' {trust} https://{SITE}/"
        return self.on(machine, f"for i in $(seq {times}); do {one}; done").split()

    def active(self) -> str:
        """The balancer that has the address."""
        having = [name for name in BALANCERS if f" {ADDRESS}/" in self.on(name, "ip -4 -oneline address")]
        assert len(having) == 1, having
        return having[0]


def context_of(part: Part, before: PartContext) -> PartContext:
    known = BALANCERS | APPLICATIONS | ONE_MORE
    outputs = {"machines": {m.name: {"addresses": [ADDRESS, known[m.name]]} for m in part.machines}}
    context = replace(before, part=part, outputs=outputs)
    return replace(context, machines=wait(context, quiet))


@pytest.fixture(scope="module")
def tier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tier]:
    run_folder = new_run_folder(tmp_path_factory.mktemp("tier"))
    try:
        bodies = open_bodies("pod", tmp_path_factory.mktemp("pod"), (NETWORK,), print)
    except GuestProblem as problem:
        pytest.skip(f"No guests with a body here: {problem}")
    try:
        for name, address in (BALANCERS | APPLICATIONS).items():
            bodies.boot(spec_for(name, address, run_folder))
        (run_folder / "web_tier").mkdir()
        plain = PartContext(
            settings=Settings(guest_proxy_command=bodies.proxy_command or ""),
            run_folder=run_folder,
            part_folder=run_folder / "web_tier",
            part=part_with(APPLICATIONS),
        )
        made = Tier(bodies, context_of(part_with(APPLICATIONS), plain))
        configure(made.context, print)
        authority = (run_folder / "secrets" / "tls_certificate.ca").read_text()
        for name in APPLICATIONS:
            made.on(name, f"cat > /var/lib/site.ca <<'EOF'\n{authority}\nEOF")
        yield made
    finally:
        bodies.close()


def test_every_command_of_the_guide_is_run_as_it_is_printed(tier: Tier) -> None:
    verified, not_verified = verify(tier.context, quiet, quiet_pause)
    assert not_verified == () and len(verified) == len(tier.context.part.commands)
    guide = write_guide(tier.context, receipt_of(tier.context)).read_text()
    assert commands_in(guide) == sorted(one.printed for one in ran(tier.context.part_folder) if one.outcome == "answered")
    assert "self-signed, made for this run" in guide and "PRIVATE KEY" not in guide


def test_the_second_run_changes_nothing(tier: Tier) -> None:
    said: list[str] = []
    configure(tier.context, said.append)
    assert said[-1] == "Configured 4 machines: 0 changes made."


def test_the_key_of_the_certificate_is_roots_alone(tier: Tier) -> None:
    assert tier.on("shop-lb-1", "stat -c '%a %U' /etc/haproxy/tls/site.pem").split() == ["600", "root"]
    assert "PRIVATE KEY" not in tier.on("shop-lb-1", "cat /etc/haproxy/tls/certificate.pem")


def test_plain_requests_are_sent_on_and_figures_are_given(tier: Tier) -> None:
    assert (
        tier.on("shop-app-1", f"curl --silent --output /dev/null --write-out '%{{redirect_url}}' http://{ADDRESS}/x")
        == f"https://{ADDRESS}/x"
    )
    assert "haproxy_server_status" in tier.on("shop-lb-1", "curl --silent http://127.0.0.1:8405/metrics")


def test_nobody_notices_that_an_application_machine_is_stopped(tier: Tier) -> None:
    assert tier.ask("shop-app-1", 4) == ["200"] * 4
    tier.bodies.shutdown("shop-app-2", force=True)
    try:
        assert tier.ask("shop-app-1", 20) == ["200"] * 20
    finally:
        tier.bodies.boot(spec_for("shop-app-2", APPLICATIONS["shop-app-2"], tier.context.run_folder))


def test_the_address_moves_once_when_its_balancer_is_stopped(tier: Tier) -> None:
    first = tier.active()
    tier.bodies.shutdown(first, force=True)
    wait_until(lambda: tier.ask("shop-app-1") == ["200"], FAILOVER_SECONDS_MAX)
    assert tier.ask("shop-app-1", 20) == ["200"] * 20
    tier.bodies.boot(spec_for(first, BALANCERS[first], tier.context.run_folder))
    wait_until(lambda: tier.on(first, "systemctl is-active keepalived").strip() == "active", FAILOVER_SECONDS_MAX)
    assert tier.active() != first
    assert tier.ask("shop-app-1", 4) == ["200"] * 4


def test_the_address_moves_when_haproxy_alone_has_ended(tier: Tier) -> None:
    first = tier.active()
    tier.on(first, "systemctl stop haproxy")
    wait_until(lambda: tier.ask("shop-app-1") == ["200"], FAILOVER_SECONDS_MAX)
    assert tier.active() != first
    tier.on(first, "systemctl start haproxy")


def test_one_more_application_machine_gets_its_share(tier: Tier) -> None:
    [(name, address)] = ONE_MORE.items()
    tier.bodies.boot(spec_for(name, address, tier.context.run_folder))
    larger = context_of(part_with(APPLICATIONS | ONE_MORE), tier.context)
    configure(larger, quiet)
    verified, not_verified = verify(larger, quiet, quiet_pause)
    assert not_verified == () and any("3 up" in one for one in verified)
    assert tier.ask("shop-app-1", 6) == ["200"] * 6
    assert set(ON) == {"proxmox"}
