"""The TLS certificate of a part, with its key, in files of the run: signed by the site's own authority where one is set, else by itself."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tools.clients.files import write_private
from tools.values.trouble import RequestProblem

DAYS, RENEW_DAYS = 397, 30
"""No browser takes one for longer; made anew in its last days."""
SignKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def ensure(path: Path, names: Sequence[str], authority: tuple[Path, Path] | None, now: datetime) -> bool:
    """Whether it was made anew: one that is for these names, of this authority and not near its end is left. `path` gets the certificate,
    those behind it and the key; beside it `.crt` has the certificate alone, and `.ca` what a client has to trust.

    Raises RequestProblem when the authority cannot be used.
    """
    issuer = _authority(*authority) if authority else None
    if path.exists() and _serves(x509.load_pem_x509_certificate(path.read_bytes()), names, issuer, now):
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    until = min([now + timedelta(days=DAYS), *([issuer[0].not_valid_after_utc] if issuer else [])])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([_name(one) for one in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(issuer[1] if issuer else key, _hash(issuer[1]) if issuer else hashes.SHA256())
    )
    own = made.public_bytes(serialization.Encoding.PEM)
    behind = issuer[0].public_bytes(serialization.Encoding.PEM) if issuer else b""
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(path.with_name(f"{path.name}.crt"), own)
    write_private(path.with_name(f"{path.name}.ca"), behind or own)
    write_private(path, own + behind + private)
    return True


def described(path: Path) -> str:
    """Who vouches for it, and until when; empty when there is none."""
    if not path.exists():
        return ""
    found = x509.load_pem_x509_certificate(path.read_bytes())
    who = "self-signed, made for this run" if found.issuer == found.subject else f"signed by {_common_name(found.issuer)}"
    return f"{who}, valid until {found.not_valid_after_utc:%Y-%m-%d}"


def _serves(found: x509.Certificate, names: Sequence[str], issuer: tuple[x509.Certificate, SignKey] | None, now: datetime) -> bool:
    alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if list(alternative) != [_name(one) for one in names] or found.not_valid_after_utc - now < timedelta(days=RENEW_DAYS):
        return False
    try:
        found.verify_directly_issued_by(issuer[0] if issuer else found)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _authority(certificate: Path, key: Path) -> tuple[x509.Certificate, SignKey]:
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _refused("It or its key cannot be read as PEM; the key must have no password.") from error
    if not isinstance(private, SignKey) or private.public_key() != found.public_key():
        raise _refused("The key is not that of the certificate.")
    if not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
        raise _refused("The certificate is not one of an authority.")
    return found, private


def _refused(why: str) -> RequestProblem:
    return RequestProblem(
        "The site's authority for TLS cannot sign.", why, "Correct BERTH_TLS_CA_FILE and BERTH_TLS_CA_KEY_FILE, then say retry."
    )


def _hash(key: SignKey) -> hashes.SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()
