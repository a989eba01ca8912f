"""The guests' package proxy, between a mirror of our own and a plain HTTP client."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from guest_worlds import until

from cluster_sim.authority import make_authority
from cluster_sim.guests.apt_proxy import AptProxy
from cluster_sim.guests.sources import Upstream

PACKAGE = b"\x00deb" * 100_000


@dataclass
class Mirror:
    """Counts what it was asked, and may break off in the middle."""

    asked: list[str] = field(default_factory=list)
    breaks_off: bool = False

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        if request.path.endswith("missing.deb"):
            return web.Response(status=404)
        if request.headers.get("If-Modified-Since"):
            return web.Response(status=304)
        response = web.StreamResponse(headers={"Last-Modified": "Tue, 24 Nov 2026 05:00:00 GMT"})
        response.content_length = len(PACKAGE)
        await response.prepare(request)
        await response.write(PACKAGE[: len(PACKAGE) // 2])
        if self.breaks_off:
            assert request.transport is not None
            request.transport.close()
            return response
        await response.write(PACKAGE[len(PACKAGE) // 2 :])
        return response


@dataclass
class Shop:
    mirror: Mirror
    port: int
    cache: Path

    def get(self, url: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, url, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        try:
            return answer.status, answer.read()
        finally:
            connection.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A mirror over HTTPS with a CA of its own, and the proxy that knows it as http://mirror.example/debian."""
    authority = make_authority(tmp_path / "ca")
    mirror = Mirror()
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()
    ports: list[int] = []

    async def serve() -> None:
        far = web.ServerRunner(web.Server(mirror.handle))
        await far.setup()
        await web.TCPSite(far, "127.0.0.1", 0, ssl_context=authority.server_tls("mirror")).start()
        mirrors = {"http://mirror.example/debian": f"https://127.0.0.1:{far.addresses[0][1]}/debian"}
        proxy = AptProxy(mirrors, Upstream(ca_file=str(authority.ca_file)), tmp_path / "cache")
        await proxy.open()
        near = web.ServerRunner(web.Server(proxy.handle))
        await near.setup()
        gate = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(near, gate).start()
        ports.append(gate.getsockname()[1])
        ready.set()
        await stop.wait()
        await near.cleanup()
        await proxy.close()
        await far.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield Shop(mirror, ports[0], tmp_path / "cache")
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()


REFUSED = [
    "http://example.org/",
    "http://mirror.example/",
    "http://mirror.example/debian-security/x.deb",
    "http://mirror.example:81/debian/x.deb",
    "http://mirror.example@example.org/debian/x.deb",
    "http://mirror.example/debian/../secret",
    "http://mirror.example/debian/%2e%2e/secret",
    "http://mirror.example/debian/..%2fsecret",
    "http://mirror.example/debian/..%5csecret",
    "https://mirror.example/debian/x.deb",
    "ftp://mirror.example/debian/x.deb",
    "/debian/x.deb",
]


@pytest.mark.parametrize("url", REFUSED)
def test_everything_else_is_refused(shop: Shop, url: str) -> None:
    status, said = shop.get(url)
    assert status == 403
    assert b"http://mirror.example/debian only" in said
    assert shop.mirror.asked == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_is_sent_up(shop: Shop, method: str) -> None:
    assert shop.get("http://mirror.example/debian/x.deb", method)[0] == 403


def test_no_tunnel_is_opened(shop: Shop) -> None:
    with socket.create_connection(("127.0.0.1", shop.port), timeout=10) as connection:
        connection.sendall(b"CONNECT mirror.example:443 HTTP/1.1\r\nHost: mirror.example:443\r\n\r\n")
        assert b" 403 " in connection.recv(200)


def test_a_package_is_fetched_once(shop: Shop) -> None:
    url = "http://mirror.example/debian/pool/main/n/nginx/nginx_1%3a2_amd64.deb"
    assert shop.get(url) == (200, PACKAGE)
    assert shop.get(url) == (200, PACKAGE)
    assert len(shop.mirror.asked) == 1


def test_several_at_once_fetch_it_once(shop: Shop) -> None:
    answers: list[tuple[int, bytes]] = []
    url = "http://mirror.example/debian/dists/bookworm/main/by-hash/SHA256/00ff"
    threads = [threading.Thread(target=lambda: answers.append(shop.get(url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers == [(200, PACKAGE)] * 4
    assert len(shop.mirror.asked) == 1


def test_what_may_change_is_asked_for_each_time(shop: Shop) -> None:
    url = "http://mirror.example/debian/dists/bookworm/InRelease"
    assert shop.get(url)[0] == 200
    assert shop.get(url, If_Modified_Since="Tue, 24 Nov 2026 05:00:00 GMT") == (304, b"")
    assert len(shop.mirror.asked) == 2


def test_half_a_package_is_not_kept(shop: Shop) -> None:
    url = "http://mirror.example/debian/pool/half.deb"
    shop.mirror.breaks_off = True
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        shop.get(url)
    shop.mirror.breaks_off = False
    assert shop.get(url) == (200, PACKAGE)
    assert until(lambda: [path.name for path in shop.cache.rglob("*") if path.is_file()] == ["half.deb"], 5)


def test_a_cache_that_cannot_be_written_only_costs_time(shop: Shop) -> None:
    shop.cache.mkdir()
    (shop.cache / "apt").write_text("in the way")
    for _ in range(2):
        assert shop.get("http://mirror.example/debian/x.deb") == (200, PACKAGE)
    assert len(shop.mirror.asked) == 2


def test_a_missing_package_is_not_kept(shop: Shop) -> None:
    for _ in range(2):
        assert shop.get("http://mirror.example/debian/missing.deb")[0] == 404
    assert len(shop.mirror.asked) == 2


def test_a_mirror_that_is_away_is_a_sentence(tmp_path: Path) -> None:
    async def ask() -> str:
        proxy = AptProxy({"http://mirror.example/debian": "http://127.0.0.1:9/debian"}, Upstream(), tmp_path)
        await proxy.open()
        near = web.ServerRunner(web.Server(proxy.handle))
        await near.setup()
        gate = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(near, gate).start()
        shop = Shop(Mirror(), gate.getsockname()[1], tmp_path)
        status, said = await asyncio.to_thread(shop.get, "http://mirror.example/debian/x.deb")
        await near.cleanup()
        await proxy.close()
        return f"{status} {said.decode()}"

    said = asyncio.run(ask())
    assert said.startswith("502 The mirror did not answer:")
    assert "Traceback" not in said
