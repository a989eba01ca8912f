"""What watches what: the ports that give figures, the machines that ask for them, and what runs already."""

from __future__ import annotations

from tools.values.value import Value


class Exporter(Value):
    """A port of each machine of a part that gives figures to Prometheus, at /metrics."""

    job: str
    """What Prometheus calls all of its kind: `node`, `postgresql`."""
    port: int
    group: str = ""
    """Of the machines that have it, where a part has several groups; empty: all."""


class Monitor(Value):
    """A monitoring that stands: what is watched by it is told to each of its machines."""

    names: tuple[str, ...]
    environment: str = ""
    run_id: str = ""
    """Empty for one of the site's own."""
    label: str = ""


class Watched(Value):
    """A part of a run that stands, as far as watching goes."""

    run_id: str
    label: str
    names: tuple[str, ...]
    watched_by: tuple[str, ...] = ()

    @property
    def listed(self) -> str:
        """The name of the list of its targets."""
        return list_name(self.run_id, self.label)


def list_name(run_id: str, label: str) -> str:
    """Of the file that lists the targets of a part."""
    return f"{run_id}-{label}.json"
