"""The door of `berth serve`, by itself: what others tried to come in by. What ADK answers behind it is not asked here."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from joserfc.jwk import RSAKey
from starlette.responses import PlainTextResponse

from agents.provisioner.connection import speaker
from agents.provisioner.serving.door import STRANGERS_A_MINUTE, Door
from agents.provisioner.serving.people import People
from agents.provisioner.serving.people import Provider as Known
from agents.provisioner.serving.timely import Timely
from tests.conftest import free_port, wait_until
from tests.front_ends.provider import Provider
from tests.front_ends.served import SESSIONS
from tests.loopback import http_server
from tools.clients.serving import Config, read_config
from tools.clients.settings import Settings
from tools.values.tenant import Tenant, Tenants
from tools.values.trouble import RequestProblem

ADDRESS = "https://berth.example.org"
ROLES = {"alice": ("requester",), "vera": ("viewer",), "u-7": ("requester",), "group:vips": ("vp", "requester")}
TOKEN, SECRET = "token-of-alice-0123456789", "the-proxys-secret"
OFTEN = 2 * STRANGERS_A_MINUTE
BY_PROXY = {"x-berth-secret": SECRET, "x-remote-user": "vera"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    provider = Provider()
    with http_server(provider.serve, provider.port):
        yield provider


class House:
    """The door, and who it let in, as ADK's app behind it sees them."""

    def __init__(self, folder: Path, provider: Provider) -> None:
        (folder / "tokens").write_text(f"alice {hashlib.sha256(TOKEN.encode()).hexdigest()}\n")
        (folder / "secret").write_text(SECRET)
        said: dict[str, Any] = {
            "address": ADDRESS,
            "tokens_file": folder / "tokens",
            "proxy": {"secret_file": folder / "secret", "groups_header": "x-remote-groups", "address_header": "x-forwarded-for"},
            "oidc": {"issuer": provider.issuer, "client_id": "berth"},
        }
        config = Config.model_validate(said)
        assert config.oidc
        self.people = People(config, b"k" * 32, Known(config.oidc))
        self.looked = 0
        self.tenants = Tenants()
        self.door = Door(self._adk, config, self.people, lambda: (ROLES, self.tenants), self._ready, lambda: b"")

    async def _adk(self, scope: Any, receive: Any, send: Any) -> None:
        person = speaker.get()
        assert person is not None
        tenant = person.tenant.name if person.tenant else ""
        said = json.dumps({"name": person.name, "roles": person.roles, "tenant": tenant, "path": scope["path"]}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": said})

    async def _ready(self) -> bool:
        self.looked += 1
        return True

    def ask(
        self, path: str, *headers: tuple[str, str], method: str = "GET", times: int = 1, peer: str = "203.0.113.9"
    ) -> list[httpx.Response]:
        async def asked() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.door, client=(peer, 5))
            async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
                return [await client.request(method, path, headers=list(headers)) for _ in range(times)]

        return asyncio.run(asked())

    def came_in(self, *headers: tuple[str, str]) -> str:
        """As whom; empty for nobody."""
        [answer] = self.ask(SESSIONS, *headers)
        assert answer.status_code in (200, 400, 401, 403), answer.text
        return str(answer.json()["name"]) if answer.status_code == 200 else ""


@pytest.fixture
def house(tmp_path: Path, provider: Provider) -> House:
    return House(tmp_path, provider)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).rstrip(b"=").decode()


def forged(provider: Provider, **header: object) -> str:
    """Of claims that are right, with another header and no signature that holds."""
    return ".".join([part({"alg": "RS256", "kid": "k1", **header}), provider.token().split(".")[1], part(b"signature")])


def by_public_key(provider: Provider, secret: Callable[[RSAKey], bytes]) -> str:
    """As a library would that takes a public key for the secret of HMAC."""
    head = f"{part({'alg': 'HS256', 'kid': 'k1'})}.{provider.token().split('.')[1]}"
    return f"{head}.{part(hmac.digest(secret(provider.key), head.encode(), 'sha256'))}"


OTHER = RSAKey.generate_key(2048, {"kid": "k1"})
TOKENS: dict[str, Callable[[Provider], str]] = {
    "alg none": lambda p: ".".join([part({"alg": "none"}), p.token().split(".")[1], ""]),
    "alg None": lambda p: ".".join([part({"alg": "None"}), p.token().split(".")[1], ""]),
    "no alg": lambda p: ".".join([part({"kid": "k1"}), *p.token().split(".")[1:]]),
    "HS256 by the public key, PEM": lambda p: by_public_key(p, lambda key: key.as_pem(private=False)),
    "HS256 by the public key, JSON": lambda p: by_public_key(p, lambda key: json.dumps(key.as_dict(private=False)).encode()),
    "HS256 by an empty key of a path": lambda p: forged(p, alg="HS256", kid="../../../../dev/null"),
    "a kid that asks a database": lambda p: forged(p, kid="x' UNION SELECT 'k"),
    "signed by another key of that name": lambda p: p.token(key=OTHER),
    "a jwk of its own": lambda p: forged(p, jwk=OTHER.as_dict(private=False)),
    "a jku of its own": lambda p: forged(p, jku="http://127.0.0.1:9/keys"),
    "a critical extension": lambda p: forged(p, crit=["exp"]),
    "another audience": lambda p: p.token(aud="another"),
    "many audiences, ours not": lambda p: p.token(aud=["a", "b"]),
    "no audience": lambda p: p.token(aud=None),
    "another issuer": lambda p: p.token(iss="http://evil.example"),
    "an issuer that begins like ours": lambda p: p.token(iss=p.issuer + ".evil.example"),
    "too old": lambda p: p.token(exp=int(time.time()) - 3600),
    "no end": lambda p: p.token(exp=None),
    "an end in words": lambda p: p.token(exp="tomorrow"),
    "not yet": lambda p: p.token(nbf=int(time.time()) + 3600),
    "made tomorrow": lambda p: p.token(iat=int(time.time()) + 86400),
    "a path for a name": lambda p: p.token(preferred_username="../../etc"),
    "a name of a group": lambda p: p.token(preferred_username="group:vips"),
    "a list for a name": lambda p: p.token(preferred_username=["alice"]),
    "a letter that looks like one": lambda p: p.token(preferred_username="\u0430lice"),
    "an encrypted one": lambda p: f"{p.token()}.x.y",
}


@pytest.mark.parametrize("kind", TOKENS)
def test_no_token_that_the_provider_did_not_sign_for_us(house: House, provider: Provider, kind: str) -> None:
    assert house.came_in(("authorization", f"Bearer {TOKENS[kind](provider)}")) == ""


def test_a_token_that_it_did_sign(house: House, provider: Provider) -> None:
    assert house.came_in(("authorization", f"Bearer {provider.token()}")) == "carol"


def test_one_person_has_one_name(house: House, provider: Provider) -> None:
    """A token without the claim that names people would make a second person of them, who approves what the first asked."""
    assert house.came_in(("authorization", f"Bearer {provider.token(preferred_username=None)}")) == ""
    assert house.came_in(("authorization", f"Bearer {provider.token(preferred_username='')}")) == ""


@pytest.mark.parametrize(
    "more",
    [
        [("x-remote-user", "alice")],
        [("x-remote-groups", "a"), ("x-remote-groups", "vips")],
        [("x-berth-secret", SECRET)],
        [("X-Remote-User", "alice"), ("authorization", f"Bearer {TOKEN}"), ("authorization", "Bearer x")],
    ],
)
def test_who_somebody_is_is_said_once(house: House, more: list[tuple[str, str]]) -> None:
    """A client's own header beside the proxy's: which of the two counts is nobody's to guess."""
    assert house.came_in(*BY_PROXY.items()) == "vera"
    assert house.came_in(*BY_PROXY.items(), *more) == ""


@pytest.mark.parametrize("name", ["x_remote_user", "X-REMOTE_USER", "x.remote.user"])
def test_a_header_that_is_spelled_nearly_so_is_none(house: House, name: str) -> None:
    assert house.came_in(("x-berth-secret", SECRET), (name, "alice")) == ""


def test_a_proxy_may_pass_on_who_has_logged_in_here(house: House) -> None:
    cookie = f"__Host-berth_session={house.people.cookie('alice', ())}"
    assert house.came_in(("cookie", cookie)) == "alice"
    assert house.came_in(("cookie", cookie), ("x-berth-secret", SECRET)) == "alice"
    assert house.came_in(("cookie", cookie), ("x-berth-secret", "wrong")) == ""
    assert house.came_in(("cookie", cookie), ("authorization", "Basic YWxpY2U6eA==")) == "alice", "of the proxy's own log-in"


@pytest.mark.parametrize("before", ['theme={"dark": 1}; ', "x@y=1; ", "a=b c; ", "=x; ", "flag; "])
def test_a_cookie_of_somebody_elses_locks_nobody_out(house: House, before: str) -> None:
    assert house.came_in(("cookie", f"{before}__Host-berth_session={house.people.cookie('alice', ())}")) == "alice"


def test_what_we_sealed_for_a_login_is_no_session(house: House) -> None:
    sealed = house.people.sealed({"state": "s", "sub": "alice"}, 600)
    assert house.came_in(("cookie", f"__Host-berth_session={sealed}")) == ""
    assert house.came_in(("cookie", f"berth_session={house.people.cookie('alice', ())}")) == "", "a neighbour's page may set that one"


def test_a_stranger_locks_nobody_else_out(house: House) -> None:
    """Behind a proxy all come from one address, and whoever has not logged in yet is a stranger."""
    proxy = (("x-berth-secret", SECRET), ("x-forwarded-for", "203.0.113.66"))
    answers = house.ask("/login", *proxy, times=OFTEN, peer="127.0.0.1")
    assert 429 in {one.status_code for one in answers}
    for came in ("198.51.100.7", "203.0.113.66, 198.51.100.8"):
        [answer] = house.ask("/login", ("x-berth-secret", SECRET), ("x-forwarded-for", came), peer="127.0.0.1")
        assert answer.status_code == 303, "the proxy adds who came to it at the end"
    [answer] = house.ask("/login", ("x-forwarded-for", "192.0.2.1"), peer="127.0.0.1")
    assert answer.status_code == 303
    own_word = [house.ask("/login", ("x-forwarded-for", f"192.0.2.{n}"), peer="127.0.0.1")[0] for n in range(OFTEN)]
    assert 429 in {one.status_code for one in own_word}, "without the proxy's secret it is anybody's word"


def test_asking_often_whether_it_is_ready_asks_the_ledger_now_and_then(house: House) -> None:
    assert {one.status_code for one in house.ask("/readyz", times=50)} == {200}
    assert house.looked < 5


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil",
        "/\t/evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "evil",
        "/\r\nx: y",
        "",
    ],
)
def test_a_login_leads_nowhere_else(house: House, wanted: str) -> None:
    transport = httpx.ASGITransport(house.door, client=("203.0.113.9", 5))

    async def led() -> str:
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client, httpx.AsyncClient() as browser:
            begun = await client.get("/login", params={"next": wanted})
            [cookie] = begun.headers.get_list("set-cookie")
            assert all(flag in cookie for flag in ("__Host-berth_login=", "HttpOnly", "Secure", "Path=/", "SameSite=lax")), cookie
            back = (await browser.get(begun.headers["location"])).headers["location"]
            ended = await client.get(httpx.URL(back).raw_path.decode())
            assert ended.status_code == 303, ended.text
            [kept] = [one for one in ended.headers.get_list("set-cookie") if one.startswith("__Host-berth_session=")]
            assert all(flag in kept for flag in ("HttpOnly", "Secure", "Path=/", "SameSite=lax")) and "Domain" not in kept
            return str(ended.headers["location"])

    assert asyncio.run(led()) == "/"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": f"{ADDRESS}.evil.example"}, 403),
        ({"origin": "http://berth.example.org"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, 403),
        ({"origin": ADDRESS}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
    ],
)
def test_only_a_page_of_ours_sends_for_a_browser(house: House, headers: dict[str, str], status: int) -> None:
    cookie = ("cookie", f"__Host-berth_session={house.people.cookie('alice', ())}")
    [answer] = house.ask(SESSIONS, cookie, *headers.items(), method="POST")
    assert answer.status_code == status


def test_no_other_site_is_told_that_it_may(house: House) -> None:
    asks = (("origin", "https://evil.example"), ("access-control-request-method", "POST"))
    [answer] = house.ask("/run", *asks, method="OPTIONS")
    assert answer.status_code == 401 and "access-control-allow-origin" not in answer.headers


def test_a_socket_of_a_browser_is_closed(house: House) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    asyncio.run(house.door({"type": "websocket", "path": "/run_live", "headers": []}, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


class Soon(Timely):
    headers_seconds_max = 0.3


@pytest.fixture
def slow_to() -> Iterator[int]:
    """The port of a server that waits a moment for the headers of a request."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await PlainTextResponse("fine")(scope, receive, send)

    server = uvicorn.Server(uvicorn.Config(app, port=free_port(), http=Soon, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, 30)
    yield server.config.port
    server.should_exit = True
    thread.join(30)


def test_whoever_sends_no_whole_request_holds_no_connection(slow_to: int) -> None:
    whole = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    for sent in (b"", whole[:20], whole + whole[:20]):
        with socket.create_connection(("127.0.0.1", slow_to), timeout=20) as one:
            one.sendall(sent)
            answer = b""
            with suppress(ConnectionResetError):
                while said := one.recv(4096):
                    answer += said
            assert answer.count(b"fine") == sent.count(whole), "what came whole was answered, and then it was closed"


# Somebody in several tenants speaks in the one that they choose, and in none that is not theirs.

BY_TOKEN = ("authorization", f"Bearer {TOKEN}")


@pytest.mark.parametrize(
    ("chosen", "status", "tenant"),
    [("acme", 200, "acme"), ("rival", 200, "rival"), ("", 403, "acme and rival"), ("third", 403, "no tenant"), ("ACME", 403, "no tenant")],
)
def test_whoever_is_in_two_tenants_chooses_at_each_request(house: House, chosen: str, status: int, tenant: str) -> None:
    members = {"acme": ("alice",), "rival": ("alice",), "third": ()}
    house.tenants = Tenants(named=tuple(Tenant(name=name, members=people) for name, people in members.items()))
    [by_header] = house.ask(SESSIONS, BY_TOKEN, ("x-berth-tenant", chosen))
    cookies = f"__Host-berth_session={house.people.cookie('alice', ())}; __Host-berth_tenant={chosen}"
    [by_cookie] = house.ask(SESSIONS, ("cookie", cookies))
    for answer in (by_header, by_cookie):
        assert answer.status_code == status
        told = answer.json()
        if status == 200:
            assert (told["tenant"], told["path"]) == (tenant, f"/apps/provisioner/users/{tenant}:alice/sessions")
        else:
            assert tenant in told["detail"]
    [alone] = house.ask(SESSIONS, *BY_PROXY.items(), ("x-berth-tenant", "acme"))
    assert alone.status_code == 403, "vera is in neither"


@pytest.mark.parametrize(("site", "status"), [("none", 303), ("same-origin", 303), ("same-site", 403), ("cross-site", 403)])
def test_a_tenant_is_chosen_by_an_address_and_by_no_other_site(house: House, site: str, status: int) -> None:
    session = ("cookie", f"__Host-berth_session={house.people.cookie('alice', ())}")
    [answer] = house.ask("/tenant/acme", session, ("sec-fetch-site", site))
    kept = answer.headers.get("set-cookie", "")
    assert answer.status_code == status and ("__Host-berth_tenant=acme" in kept and "HttpOnly" in kept) is (status == 303)
    [dropped] = house.ask("/tenant/", session)
    assert "__Host-berth_tenant=" in dropped.headers["set-cookie"] and "Max-Age=0" in dropped.headers["set-cookie"]
    assert [one.status_code for path in ("/tenant/../x", "/tenant/A%20B") for one in house.ask(path, session)] == [404, 404]


# What its file says, before anything is served.


@pytest.mark.parametrize(
    ("said", "set_", "wrong"),
    [
        ({}, {}, ""),
        ({"workers": 2}, {"BERTH_DATABASE_URL": "postgresql://berth@db.example.org/berth"}, ""),
        ({"workers": 2}, {}, "Several workers need a PostgreSQL database."),
        ({"workers": 2}, {"BERTH_DATABASE_URL": "sqlite:////tmp/x.db"}, "Several workers need a PostgreSQL database."),
        ({"workers": 0}, {}, "The file cannot be taken."),
        ({"listen": "0.0.0.0"}, {}, "What people send would be read by others."),
        ({"listen": "localhost"}, {}, "What people send would be read by others."),
        ({"tokens_file": None}, {}, "Nobody could come in."),
        ({"tokens_file": "nowhere"}, {}, "A file is not there."),
        ({"certificate_file": "cert.pem"}, {}, "The file cannot be taken."),
        ({"address": "https://berth.example.org/x"}, {}, "The file cannot be taken."),
        ({"worker": 2}, {}, "The file cannot be taken."),
        ({}, {"BERTH_ROLES_FILE": ""}, "Nobody would hold a role."),
    ],
)
def test_what_may_not_be_served_so_is_told(said: dict[str, Any], set_: dict[str, str], wrong: str, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("")
    (tmp_path / "roles.yaml").write_text("principals: {}\n")
    given = {"BERTH_HOME": str(tmp_path), "BERTH_ROLES_FILE": str(tmp_path / "roles.yaml"), **set_}
    file = tmp_path / "serve.yaml"
    file.write_text(json.dumps({"address": ADDRESS, "tokens_file": str(tmp_path / "tokens"), **said}))
    try:
        config = read_config(file, Settings.from_environment(given))
        assert not wrong and config.workers == said.get("workers", 1)
    except RequestProblem as problem:
        assert problem.summary == wrong
