"""Terraform (or OpenTofu) in a folder, with an environment of our own. Judging a plan belongs to tools.rules.changes."""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tools.clients.files import copy_private, file_sha256, private_folder, write_private
from tools.clients.process import UTF8, Finished, no_proxy, run
from tools.clients.settings import Settings
from tools.clients.terraform_words import lock_of, problem_of_events, problem_of_text
from tools.clients.tracing import carried, span
from tools.rules.plans.inputs import CHOSEN
from tools.values.trouble import RequestProblem, WorldProblem
from tools.values.value import Json

INIT_SECONDS_MAX = 300.0
PLAN_SECONDS_MAX = 900.0
SHOW_SECONDS_MAX = 120.0
PLANNING_SECONDS_MAX = INIT_SECONDS_MAX + PLAN_SECONDS_MAX + SHOW_SECONDS_MAX
"""Of one part, from its init to its plan as JSON."""
BACKEND = "backend.tf.json"
"""Of a folder whose record of what exists is kept elsewhere; without it, the record is `terraform.tfstate` beside it."""
NO_LOCK = "00000000-0000-0000-0000-000000000000"
LOCK_SECONDS_MAX = 20
LOCK_TIMEOUT = f"{LOCK_SECONDS_MAX}s"

PASSED_ON = ("PATH", "LANG", "TMPDIR", "HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")
"""Everything else of our own environment stays here: TF_CLI_ARGS, TF_VAR_ and TF_LOG change plans or leak (measured)."""


class Planned(NamedTuple):
    json: Json
    """Terraform's own, from `show -json`."""
    plan_sha256: str
    json_sha256: str


class Terraform:
    """Commands for one folder. Makes no decision and keeps nothing between two calls."""

    def __init__(self, settings: Settings, folder: Path, extra_secrets: tuple[str, ...] = ()) -> None:
        self.settings = settings
        self.folder = folder
        self.secrets = (*settings.secret_texts(), *extra_secrets)

    def program(self) -> tuple[str, ...]:
        if self.settings.terraform:
            found = shutil.which(self.settings.terraform)
            if not found:
                raise RequestProblem(
                    "A setting cannot be taken.",
                    f"BERTH_TERRAFORM names {self.settings.terraform}, which is not a program that can be run.",
                    "Correct or unset it.",
                )
            return (found,)
        for name in ("terraform", "tofu"):
            found = shutil.which(name)
            if found:
                return (found,)
        # A child process of its own: the library's signal handling and output must not meet ours.
        return (sys.executable, "-I", str(Path(__file__).with_name("terraform_bundled.py")))

    def environment(self) -> dict[str, str]:
        settings = self.settings
        given = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        given |= {
            "HOME": str(private_folder(settings.home / "terraform")),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "TF_CLI_CONFIG_FILE": str(self.folder / "terraform.rc"),
            "CHECKPOINT_DISABLE": "1",
            "NO_PROXY": no_proxy(),
            **UTF8,
        }
        if settings.ca_file:
            given["SSL_CERT_FILE"] = str(settings.ca_file)
        worlds = {
            "PROXMOX_VE_ENDPOINT": settings.proxmox_endpoint,
            "PROXMOX_VE_API_TOKEN": settings.proxmox_api_token.get_secret_value(),
            "ARM_SUBSCRIPTION_ID": settings.arm_subscription_id,
            "ARM_TENANT_ID": settings.arm_tenant_id,
            "ARM_CLIENT_ID": settings.arm_client_id,
            "ARM_CLIENT_SECRET": settings.arm_client_secret.get_secret_value(),
            "ARM_RESOURCE_MANAGER_ENDPOINT": settings.arm_resource_manager_endpoint,
            "ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST": settings.arm_active_directory_authority_host,
            "ARM_RESOURCE_MANAGER_AUDIENCE": settings.arm_resource_manager_audience,
        }
        if settings.arm_resource_manager_endpoint:
            # Of the backend, which asks that address which cloud it is.
            worlds["ARM_METADATA_HOSTNAME"] = urlsplit(settings.arm_resource_manager_endpoint).netloc
            # A cloud elsewhere: azapi takes the three addresses from the environment only when it is told so, and Microsoft's
            # list of logins and of providers to register does not know it.
            worlds |= {
                "ARM_ENVIRONMENT": "custom",
                "ARM_DISABLE_INSTANCE_DISCOVERY": "true",
                "ARM_SKIP_PROVIDER_REGISTRATION": "true",
            }
        if settings.arm_client_secret:
            # The login is settled; whoever is logged in to the Azure CLI on this machine is somebody else.
            worlds["ARM_USE_CLI"] = "false"
        return given | {name: value for name, value in worlds.items() if value}

    def write_configuration(self) -> Path:
        """Exactly one way to get providers: with two, Terraform asks both and fails when one is away (measured)."""
        mirror = self.settings.provider_mirror
        if mirror:
            method = f"  filesystem_mirror {{\n    path = {json.dumps(str(mirror))}\n  }}\n"
            cache = ""
        else:
            method = "  direct {}\n"
            # Not beside a mirror: a mirror is linked into the folder, and a cache would put a copy in between.
            cache = f"plugin_cache_dir = {json.dumps(str(private_folder(self.settings.home / 'providers')))}\n"
        text = f"disable_checkpoint = true\n{cache}provider_installation {{\n{method}}}\n"
        return write_private(self.folder / "terraform.rc", text)

    def init(self) -> None:
        with self._provider_cache():
            done = self._run("init", "-input=false", "-no-color", seconds_max=INIT_SECONDS_MAX)
        if done.code != 0:
            raise problem_of_text("Terraform could not be made ready.", done.err or done.out, self.secrets)

    def plan(
        self, name: str = "tfplan", *, destroy: bool = False, cancelled: Callable[[], bool] = lambda: False, validate: bool = True
    ) -> Planned:
        """Validates and plans side by side (neither needs the other), then reads the plan as JSON."""
        arguments = ["-json", "-input=false", "-detailed-exitcode", f"-lock-timeout={LOCK_TIMEOUT}", f"-out={name}"]
        if destroy:
            arguments.append("-destroy")
        with ThreadPoolExecutor(2, thread_name_prefix="terraform") as both:
            checking = both.submit(carried(self.validate)) if validate else None
            planning = both.submit(carried(self._run), "plan", *arguments, seconds_max=PLAN_SECONDS_MAX, cancelled=cancelled)
            if checking is not None:
                checking.result()
            done = planning.result()
        if cancelled():
            raise RequestProblem("Cancelled.", "The plan was not finished.", "Say what you want instead.")
        if done.code not in (0, 2):
            raise problem_of_events("Terraform could not make a plan.", done.out or done.err, self.secrets)
        return self.show(name)

    def validate(self) -> None:
        done = self._run("validate", "-json", seconds_max=SHOW_SECONDS_MAX)
        if done.code != 0:
            raise problem_of_events("Terraform does not accept the configuration.", done.out or done.err, self.secrets)

    def show(self, name: str = "tfplan") -> Planned:
        done = self._run("show", "-json", name, seconds_max=SHOW_SECONDS_MAX)
        if done.code != 0:
            raise problem_of_text("Terraform could not read its plan.", done.err or done.out, self.secrets)
        found = json.loads(done.out)
        found.pop("timestamp", None)  # The only thing that differs between two plans of the same input (measured).
        written = write_private(self.folder / f"{name}.json", json.dumps(found, sort_keys=True, indent=1))
        return Planned(found, file_sha256(self.folder / name), file_sha256(written))

    def outputs(self) -> dict[str, Json]:
        """Terraform's outputs by name, without the secret ones."""
        done = self._run("output", "-json", seconds_max=SHOW_SECONDS_MAX)
        if done.code != 0:
            raise problem_of_text("Terraform could not read its outputs.", done.err or done.out, self.secrets)
        found = json.loads(done.out)
        return {name: one["value"] for name, one in found.items() if not one.get("sensitive")}

    def apply_command(self, plan_file: Path) -> list[str]:
        return [*self.program(), "apply", "-json", "-input=false", f"-lock-timeout={LOCK_TIMEOUT}", str(plan_file)]

    def is_elsewhere(self) -> bool:
        """The record of what exists is not in the folder."""
        return (self.folder / BACKEND).exists()

    def record(self) -> bytes:
        """The record of what exists, as it stands; nothing where there is none."""
        if not self.is_elsewhere():
            path = self.folder / "terraform.tfstate"
            return path.read_bytes() if path.exists() else b""
        if not (self.folder / CHOSEN).exists():
            self.init()
        done = self._run("state", "pull", seconds_max=SHOW_SECONDS_MAX)
        if done.code != 0:
            raise problem_of_text("The record of what exists could not be read.", done.err or done.out, self.secrets)
        return done.out.encode()

    def record_sha256(self) -> str:
        """Empty where there is none."""
        found = self.record()
        if found and self.is_elsewhere():
            # Terraform spells one that it hands over anew each time, with the results of checks in any order (measured).
            values = {name: value for name, value in (_read_json(found) or {}).items() if name != "check_results"}
            found = json.dumps(values, sort_keys=True).encode()
        return hashlib.sha256(found).hexdigest() if found else ""

    def state_is_empty(self) -> bool:
        """Nothing is recorded as existing. A state that cannot be read counts as full."""
        found = self.record()
        return not (_read_json(found) or {}).get("resources", "spoilt" if found else [])

    def state(self) -> dict[str, Json]:
        """The record of what exists; nothing where there is none, or none that can be read."""
        return _read_json(self.record()) or {}

    def free_lock(self, host: str, began_at: float, last_sign_at: float) -> str:
        """The lock on a record elsewhere that an apply of ours left when it was killed on `host` is taken away; a sentence when it was.
        What was locked by anybody else, or at another time, stays: times in seconds since 1970, by that host's clock."""
        if not self.is_elsewhere():
            return ""
        # To break the lock that nobody can have says which one there is, and takes none itself (measured).
        lock = lock_of(self._run("force-unlock", "-force", NO_LOCK, seconds_max=SHOW_SECONDS_MAX).err)
        if lock is None or not lock.is_of(getpass.getuser(), host, began_at, last_sign_at + LOCK_SECONDS_MAX):
            return ""
        done = self._run("force-unlock", "-force", lock.id, seconds_max=SHOW_SECONDS_MAX)
        if done.code != 0:
            raise problem_of_text("The lock on the record could not be taken away.", done.err or done.out, self.secrets)
        return "The lock that the killed Terraform had left on the record is taken away."

    def mend_state(self, before: Path) -> str:
        """What a full disk or a lost backend did to the record of what exists is put right as far as can be; a sentence when it was."""
        saved, path = self.folder / "errored.tfstate", self.folder / "terraform.tfstate"
        if _is_json(saved):
            done = self._run("state", "push", saved.name, seconds_max=SHOW_SECONDS_MAX)
            if done.code != 0:
                raise problem_of_text("Terraform could not take its saved state back.", done.err or done.out, self.secrets)
            saved.rename(saved.with_suffix(".taken"))
            return "Terraform had saved its state aside; it is taken back."
        if self.is_elsewhere() or not path.exists() or _is_json(path):
            return ""
        path.rename(path.with_suffix(".spoilt"))
        if before.exists():
            copy_private(before, path)
        return "Terraform's state was cut short; the one from before the apply stands in for it."

    def providers(self) -> tuple[tuple[str, str], ...]:
        """(`bpg/proxmox`, version) as written into the lock file."""
        path = self.folder / ".terraform.lock.hcl"
        return tuple(_locked_providers(path.read_text())) if path.exists() else ()

    def _run(self, *arguments: str, seconds_max: float, cancelled: Callable[[], bool] = lambda: False) -> Finished:
        # Each time: whoever can write in the folder could name another program there as the provider.
        self.write_configuration()
        with span(f"terraform {arguments[0]}", folder=self.folder.name):
            return run(
                [*self.program(), *arguments],
                folder=self.folder,
                environment=self.environment(),
                seconds_max=seconds_max,
                cancelled=cancelled,
            )

    @contextmanager
    def _provider_cache(self) -> Iterator[None]:
        """Two inits that fill one plugin cache at the same time spoil it, so they take turns. A mirror needs no turns."""
        if self.settings.provider_mirror:
            yield
            return
        with (private_folder(self.settings.home / "providers") / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True


def _read_json(content: bytes) -> dict[str, Json] | None:
    try:
        found = json.loads(content) if content else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _locked_providers(text: str) -> Iterator[tuple[str, str]]:
    name = ""
    for line in text.splitlines():
        words = line.split('"')
        if line.startswith("provider ") and len(words) > 1:
            name = "/".join(words[1].split("/")[-2:])
        elif name and line.strip().startswith("version") and len(words) > 1:
            yield name, words[1]
            name = ""


def assert_sha256(path: Path, wanted: str, what: str) -> None:
    if file_sha256(path) != wanted:
        raise WorldProblem(
            "A file changed after it was approved.",
            f"The {what} {path} is not the one that the approval is bound to.",
            "Nothing was done with it. Look who can write there, then ask for a new plan.",
        )
