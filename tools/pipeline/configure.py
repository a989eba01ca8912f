"""After `apply`: waits until a part's machines answer, then configures them. Both may be repeated: what is done stays done."""

from __future__ import annotations

from collections.abc import Mapping

from tools.clients import databricks, ssh, tls
from tools.clients.ansible import run_playbook
from tools.clients.references import referred
from tools.clients.together import each
from tools.pipeline.context import PartContext, Say
from tools.pipeline.inside_cluster import Inside
from tools.platforms import PLATFORMS
from tools.rules.words.guiding import variable
from tools.values.run import MachineReceipt
from tools.values.trouble import RequestProblem
from tools.values.value import Json

AT_ONCE_MAX = 10
EMULATED = "emulated"
"""What an emulated guest calls itself: DEPLOYMENT in its /etc/machine-info."""
EMULATED_BODY = "emulated guest"


def wait(context: PartContext, say: Say) -> tuple[MachineReceipt, ...]:
    """The machines with their addresses and host keys, once SSH answers and their first boot is over."""
    hosts = context.hosts()
    if not hosts:
        return ()
    ssh.write_ssh_config(context.run_folder, hosts, context.settings.guest_proxy_command)
    pinned = {machine.name: machine.host_key_sha256 for machine in context.machines}
    return each(lambda host: _meet(context, host, pinned.get(host.name, ""), say), hosts, AT_ONCE_MAX)


def _meet(context: PartContext, host: ssh.Host, pinned_sha256: str, say: Say) -> MachineReceipt:
    unreached = PLATFORMS[context.part.platform].UNREACHED
    key = ssh.wait_for(context.run_folder, host, say, unreached=unreached, pinned_sha256=pinned_sha256)
    say(f"{host.name} answers at {host.address}; its host key is {key}.")
    ssh.settle(context.run_folder, host, say)
    body = EMULATED_BODY if ssh.deployment(context.run_folder, host.name) == EMULATED else ""
    if body:
        say(f"{host.name} is an {body}: what is configured there is modelled, not real.")
    return MachineReceipt(name=host.name, address=host.address, host_key_sha256=key, body=body)


def configure(context: PartContext, say: Say) -> None:
    """Runs the part's playbook on all its machines, or makes what is wanted inside its workspace or cluster."""
    wanted = context.part.configure
    if wanted is not None and wanted.kind == "databricks":
        databricks.inside(context.settings, context.outputs["workspace_url"], "make", wanted.variables, say, context.cancelled)
        return
    if wanted is not None and wanted.kind == "kubernetes":
        Inside(context, say).apply()
        return
    if wanted is None or wanted.kind != "ansible":
        return
    _make_certificates(context, say)
    variables, secrets = _sorted_out(context, wanted.variables or {})
    told, hidden = _inputs(context)
    variables, secrets = variables | told, secrets | hidden
    results = run_playbook(
        context.run_folder, context.part_folder, wanted.playbook, context.hosts(), variables, secrets, say, context.cancelled
    )
    changed = sum(result.changed for result in results.values())
    say(f"Configured {_count(len(results), 'machine')}: {_count(changed, 'change')} made.")


def _make_certificates(context: PartContext, say: Say) -> None:
    settings = context.settings
    named = (settings.tls_ca_file, settings.tls_ca_key_file)
    for wanted in context.part.certificates:
        path = context.run_folder / "secrets" / wanted.name
        authority = (named[0], named[1]) if named[0] and named[1] else None
        if any(named) and authority is None:
            raise RequestProblem(
                "The site's authority for TLS cannot sign.",
                "Of its certificate and its key, one is set and the other is not.",
                "Set BERTH_TLS_CA_FILE and BERTH_TLS_CA_KEY_FILE, or neither, then say retry.",
            )
        if tls.ensure(path, wanted.names, authority, context.now()):
            say(f"Made a certificate for {' and '.join(wanted.names)}: {tls.described(path)}.")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _inputs(context: PartContext) -> tuple[dict[str, Json], dict[str, Json]]:
    """What the machines are told of the parts that this one uses, and their passwords apart. Nothing where it uses none."""
    told, hidden = list[Json](), dict[str, Json]()
    for one in context.inputs:
        end = one.endpoint
        if not one.addresses:
            raise RequestProblem(
                f"{one.label} has no address yet.",
                f"{context.part.label} uses it, and none of its machines has said where it is.",
                "Say retry when it is there.",
            )
        trust = context.run_folder / "secrets" / f"{end.certificate}.ca" if end.certificate else None
        told.append(
            {
                "name": one.label,
                "variable": variable(one.label),
                "protocol": end.protocol,
                "addresses": list(one.addresses),
                "port": end.port,
                "names": dict(end.names),
                "authority": trust.read_text() if trust and trust.exists() else "",
            }
        )
        if end.password:
            hidden[one.label.replace("-", "_")] = context.secret(end.password)
    return ({"base_connections": told}, {"base_passwords": hidden}) if told else ({}, {})


def _sorted_out(context: PartContext, variables: Mapping[str, Json]) -> tuple[dict[str, Json], dict[str, Json]]:
    """Plain values, with what the operator has set in the place of its name; and secrets, of the run or as the site refers to them."""
    part = context.part
    known = {one.name for one in part.secrets} | {one.name for one in part.certificates}
    plain: dict[str, Json] = {}
    hidden: dict[str, Json] = {}
    for name, value in variables.items():
        if isinstance(value, dict) and set(value) == {"reference"}:
            hidden[name] = referred(value["reference"])
        elif isinstance(value, dict) and set(value) == {"setting"}:
            plain[name] = context.settings.told(value["setting"])
        elif isinstance(value, dict) and set(value) == {"secret"}:
            if value["secret"] not in known:
                raise RequestProblem("A secret is not known.", f"{name} names the secret {value['secret']!r}.", "Make a new plan.")
            hidden[name] = context.secret(value["secret"])
        else:
            plain[name] = value
    return plain, hidden
