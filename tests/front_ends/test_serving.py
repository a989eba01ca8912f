"""`berth serve`: who comes in is known, sends only what may be sent, and approves what others asked for."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.adk.cli.fast_api import get_fast_api_app
from hypothesis import given
from joserfc.jwk import RSAKey
from playwright.sync_api import sync_playwright
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import ROOT, Reply
from tests.front_ends.browser import CHROMIUM, QUIET, type_message, wait_for_words
from tests.front_ends.provider import Provider
from tests.front_ends.served import CASES, SESSIONS, berth_serve
from tests.ledger import builders
from tests.loopback import http_server
from tests.monitoring.queries import figures_of, queries
from tests.values import opened
from tools.clients.shipped import AGENTS
from tools.pipeline.world import World

_spec = importlib.util.spec_from_file_location("messages", ROOT / "agents" / "provisioner" / "serving" / "messages.py")
assert _spec and _spec.loader
messages = importlib.util.module_from_spec(_spec)  # By itself: the app that it belongs to opens a world when it is loaded.
_spec.loader.exec_module(messages)

TOKENS = {name: f"token-of-{name}-0123456789" for name in ("alice", "bob", "vera", "nobody")}
ROLES = "principals:\n  alice: [requester]\n  bob: [security]\n  vera: [viewer]\n  'group:vips': [vp, requester]\n"
MESSAGE = {"appName": "provisioner", "userId": "user", "sessionId": "s1", "newMessage": {"role": "user", "parts": [{"text": "help"}]}}


# What may come in: a table, and anything else.


@given(CASES)
def test_whatever_comes_is_refused_or_taken_as_its_persons_own(case: tuple[str, str, bytes]) -> None:
    try:
        taken = messages.take(*case, "alice")
    except messages.Refused as refused:
        str(refused).encode()
        return
    assert "/users/" not in taken.path or taken.path.startswith("/apps/provisioner/users/alice/")
    said = json.loads((taken.body or b"{}").decode())
    assert said.keys() <= ({"appName", "userId", "sessionId", "newMessage", "streaming"} if taken.is_message else {"sessionId", "state"})
    assert said.get("userId", "alice") == "alice" and said.get("state", {}).keys() <= {"__session_metadata__"}


@pytest.mark.parametrize("more", [
    {"events": [{"author": "user"}]},
    {"state": {"a": 1}},
    {"stateDelta": {"phase": "running"}},
    {"state_delta": {"phase": "running"}},
    {"invocationId": "e-1"},
    {"invocation_id": "e-1"},
    {"functionCallEventId": "e"},
    {"newMessage": None},
    {"newMessage": {"parts": [{"functionResponse": {"id": "c", "name": "approve"}}]}},
    {"newMessage": {"parts": [{"text": "x", "functionCall": {"name": "f"}}]}},
    {"newMessage": {"parts": []}},
    {"sessionId": "../x"},
    {"sessionId": None},
    {"appName": "__builder"},
    {"customMetadata": {"a": 1}},
])  # fmt: skip
def test_what_a_client_may_not_set(more: dict[str, Any]) -> None:
    with pytest.raises(messages.Refused) as refused:
        messages.take("POST", "/run", json.dumps({**MESSAGE, **more}).encode(), "alice")
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/dev/apps/provisioner/builder", 404),
        ("GET", "/builder/app/provisioner", 404),
        ("POST", "/apps/provisioner/eval_sets/x", 404),
        ("GET", "/debug/trace/x", 404),
        ("GET", "/docs", 404),
        ("GET", "/openapi.json", 404),
        ("PATCH", "/apps/provisioner/users/user/sessions/s1", 404),
        ("PUT", "/run", 404),
        ("POST", "/run_live", 404),
        ("GET", "/dev-ui/../dev/x", 404),
        ("GET", "/apps/other/users/user/sessions", 404),
        ("GET", f"{SESSIONS}/s1/artifacts//alice", 404),
        ("GET", "/dev-ui//etc/passwd", 404),
        ("GET", "/apps/provisioner/users/bob/sessions", 404),
        ("DELETE", "/apps/provisioner/users/bob/sessions/s1", 404),
        ("GET", "/apps/provisioner/users/acme:alice/sessions", 404),
    ],
)
def test_what_is_closed(method: str, path: str, status: int) -> None:
    with pytest.raises(messages.Refused) as refused:
        messages.take(method, path, b"", "alice")
    assert refused.value.status == status


def test_what_is_taken_is_the_persons_own_and_nothing_else() -> None:
    taken = messages.take("POST", "/run", json.dumps({**MESSAGE, "stateDelta": None, "streaming": False}).encode(), "alice")
    assert json.loads(taken.body) == {**MESSAGE, "userId": "alice", "streaming": False}
    assert messages.take("GET", f"{SESSIONS}/s1", b"", "alice").path == "/apps/provisioner/users/alice/sessions/s1"
    with pytest.raises(messages.Refused):
        messages.take("POST", "/run", json.dumps({**MESSAGE, "userId": "bob"}).encode(), "alice")
    with pytest.raises(messages.Refused):
        messages.take("POST", SESSIONS, json.dumps({"sessionId": "s1", "events": [{}]}).encode(), "alice")
    in_tenant = messages.take("GET", f"{SESSIONS}/s1", b"", "alice", "acme")
    assert (
        in_tenant.path
        == "/apps/provisioner/users/acme:alice/sessions/s1"
        == messages.take("GET", in_tenant.path, b"", "alice", "acme").path
    )
    assert json.loads(messages.take("POST", "/run", json.dumps(MESSAGE).encode(), "alice", "acme").body)["userId"] == "acme:alice"
    title = {"state": {"__session_metadata__": {"displayName": "a database"}}}
    assert json.loads(messages.take("POST", SESSIONS, json.dumps(title).encode(), "alice").body) == title
    with pytest.raises(messages.Refused):
        messages.take("POST", SESSIONS, json.dumps({"state": {**title["state"], "phase": "running"}}).encode(), "alice")


@dataclass
class Service:
    url: str
    provider: Provider
    world: World = field(repr=False)
    roles: Path = field(repr=False)
    process: subprocess.Popen[bytes] = field(repr=False)
    log: Path = field(repr=False)

    def of(self, name: str = "", **headers: str) -> httpx.Client:
        given = {"authorization": f"Bearer {TOKENS[name]}"} if name else {}
        return httpx.Client(base_url=self.url, headers={**given, **headers}, timeout=60)

    def say(self, name: str, text: str) -> str:
        with self.of(name) as client:
            client.post(SESSIONS, json={"sessionId": "s1"})
            answer = client.post("/run", json={**MESSAGE, "newMessage": {"parts": [{"text": text}]}})
        assert answer.status_code == 200, answer.text
        return Reply(tuple(answer.json())).text


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder, provider = tmp_path_factory.mktemp("service"), Provider()
    (folder / "tokens").write_text("".join(f"{name} {hashlib.sha256(token.encode()).hexdigest()}\n" for name, token in TOKENS.items()))
    (folder / "roles.yaml").write_text(ROLES)
    (folder / "secret").write_text("the-proxys-secret\n")
    said: dict[str, Any] = {
        "tokens_file": str(folder / "tokens"), "messages_a_minute": 24, "log": "json",
        "proxy": {"secret_file": str(folder / "secret")}, "oidc": {"issuer": provider.issuer, "client_id": "berth"},
    }  # fmt: skip
    kept = ("PATH", "LANG", "HOME", "VIRTUAL_ENV", "SSL_CERT_FILE")
    given = {name: os.environ[name] for name in kept if name in os.environ}
    given |= {"BERTH_HOME": str(folder / "home"), "BERTH_ROLES_FILE": str(folder / "roles.yaml")}
    with http_server(provider.serve, provider.port), berth_serve(folder, given, **said) as served, opened(given) as world:
        yield Service(served.url, provider, world, folder / "roles.yaml", served.process, served.log)


def test_nobody_unknown_comes_in(service: Service) -> None:
    other = RSAKey.generate_key(2048, {"kid": "k1"})
    bearer = [
        "wrong",
        service.provider.token(key=other),
        service.provider.token(aud="another"),
        service.provider.token(iss="http://evil.example"),
        service.provider.token(exp=int(time.time()) - 3600),
        service.provider.token(preferred_username="../../etc"),
        ".".join([base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("="), service.provider.token().split(".")[1], ""]),
    ]
    strangers = [{}, {"x-berth-secret": "wrong", "x-remote-user": "alice"}, {"cookie": "berth_session=x"}]
    for headers in [*strangers, *({"authorization": f"Bearer {one}"} for one in bearer)]:
        with service.of("", **headers) as client:
            assert client.get(SESSIONS).status_code == 401, headers
    with service.of("nobody") as client:
        assert client.get(SESSIONS).status_code == 403, "no role"
    assert httpx.get(f"{service.url}/healthz").status_code == 200
    with service.of("alice", host="evil.example") as client:
        assert client.get(SESSIONS).status_code == 421


def test_sessions_are_their_persons_own(service: Service) -> None:
    service.say("alice", "help")
    with service.of("bob") as bob, service.of("alice") as alice:
        assert [one["userId"] for one in alice.get(SESSIONS).json()] == ["alice"]
        assert bob.get("/apps/provisioner/users/alice/sessions").status_code == 404
        assert bob.get(f"{SESSIONS}/s1").status_code == 404
        assert alice.get("/dev-ui/").status_code == 200 and alice.get("/dev/apps").status_code == 404
        assert alice.post("/run", content=b"x" * (300 * 1024)).status_code == 413


def test_no_operation_of_adks_reaches_what_is_anothers(service: Service) -> None:
    """By ADK's own description of its API, and however the other one's name is spelled in an address."""
    canary, asked, statuses = "kanarienvogel-of-bob", 0, set()
    service.say("bob", f"a virtual machine called {canary}")
    names = {"app_name": "provisioner", "session_id": "s1", "artifact_name": "request.json", "version_id": "0", "event_id": "e"}
    with service.of("alice") as alice, service.of("bob") as bob:
        before = bob.get(f"{SESSIONS}/s1").json()["events"]
        for path, methods in get_fast_api_app(agents_dir=str(AGENTS), web=True).openapi()["paths"].items():
            for name in ("bob", "%62ob", "user/../bob", "user%2F..%2Fbob") if "{user_id}" in path else ("",):
                filled = re.sub(r"\{(\w+)\}", lambda found, name=name: name if found[1] == "user_id" else names.get(found[1], "x"), path)
                for method in methods:
                    body = {"json": {**MESSAGE, "userId": "bob"}} if method in ("post", "put", "patch") else {}
                    answer = alice.request(method, filled, **body)
                    asked += 1
                    statuses.add(answer.status_code)
                    assert canary not in answer.text, f"{method} {filled}"
        assert asked > 80 and max(statuses) < 500
        assert bob.get(f"{SESSIONS}/s1").json()["events"] == before


def test_a_proxys_and_a_providers_word_is_taken(service: Service) -> None:
    with service.of("", **{"x-berth-secret": "the-proxys-secret", "x-remote-user": "vera"}) as client:
        assert client.get(SESSIONS).status_code == 200
        assert client.post(SESSIONS, json={}).status_code == 403, "not from a page of this site"
    with service.of("", authorization=f"Bearer {service.provider.token()}") as client:
        assert client.get(SESSIONS).status_code == 200


def test_a_browser_logs_in_with_the_provider(service: Service) -> None:
    with httpx.Client(base_url=service.url, follow_redirects=True, timeout=60) as browser:
        page = browser.get("/dev-ui/", headers={"accept": "text/html"})
        assert page.status_code == 200 and page.url.path == "/dev-ui/", page.text[:300]
        assert browser.post(SESSIONS, json={"sessionId": "s1"}).status_code == 403, "a page of another site could have sent it"
        assert browser.post(SESSIONS, json={"sessionId": "s1"}, headers={"origin": "http://evil.example"}).status_code == 403
        made = browser.post(SESSIONS, json={"sessionId": "s1"}, headers={"origin": service.url})
        assert made.status_code == 200 and made.json()["userId"] == "carol"
        assert browser.get("/callback?code=c-1&state=forged").status_code == 403
        browser.get("/logout")
        assert browser.get(SESSIONS).status_code == 401


def test_the_web_ui_works_behind_the_door(service: Service) -> None:
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1500, "height": 1300})
        page.goto(f"{service.url}/dev-ui/?app=provisioner")
        page.wait_for_selector("textarea", timeout=60_000)
        type_message(page, "what waits for me?")
        wait_for_words(page, "(Nothing waits for you|run-1|approve [0-9a-f]{12})", 60)
        browser.close()
    with service.of("", authorization=f"Bearer {service.provider.token()}") as client:
        assert [one["userId"] for one in client.get(SESSIONS).json()].count("carol") >= 1, "whoever logged in, and not `user`"


def test_who_asks_does_not_approve_alone_and_others_find_it_waiting(service: Service) -> None:
    asked = (("security", "open to the internet"), ("vp", "dear"))
    made = builders.plan("run-1", "provisioner/alice/s1", datetime.now(UTC), requester="alice", approvals=asked)
    builders.add(service.world.ledger, made)
    digest = made.digest[:12]
    assert digest not in service.say("alice", "what waits for me?")
    assert f"approve {digest} as security" in service.say("bob", "what waits for me?")
    assert digest in service.say("bob", f"show plan {digest}")
    for name in ("alice", "vera"):
        service.say(name, f"approve {digest}")
        service.say(name, f"approve {digest} as security")
    assert service.world.ledger.plans.approvals(made.digest) == ()
    service.say("bob", f"approve {digest}")
    [one] = service.world.ledger.plans.approvals(made.digest)
    assert (one.principal, one.role) == ("bob", "security")
    assert digest not in service.say("bob", "what waits for me?")


def test_tenants_have_sessions_plans_and_artifacts_of_their_own(service: Service) -> None:
    """By every address, for everybody who may come in: two tenants, and whoever is in none."""
    canary, now = "kanarienvogel", datetime.now(UTC)
    service.say("alice", f"a virtual machine called {canary}-before")
    try:
        service.roles.write_text(f"{ROLES}tenants:\n  acme: {{members: [alice]}}\n  rival: {{members: [bob, 'group:rivals']}}\n")
        with service.of("alice") as client:
            assert client.get(SESSIONS).json() == [], "what was said before belongs to no tenant"
        service.say("alice", f"a virtual machine called {canary}")
        asked = (("security", f"because of {canary}"),)
        made = builders.plan("run-1acme", "provisioner/acme:alice/s1", now, requester="alice", approvals=asked)
        builders.add(service.world.of(service.world.tenants().called("acme")).ledger, made)
        digest = made.digest[:12]
        paths = [f"/apps/provisioner/users/{user}/sessions" for user in ("user", "alice", "acme:alice", "acme%3Aalice", "bob", "rival:bob")]
        asks = ("list", "what waits for me?", f"show plan {digest}", f"approve {digest} as security", "status run-1acme", "resume s1")
        for name in ("bob", "vera"):
            answers = [service.say(name, text) for text in asks]
            with service.of(name) as client:
                got = [
                    client.get(f"{path}{below}") for path in paths for below in ("", "/s1", "/s1/artifacts", "/s1/artifacts/request.json")
                ]
                figures = client.get("/metrics")
            assert {one.status_code for one in got} <= {200, 404}
            assert [text for text in (*answers, *(one.text for one in got)) if canary in text or "alice" in text] == []
            assert (figures.status_code, "run-1acme" in figures.text) == ({"bob": 404, "vera": 200}[name], False)
        assert service.world.ledger.plans.approvals(made.digest) == ()
        with service.of("alice") as client:
            assert canary in client.get(f"{SESSIONS}/s1").text
            assert client.get(f"{SESSIONS}/s1/artifacts").json(), "there were some to be seen"
        assert digest in service.say("alice", f"show plan {digest}")
        assert service.world.ledger.plans.void(made.digest, now)
    finally:
        service.roles.write_text(ROLES)


def test_prometheus_reads_figures_and_no_names(service: Service) -> None:
    def figures() -> dict[tuple[str, str], float]:
        with service.of("vera") as client:
            page = client.get("/metrics")
        assert page.status_code == 200 and not any(name in page.text for name in ("alice", "bob", "vera", "run-1"))
        read = [sample for family in text_string_to_metric_families(page.text) for sample in family.samples]
        return {(one.name, ",".join(one.labels.get(name, "") for name in ("kind", "status", "step"))): one.value for one in read}

    assert httpx.get(f"{service.url}/metrics").status_code == 401
    before, by_status = figures(), service.world.ledger.plans.counts(datetime.now(UTC))
    assert before["berth_plans_waiting", ",,"] == by_status[1] > 0
    assert before["berth_plans", ",open,"] == by_status[0]["open"]
    assert all(before["berth_runs", f",{status},"] == 0 for status in ("running", "done", "stopped"))
    service.say("bob", "help")
    after = figures()
    moved = {name for name in before if name[0] == "berth_requests_total" and after[name] != before[name]}
    assert after["berth_requests_total", "message,200,"] == before["berth_requests_total", "message,200,"] + 1
    assert {labels.partition(",")[0] for _, labels in moved} == {"message", "session", "probe"}, moved
    there = {name for name, _ in after} | {
        "berth_step_seconds_sum",
        "berth_step_seconds_count",
        "berth_steps",
        "berth_model_failures_total",
        "berth_model_tokens_total",  # Of a model that was called.
    }
    wanted = {figure for query in queries() for figure in figures_of(query) if figure.startswith("berth_")}
    assert wanted <= there, wanted - there


def test_every_line_of_the_log_is_one_json_object(service: Service) -> None:
    service.say("bob", "help")
    said = [json.loads(line) for line in service.log.read_text().splitlines()]
    assert {"uvicorn.error", "uvicorn.access"} <= {one["logger"] for one in said}
    assert all(set(one) - {"trace", "trace_id"} == {"at", "level", "logger", "text"} for one in said)


def test_a_viewer_plans_nothing(service: Service) -> None:
    said = service.say("vera", "I need a PostgreSQL database")
    assert "requester" in said
    assert service.say("alice", "I need a PostgreSQL database")
    kept = service.world.ledger.get("provisioner/alice/s1")
    assert kept["requirements"]["requester"] == "alice", "who asks is the principal"


def test_no_more_often_than_others_can_bear(service: Service) -> None:
    with service.of("vera") as client:
        statuses = [client.post("/run", json=MESSAGE).status_code for _ in range(26)]
        assert 429 in statuses
        assert client.get(SESSIONS).status_code == 200, "and looking goes on"
