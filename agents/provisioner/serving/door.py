"""The door: an ASGI app around ADK's. Who comes in is known, may send only what `messages.take` takes, and no more often than others can
bear; the rest is told why not."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote, urlsplit

import httpx
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc.errors import JoseError
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tools.clients.serving import Config
from tools.rules.plans.approving import Roles
from tools.rules.plans.permitting import VIEWER
from tools.values.tenant import Tenants
from tools.values.trouble import RequestProblem
from tools.values.value import same

from ..connection import speaker
from ..turns import AT_ONCE
from .figures import answered
from .messages import Refused, take
from .people import SESSION_COOKIE, People, person_of

LOGIN_COOKIE, TENANT_COOKIE = "berth_login", "berth_tenant"
TENANT_HEADER = "x-berth-tenant"
"""Which of their tenants somebody speaks in. Whether it is one of theirs is looked up at each request."""
LOGIN_SECONDS_MAX, TENANT_SECONDS = 600, 365 * 24 * 3600
STRANGERS_A_MINUTE = 30
"""Requests from one address with nothing that we know: enough to mistype, too few to guess."""
KEPT_MAX = 10_000
BODY_SECONDS_MAX, BODY_BYTES_MAX = 30.0, 256 * 1024
READY_SECONDS = 1.0
ADDRESS_CHARACTERS_MAX = 64

_TENANT = re.compile(r"/tenant/(?:[a-z0-9][a-z0-9-]{0,39})?")

log = logging.getLogger("berth.serving")


class Buckets:
    """So many a minute of each kind and person, with as many saved up."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._left: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def take(self, kind: str, name: str, a_minute: int) -> float:
        """0 when there was one; else how many seconds until there is."""
        now = self._now()
        left, since = self._left.pop((kind, name), (float(a_minute), now))
        left = min(float(a_minute), left + (now - since) * a_minute / 60)
        wait = 0.0 if left >= 1 else (1 - left) * 60 / a_minute
        self._left[kind, name] = (left - 1 if left >= 1 else left, now)
        while len(self._left) > KEPT_MAX:
            self._left.popitem(last=False)
        return wait


class Door:
    def __init__(
        self,
        app: ASGIApp,
        config: Config,
        people: People,
        held: Callable[[], tuple[Roles, Tenants]],
        is_ready: Callable[[], Awaitable[bool]],
        figures: Callable[[], bytes],
    ) -> None:
        self.app = app
        self.config = config
        self.people = people
        self._held = held
        self._is_ready = is_ready
        self._figures = figures
        self._buckets = Buckets()
        self._ready: asyncio.Task[bool] | None = None
        self._ready_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            began, status = time.perf_counter(), 500

            async def noted(message: Message) -> None:
                nonlocal status
                status = message["status"] if message["type"] == "http.response.start" else status
                await send(message)

            try:
                answer = await self._answer(scope, receive, noted)
                if answer is not None:
                    await answer(scope, receive, noted)
            finally:
                answered(scope["path"], status, time.perf_counter() - began)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Response | None:
        """What is answered here; None when ADK has answered."""
        request = Request(scope, receive)
        path = scope["path"]
        if path == "/healthz":
            return PlainTextResponse("ok\n")
        if path == "/readyz":
            ready = await self._looked()
            return PlainTextResponse("ok\n" if ready else "The ledger cannot be read.\n", 200 if ready else 503)
        if (refused := self._other_site(request)) is not None:
            return refused
        headers = {name.lower(): value for name, value in request.headers.items()}
        if said_twice := [name for name in self._names_people() if len(request.headers.getlist(name)) > 1]:
            return _no(400, f"{said_twice[0]} is there more than once.")
        peer = self._peer(scope, headers)
        if path in ("/login", "/callback", "/logout"):
            if wait := self._buckets.take("login", peer, STRANGERS_A_MINUTE):
                return _later(wait)
            return await self._log_in_or_out(request, path)
        found = await self.people.find(headers, request.cookies)
        if found is None:
            if wait := self._buckets.take("stranger", peer, STRANGERS_A_MINUTE):
                return _later(wait)
            return self._who_are_you(request)
        name, groups, is_browser = found
        if _TENANT.fullmatch(path) and request.method == "GET" and is_browser:
            return self._choose_tenant(request, path.rpartition("/")[2])
        kept = request.cookies.get(self.config.cookie(TENANT_COOKIE), "") if is_browser else ""
        chosen = headers.get(TENANT_HEADER, "") or kept
        try:
            person = person_of(name, groups, chosen, *await asyncio.get_running_loop().run_in_executor(AT_ONCE, self._held))
        except RequestProblem as problem:
            return _no(403, f"{problem.detail} {problem.remedy}")
        if not person.roles:
            return _no(403, f"{name} holds no role here. Whoever keeps the roles file can give one, at least {VIEWER}.")
        if is_browser and request.method not in ("GET", "HEAD") and not self._is_own_page(request):
            return _no(403, "This was not sent by a page of this site.")
        if wait := self._buckets.take("request", name, self.config.requests_a_minute):
            return _later(wait)
        tenant = person.tenant.name if person.tenant else ""
        if path == "/metrics" and request.method == "GET" and not tenant:
            page = await asyncio.get_running_loop().run_in_executor(AT_ONCE, self._figures)
            return Response(page, media_type=CONTENT_TYPE_LATEST)
        try:
            taken = take(request.method, path, await _body(request), name, tenant)
        except Refused as refusal:
            return _no(refusal.status, str(refusal))
        if taken.is_message and (wait := self._buckets.take("message", name, self.config.messages_a_minute)):
            return _later(wait)
        token = speaker.set(person)
        try:
            await self.app(*_handed_on(scope, taken.path, taken.body, receive), _guarded(send))
        finally:
            speaker.reset(token)
        return None

    def _choose_tenant(self, request: Request, name: str) -> Response:
        """By an address that somebody typed, or followed from here: no other site chooses for them."""
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return _no(403, "This was not sent by a page of this site.")
        answer = RedirectResponse("/", 303)
        self._set(answer, TENANT_COOKIE, name, TENANT_SECONDS if name else 0)
        return answer

    async def _looked(self) -> bool:
        """Whoever asks within a second of another is told the same: anybody may ask."""
        if self._ready is None or (self._ready.done() and time.monotonic() - self._ready_at > READY_SECONDS):
            self._ready, self._ready_at = asyncio.ensure_future(self._is_ready()), time.monotonic()
        return await asyncio.shield(self._ready)

    def _names_people(self) -> tuple[str, ...]:
        """Headers that say who somebody is. Where one is there twice, a client's own stands beside the proxy's."""
        proxy = self.config.proxy
        of_proxy = (proxy.secret_header, proxy.name_header, proxy.groups_header) if proxy else ()
        return tuple(filter(None, ("authorization", *of_proxy)))

    def _peer(self, scope: Scope, headers: Mapping[str, str]) -> str:
        """Whose requests are counted together while they are nobody's: an address."""
        proxy = self.config.proxy
        passed = headers.get(proxy.address_header.lower(), "") if proxy and proxy.address_header else ""
        if passed and self.people.is_proxy(headers):
            return passed.rpartition(",")[2].strip()[:ADDRESS_CHARACTERS_MAX]
        return str((scope.get("client") or ("",))[0])

    def _other_site(self, request: Request) -> Response | None:
        """A page of another site that was made to ask here by a name of its own, or the way back from the provider."""
        hosts = request.headers.getlist("host")
        own = {urlsplit(self.config.address).netloc, f"{self.config.listen}:{self.config.port}", f"localhost:{self.config.port}"}
        return None if len(hosts) == 1 and hosts[0].lower() in {one.lower() for one in own} else _no(421, "This is not my name.")

    def _is_own_page(self, request: Request) -> bool:
        origin = request.headers.get("origin")
        return origin == self.config.address if origin else request.headers.get("sec-fetch-site") == "same-origin"

    def _who_are_you(self, request: Request) -> Response:
        if self.config.oidc and request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(f"/login?next={quote(request.url.path)}", 303)
        answer = _no(401, "I do not know you. Log in, or send a token.")
        answer.headers["WWW-Authenticate"] = 'Bearer realm="berth"'
        return answer

    # A browser's login: OpenID Connect's code flow with PKCE.

    async def _log_in_or_out(self, request: Request, path: str) -> Response:
        if path == "/logout":
            gone = PlainTextResponse("You are logged out.\n")
            self._set(gone, SESSION_COOKIE, "", 0)
            return gone
        oidc, provider = self.config.oidc, self.people.provider
        if oidc is None or provider is None or request.method != "GET":
            return _no(404, "There is nothing at this address.")
        try:
            return await (self._begin_login(request) if path == "/login" else self._end_login(request))
        except (httpx.HTTPError, JoseError, ValueError, KeyError, OSError) as problem:
            log.warning("A login failed: %s", type(problem).__name__)
            return _no(502 if isinstance(problem, httpx.HTTPError) else 403, "The login did not succeed. Go to /login to try again.")

    def _client(self) -> AsyncOAuth2Client:
        oidc = self.config.oidc
        assert oidc is not None
        secret = oidc.client_secret_file.read_text(encoding="utf-8").strip() if oidc.client_secret_file else None
        return AsyncOAuth2Client(
            oidc.client_id,
            secret,
            scope="openid profile email",
            redirect_uri=f"{self.config.address}/callback",
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            verify=str(oidc.ca_file) if oidc.ca_file else True,
        )

    async def _begin_login(self, request: Request) -> Response:
        provider = self.people.provider
        assert provider is not None
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        async with self._client() as client:
            url, state = client.create_authorization_url(
                await provider.endpoint("authorization_endpoint"), code_verifier=verifier, nonce=nonce
            )
        wanted = request.query_params.get("next", "/")
        kept = {"state": state, "verifier": verifier, "nonce": nonce, "next": wanted if _is_own_path(wanted) else "/"}
        answer = RedirectResponse(url, 303)
        self._set(answer, LOGIN_COOKIE, self.people.sealed(kept, LOGIN_SECONDS_MAX), LOGIN_SECONDS_MAX)
        return answer

    async def _end_login(self, request: Request) -> Response:
        provider, oidc = self.people.provider, self.config.oidc
        assert provider is not None and oidc is not None
        kept = self.people.opened(request.cookies.get(self.config.cookie(LOGIN_COOKIE), ""), "login")
        code, state = request.query_params.get("code", ""), request.query_params.get("state", "")
        if not kept or not code or not same(str(kept["state"]), state):
            return _no(403, "This login was not begun here. Go to /login.")
        async with self._client() as client:
            token = await client.fetch_token(
                await provider.endpoint("token_endpoint"), grant_type="authorization_code", code=code, code_verifier=kept["verifier"]
            )
        found = self.people.named(await provider.claims(str(token["id_token"]), oidc.client_id, nonce=str(kept["nonce"])))
        if found is None:
            return _no(403, "The provider gave no name that can be used here.")
        answer = RedirectResponse(str(kept["next"]), 303)
        self._set(answer, LOGIN_COOKIE, "", 0)
        self._set(answer, SESSION_COOKIE, self.people.cookie(*found), int(self.config.session_hours * 3600))
        return answer

    def _set(self, answer: Response, name: str, value: str, seconds: int) -> None:
        secure = self.config.is_secure
        answer.set_cookie(self.config.cookie(name), value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax")


def _is_own_path(path: str) -> bool:
    return path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()


def _no(status: int, why: str) -> Response:
    return JSONResponse({"detail": why}, status)


def _later(seconds: float) -> Response:
    answer = _no(429, f"That is too often. Try again in {seconds:.0f} s.")
    answer.headers["Retry-After"] = str(max(1, round(seconds)))
    return answer


async def _body(request: Request) -> bytes:
    """At most as much as any message has, and not for ever."""
    whole = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            async for piece in request.stream():
                whole += piece
                if len(whole) > BODY_BYTES_MAX:
                    raise Refused(413, f"A message has at most {BODY_BYTES_MAX // 1024} KiB.")
    except TimeoutError:
        raise Refused(408, "The message did not come in time.") from None
    return bytes(whole)


def _handed_on(scope: Scope, path: str, body: bytes | None, receive: Receive) -> tuple[Scope, Receive]:
    """The same request with the address and the body that were taken; the client's own end still ends it."""
    passed = (b"content-length", b"content-type", b"transfer-encoding", b"authorization", b"cookie")
    headers = [(name, value) for name, value in scope["headers"] if name.lower() not in passed]
    content = body or b""
    headers += [(b"content-length", str(len(content)).encode()), (b"content-type", b"application/json")] if body is not None else []
    sent = False

    async def receive_taken() -> Message:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": content, "more_body": False}
        return await receive()

    return {**scope, "path": path, "raw_path": quote(path).encode(), "headers": headers}, receive_taken


def _guarded(send: Send) -> Send:
    """A page of ours stands in nobody else's, and loads nothing from elsewhere."""
    policy = (
        "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline' https://fonts.googleapis.com; "
        "font-src 'self' data: https://fonts.gstatic.com; script-src 'self' 'unsafe-inline' 'unsafe-eval'; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
    )
    added = [(b"content-security-policy", policy.encode()), (b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]

    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await send(message)

    return send_guarded
