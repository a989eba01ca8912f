"""How the service writes its log: lines for people, or one JSON object a line for programs that gather logs."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from opentelemetry.trace import format_trace_id, get_current_span


class JsonLines(logging.Formatter):
    """A line is one line, whatever was written: JSON has no line breaks within a text."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": record.getMessage(),
        }
        span = get_current_span().get_span_context()
        if span.is_valid:
            said["trace_id"] = format_trace_id(span.trace_id)
        if record.exc_info:
            said["trace"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


def json_lines() -> dict[str, Any]:
    """For logging.config.dictConfig: all loggers, uvicorn's too, write to the standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonLines}},
        "handlers": {"json": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["json"], "level": "INFO"},
        "loggers": {name: {"handlers": [], "propagate": True} for name in ("uvicorn", "uvicorn.error", "uvicorn.access")},
    }
