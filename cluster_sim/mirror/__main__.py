"""Runs one stand-in provider, as the launch script does.

`python -m cluster_sim.mirror terraform-provider-NAME_vVERSION IDENTITY`.

Only Terraform can talk to it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    # Terraform says who it is by this variable; anyone else would wait for an answer that never comes.
    if len(sys.argv) != 3 or "TF_PLUGIN_MAGIC_COOKIE" not in os.environ:
        sys.exit("This is a Terraform provider plugin: Terraform starts it, from the mirror folder that cluster_sim lays out.")
    package, identity = sys.argv[1], Path(sys.argv[2])
    # Each provider is imported only when it is the one asked for.
    if package.startswith("terraform-provider-proxmox_"):
        from cluster_sim.mirror.proxmox import make_provider
    elif package.startswith("terraform-provider-azapi_"):
        from cluster_sim.mirror.azapi import make_provider
    else:
        sys.exit(f"There is no stand-in for {package}.")
    from cluster_sim.mirror.plugin import serve

    serve(make_provider(), identity)


main()
