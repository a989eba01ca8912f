"""The facts that every request may state, wherever its things are to stand."""

from __future__ import annotations

from tools.values.wanted import Wanted

ENVIRONMENT = Wanted(
    name="environment",
    kind="choice",
    meaning="what it is for; production nodes keep more head-room",
    words=("environment", "env"),
    choices=(
        ("production", ("production", "prod", "live")),
        ("staging", ("staging", "stage", "preproduction", "pre-production")),
        ("development", ("development", "dev")),
    ),
    question="Is it for production, staging or development?",
    suggestions=("production", "staging", "development"),
)
