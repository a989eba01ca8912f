"""Certificates that an ACME server signs, of a reverse proxy and of a web tier: Pebble, which is made for tests, from Debian's package, on
a guest beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from cluster_sim.guests import Bodies, GuestProblem, open_bodies
from tests.conftest import wait_until
from tools.clients.settings import Settings
from tools.pipeline.configure import wait
from tools.pipeline.context import PartContext
from tools.pipeline.verify import verify
from tools.values.manifest import Part
from tools.values.site import Acme
from tools.values.trouble import WorldProblem

from .guests import NETWORK, new_run_folder, spec_for
from .test_made_good import quiet, quiet_pause
from .test_services import PLACED, Site, configured, met, part_for

pytestmark = [pytest.mark.systems, pytest.mark.timeout(900)]

SERVER, PROXY = "10.20.0.90", "10.20.0.91"
SHARED = "10.20.0.200"
SHOP = f"a reverse proxy for site shop.example.org in front of {SERVER}, backend port 8080{PLACED}"
TIER = f"a web tier for site tier.example.org called tier, virtual address {SHARED}{PLACED}"
BALANCERS, APPLICATIONS = ("tier-lb-1", "tier-lb-2"), ("tier-app-1", "tier-app-2")
FAILOVER_SECONDS_MAX = 60.0
"""keepalived needs a few seconds; the bound is for a busy machine."""
PEBBLE = {
    "pebble": {
        "listenAddress": "0.0.0.0:14000",
        "managementListenAddress": "127.0.0.1:15000",
        "certificate": "/srv/pebble.pem",
        "privateKey": "/srv/pebble.key",
        "httpPort": 80,
        "tlsPort": 443,
    }
}
START = f"""
set -e
apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends pebble openssl curl >/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=acme -addext subjectAltName=IP:{SERVER} \
  -keyout /srv/pebble.key -out /srv/pebble.pem 2>/dev/null
echo '{json.dumps(PEBBLE)}' >/srv/pebble.json
printf '%s\\n' '{PROXY} shop.example.org' '{SHARED} tier.example.org' >>/etc/hosts
systemd-run --quiet --unit site python3 -m http.server --directory /usr/share/doc 8080
systemd-run --quiet --unit pebble --setenv PEBBLE_VA_NOSLEEP=1 pebble -config /srv/pebble.json
cat /srv/pebble.pem
curl --silent --insecure --retry 20 --retry-delay 1 --retry-connrefused https://127.0.0.1:15000/roots/0
"""
"""Its name server is its own list of names, so each site's name leads where it should. It ends with whom to trust."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Acme]]:
    run_folder = new_run_folder(tmp_path_factory.mktemp("acme"))
    try:
        bodies = open_bodies("pod", tmp_path_factory.mktemp("pod"), (NETWORK,), print)
    except GuestProblem as problem:
        pytest.skip(f"No guests with a body here: {problem}")
    try:
        met(bodies, run_folder, part_for(SHOP), "acme-01", SERVER)
        made = Site(bodies, {})
        acme = Acme(directory=f"https://{SERVER}:14000/dir", authority=made.root("acme-01", "sh", "-c", START))
        made.contexts["shop"] = met(bodies, run_folder, part_for(SHOP, acme), "proxy-01", PROXY)
        made.contexts["tier"] = met_all(
            bodies, run_folder, part_for(TIER, acme), dict(zip(BALANCERS + APPLICATIONS, range(92, 96), strict=True))
        )
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(configured, made.contexts.values()))
        yield made, acme
    finally:
        bodies.close()


def met_all(bodies: Bodies, run_folder: Path, part: Part, numbers: Mapping[str, int]) -> PartContext:
    """The part's machines, each at the last number of its address, once they answer."""
    assert {machine.name for machine in part.machines} == set(numbers)
    for machine in part.machines:
        bodies.boot(replace(spec_for(machine.name, f"10.20.0.{numbers[machine.name]}", run_folder), user=machine.user_name))
    (run_folder / part.label).mkdir()
    context = PartContext(
        settings=Settings(guest_proxy_command=bodies.proxy_command or ""),
        run_folder=run_folder,
        part_folder=run_folder / part.label,
        part=part,
        outputs={"machines": {name: {"addresses": [f"10.20.0.{number}"]} for name, number in numbers.items()}},
    )
    return replace(context, machines=wait(context, quiet))


def test_the_certificate_is_signed_and_checked_by_whoever_asks_for_the_site(site: tuple[Site, Acme]) -> None:
    context = site[0].contexts["shop"]
    assert context.part.certificates == ()
    verified, _ = verify(context, quiet, quiet_pause)
    assert any("answered 200" in one for one in verified), verified
    assert "Pebble" in site[0].root("proxy-01", "openssl", "x509", "-noout", "-issuer", "-in", "/etc/nginx/tls/site.pem")


def test_a_name_that_leads_nowhere_stops_the_run_with_what_the_server_says_and_the_site_stays(site: tuple[Site, Acme]) -> None:
    made, acme = site
    before = made.root("proxy-01", "sha256sum", "/etc/nginx/tls/site.pem")
    with pytest.raises(WorldProblem) as stopped:
        configured(_of(made.contexts["shop"], SHOP.replace("shop.", "wiki."), acme))
    assert "wiki.example.org" in stopped.value.detail
    assert made.root("proxy-01", "sha256sum", "/etc/nginx/tls/site.pem") == before
    assert made.root("proxy-01", "systemctl", "is-active", "nginx").strip() == "active"


def _of(context: PartContext, words: str, acme: Acme) -> PartContext:
    part = part_for(words, acme)
    return replace(context, part=part.model_copy(update={"machines": context.part.machines}))


def test_each_balancer_has_a_certificate_of_its_own_and_whoever_has_the_address_answers_for_both(site: tuple[Site, Acme]) -> None:
    made, context = site[0], site[0].contexts["tier"]
    verified, not_verified = verify(context, quiet, quiet_pause)
    assert context.part.certificates == () and not_verified == () and len(verified) == len(context.part.commands)
    assert configured(context) == "Configured 4 machines: 0 changes made."
    assert made.root(BALANCERS[0], "systemctl", "is-active", "berth-acme.timer").strip() == "active"
    kept = {name: made.root(name, "cat", "/etc/haproxy/tls/site.pem") for name in BALANCERS}
    assert len(set(kept.values())) == 2 and not any("PRIVATE KEY" in path.read_text() for path in context.part_folder.rglob("*.json"))

    def asked() -> list[str]:
        """By a client that trusts the ACME server's authority alone: the code, and whose certificate it was shown."""
        trust = f"--cacert /etc/haproxy/tls/authority.pem --resolve tier.example.org:443:{SHARED}"
        line = f"curl --silent --max-time 3 --output /dev/null --write-out '%{{http_code}}' {trust} https://tier.example.org/"
        return [made.bodies.exec(name, ["sh", "-c", line]).stdout for name in BALANCERS if made.bodies.is_up(name)]

    def having() -> list[str]:
        return [
            name for name in BALANCERS if made.bodies.is_up(name) and f" {SHARED}/" in made.root(name, "ip", "-4", "-oneline", "address")
        ]

    assert asked() == ["200", "200"]
    [first] = having()
    [other] = set(BALANCERS) - {first}
    # As a run leaves it that was stopped before HAProxy got the new one.
    made.root(first, "sh", "-c", "echo >/etc/haproxy/tls/site.pem; systemctl start berth-acme.service")
    assert made.root(first, "cat", "/etc/haproxy/tls/site.pem") == kept[first]
    # The one that has not the address asks anew, and the one that has it answers.
    made.root(other, "sh", "-c", "rm -r /var/lib/dehydrated/certs/tier.example.org; systemctl start berth-acme.service")
    assert made.root(other, "cat", "/etc/haproxy/tls/site.pem") != kept[other]
    made.bodies.shutdown(first, force=True)
    wait_until(lambda: having() == [other] and asked() == ["200"], FAILOVER_SECONDS_MAX)
