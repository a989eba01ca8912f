"""`python -m cluster_sim.guests probe` says which body guests get here and why; `… image` builds the base image now."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from cluster_sim.guests import chosen_kind
from cluster_sim.guests.probe import probe
from cluster_sim.guests.values import GuestProblem


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m cluster_sim.guests", description=__doc__)
    parser.add_argument("what", choices=("probe", "image"))
    given = parser.parse_args(words)
    if given.what == "image":
        from cluster_sim.guests.image import image_folder

        try:
            print(image_folder(lambda sentence: print(sentence, flush=True)))
        except GuestProblem as problem:
            print(problem, file=sys.stderr)
            return 1
        return 0
    with tempfile.TemporaryDirectory(prefix="cluster_sim-probe-") as folder:
        found = probe(Path(folder))
    for finding in found:
        print(f"{'yes' if finding.good else 'no ':3}  {finding.what:15}  {finding.why}")
    print(chosen_kind(found)[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
