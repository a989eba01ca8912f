"""Lays out the folder of a run: complete, readable with `cat`, and plannable by hand. Terraform is not started here.

What a run is made from stands in its folder; what is proposed to be made of it (a change, a removal) stands in a folder of its own beneath,
`proposed/<digits of the plan>`, and moves in when the run begins. A proposal that is dropped, or forgotten, leaves no trace.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tools.clients.files import alone, copy_private, file_sha256, files_sha256, private_folder, write_once, write_private
from tools.clients.terraform import BACKEND, Terraform
from tools.pipeline.state_place import HANDOVER, approved, backend, is_chosen, is_elsewhere, spelled
from tools.pipeline.world import World
from tools.platforms import PLATFORMS
from tools.rules.plans.inputs import CHOSEN, LOCK, VARIABLES, WHERE_MORE_IS, differences, is_read
from tools.rules.words.findings import review_json
from tools.values.manifest import Manifest, Part, Secret
from tools.values.plan import PartPlan
from tools.values.review import Review
from tools.values.shapes import kind_of, with_shape
from tools.values.trouble import RequestProblem, WorldProblem
from tools.values.value import Json, Value

CHAIN_FILES = ("request", "requirements", "offer", "proposal")
PROPOSED, REFUSED = "proposed", "refused"
DIGEST_SHOWN = 12
LENT = ("terraform.tfstate", LOCK)
"""What a proposal is planned with besides its inputs: what exists, and which providers made it."""
PASSWORD_BYTES = 24

_PLAIN_NAME = re.compile(r"[a-z][a-z0-9_-]{0,80}")


def lay_out(world: World, folder: Path, manifest: Manifest, review: Review, chain: dict[str, Json], place: Path) -> None:
    """Into `place`: the run's own folder, or a proposal's. Secrets are the run's, whatever becomes of the proposal."""
    for name in CHAIN_FILES:
        if name in chain:
            write_json(place / f"{name}.json", chain[name])
    write_value(place / "manifest.json", manifest)
    write_json(place / "review.json", review_json(review))
    private_folder(folder / "secrets")
    for part in manifest.parts:
        for secret in part.secrets:
            make_secret(folder / "secrets", secret)
    for part in (*manifest.parts, *manifest.taken_back):
        lay_out_part(world, folder, part, place)


def part_folder(folder: Path, part: Part) -> Path:
    return folder / _plain_name(part.label, "part")


def lay_out_part(world: World, folder: Path, part: Part, place: Path) -> None:
    """The static module's files and the part's variables; beside the run's own folder also what a plan is made from besides."""
    target = private_folder(part_folder(place, part))
    assert_ours(world, folder, part)
    for name, content in _module(world, part).items():
        write_private(target / name, content)
    write_json(target / "terraform.tfvars.json", with_run_key(part, folder))
    _lay_out_backend(world, folder, part, target)
    if place != folder:
        for name in LENT:
            if (path := part_folder(folder, part) / name).exists():
                copy_private(path, target / name)


def proposal(folder: Path, plan_digest: str) -> Path:
    return folder / PROPOSED / plan_digest[:DIGEST_SHOWN]


@contextmanager
def proposing(folder: Path) -> Iterator[Path]:
    """A fresh folder to make a plan in, for the time until it has a digest. What comes to nothing can be read in `proposed/refused`."""
    place = private_folder(folder / PROPOSED / f"draft-{secrets.token_hex(4)}")
    try:
        yield place
    except BaseException:
        if place.exists():
            _return_the_lent(place)
            shutil.rmtree(folder / PROPOSED / REFUSED, ignore_errors=True)
            place.rename(folder / PROPOSED / REFUSED)
        raise


def propose(folder: Path, place: Path, plan_digest: str) -> None:
    """The plan is made and has a digest, by which its folder is found."""
    _return_the_lent(place)
    place.rename(proposal(folder, plan_digest))
    shutil.rmtree(folder / PROPOSED / REFUSED, ignore_errors=True)


def _return_the_lent(place: Path) -> None:
    """A second record of what exists would be taken for the true one by whoever types `terraform` there."""
    for part in (one for one in place.iterdir() if one.is_dir()):
        for name in ("terraform.tfstate", "terraform.tfstate.backup", "terraform.rc"):
            (part / name).unlink(missing_ok=True)
        for path in (part / ".terraform").glob("*"):
            if path.name != Path(CHOSEN).name:  # Which backend is chosen is part of what was approved.
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def move_in(folder: Path, plan_digest: str, part: Part) -> None:
    """The run begins: what was proposed for the part is from now on what it is made from. Done twice, it changes nothing."""
    place = proposal(folder, plan_digest)
    with alone(folder):
        for come, go in ((place, folder), (part_folder(place, part), private_folder(part_folder(folder, part)))):
            for path in come.iterdir():
                if path.is_file():
                    write_private(go / path.name, path.read_bytes())


def moved_in(folder: Path, plan_digest: str, part: Part) -> None:
    """All of it is in place. The part's proposal goes in one instant, so that a second try never meets half of it."""
    place = proposal(folder, plan_digest)
    with alone(folder):
        gone = part_folder(place, part).rename(place / f".{part.label}")
        shutil.rmtree(gone)
        if not any(path.is_dir() for path in place.iterdir()):
            drop_proposal(folder, plan_digest)


def drop_proposal(folder: Path, plan_digest: str) -> None:
    shutil.rmtree(proposal(folder, plan_digest), ignore_errors=True)
    with suppress(OSError):  # Another one stands there.
        (folder / PROPOSED).rmdir()


def proposals(folder: Path) -> tuple[str, ...]:
    """The first digits of the plans that are proposed."""
    place = folder / PROPOSED
    names = (path.name for path in place.iterdir()) if place.exists() else ()
    return tuple(sorted(name for name in names if len(name) == DIGEST_SHOWN and set(name) <= set("0123456789abcdef")))


def terraform_of(world: World, folder: Path, part: Part) -> Terraform:
    """Terraform in the part's folder. Nothing is started there that is not Berth's: raises RequestProblem."""
    assert_ours(world, folder, part)
    return Terraform(world.settings_of(part), part_folder(folder, part), secret_texts(folder, part))


def assert_ours(world: World, folder: Path, part: Part) -> None:
    """Another Terraform file in the folder, or another text in one, would change the plan, or where the state is, or what program is run:
    so it is refused, unless it is the module's of this Berth, or was approved in a plan of the run."""
    here = part_folder(folder, part)
    module = {(name, hashlib.sha256(content).hexdigest()) for name, content in _module(world, part).items()}
    used = world.ledger.plans.used(folder.name)
    ours = {*module, *(pair for plan in used for one in plan.parts if one.label == part.label for pair in one.inputs)}
    names = {name for name, _ in ours}
    for path in _read_by_terraform(here):
        name = str(path.relative_to(here))
        if name in (VARIABLES, LOCK) or _is_our_backend(world, folder, part, path):
            continue
        if name in names and name not in (BACKEND, CHOSEN):
            # What an older Berth planned has no sums of its files.
            if (name, file_sha256(path)) in ours or not all(one.inputs for plan in used for one in plan.parts):
                continue
            why, move = f"{path} does not say any more what Berth wrote there", "Put it back as it was, or move it away"
        else:
            why, move = f"{path} is not Berth's", "Move it away"
        raise RequestProblem("The run folder was changed.", f"{why}, and Terraform would read it.", f"{move}, then ask again.")


def _module(world: World, part: Part) -> dict[str, bytes]:
    source = world.modules / _plain_name(part.module, "module")
    found = {path.name: path.read_bytes() for path in sorted(source.glob("*.tf"))}
    if not found:
        raise AssertionError(f"there is no Terraform module {source}")
    return found


def _lay_out_backend(world: World, folder: Path, part: Part, target: Path) -> None:
    """Where the record of the part is. One that was carried out keeps the place that was approved."""
    wanted, known = backend(world, folder.name, part), approved(world, folder.name, part)
    if known:
        copy_private(part_folder(folder, part) / BACKEND, target / BACKEND)
    elif known is None and is_elsewhere(world, part):
        write_private(target / BACKEND, spelled(wanted))
    elif wanted:
        write_private(target / HANDOVER, spelled(wanted))


def _is_our_backend(world: World, folder: Path, part: Part, path: Path) -> bool:
    """The backend of the part itself, or what `terraform init` wrote down of it."""
    here = part_folder(folder, part)
    if path == here / CHOSEN and (here / BACKEND).exists():
        return _is_our_backend(world, folder, part, here / BACKEND) and is_chosen(path.read_bytes(), (here / BACKEND).read_bytes())
    if path != here / BACKEND:
        return False
    known = approved(world, folder.name, part)
    if known is None:
        return is_elsewhere(world, part) and path.read_bytes() == spelled(backend(world, folder.name, part))
    return file_sha256(path) == known


def with_run_key(part: Part, folder: Path) -> Json:
    """The part's variables, with the run's own public key beside the operator's."""
    public = folder / "secrets" / "ssh_key.pub"
    key = public.read_text().strip() if public.exists() else ""
    return PLATFORMS[part.platform].variables(part.letting_in(key) if key else part)


def inputs_of(folder: Path) -> dict[str, str]:
    """(file, its SHA-256) of everything in the folder that Terraform reads besides the state. The state says what exists."""
    return {str(path.relative_to(folder)): file_sha256(path) for path in _read_by_terraform(folder)}


def inputs_sha256(folder: Path) -> str:
    """One digest over all of it."""
    return files_sha256({*_read_by_terraform(folder), folder / VARIABLES})


def assert_inputs(folder: Path, part_plan: PartPlan) -> None:
    """Raises WorldProblem that names what Terraform would read here and nobody approved. What an older Berth planned has one digest over
    all of it, so that no file can be named."""
    found = inputs_of(folder)
    if part_plan.inputs:
        wrong = " ".join(differences(dict(part_plan.inputs), found))
    else:
        wrong = "" if inputs_sha256(folder) == part_plan.inputs_sha256 else f"It is one of {', '.join(sorted(found)) or 'its files'}."
    if wrong:
        raise WorldProblem(
            "A file changed after it was approved.",
            f"What Terraform reads in {folder} is not what the approval is bound to. {wrong}",
            "Nothing was done with it. Put it right (move away what was laid there) and say retry, or roll back. Look who can write there.",
        )


@contextmanager
def bench(folder: Path, part_plan: PartPlan | None) -> Iterator[Path]:
    """A private copy of what Terraform reads in the folder, and of what exists, to plan in: just what was approved, whatever comes to
    stand in the folder meanwhile. Gone afterwards, with the second record of what exists."""
    place = Path(tempfile.mkdtemp(prefix=".bench-", dir=folder))
    try:
        for name in (*inputs_of(folder), *LENT):
            if (path := folder / name).is_file():
                copy_private(path, private_folder((place / name).parent) / path.name)
        if part_plan is not None:
            assert_inputs(place, part_plan)
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def make_secret(folder: Path, secret: Secret) -> None:
    """Made once in the life of a run, and never shown."""
    path = folder / _plain_name(secret.name, "secret")
    if secret.kind == "password":
        write_once(path, f"{secrets.token_urlsafe(PASSWORD_BYTES)}\n".encode())
        return
    fresh = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    kept = serialization.load_ssh_private_key(write_once(path, fresh), password=None)
    public = kept.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    write_private(path.with_suffix(".pub"), public + b" berth\n")


def secret_texts(folder: Path, part: Part) -> tuple[str, ...]:
    """What was made for the part and must not be shown."""
    paths = (folder / "secrets" / secret.name for secret in part.secrets if secret.kind == "password")
    return tuple(path.read_text().strip() for path in paths if path.exists())


def write_value(path: Path, value: Value) -> Path:
    """With all its fields, for people; the ledger's record is the one that counts."""
    return write_json(path, with_shape(kind_of(value), value.model_dump(mode="json")))


def write_json(path: Path, content: Json) -> Path:
    return write_private(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _read_by_terraform(folder: Path) -> list[Path]:
    found = [path for place in (folder, *(folder / name for name in WHERE_MORE_IS)) if place.is_dir() for path in place.iterdir()]
    return sorted(path for path in found if is_read(str(path.relative_to(folder))))


def _plain_name(name: str, what: str) -> str:
    if not _PLAIN_NAME.fullmatch(name):
        raise AssertionError(f"{name!r} is no name for a {what}")
    return name
