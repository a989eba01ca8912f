"""Envelope, errors, authentication and addresses: what every client of the API leans on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cluster_sim.http import Answer, Request
from cluster_sim.world import World
from tests.cluster_sim.proxmox.driver import BERTH, SCAN, Driver, Refused


def test_an_error_is_the_reason_phrase_and_the_body(pve: Driver) -> None:
    answer = pve.answer("GET", "/nodes/pve1/qemu/777/config")
    words = "Configuration file 'nodes/pve1/qemu-server/777.conf' does not exist"
    assert (answer.status, answer.reason) == (500, words)
    assert json.loads(answer.body) == {"data": None, "message": words + "\n"}
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Server"] == "pve-api-daemon/3.0"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nodes/pve1/ceph/status"), ("GET", "/cluster/ceph/status"), ("PATCH", "/version"), ("HEAD", "/version")],
)
def test_what_is_not_simulated_says_so_with_its_address(pve: Driver, method: str, path: str) -> None:
    answer = pve.answer(method, path)
    assert (answer.status, answer.reason) == (501, f"Method '{method} {path}' not implemented")


def test_outside_the_api_there_is_nothing(pve: Driver) -> None:
    assert pve.answer("GET", "/", base="").status == 501


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({}, "newid", "property is missing and it is not optional"),
        ({"newid": "abc"}, "newid", "type check ('integer') failed - got 'abc'"),
        ({"newid": 99}, "newid", "value must have a minimum value of 100"),
        ({"newid": 200, "full": "perhaps"}, "full", "type check ('boolean') failed - got 'perhaps'"),
        (
            {"newid": 200, "colour": "red"},
            "colour",
            "property is not defined in schema and the schema does not allow additional properties",
        ),
        ({"newid": 200, "name": "two words"}, "name", "invalid format - value does not look like a valid DNS name\n"),
        ({"newid": 200, "format": "tar"}, "format", "value 'tar' does not have a value in the enumeration 'raw, qcow2, vmdk'"),
        ({"newid": 200, "target": "pve9"}, "target", "no such cluster node 'pve9'"),
    ],
)
def test_a_wrong_parameter_is_named(pve: Driver, form: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        pve.post("/nodes/pve1/qemu/9000/clone", **form)
    assert (refused.value.status, refused.value.reason) == (400, "Parameter verification failed.")
    assert refused.value.errors[field] == words


def test_all_wrong_parameters_are_named_at_once(pve: Driver) -> None:
    with pytest.raises(Refused) as refused:
        pve.post("/nodes/pve1/qemu/9000/clone", full="perhaps", colour="red")
    assert set(refused.value.errors) == {"newid", "full", "colour"}


def test_the_web_interface_s_form_of_an_error(pve: Driver) -> None:
    answer = pve.answer("GET", "/nodes/pve1/qemu/777/config", base="/api2/extjs")
    assert answer.status == 200
    body = json.loads(answer.body)
    assert (body["success"], body["status"]) == (0, 500)


@pytest.mark.parametrize("upid_as", [lambda u: u, lambda u: u.replace(":", "%3A").replace("@", "%40").replace("!", "%21")])
def test_a_task_is_found_however_its_name_is_encoded(pve: Driver, upid_as: Callable[[str], str]) -> None:
    upid = pve.post("/nodes/pve1/qemu/9000/clone", newid=200)
    assert pve.get(f"/nodes/pve1/tasks/{upid_as(upid)}/status")["type"] == "qmclone"


def test_a_slash_at_the_end_changes_nothing(pve: Driver) -> None:
    pve.clone(200)
    upid = pve.delete("/nodes/pve1/qemu/200/", purge=1, **{"destroy-unreferenced-disks": 1})
    assert pve.end(upid) == "OK"
    assert 200 not in pve.cluster.guests


def test_parameters_may_come_as_json(pve: Driver) -> None:
    headers = {"Authorization": f"PVEAPIToken={BERTH}", "Content-Type": "application/json"}
    answer = pve.front(
        Request("POST", "/api2/json/nodes/pve1/qemu/9000/clone", (), headers, json.dumps({"newid": 200, "full": True}).encode())
    )
    assert answer.status == 200


def test_the_same_name_in_path_and_body_must_agree(pve: Driver) -> None:
    with pytest.raises(Refused) as refused:
        pve.post("/nodes/pve1/qemu/9000/clone", newid=200, vmid=9001)
    assert refused.value.errors["vmid"] == "duplicate parameter (already defined in URI) with conflicting values!"


def _with(pve: Driver, headers: dict[str, str], method: str = "GET", path: str = "/version", body: bytes = b"") -> Answer:
    return pve.front(Request(method, "/api2/json" + path, (), headers, body))


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "No ticket"),
        ({"Authorization": "PVEAPIToken=berth@pve!berth=wrong"}, "Authentication failed!"),
        ({"Authorization": "PVEAPIToken=nobody@pve!x=be27ab1e-0000-4000-8000-000000000003"}, "Authentication failed!"),
        ({"Authorization": "PVEAPIToken=nonsense"}, "Authentication failed!"),
        ({"Cookie": "PVEAuthCookie=PVE:root@pam:1::x"}, "Authentication failed!"),
    ],
)
def test_who_does_not_show_who_they_are_waits_and_learns_nothing(pve: Driver, headers: dict[str, str], reason: str) -> None:
    answer = _with(pve, headers)
    assert (answer.status, answer.reason, answer.body) == (401, reason, b"")
    assert answer.delay_s == 3


def test_a_fast_world_makes_nobody_wait_three_seconds(four_nodes: World) -> None:
    assert _with(Driver(four_nodes, pace=10), {}).delay_s == pytest.approx(0.3)


def test_an_expired_token_is_no_token(changed: Callable[..., Driver]) -> None:
    secret = BERTH.split("=")[1]
    pve = changed(users={"berth@pve": {"tokens": {"berth": {"secret": secret, "separate": False, "expires_at": 1000}}}})
    assert pve.answer("GET", "/version").status == 401


def test_a_password_gives_a_ticket_that_needs_its_csrf_token_for_changes(pve: Driver) -> None:
    login = _with(pve, {}, "POST", "/access/ticket", b"username=root@pam&password=simulated")
    given = json.loads(login.body)["data"]
    cookie = {"Cookie": f"PVEAuthCookie={given['ticket']}"}
    assert _with(pve, {"Authorization": cookie["Cookie"]}).status == 200
    assert _with(pve, cookie).status == 200
    body = b"poolid=made"
    without = _with(pve, cookie, "POST", "/pools", body)
    assert (without.status, without.reason) == (401, "Permission denied - invalid csrf token")
    assert _with(pve, cookie | {"CSRFPreventionToken": given["CSRFPreventionToken"]}, "POST", "/pools", body).status == 200
    assert _with(pve, {}, "POST", "/access/ticket", b"username=root@pam&password=guessed").status == 401


def test_an_unknown_node_cannot_be_looked_up(pve: Driver) -> None:
    with pytest.raises(Refused) as refused:
        pve.get("/nodes/pve9/qemu")
    assert refused.value.reason == "hostname lookup 'pve9' failed - failed to get address info for: pve9: Name or service not known"


def test_every_request_is_written_down(pve: Driver) -> None:
    pve.post("/nodes/pve1/qemu/9000/clone", newid=200, name="db")
    with pytest.raises(Refused):
        pve.get("/nodes/pve1/qemu/777/config")
    clone, config = pve.front.requests
    assert (clone.method, clone.path, clone.form, clone.status) == (
        "POST",
        "/nodes/pve1/qemu/9000/clone",
        {"newid": "200", "name": "db"},
        200,
    )
    assert config.status == 500
    assert SCAN not in json.dumps([vars(r) for r in pve.front.requests])
