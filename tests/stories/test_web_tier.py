"""A web tier from a sentence to a site that goes on when a machine is lost, on guests with real systems: changed, and removed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_interface
from pathlib import Path

import pytest

from tests.conftest import Berth, Chat, wait_until
from tests.monitoring.queries import figures_of, queries
from tests.stories.pods import RUN_SECONDS_MAX, on, pods, took
from tools.clients.proxmox_acting import Acting
from tools.values.machine import Machine

ADDRESS = "10.20.0.200"
SITE = "shop.example.org"
FAILOVER_SECONDS_MAX = 60.0
"""keepalived needs a few seconds; the bound is for a busy machine."""


def test_a_tier_is_planned_with_its_groups_address_and_certificate(berth: Berth) -> None:
    chat = berth.chat()
    planned = chat.say(f"a web tier for site {SITE} with 3 application machines, development, on network 20, virtual address {ADDRESS}")
    assert chat.changes == {"create": 5}, planned.text
    assert Counter(m.group for m in chat.machines) == {"balancers": 2, "applications": 3}
    for group in ("balancers", "applications"):
        nodes = [m.node for m in chat.part.of_group(group)]
        assert len(set(nodes)) == len(nodes)
    assert chat.part.virtual_addresses == (("virtual_address", f"{ADDRESS}/24"),)
    assert ADDRESS in planned.text
    [certificate] = chat.part.certificates
    assert certificate.names == (SITE, ADDRESS)
    second = berth.chat()
    second.say(f"a web tier, development, on network 20, virtual address {ADDRESS}")
    assert [dict(f.data)["also"] for f in second.plan.review.findings if f.check == "waiting"] == [(ADDRESS,)], (
        "who is approved first has it"
    )
    for one in (chat, second):
        one.say("no")


def test_what_a_tier_cannot_be_is_a_sentence(berth: Berth) -> None:
    chat = berth.chat()
    assert chat.say("a web tier, development, on network 20") and chat.asked == {"virtual_address"}
    chat.say("10.20.0.10")
    assert chat.kept is None, "the intranet has it"
    alone = berth.chat()
    reply = alone.say(f"a web tier with 1 application machine, development, on network 20, virtual address {ADDRESS}")
    assert alone.kept is None and "so that one can be lost" in reply.text


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Berth]:
    with pods(tmp_path_factory.mktemp("tier")) as (berth, _):
        yield berth


def _ask(chat: Chat, machine: str, times: int = 1) -> list[str]:
    """What the site answers to requests from a machine, by its name and with its certificate checked: a word each."""
    trust = f"--cacert ~/site.ca --resolve {SITE}:443:{ADDRESS}"
    one = f"curl --silent --max-time 3 --output /dev/null --write-out '%{{http_code}}\\n' {trust} https://{SITE}/"
    return on(chat, machine, f"for i in $(seq {times}); do {one}; done").output.split()


def _active(chat: Chat) -> Machine:
    """The balancer that has the address."""
    having = [m for m in chat.part.of_group("balancers") if ADDRESS in on(chat, m.name, "ip -4 -brief address").output]
    assert len(having) == 1, [m.name for m in having]
    return having[0]


@pytest.mark.systems
@pytest.mark.timeout(1800)
def test_a_tier_survives_the_loss_of_one_machine_of_each_kind_grows_and_goes(site: Berth) -> None:
    chat = site.chat()
    planned = chat.say(f"a web tier for site {SITE} called shop, development, on network 20, virtual address {ADDRESS}")
    assert chat.changes == {"create": 4}, planned.text
    done = chat.post(f"approve {planned.digest}", seconds_max=RUN_SECONDS_MAX)
    assert chat.run.status == "done" and chat.run.receipt, done.text
    print(f"\nweb tier, from approval to verified: {took(chat).total_seconds():.0f} s")
    [made] = chat.run.receipt.parts
    assert made.not_verified == ()
    guide = (chat.folder / "guide.md").read_text()
    assert "self-signed, made for this run" in guide and ADDRESS in guide and "PRIVATE KEY" not in guide
    balancers = [m.name for m in chat.part.of_group("balancers")]
    assert on(chat, balancers[0], "sudo stat -c '%a %U' /etc/haproxy/tls/site.pem").output.split() == ["600", "root"]
    assert "PRIVATE KEY" not in on(chat, balancers[0], "cat /etc/haproxy/tls/certificate.pem").output
    drawn = {figure for query in queries() for figure in figures_of(query) if figure.startswith("haproxy_")}
    names = "curl --silent http://127.0.0.1:8405/metrics | grep --only-matching '^haproxy_[a-z_]*' | sort --unique"
    assert drawn and drawn <= {*on(chat, balancers[0], names).output.split()}, "whatever an alert or a dashboard asks for"

    # From an application machine that stays, as a client that trusts only this certificate.
    asker, lost = (m.name for m in chat.part.of_group("applications"))
    authority = (chat.folder / "secrets" / "tls_certificate.ca").read_text()
    assert on(chat, asker, f"cat > ~/site.ca <<'EOF'\n{authority}\nEOF").code == 0
    assert _ask(chat, asker, 4) == ["200"] * 4
    sent_on = f"curl --silent --output /dev/null --write-out '%{{redirect_url}}' http://{ADDRESS}/x"
    assert on(chat, asker, sent_on).output == f"https://{ADDRESS}/x"
    acting = Acting(site.world.settings)

    stopped = next(m for m in chat.machines if m.name == lost)
    acting.shut_down(stopped.node, stopped.vm_id)
    assert _ask(chat, asker, 20) == ["200"] * 20, "one application machine is lost, and nobody notices"
    acting.start(stopped.node, stopped.vm_id)

    active = _active(chat)
    acting.shut_down(active.node, active.vm_id)
    wait_until(lambda: _ask(chat, asker) == ["200"], FAILOVER_SECONDS_MAX)
    assert _ask(chat, asker, 20) == ["200"] * 20, "the other balancer has the address"
    acting.start(active.node, active.vm_id)
    wait_until(lambda: on(chat, active.name, "systemctl is-active keepalived").output.strip() == "active", 60)
    second = _active(chat).name
    assert second != active.name, "the address moves once, not twice"
    assert on(chat, second, "sudo systemctl stop haproxy").code == 0
    wait_until(lambda: _ask(chat, asker) == ["200"], FAILOVER_SECONDS_MAX, lambda: "HAProxy alone has ended, and the address stays")
    assert _active(chat).name == active.name
    assert on(chat, second, "sudo systemctl start haproxy").code == 0

    grown = chat.say("make it 3 application machines")
    assert chat.changes == {"create": 1}, grown.text
    changed = chat.post(f"approve {grown.digest}", seconds_max=RUN_SECONDS_MAX)
    assert chat.run.status == "done", changed.text
    assert [m.name for m in chat.part.of_group("applications")] == ["shop-app-1", "shop-app-2", "shop-app-3"]
    assert _ask(chat, asker, 6) == ["200"] * 6
    served = on(chat, chat.part.of_group("balancers")[0].name, "grep -c '    server ' /etc/haproxy/haproxy.cfg").output.strip()
    assert served == "3"

    removal = chat.say("remove it")
    gone = chat.post(f"approve {removal.digest}", seconds_max=RUN_SECONDS_MAX)
    assert chat.run.status == "removed", gone.text
    assert str(ip_interface(f"{ADDRESS}/24").ip) not in site.world.ledger.reservations.held(site.world.now()).addresses


def test_the_certificate_is_of_the_sites_authority_where_it_has_one(tmp_path: Path) -> None:
    from datetime import UTC, datetime, timedelta

    from tests.certificates_of_a_site import authority
    from tools.clients import tls

    now, path = datetime(2026, 11, 29, tzinfo=UTC), tmp_path / "tls_certificate"
    signer = authority(tmp_path, now)
    assert tls.ensure(path, (SITE, ADDRESS), signer, now)
    assert "signed by Example Site CA" in tls.described(path)
    assert path.stat().st_mode & 0o077 == 0 and "PRIVATE KEY" not in path.with_name("tls_certificate.crt").read_text()
    assert not tls.ensure(path, (SITE, ADDRESS), signer, now + timedelta(days=300)), "it is left while it serves"
    assert tls.ensure(path, (SITE, ADDRESS), signer, now + timedelta(days=370)), "its end is near"
    assert tls.ensure(path, (SITE, "10.20.0.201"), signer, now), "another address"
    assert tls.ensure(path, (SITE, "10.20.0.201"), None, now), "the site has no authority any more"
    assert "self-signed" in tls.described(path)
