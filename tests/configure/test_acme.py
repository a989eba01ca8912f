"""A reverse proxy whose certificate an ACME server signs: Pebble, which is made for tests, from Debian's package, on a guest beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cluster_sim.guests import GuestProblem, open_bodies
from tools.pipeline.context import PartContext
from tools.pipeline.verify import verify
from tools.values.site import Acme
from tools.values.trouble import WorldProblem

from .guests import NETWORK, new_run_folder
from .test_made_good import quiet, quiet_pause
from .test_services import NOTHING_DONE, Site, configured, met, part_for

pytestmark = [pytest.mark.systems, pytest.mark.timeout(900)]

SERVER, PROXY = "10.20.0.90", "10.20.0.91"
SHOP = f"a reverse proxy for site shop.example.org in front of {SERVER}, backend port 8080"
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
echo '{PROXY} shop.example.org' >>/etc/hosts
systemd-run --quiet --unit site python3 -m http.server --directory /usr/share/doc 8080
systemd-run --quiet --unit pebble --setenv PEBBLE_VA_NOSLEEP=1 pebble -config /srv/pebble.json
cat /srv/pebble.pem
curl --silent --insecure --retry 20 --retry-delay 1 --retry-connrefused https://127.0.0.1:15000/roots/0
"""
"""Its name server is its own list of names, so shop.example.org leads to the proxy. It ends with whom to trust."""


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
        configured(made.contexts["shop"])
        yield made, acme
    finally:
        bodies.close()


def test_the_certificate_is_signed_and_checked_by_whoever_asks_for_the_site(site: tuple[Site, Acme]) -> None:
    context = site[0].contexts["shop"]
    assert context.part.certificates == ()
    verified, _ = verify(context, quiet, quiet_pause)
    assert any("answered 200" in one for one in verified), verified
    assert "Pebble" in site[0].root("proxy-01", "openssl", "x509", "-noout", "-issuer", "-in", "/etc/nginx/tls/site.pem")


def test_a_second_run_asks_for_nothing_and_a_timer_asks_every_day(site: tuple[Site, Acme]) -> None:
    made, _ = site
    assert configured(made.contexts["shop"]) == NOTHING_DONE
    assert made.root("proxy-01", "systemctl", "is-active", "berth-acme.timer").strip() == "active"
    signed = made.root("proxy-01", "sha256sum", "/etc/nginx/tls/site.pem")
    made.root("proxy-01", "sh", "-c", "echo >/etc/nginx/tls/site.pem")  # as a run leaves it that was stopped before nginx got the new one
    made.root("proxy-01", "systemctl", "start", "berth-acme.service")
    assert made.root("proxy-01", "sha256sum", "/etc/nginx/tls/site.pem") == signed


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
