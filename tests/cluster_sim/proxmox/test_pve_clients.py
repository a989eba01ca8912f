"""A real client over real TLS: proxmoxer, unmodified, with a token and a CA file; and the command that serves."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import proxmoxer
import pytest
import requests
from proxmoxer.tools import Tasks

from tests.cluster_sim.proxmox.driver import WORLDS

ROOT = Path(__file__).parents[3]


def client(ready: dict[str, Any], **more: Any) -> proxmoxer.ProxmoxAPI:
    url, (who, _, secret) = urlsplit(ready["proxmox"]["url"]), ready["proxmox"]["token"].partition("=")
    user, _, name = who.partition("!")
    given = {"user": user, "token_name": name, "token_value": secret, "verify_ssl": ready["ca_file"]} | more
    return proxmoxer.ProxmoxAPI(url.hostname, port=url.port, **given)


@pytest.fixture
def api(served: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> proxmoxer.ProxmoxAPI:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    return client(served)


def test_the_ready_line(served: dict[str, Any]) -> None:
    assert set(served) == {"ca_file", "mirror", "proxmox"}
    assert set(served["proxmox"]) == {"url", "token", "guest_proxy_command"}
    assert Path(served["ca_file"]).is_file()
    assert Path(served["mirror"]).is_dir()
    assert served["proxmox"]["url"].startswith("https://127.0.0.1:")


def test_a_whole_life_through_proxmoxer(api: proxmoxer.ProxmoxAPI) -> None:
    vmid = api.cluster.nextid.get()
    upid = api.nodes("pve1").qemu(9000).clone.post(newid=vmid, name="db-01", full=1, target="pve3")
    assert Tasks.blocking_status(api, upid)["exitstatus"] == "OK"
    assert Tasks.decode_upid(upid)["type"] == "qmclone"
    guest = api.nodes("pve3").qemu(vmid)
    guest.config.put(memory=4096, net0="virtio,bridge=vmbr0,tag=20")
    assert Tasks.blocking_status(api, guest.resize.put(disk="scsi0", size="+10G"))["exitstatus"] == "OK"
    assert Tasks.blocking_status(api, guest.status.start.post())["exitstatus"] == "OK"
    assert guest.status.current.get()["status"] == "running"
    assert api.nodes("pve3").storage("ceph-vm").content.get(vmid=vmid)
    assert Tasks.blocking_status(api, guest.status.stop.post())["exitstatus"] == "OK"
    assert Tasks.blocking_status(api, guest.delete(purge=1))["exitstatus"] == "OK"
    with pytest.raises(proxmoxer.ResourceException) as gone:
        guest.status.current.get()
    assert gone.value.status_code == 500
    assert "does not exist" in gone.value.content


def test_the_reason_reaches_the_client_on_the_wire(api: proxmoxer.ProxmoxAPI) -> None:
    with pytest.raises(proxmoxer.ResourceException) as refused:
        api.nodes("pve1").qemu(9000).clone.post(newid=110)
    assert refused.value.content == "unable to create VM 110: config file already exists"


def test_a_list_may_be_sent_as_repeated_names(api: proxmoxer.ProxmoxAPI) -> None:
    api.pools.post(poolid="several")
    api.pools.put(poolid="several", storage=["nfs", "local"])
    assert len(api.pools.get(poolid="several")[0]["members"]) == 2


def test_a_wrong_token_is_told_late(served: dict[str, Any], api: proxmoxer.ProxmoxAPI) -> None:
    with pytest.raises(proxmoxer.ResourceException) as refused:
        client(served, token_value="00000000-0000-4000-8000-000000000000").version.get()
    assert (refused.value.status_code, refused.value.content) == (401, "Authentication failed!")


def test_a_password_works_as_well(served: dict[str, Any], api: proxmoxer.ProxmoxAPI) -> None:
    with_password = client(served, user="root@pam", password="simulated", token_name=None, token_value=None)
    assert with_password.access.users.get(full=1)
    assert with_password.nodes("pve1").qemu(110).status.reboot.post().startswith("UPID:pve1:")


def test_an_untrusted_certificate_is_refused_by_the_client(served: dict[str, Any], api: proxmoxer.ProxmoxAPI) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        client(served, verify_ssl=True).version.get()


def test_it_speaks_tls_1_3_and_closes_after_an_error(served: dict[str, Any]) -> None:
    url = urlsplit(served["proxmox"]["url"])
    context = ssl.create_default_context(cafile=served["ca_file"])
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with (
        socket.create_connection((url.hostname, url.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        assert tls.version() == "TLSv1.3"
        tls.sendall(
            b"GET /api2/json/nodes/pve9/qemu HTTP/1.1\r\nHost: x\r\n"
            + f"Authorization: PVEAPIToken={served['proxmox']['token']}\r\n\r\n".encode()
        )
        received = b""
        while part := tls.recv(65536):
            received += part
    assert received.startswith(b"HTTP/1.1 500 hostname lookup 'pve9' failed")


def test_a_file_is_uploaded(served: dict[str, Any], api: proxmoxer.ProxmoxAPI, tmp_path: Path) -> None:
    image = tmp_path / "tiny.iso"
    image.write_bytes(b"iso" * 100)
    root = client(served, user="root@pam", password="simulated", token_name=None, token_value=None)
    with image.open("rb") as content:
        upid = root.nodes("pve1").storage("nfs").upload.post(content="iso", filename=content)
    assert Tasks.blocking_status(root, upid)["exitstatus"] == "OK"
    sizes = {r["volid"]: r["size"] for r in api.nodes("pve2").storage("nfs").content.get()}
    assert sizes["nfs:iso/tiny.iso"] == 300


# The command


def run(*arguments: str, **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cluster_sim", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        **more,
    )


def stop(process: subprocess.Popen[str], how: int = signal.SIGTERM) -> None:
    process.send_signal(how)
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_world_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    command = ("serve", str(WORLDS / "four_nodes.yaml"), "--guests", "none", "--folder", str(tmp_path / "kept"), "--time", "20")
    process = run(*command)
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    api = client(first)
    upid = api.nodes("pve1").qemu(9000).clone.post(newid=201, name="kept", full=1)
    assert Tasks.blocking_status(api, upid)["exitstatus"] == "OK"
    api.nodes("pve1").qemu(201).status.start.post()
    before = api.nodes("pve1").qemu(201).config.get()
    second = run(*command)
    assert "Another simulator already runs in" in second.communicate(timeout=60)[1]
    assert second.returncode == 1
    stop(process, signal.SIGINT)

    process = run(*command)
    assert process.stdout is not None
    again = json.loads(process.stdout.readline())
    assert again["ca_file"] == first["ca_file"]
    api = client(again)
    assert api.nodes("pve1").qemu(201).config.get() == before
    assert api.nodes("pve1").qemu(201).status.current.get()["status"] == "running"
    assert api.nodes("pve1").tasks(upid).status.get()["exitstatus"] == "OK"
    other = api.nodes("pve1").qemu(9000).clone.post(newid=202, name="more", full=1)
    assert other != upid
    stop(process)
    assert (tmp_path / "kept" / "proxmox.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("serve", "nowhere.yaml"), 2, "There is no world file nowhere.yaml."),
        (("serve", "BAD"), 2, "This world cannot be:\n- "),
        (("serve", str(WORLDS / "one_node.yaml"), "--time", "fast"), 2, "'fast' is neither `wall` nor a factor like 10"),
        (("serve", str(WORLDS / "one_node.yaml"), "--guests", "none", "--port", "PORT"), 1, "cannot be opened: "),
    ],
)
def test_what_cannot_be_served_is_said_in_a_sentence(
    tmp_path: Path, served: dict[str, Any], arguments: tuple[str, ...], code: int, words: str
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(f"based_on: {WORLDS / 'four_nodes.yaml'}\nproxmox: {{ready_token: 'a@pve!x', zone: null}}\n")
    taken = str(urlsplit(served["proxmox"]["url"]).port)
    process = run(*(str(bad) if a == "BAD" else taken if a == "PORT" else a for a in arguments))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert words in err
    assert "Traceback" not in err
