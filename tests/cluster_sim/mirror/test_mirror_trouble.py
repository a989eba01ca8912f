"""The stand-in for bpg/proxmox on bad days: errors, half-made machines, drift, wrong worlds, and being stopped."""

from __future__ import annotations

import datetime as dt
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster_sim import authority, mirror
from cluster_sim.http import Answer, Request, Server, json_answer
from cluster_sim.mirror import web
from tests.cluster_sim.mirror.harness import TOKEN, Folder, ServedCluster, in_one_line
from tests.cluster_sim.mirror.machines import REQUIRED, recorded_machine

ADDRESS = "proxmox_virtual_environment_vm.db"
CLONE = ("POST", "/qemu/9000/clone")
WAIT_S_MAX = 20.0


@pytest.fixture
def folder(make_folder: Any, served: ServedCluster) -> Folder:
    ready: Folder = make_folder(REQUIRED + recorded_machine(), **served.settings)
    ready.terraform("init")
    return ready


# --- what the cluster answers -----------------------------------------------------------------------------------------------------


def test_an_error_is_told_with_its_reason_and_every_field(folder: Folder, served: ServedCluster) -> None:
    body = {"data": None, "errors": {"newid": "VM 101 is taken\n"}, "message": "Parameter verification failed.\n"}
    served.cluster.failing[CLONE] = json_answer(body, 400, reason="Parameter verification failed.")
    said = in_one_line(folder.terraform("apply", "-auto-approve", expect=1))
    assert "received an HTTP 400 response - Reason: Parameter verification failed. (newid: VM 101 is taken)" in said
    assert folder.state() == {}, "nothing was made, and nothing is remembered"


def test_a_failed_task_is_told_with_its_log(folder: Folder, served: ServedCluster) -> None:
    task = "/nodes/pve1/tasks/UPID:pve1:00001234:00ABCDEF:6560A000:qmclone:9000:ops@pve!berth:"
    served.cluster.failing[("GET", f"{task}/status")] = json_answer(
        {"data": {"status": "stopped", "exitstatus": "unable to create image: no space left"}}
    )
    served.cluster.failing[("GET", f"{task}/log")] = json_answer({"data": [{"n": 1, "t": "create full clone of drive scsi0"}]})
    said = in_one_line(folder.terraform("apply", "-auto-approve", expect=1))
    assert "failed to complete with exit code: unable to create image: no space left" in said
    assert "create full clone of drive scsi0" in said
    assert [path for _, path, _ in served.cluster.calls].count("/nodes/pve1/qemu/9000/clone") == 1, (
        "a full storage is not tried again"
    )


def test_a_busy_template_is_tried_again(make_folder: Any, served: ServedCluster) -> None:
    main = recorded_machine().replace("vm_id = 9000", "vm_id   = 9000\n    retries = 3")
    folder = make_folder(REQUIRED + main, **served.settings)
    folder.terraform("init")
    locked = "can't lock file '/var/lock/qemu-server/lock-9000.conf' - got timeout"
    served.cluster.failing_once[CLONE] = [json_answer({"data": None}, 500, reason=locked)]
    folder.terraform("apply", "-auto-approve")
    assert [path for _, path, _ in served.cluster.calls].count("/nodes/pve1/qemu/9000/clone") == 2


def test_a_half_made_machine_is_remembered_and_removed(folder: Folder, served: ServedCluster) -> None:
    served.cluster.failing[("PUT", "/resize")] = json_answer({"data": None}, 500, reason="storage 'local-lvm' is full")
    assert "is full" in folder.terraform("apply", "-auto-approve", expect=1)
    assert folder.state()[ADDRESS]["tainted"]
    assert 101 in served.cluster.vms
    served.cluster.failing.clear()
    assert "1 destroyed" in folder.terraform("destroy", "-auto-approve")
    assert 101 not in served.cluster.vms


def test_a_smaller_disk_is_refused_before_anything_is_changed(folder: Folder, served: ServedCluster) -> None:
    folder.terraform("apply", "-auto-approve")
    folder.write(REQUIRED + recorded_machine(disk_gib=30))
    served.cluster.calls.clear()
    said = in_one_line(folder.terraform("apply", "-auto-approve", expect=1))
    assert "requested size (30G) is lower than current size (40G)" in said
    assert all(method == "GET" for method, _, _ in served.cluster.calls)


def test_a_guest_without_an_address_is_waited_for_and_then_left(make_folder: Any, served: ServedCluster) -> None:
    served.cluster.agent_addresses = False
    folder = make_folder(REQUIRED + recorded_machine().replace('"5s"', '"1s"'), **served.settings)
    folder.terraform("init")
    folder.terraform("apply", "-auto-approve")
    looks = [path for _, path, _ in served.cluster.calls].count("/nodes/pve1/qemu/101/agent/network-get-interfaces")
    assert looks > 1
    assert folder.state()[ADDRESS]["ipv4_addresses"] == [["127.0.0.1"]]


def test_a_machine_that_does_not_go_away_is_told(folder: Folder, served: ServedCluster) -> None:
    folder.terraform("apply", "-auto-approve")
    served.cluster.failing[("DELETE", "/101/")] = json_answer({"data": None})
    assert "failed to delete VM 101" in in_one_line(folder.terraform("destroy", "-auto-approve", expect=1))
    assert ADDRESS in folder.state()


# --- drift ---------------------------------------------------------------------------------------------------------------------


def test_a_vanished_machine_is_made_anew(folder: Folder, served: ServedCluster) -> None:
    folder.terraform("apply", "-auto-approve")
    del served.cluster.vms[101]
    assert folder.planned()[ADDRESS]["actions"] == ["create"]


def test_a_machine_stopped_by_hand_is_started(folder: Folder, served: ServedCluster) -> None:
    folder.terraform("apply", "-auto-approve")
    served.cluster.vms[101]["status"] = "stopped"
    folder.terraform("apply", "-auto-approve")
    assert served.cluster.vms[101]["status"] == "running"


def test_a_machine_is_imported_as_it_is(make_folder: Any, served: ServedCluster) -> None:
    made = make_folder(REQUIRED + recorded_machine(), **served.settings)
    made.terraform("init")
    made.terraform("apply", "-auto-approve")
    other = make_folder(REQUIRED + recorded_machine(), **served.settings)
    other.terraform("init")
    other.terraform("import", ADDRESS, "pve1/101")
    here, there = made.state()[ADDRESS], other.state()[ADDRESS]
    for name in ("name", "vm_id", "cpu", "memory", "disk", "network_device", "ipv4_addresses", "tags"):
        assert there[name] == here[name], name
    wrong = make_folder(REQUIRED + recorded_machine(), **served.settings)
    wrong.terraform("init")
    assert "A VM is imported as node/id" in in_one_line(wrong.terraform("import", ADDRESS, "101", expect=1))


# --- what is configured --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ('usb {\n    host = "1234:5678"\n  }', "does not simulate `usb`"),
        ('disk {\n    interface = "floppy0"\n  }', "but it is 'floppy0'"),
    ],
)
def test_what_is_not_stood_in_for_is_refused(make_folder: Any, served: ServedCluster, more: str, sentence: str) -> None:
    folder = make_folder(REQUIRED + recorded_machine(more=more), **served.settings)
    folder.terraform("init")
    assert sentence in in_one_line(folder.terraform("validate", expect=1))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"PROXMOX_VE_API_TOKEN": "no token"}, "must be of the form user@realm!name=secret"),
        ({"PROXMOX_VE_ENDPOINT": ""}, "The cluster's address is not set."),
        ({"PROXMOX_VE_ENDPOINT": "http://127.0.0.1:1/"}, "must be an address that begins with https://"),
        ({"PROXMOX_VE_INSECURE": "true"}, "always verifies certificates"),
        ({"PROXMOX_VE_ENDPOINT": "https://127.0.0.1:1/"}, "127.0.0.1:1 cannot be reached"),
    ],
)
def test_wrong_settings_are_told_in_sentences(
    make_folder: Any, served: ServedCluster, settings: dict[str, str], sentence: str
) -> None:
    folder = make_folder(REQUIRED + recorded_machine(), **served.settings | settings)
    folder.terraform("init")
    said = in_one_line(folder.terraform("apply", "-auto-approve", expect=1))
    assert sentence in said
    assert "11111111-2222" not in said, "no message shows the token's secret"


# --- whose world it is ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[tuple[str, Path, list[Request]]]:
    """A server whose certificate is in order but whose authority is not a simulated world's: its address, its CA and what it got."""
    seen: list[Request] = []

    def service(request: Request) -> Answer:
        seen.append(request)
        return json_answer({"data": []})

    ca, pem = foreign_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    server = Server(service, tls).start()
    yield f"https://127.0.0.1:{server.port}/", ca, seen
    server.stop()


def foreign_certificate(folder: Path) -> tuple[Path, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    made = authority.make_authority(folder / "foreign")
    key = serialization.load_pem_private_key((folder / "foreign" / "ca.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    made.server_tls("x")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Proxmox Virtual Environment")])
    now = dt.datetime.now(dt.UTC)

    def builder(subject: x509.Name, public: Any) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
        )

    import ipaddress

    ca = builder(name, key.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    own = ec.generate_private_key(ec.SECP256R1())
    # Its own name begins as a simulated one's does: only who issued it counts.
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cluster_sim proxmox")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    leaf = builder(subject, own.public_key()).add_extension(address, critical=False)
    ca_file, pem = folder / "foreign.pem", folder / "server.pem"
    ca_file.write_bytes(ca.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(private + leaf.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return ca_file, pem


def test_a_real_cluster_is_refused_and_hears_nothing(make_folder: Any, foreign: tuple[str, Path, list[Request]]) -> None:
    url, ca, seen = foreign
    settings = {"PROXMOX_VE_ENDPOINT": url, "PROXMOX_VE_API_TOKEN": TOKEN, "SSL_CERT_FILE": str(ca)}
    folder = make_folder(REQUIRED + recorded_machine(), **settings)
    folder.terraform("init")
    said = in_one_line(folder.terraform("apply", "-auto-approve", expect=1))
    assert "was issued by 'Proxmox Virtual Environment', not by a cluster_sim CA, so this is no simulated world." in said
    assert "Nothing was sent" in said
    assert not seen


def test_a_certificate_nobody_vouches_for_is_refused(make_folder: Any, foreign: tuple[str, Path, list[Request]]) -> None:
    url, _, seen = foreign
    folder = make_folder(REQUIRED + recorded_machine(), PROXMOX_VE_ENDPOINT=url, PROXMOX_VE_API_TOKEN=TOKEN)
    folder.terraform("init")
    said = in_one_line(folder.terraform("apply", "-auto-approve", expect=1))
    assert "is not trusted" in said
    assert "Set SSL_CERT_FILE to the CA file of the simulated world." in said
    assert not seen


def test_the_authority_is_known_by_the_same_name_on_both_sides() -> None:
    assert web.SUBJECT_PREFIX == authority.SUBJECT_PREFIX


# --- being stopped, and many at once -------------------------------------------------------------------------------------------


def wait_for(what: Any) -> None:
    ends = time.monotonic() + WAIT_S_MAX
    while not what():
        assert time.monotonic() < ends, f"not within {WAIT_S_MAX:.0f} seconds"
        time.sleep(0.02)


def test_ctrl_c_keeps_what_was_made(folder: Folder, served: ServedCluster) -> None:
    served.cluster.agent_addresses = False
    folder.write(REQUIRED + recorded_machine().replace('"5s"', '"15m"'))
    running = folder.start("apply", "-auto-approve")
    wait_for(lambda: any(path.endswith("network-get-interfaces") for _, path, _ in list(served.cluster.calls)))
    # To the whole group, as a terminal does.
    os.killpg(running.pid, signal.SIGINT)
    said = in_one_line(running.communicate(timeout=WAIT_S_MAX)[0])
    assert running.returncode == 1
    assert "asked to stop" in said
    assert folder.state()[ADDRESS]["tainted"]
    served.cluster.agent_addresses = True
    assert "1 destroyed" in folder.terraform("destroy", "-auto-approve")


def test_a_killed_terraform_leaves_no_provider_behind(folder: Folder, served: ServedCluster) -> None:
    served.cluster.agent_addresses = False
    folder.write(REQUIRED + recorded_machine().replace('"5s"', '"15m"'))
    running = folder.start("apply", "-auto-approve")
    wait_for(lambda: any(path.endswith("network-get-interfaces") for _, path, _ in list(served.cluster.calls)))
    children = subprocess.run(["ps", "--ppid", str(running.pid), "-o", "pid="], capture_output=True, text=True).stdout.split()
    assert children
    running.kill()
    running.wait()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))


def test_ten_machines_are_made_side_by_side(make_folder: Any, served: ServedCluster) -> None:
    main = recorded_machine().replace("vm_id           = 101", "vm_id           = 101 + count.index\n  count           = 10")
    folder = make_folder(REQUIRED + main, **served.settings)
    folder.terraform("init")
    served.cluster.clone_delay_s = 1.0
    begun = time.monotonic()
    folder.terraform("apply", "-auto-approve")
    assert time.monotonic() - begun < 10 * served.cluster.clone_delay_s, "one after another would take longer than this"
    assert set(served.cluster.vms) == {9000, *range(101, 111)}
    folder.terraform("plan", "-detailed-exitcode")


def test_the_mirror_says_which_versions_it_has() -> None:
    assert mirror.VERSIONS == {"bpg/proxmox": "0.111.1+sim", "azure/azapi": "2.12.0+sim"}
