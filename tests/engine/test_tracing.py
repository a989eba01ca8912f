"""One trace leads from the message that began a run to each step of it and to Terraform, in whatever process the step is done."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tools.clients import tracing
from tools.pipeline import carry_out, engine
from tools.pipeline.steps import Work
from tools.pipeline.world import World
from tools.values.trouble import WorldProblem

from .builders import counting, manifest_of, part_named, planned


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Of this test process, which has one provider."""
    exporter = InMemorySpanExporter()
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


def named(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    [found] = [one for one in spans.get_finished_spans() if one.name == name]
    return found


def test_a_runs_steps_and_terraform_belong_to_the_message_that_began_it(world: World, effects: Path, spans: InMemorySpanExporter) -> None:
    def fail(work: Work) -> object:
        raise WorldProblem("It failed.", "The world said canary-1.", "Look.")

    engine.launch(world, counting(effects, verify=fail))
    plan = planned(world, manifest_of(part_named("web", effects)))
    carry_out.approve(world, plan.digest, "ops", "approve it, canary-2")
    with trace.get_tracer("a front end").start_as_current_span("message") as message:
        run_id = carry_out.start(world, plan.digest)
    for _ in carry_out.follow(world, run_id):
        pass
    engine.close()
    mine, steps = message.get_span_context(), [one for one in spans.get_finished_spans() if one.name.startswith("step ")]
    assert [one.name for one in steps] == ["step recheck", "step apply", "step wait", "step configure", "step watch", "step verify"]
    assert all(one.context.trace_id == mine.trace_id and one.parent.span_id == mine.span_id for one in steps)
    assert dict(steps[1].attributes) == {"berth.run": run_id, "berth.part": "web", "berth.step": "apply", "berth.attempt": 1}
    applied = named(spans, "terraform apply")
    assert (applied.context.trace_id, applied.parent.span_id) == (mine.trace_id, steps[1].context.span_id)
    assert [one.name for one in steps if not one.status.is_ok and one.status.status_code is trace.StatusCode.ERROR] == ["step verify"]
    whole = " ".join(one.to_json() for one in spans.get_finished_spans())
    secrets = [path.read_text().strip() for path in (world.run_folder(run_id) / "secrets").iterdir()]
    assert not any(text in whole for text in ("canary-1", "canary-2", *filter(None, secrets)))

    # Whoever takes it up later has no message of its own.
    spans.clear()
    engine.launch(world, counting(effects))
    with trace.get_tracer("a front end").start_as_current_span("another message") as another:
        carry_out.retry(world, run_id)
    for _ in carry_out.follow(world, run_id):
        pass
    assert named(spans, "step guide").context.trace_id == another.get_span_context().trace_id


def test_what_is_raised_is_told_by_its_kind_alone(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="canary"), tracing.span("fails"):
        raise ValueError("canary")
    failed = named(spans, "fails")
    assert failed.status.description == "ValueError" and failed.events == ()


def test_a_run_that_nothing_was_kept_of_has_a_trace_of_its_own(tmp_path: Path, spans: InMemorySpanExporter) -> None:
    with tracing.span("outer"), tracing.kept(tmp_path), tracing.span("inner"):
        pass
    assert named(spans, "inner").parent is None
    (tmp_path / tracing.FILE).write_text("no traceparent")
    with tracing.kept(tmp_path), tracing.span("spoilt"):
        pass
    assert named(spans, "spoilt").parent is None
