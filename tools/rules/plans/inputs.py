"""What Terraform reads of a folder besides its state, and whether that is what was approved. Pure: names and sums are handed in."""

from __future__ import annotations

from collections.abc import Mapping

VARIABLES, LOCK, CHOSEN = "terraform.tfvars.json", ".terraform.lock.hcl", ".terraform/terraform.tfstate"

_ENDINGS = (".tf", ".tf.json", ".tofu", ".tofu.json", ".tfvars", ".tfvars.json")
_OTHERS = (LOCK, ".terraform/environment", CHOSEN)
"""The lock file, the workspace and the backend that are chosen: where the state is."""
WHERE_MORE_IS = (".terraform",)
"""The folder within that holds some of them."""


def is_read(path: str) -> bool:
    """Of a file, by its path within the folder. Terraform passes over some hidden files, but not over all of them (`.auto.tfvars`
    counts), and OpenTofu reads names of its own: what one of them reads under any setting counts here.
    https://developer.hashicorp.com/terraform/language/files, https://developer.hashicorp.com/terraform/language/values/variables,
    https://opentofu.org/docs/language/files, 2026-11-29."""
    return path in _OTHERS or ("/" not in path and path.endswith(_ENDINGS))


def differences(approved: Mapping[str, str], found: Mapping[str, str]) -> tuple[str, ...]:
    """Sentences, one a file whose sum is another one, that is missing, or that nobody approved."""
    said = {
        **{name: f"{name} is gone." for name in approved.keys() - found.keys()},
        **{name: f"{name} was laid there." for name in found.keys() - approved.keys()},
        **{name: f"{name} was changed." for name in approved.keys() & found.keys() if approved[name] != found[name]},
    }
    return tuple(said[name] for name in sorted(said))
