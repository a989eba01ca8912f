"""What people mean by ordinary words: nothing denied is done, nothing that only looks like a name is one."""

from __future__ import annotations

import pytest

from tools.capabilities import catalogue
from tools.rules.hearing.hear import hear, merge, prove
from tools.rules.hearing.unheard import unheard
from tools.values.heard import Ask, Heard

Asks = dict[str, dict[str, str]]


def said(*texts: str) -> Heard:
    """Everything said in these messages, one after the other."""
    so_far = Heard()
    for text in texts:
        so_far = merge(so_far, hear(text, catalogue(), so_far))
    return so_far


def asks(heard: Heard) -> Asks:
    return {ask.capability: {fact.name: fact.value for fact in ask.facts} for ask in heard.asks}


DENIED: list[tuple[str, Asks]] = [
    ("a VM with 4 cores, don't put it on pve1", {"virtual_machine": {"cpu_count": "4"}}),
    ("a VM, do not place it on the node pve1", {"virtual_machine": {}}),
    ("a VM, never run it on pve1", {"virtual_machine": {}}),
    ("a VM; it should not be placed on pve1", {"virtual_machine": {}}),
    ("a VM; it doesn't have to be on pve1", {"virtual_machine": {}}),
    ("a VM, avoid pve1", {"virtual_machine": {}}),
    ("a VM not on node pve3", {"virtual_machine": {}}),
    ("a VM anywhere but pve3", {"virtual_machine": {}}),
    ("a VM anywhere but on pve3", {"virtual_machine": {}}),
    ("a VM, not on pve1 or on pve2", {"virtual_machine": {}}),
    ("neither on pve1 nor on pve2, a VM", {"virtual_machine": {}}),
    ("a VM, not production or staging, development", {"virtual_machine": {"environment": "development"}}),
    ("a VM, not on pve1 but on pve2", {"virtual_machine": {"node": "pve2"}}),
    ("a VM, do not use pve2, use pve3", {"virtual_machine": {"node": "pve3"}}),
    ("Please don't make a web server, only a database for 10 users", {"postgresql": {"concurrent_users": "10"}}),
    ("We don't think we need a web server, just a VM", {"virtual_machine": {}}),
    ("no database server please, a web server", {"web_server": {}}),
    ("a VM without a database or web server", {"virtual_machine": {}}),
    ("a VM and don't forget a web server", {"virtual_machine": {}, "web_server": {}}),
    ("a database not only for 100 users but for 200 users", {"postgresql": {"concurrent_users": "200"}}),
    ("I don't want it on network 20, use network 30 for the VM", {"virtual_machine": {"network": "30"}}),
]


@pytest.mark.parametrize(("text", "expected"), DENIED)
def test_what_is_denied_is_not_done(text: str, expected: Asks) -> None:
    heard = said(text)
    assert asks(heard) == expected
    assert prove(heard, [text], catalogue()) == (heard, ())


@pytest.mark.parametrize(
    "text",
    ["drop the web servers", "no web servers", "without the web server", "leave out the web servers",
     "we don't need the web servers",
     "don't put it on pve1", "never place it on node pve1"],
)  # fmt: skip
def test_what_is_denied_later_adds_nothing_and_is_told(text: str) -> None:
    before = said("a database for 10 users and two web servers on network 20")
    heard = hear(text, catalogue(), before)
    assert merge(before, heard) == before
    assert unheard(text, heard, catalogue())


def test_a_word_within_a_denied_one_proves_nothing() -> None:
    claimed = Heard(asks=(Ask(capability="virtual_machine"),))
    assert prove(claimed, ["no web servers"], catalogue()) == (Heard(), ())


ENVIRONMENTS: list[tuple[tuple[str, ...], Asks]] = [
    (("a PostgreSQL database for 50 users, development environment, network 20",),
     {"postgresql": {"concurrent_users": "50", "environment": "development", "network": "20"}}),
    (("a web server, dev environment, network 20",), {"web_server": {"environment": "development", "network": "20"}}),
    (("a web server, dev env, network 20",), {"web_server": {"environment": "development", "network": "20"}}),
    (("a web server on network 20. Development environment.",), {"web_server": {"environment": "development", "network": "20"}}),
    (("一个PostgreSQL数据库，50个用户，开发环境，网络20",),
     {"postgresql": {"concurrent_users": "50", "environment": "development", "network": "20"}}),
    (("50 kullanıcı için PostgreSQL veritabanı, geliştirme ortamı, ağ 20",),
     {"postgresql": {"concurrent_users": "50", "environment": "development", "network": "20"}}),
    (("a web server on network 20", "Development environment"), {"web_server": {"environment": "development", "network": "20"}}),
    # With an article, a number, or in a list of things, it is one of its own.
    (("a web server on network 20", "I need a development environment"),
     {"web_server": {"network": "20"}, "dev_environment": {}}),
    (("a web server and a Python development environment",), {"web_server": {}, "dev_environment": {}}),
    (("a web server and two development environments",), {"web_server": {}, "dev_environment": {"count": "2"}}),
    (("a web server and development environments",), {"web_server": {}, "dev_environment": {}}),
    (("一个PostgreSQL数据库和一个开发环境",), {"postgresql": {}, "dev_environment": {}}),
    (("development environment, network 20",), {"dev_environment": {"network": "20"}}),
    (("a dev env on network 20",), {"dev_environment": {"network": "20"}}),
    (("给我一个开发环境，网络20",), {"dev_environment": {"network": "20"}}),
]  # fmt: skip


@pytest.mark.parametrize(("texts", "expected"), ENVIRONMENTS)
def test_an_environment_of_something_is_no_second_thing(texts: tuple[str, ...], expected: Asks) -> None:
    heard = said(*texts)
    assert asks(heard) == expected
    assert prove(heard, texts, catalogue()) == (heard, ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("geliştirme ortamı istiyorum, ağ 20", {"dev_environment": {"network": "20"}}),
        ("gelistirme ortami istiyorum, ağ 20", {"dev_environment": {"network": "20"}}),
        ("4 çekirdek 8 GB bellek sanal makine", {"virtual_machine": {"cpu_count": "4", "memory": "8 GB"}}),
        ("4 cekirdekli sanal makine", {"virtual_machine": {"cpu_count": "4"}}),
        ("100 bağlantı için veritabanı", {"postgresql": {"concurrent_users": "100"}}),
    ],
)
def test_turkish_is_heard_in_its_own_spelling_and_without_it(text: str, expected: Asks) -> None:
    assert asks(said(text)) == expected


ORDINARY: list[tuple[str, Asks]] = [
    ("a VM for our call center", {"virtual_machine": {}}),
    ("a VM for a name server with 2 cores", {"virtual_machine": {"cpu_count": "2"}}),
    ("a VM in the name of security", {"virtual_machine": {}}),
    ("a VM named after our project", {"virtual_machine": {}}),
    ("a database for 10 users, user name shopuser", {"postgresql": {"concurrent_users": "10"}}),
    ("a VM where the customer data will live, 4 cores", {"virtual_machine": {"cpu_count": "4"}}),
    ("a VM for live streaming", {"virtual_machine": {}}),
    ("a VM for the earliest stage of the project", {"virtual_machine": {}}),
    ("a VM to host GitLab for 100 users", {"virtual_machine": {"application": "GitLab", "users": "100"}}),
    ("Host GitLab for 100 users on a VM", {"virtual_machine": {"application": "GitLab", "users": "100"}}),
    ("a VM for node exporter", {"virtual_machine": {}}),
    ("a VM for network monitoring", {"virtual_machine": {}}),
    ("a VM for our network team on network 20", {"virtual_machine": {"network": "20"}}),
    ("a VM, the network doesn't matter", {"virtual_machine": {}}),
    ("a VM, any node is fine", {"virtual_machine": {}}),
    ("a VM on another node than pve1", {"virtual_machine": {}}),
    ("a VM on any node except pve3", {"virtual_machine": {}}),
    ("a VM on a node other than pve3", {"virtual_machine": {}}),
    ("a VM on ubuntu22", {"virtual_machine": {}}),
    # What does name something there is heard as before.
    ("a VM, call it build-01", {"virtual_machine": {"name": "build-01"}}),
    ("a VM, call the machine build-01", {"virtual_machine": {"name": "build-01"}}),
    ('a VM, call it "our center"', {"virtual_machine": {"name": "our center"}}),
    ("a VM named server on network 20", {"virtual_machine": {"name": "server", "network": "20"}}),
    ("a VM, live, network 20", {"virtual_machine": {"environment": "production", "network": "20"}}),
    ("a VM that goes live on network 20", {"virtual_machine": {"environment": "production", "network": "20"}}),
    ("a VM on network 20, stage", {"virtual_machine": {"environment": "staging", "network": "20"}}),
    ("a VM on node alpha", {"virtual_machine": {"node": "alpha"}}),
    ("a VM, host: alpha", {"virtual_machine": {"node": "alpha"}}),
    ("move the VM to host pve2", {"virtual_machine": {"node": "pve2"}}),
    ("a VM, network staging", {"virtual_machine": {"network": "staging"}}),
    ("a VM on node pve1 and network lab", {"virtual_machine": {"node": "pve1", "network": "lab"}}),
    ("a VM, network lab", {"virtual_machine": {"network": "lab"}}),
    ("a VM on network management", {"virtual_machine": {"network": "management"}}),
    ("a VM on the network called lab", {"virtual_machine": {"network": "lab"}}),
    ('a VM on node "pve3", network "20"', {"virtual_machine": {"node": "pve3", "network": "20"}}),
    ("a VM on “pve3”, network 'Shop floor'", {"virtual_machine": {"node": "pve3", "network": "Shop floor"}}),
    ('a VM on storage "ceph-vm", template "debian-12"', {"virtual_machine": {"storage": "ceph-vm", "template": "debian-12"}}),
    ("a database for 10 users, the database is called shop", {"postgresql": {"concurrent_users": "10", "database_name": "shop"}}),
    ("a database for 10 users, database name: shop", {"postgresql": {"concurrent_users": "10", "database_name": "shop"}}),
    ("a web server, domain name shop.example.org", {"web_server": {"site_name": "shop.example.org"}}),
]


@pytest.mark.parametrize(("text", "expected"), ORDINARY)
def test_an_ordinary_word_is_no_name(text: str, expected: Asks) -> None:
    heard = said(text)
    assert asks(heard) == expected
    assert prove(heard, [text], catalogue()) == (heard, ())
