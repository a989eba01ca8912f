"""A guest that says it is emulated is configured like any other, and never called verified."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cluster_sim.guests import open_bodies
from tools.clients import ssh
from tools.pipeline.configure import configure, wait
from tools.pipeline.guide import write_guide
from tools.pipeline.verify import verify

from .guests import NETWORK, context_for, new_run_folder, receipt_of, spec_for


def test_nothing_on_an_emulated_guest_is_called_verified(tmp_path: Path) -> None:
    run_folder = new_run_folder(tmp_path)
    bodies = open_bodies("emulated", tmp_path / "guests", (NETWORK,), print)
    try:
        bodies.boot(spec_for("web-01", "10.20.0.32", run_folder))
        # What such a guest says of itself, by the field that systemd documents for it.
        bodies.exec("web-01", ["sh", "-c", "echo DEPLOYMENT=emulated > /etc/machine-info"])
        said: list[str] = []
        context = context_for("web_server", run_folder, bodies.proxy_command or "")
        context = replace(context, machines=wait(context, said.append))
        assert [machine.body for machine in context.machines] == ["emulated guest"]
        assert "web-01 is an emulated guest: what is configured there is modelled, not real." in said
        configure(context, said.append)
        assert said[-1] == "Configured 1 machine: 6 changes made."
        verified, not_verified = verify(context, said.append)
        assert verified == ()
        assert len(not_verified) == len(context.part.commands)
        assert "web-01: Ask the site whether it is well: not verified: emulated guest." in not_verified
        text = write_guide(context, receipt_of(replace(context, not_verified=not_verified))).read_text()
        assert "Not verified: emulated guest." in text
        assert "It was run at" not in text
    finally:
        bodies.close()


@pytest.mark.systems
def test_a_database_on_an_emulated_guest_changes_once(tmp_path: Path) -> None:
    run_folder = new_run_folder(tmp_path)
    bodies = open_bodies("emulated", tmp_path / "guests", (NETWORK,), print)
    try:
        bodies.boot(spec_for("db-01", "10.20.0.31", run_folder))
        context = context_for("postgresql", run_folder, bodies.proxy_command or "")
        context = replace(context, machines=wait(context, print))
        said: list[str] = []
        configure(context, said.append)
        configure(context, said.append)
        assert said[-1] == "Configured 1 machine: 0 changes made."
        assert verify(context, said.append)[0] == ()
    finally:
        bodies.close()


def test_what_a_machine_says_of_itself(tmp_path: Path) -> None:
    table = {
        'PRETTY_HOSTNAME="x"\nDEPLOYMENT="emulated"\n': "emulated",
        "DEPLOYMENT=production\n": "production",
        "# DEPLOYMENT=emulated\n": "",
        "OTHER_DEPLOYMENT=emulated\n": "",
        "": "",
    }
    assert {text: ssh.deployment_in(text) for text in table} == table
