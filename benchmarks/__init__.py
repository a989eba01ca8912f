"""Speed as ratios: each thing that is measured against its floor, in the same run, on the same machine. `python -m benchmarks --help`."""
