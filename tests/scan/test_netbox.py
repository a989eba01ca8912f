"""Addresses of a NetBox, by the client that its makers keep, against a small strict one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.registers.netbox import TOKENS, Netbox, netbox
from tools.clients.ipam import open_ipam
from tools.values.trouble import RequestProblem, Trouble, WorldProblem

OWNER, NOTE = "Berth run-abc web:", "Berth run-abc web: VM 20001 (web-01)"


def every(address: str) -> bool:
    return True


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Netbox]:
    with netbox(tmp_path, datetime.now(UTC)) as made:
        yield made


@pytest.mark.parametrize("token", [one for one, may in TOKENS.items() if may])
def test_an_address_is_registered_once_and_released_once(book: Netbox, token: str) -> None:
    ipam = open_ipam(book.site(token))
    asked = ("10.0.30.5/24", OWNER, NOTE, "web-01.example.org")
    assert [ipam.reserve(*asked), ipam.reserve(*asked)] == [True, False]
    assert book.known() == {"10.0.30.5/24": f"{NOTE}|web-01.example.org"}
    assert [ipam.release(OWNER, every), ipam.release(OWNER, every)] == [("10.0.30.5",), ()]
    assert book.known() == {}


def test_all_that_has_an_address_is_seen_whatever_its_status(book: Netbox) -> None:
    for number, status in enumerate(("active", "reserved", "deprecated", "dhcp")):
        book.has(f"10.0.30.{number + 5}/24", status=status, description=f"a {status} one")
    book.has("10.0.30.20/32", description=NOTE)
    book.has("2001:db8::7/64", status="slaac", dns_name="six.example.org")
    book.has("10.0.31.5/24")
    book.range("10.0.30.100/24", "10.0.30.102/24", populated=True)
    book.range("10.0.30.110/24", "10.0.30.112/24", populated=False)
    book.range("10.0.29.250/23", "10.0.30.2/23", populated=True)
    book.range("10.0.30.250/23", "10.0.31.2/23", populated=True)
    book.range("10.0.31.10/24", "10.0.31.12/24", populated=True)
    book.range("2001:db7:ffff::1/64", "2001:db9::1/64", populated=True)
    found = open_ipam(book.site()).taken(["10.0.30.0/24", "2001:db8::/64"])
    assert {(one.address, one.last, one.who, one.vm_id) for one in found} == {
        ("10.0.30.5", "", "NetBox (a active one)", 0),
        ("10.0.30.6", "", "NetBox (a reserved one)", 0),
        ("10.0.30.7", "", "NetBox (a deprecated one)", 0),
        ("10.0.30.8", "", "NetBox (a dhcp one)", 0),
        ("10.0.30.20", "", f"NetBox ({NOTE})", 20001),
        ("2001:db8::7", "", "NetBox (six.example.org)", 0),
        ("10.0.30.100", "10.0.30.102", "NetBox (a range that it keeps)", 0),
        ("10.0.30.0", "10.0.30.2", "NetBox (a range that it keeps)", 0),
        ("10.0.30.250", "10.0.30.255", "NetBox (a range that it keeps)", 0),
        ("2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", "NetBox (a range that it keeps)", 0),
    }
    assert open_ipam(book.site()).taken([]) == ()


@pytest.mark.parametrize("unique", [True, False])
def test_what_is_another_s_is_neither_registered_nor_released(book: Netbox, unique: bool) -> None:
    book.unique = unique
    book.has("10.0.30.5/24", description="Berth run-abc web2: VM 20009 (other)")
    book.range("10.0.30.100/24", "10.0.30.102/24", populated=True)
    ipam, before = open_ipam(book.site()), book.known()
    for address in ("10.0.30.5/24", "10.0.30.101/24"):
        with pytest.raises(RequestProblem, match=address.partition("/")[0]):
            ipam.reserve(address, OWNER, NOTE, "")
    assert ipam.release(OWNER, every) == () and book.known() == before


def test_addresses_that_stay_are_not_released(book: Netbox) -> None:
    ipam = open_ipam(book.site())
    for number in (5, 6, 7):
        ipam.reserve(f"10.0.30.{number}/24", OWNER, NOTE, "")
    assert ipam.release(OWNER, lambda address: address != "10.0.30.6") == ("10.0.30.5", "10.0.30.7")
    assert list(book.known()) == ["10.0.30.6/24"]


@pytest.mark.parametrize(
    ("token", "more", "said"),
    [
        ("Token wrong", {}, "Invalid v1 token"),
        ("Token looks", {}, "do not have permission"),
        ("", {"away": True}, "502"),
        ("", {"ca_file": ""}, "did not answer"),
        ("", {"url": "https://127.0.0.1:1"}, "did not answer"),
    ],
)
def test_one_that_refuses_or_is_away_is_a_sentence(book: Netbox, token: str, more: dict[str, object], said: str) -> None:
    site = book.site(token or next(iter(TOKENS)))
    book.away = bool(more.pop("away", False))
    with pytest.raises(WorldProblem) as met:
        open_ipam(site.model_copy(update=more)).reserve("10.0.30.5/24", OWNER, NOTE, "")
    assert said in met.value.detail and "take `ipam` out of the site file" in met.value.remedy
    assert "0123456789" not in str(met.value)


def test_whether_a_token_may_register_is_known_beforehand_and_nothing_is_changed(book: Netbox) -> None:
    open_ipam(book.site()).assert_registers()
    with pytest.raises(WorldProblem, match="may not register addresses"):
        open_ipam(book.site("Token looks")).assert_registers()
    with pytest.raises(WorldProblem, match="Invalid v1 token"):
        open_ipam(book.site("Token wrong")).assert_registers()
    assert book.known() == {}


def test_a_token_that_is_not_there_is_named(book: Netbox) -> None:
    with pytest.raises(Trouble, match="file:/nowhere"):
        open_ipam(book.site().model_copy(update={"token": "file:/nowhere"}))
