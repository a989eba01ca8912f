"""The environment's words as settings, and a sentence that names the variable for each that cannot be taken."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest
import yaml

from tools.clients.settings import Settings
from tools.clients.terraform import Terraform
from tools.pipeline.world import read_roles, read_site
from tools.values.trouble import RequestProblem

from .builders import part_named, world_at

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHhZ ops@laptop"


@pytest.mark.parametrize(
    ("platform", "kept", "left_out"), [("proxmox", "secret-of-pve", "secret-of-azure"), ("azure", "secret-of-azure", "secret-of-pve")]
)
def test_a_child_of_one_platform_has_no_login_of_the_other(tmp_path: Path, platform: str, kept: str, left_out: str) -> None:
    both = {
        "PROXMOX_VE_ENDPOINT": "https://127.0.0.1:8006",
        "PROXMOX_VE_API_TOKEN": "berth@pve!berth=secret-of-pve",
        "BERTH_SCAN_TOKEN": "berth@pve!scan=secret-of-scan",
        "ARM_CLIENT_SECRET": "secret-of-azure",
        "ARM_TENANT_ID": "tenant",
        "ARM_SUBSCRIPTION_ID": "subscription",
    }
    world = world_at(tmp_path, environment=both)
    part = part_named("web", tmp_path / "effects").model_copy(update={"platform": platform})
    given = str(Terraform(world.settings_of(part), tmp_path).environment())
    assert kept in given and left_out not in given
    world.ledger.close()


def test_nothing_set_is_fine(tmp_path: Path) -> None:
    settings = Settings.from_environment({"HOME": str(tmp_path)})
    assert settings.proxmox_endpoint == ""
    assert settings.public_keys == ()
    assert settings.home.is_absolute()
    assert settings.ledger_url.startswith("sqlite:///")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROXMOX_VE_ENDPOINT", "pve1:8006"),
        ("PROXMOX_VE_ENDPOINT", "http://pve1:8006"),
        ("PROXMOX_VE_ENDPOINT", "https://"),
        ("PROXMOX_VE_API_TOKEN", "hunter2-hunter2"),
        ("PROXMOX_VE_API_TOKEN", "root@pam!hunter2"),
        ("BERTH_CA_FILE", "/nowhere/ca.pem"),
        ("BERTH_PROVIDER_MIRROR", "/nowhere/mirror"),
        ("BERTH_ROLES_FILE", "/nowhere/roles.yaml"),
        ("BERTH_PUBLIC_KEY_FILE", "/nowhere/key.pub"),
        ("PROMETHEUS_URL", "prometheus"),
    ],
)
def test_a_wrong_value_is_told_by_its_name(name: str, value: str) -> None:
    with pytest.raises(RequestProblem) as caught:
        Settings.from_environment({"HOME": "/nowhere", name: value})
    assert name in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_environment_comes_first_then_the_env_file_then_the_folder_of_secrets(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROMETHEUS_URL=http://file:1\nARM_TENANT_ID=of-the-file\nUNKNOWN=x\n")
    (tmp_path / "ARM_CLIENT_SECRET").write_text("hunter2-hunter2\n")
    (tmp_path / "ARM_TENANT_ID").write_text("of-the-folder")
    script = "from tools.clients.settings import Settings as S; s = S.from_environment(); "
    script += "print(s.prometheus_url, s.arm_tenant_id, s.arm_client_secret.get_secret_value())"
    given = {**os.environ, "PROMETHEUS_URL": "http://environment:1", "BERTH_SECRETS_FOLDER": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=given, text=True, capture_output=True)
    assert done.stdout.split() == ["http://environment:1", "of-the-file", "hunter2-hunter2"], done.stderr
    given["BERTH_SECRETS_FOLDER"] = str(tmp_path / "nowhere")
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=given, text=True, capture_output=True)
    assert "BERTH_SECRETS_FOLDER cannot be taken" in done.stderr


@pytest.mark.parametrize("others", ["owner", "mode"])
def test_an_env_file_that_another_account_could_have_written_is_not_taken(tmp_path: Path, others: str) -> None:
    """It names the program that is run and the cluster that is handed the token: nobody else's in /tmp may."""
    file = tmp_path / ".env"
    file.write_text("PROMETHEUS_URL=http://file:1\n")
    with chdir(tmp_path):
        assert Settings.from_environment().prometheus_url == "http://file:1"
        if others == "mode":
            file.chmod(0o666)
        elif os.geteuid() == 0:
            os.chown(file, 54321, -1)
        else:
            pytest.skip("only root can give a file away")
        with pytest.raises(RequestProblem, match=r"\.env cannot be taken: another account"):
            Settings.from_environment()


def test_secrets_are_not_in_its_words(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {"HOME": str(tmp_path), "PROXMOX_VE_API_TOKEN": "berth@pve!berth=hunter2-hunter2", "ARM_CLIENT_SECRET": "hunter3-hunter3"}
    )
    assert "hunter" not in repr(settings)
    assert "hunter" not in settings.model_dump_json()
    assert {"hunter2-hunter2", "hunter3-hunter3"} <= set(settings.secret_texts())


def test_the_operators_public_keys(tmp_path: Path) -> None:
    folder = tmp_path / ".ssh"
    folder.mkdir()
    (folder / "id_ed25519.pub").write_text(f"# mine\n{KEY}\n")
    (folder / "id_ed25519").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    assert Settings.from_environment({"HOME": str(tmp_path)}).public_keys == (KEY,)
    with pytest.raises(RequestProblem, match="no public key"):
        Settings.from_environment({"HOME": str(tmp_path), "BERTH_PUBLIC_KEY_FILE": str(folder / "id_ed25519")})


@pytest.mark.parametrize("text", ["principals: [alice]", "principals: {alice: manager}", "- a", "a: {b", "alice"])
def test_a_roles_file_that_cannot_be_taken(tmp_path: Path, text: str) -> None:
    path = tmp_path / "roles.yaml"
    path.write_text(text)
    with pytest.raises(RequestProblem, match="roles"):
        read_roles(path)


def test_a_roles_file(tmp_path: Path) -> None:
    path = tmp_path / "roles.yaml"
    path.write_text("principals:\n  alice: [Operator, manager]\n  bob: []\n")
    assert read_roles(path) == {"alice": ("operator", "manager"), "bob": ()}


def test_a_site_file(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("vm_id_low: 5000\nvm_id_high: 5999\nteam: data\n")
    settings = Settings.from_environment({"HOME": str(tmp_path), "BERTH_SITE_FILE": str(path)})
    assert read_site(settings).vm_id_low == 5000
    path.write_text("vm_id_lo: 5000\n")
    with pytest.raises(RequestProblem, match="vm_id_lo"):
        read_site(settings)


CANARY = "c4nary0fasecret"
RELEASE = {"program": "k3s", "version": "v1", "url": f"https://x:{CANARY}@mirror.example.org/k3s", "sha256": "0" * 64}


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("monitoring.alert_webhook", {"monitoring": {"alert_webhook": f"https://hooks.example.org/services/{CANARY}"}}),
        ("monitoring.alert_webhook", {"monitoring": {"alert_webhook": f"https://hooks.example.org/?token={CANARY}"}}),
        ("monitoring.proxmox_token", {"monitoring": {"proxmox_token": f"berth@pve!look={CANARY}"}}),
        ("monitoring.grafana_source", {"monitoring": {"grafana_source": f"deb https://x:{CANARY}@mirror.example.org stable main"}}),
        ("names.key", {"names": {"server": "10.0.0.1", "zones": ["example.org"], "key": CANARY}}),
        ("ipam.token", {"ipam": {"url": "https://netbox.example.org", "token": CANARY}}),
        ("ipam.url", {"ipam": {"url": f"https://x:{CANARY}@netbox.example.org", "token": "env:TOKEN"}}),
        ("releases.0.url", {"releases": [RELEASE]}),
    ],
)
def test_a_secret_in_the_site_file_is_refused_by_its_name_and_not_shown(tmp_path: Path, name: str, section: dict[str, object]) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(section))
    with pytest.raises(RequestProblem) as refused:
        read_site(Settings.from_environment({"HOME": str(tmp_path), "BERTH_SITE_FILE": str(path)}))
    assert name in refused.value.detail and CANARY not in str(refused.value)


def test_what_is_advised_of_a_secret_in_the_site_file_is_taken(tmp_path: Path) -> None:
    path, settings = tmp_path / "site.yaml", {"HOME": str(tmp_path), "BERTH_SITE_FILE": str(tmp_path / "site.yaml")}
    path.write_text(f"monitoring:\n  alert_webhook: https://hooks.example.org/services/{CANARY}\n")
    with pytest.raises(RequestProblem) as refused:
        read_site(Settings.from_environment(settings))
    [advised] = re.findall(r"`(alert_webhook: .+?)`", refused.value.remedy)
    path.write_text(f"monitoring:\n  {advised}\n")
    site = read_site(Settings.from_environment(settings))
    assert site.secrets()["monitoring.alert_webhook"] == site.monitoring.alert_webhook == "file:/etc/berth/alert_webhook"
    path.write_text("monitoring:\n  alert_webhook: https://alerts.example.org/hook\n")
    assert read_site(Settings.from_environment(settings)).monitoring.alert_webhook, "a plain address that opens nothing is one"
