"""The simulated world's own provider registry: a Terraform mirror folder with stand-ins for bpg/proxmox and Azure/azapi.

Laying it out is all this file does. A package is one constant launch script, so its hash never changes and the lock file of a run
folder stays true; what differs from machine to machine (which Python, where our code is) lies at the mirror's root.
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Final

HOSTS: Final = ("registry.terraform.io", "registry.opentofu.org")
"""Where Terraform and OpenTofu believe a provider comes from when its source names no host."""
VERSIONS: Final = {"bpg/proxmox": "0.111.1+sim", "azure/azapi": "2.12.0+sim"}

_LAUNCHER: Final = """#!/bin/sh
# Starts a stand-in provider of cluster_sim. Which Python and which code: the file `interpreter` at the mirror's root.
here=$(readlink -f "$0")
root=$(dirname "$here")/../../../../..
if [ ! -r "$root/interpreter" ]; then
  echo "This stand-in provider was copied out of the mirror folder of cluster_sim. Start cluster_sim, then run terraform init again."
  exit 1
fi
{ read -r python && read -r code; } <"$root/interpreter"
if [ ! -x "$python" ]; then
  echo "The Python of this stand-in provider ($python) has gone. Start cluster_sim again, which writes the mirror folder anew."
  exit 1
fi
PYTHONPATH=$code exec "$python" -P -s -m cluster_sim.mirror "$(basename "$here")" "$root/identity.pem"
"""


def lay_out(folder: Path) -> Path:
    """Lays out the mirror in `folder`, or renews the one that is there, and returns its absolute path."""
    folder = folder.resolve()
    for source, version in VERSIONS.items():
        namespace, name = source.split("/")
        for host in HOSTS:
            package = folder / host / namespace / name / version / os_arch()
            package.mkdir(parents=True, exist_ok=True)
            _write(package / f"terraform-provider-{name}_v{version}", _LAUNCHER.encode(), 0o755)
    code = Path(__file__).resolve().parents[2]
    _write(folder / "interpreter", f"{sys.executable}\n{code}\n".encode(), 0o644)
    _write(folder / "identity.pem", _identity(), 0o600)
    return folder


def os_arch() -> str:
    """This machine, in Terraform's words."""
    machine = platform.machine().lower()
    return f"{sys.platform}_{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(machine, machine) }"


def _write(file: Path, content: bytes, mode: int) -> None:
    # Renamed into place: a Terraform that runs at this moment sees the old file or the new one, never half of one.
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.touch(mode=mode)
    beside.write_bytes(content)
    beside.chmod(mode)
    beside.replace(file)


def _identity() -> bytes:
    """Key and certificate for the connection between Terraform and a provider on this machine; made once, as making one costs 0.1
    s.

    Terraform is handed the certificate in the handshake and trusts nothing else; the socket lies in a private folder.
    """
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + certificate.public_bytes(serialization.Encoding.PEM)
