"""Figures of the service for Prometheus (`/metrics`): what its processes answered, and what the ledger says of all machines. No name of a
person, a machine or a run is among them, and no word that was said."""

from __future__ import annotations

import os
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ..plugins import spent

if TYPE_CHECKING:
    from tools.pipeline.world import World

REGISTRY = CollectorRegistry()
SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
REQUESTS = Counter("berth_requests", "Requests that were answered.", ["kind", "status"], registry=REGISTRY)
REQUEST_SECONDS = Histogram("berth_request_seconds", "Until a request was answered whole.", ["kind"], registry=REGISTRY, buckets=SECONDS)
TOKENS = Counter("berth_model_tokens", "Tokens that models read and wrote.", ["model", "kind"], registry=REGISTRY)
FAILURES = Counter("berth_model_failures", "Answers of models that could not be used.", ["model"], registry=REGISTRY)


def answered(path: str, status: int, seconds: float) -> None:
    REQUESTS.labels(kind_of(path), str(status)).inc()
    REQUEST_SECONDS.labels(kind_of(path)).observe(seconds)
    tokens, failures = spent.take()
    for (model, kind), count in tokens.items():
        TOKENS.labels(model, kind).inc(count)
    for model, count in failures.items():
        FAILURES.labels(model).inc(count)


def kind_of(path: str) -> str:
    """Of a request, of a handful: an address has names in it."""
    if path in ("/run", "/run_sse"):
        return "message"
    if path in ("/healthz", "/readyz", "/metrics"):
        return "probe"
    if path in ("/login", "/callback", "/logout"):
        return "login"
    return "session" if "/sessions" in path else "other"


class OfLedger(Collector):
    """Counted when it is asked for, so that it is true of every process that shares the ledger, and after a start."""

    def __init__(self, world: Callable[[], World]) -> None:
        self._world = world

    def collect(self) -> Iterator[Metric]:
        world = self._world()
        by_status, waiting = world.ledger.plans.counts(world.now())
        plans = GaugeMetricFamily("berth_plans", "Plans by their state.", labels=["status"])
        for status in ("open", "used", "void"):
            plans.add_metric([status], by_status.get(status, 0))
        yield plans
        yield GaugeMetricFamily("berth_plans_waiting", "Plans that wait for an approval and have not expired.", value=waiting)
        runs, counts = GaugeMetricFamily("berth_runs", "Runs by their state.", labels=["status"]), world.ledger.runs.counts()
        for status in ("approved", "running", "done", "stopped", "removed"):
            runs.add_metric([status], counts.get(status, 0))
        yield runs
        yield from self._steps(world)

    def _steps(self, world: World) -> Iterator[Metric]:
        ended: Tally[tuple[str, str]] = Tally()
        count: Tally[str] = Tally()
        seconds: defaultdict[str, float] = defaultdict(float)
        for step in world.ledger.runs.steps_told():
            ended[step.name, step.status] += 1
            if step.status == "done" and step.started_at and step.ended_at:
                count[step.name] += 1
                seconds[step.name] += (step.ended_at - step.started_at).total_seconds()
        steps = GaugeMetricFamily("berth_steps", "Steps of runs by how each stands.", labels=["step", "status"])
        took = SummaryMetricFamily("berth_step_seconds", "What steps that are done took.", labels=["step"])
        for (name, status), number in sorted(ended.items()):
            steps.add_metric([name, status], number)
        for name in sorted(count):
            took.add_metric([name], count[name], seconds[name])
        yield steps
        yield took


def read(world: Callable[[], World]) -> bytes:
    """The page, as Prometheus reads it. Raises Trouble when the ledger cannot be read."""
    ledger, answers = CollectorRegistry(), REGISTRY
    ledger.register(OfLedger(world))
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # Of all workers, those that have ended too.
        MultiProcessCollector(answers := CollectorRegistry())  # type: ignore[no-untyped-call]
    return bytes(generate_latest(answers)) + bytes(generate_latest(ledger))
