"""Capabilities of the tests' own, so that hearing is tested without the catalogue: only words and what is wanted."""

from dataclasses import dataclass

from tools.values.wanted import Wanted

ENVIRONMENTS = (
    ("production", ("production", "prod", "live")),
    ("staging", ("staging", "stage")),
    ("development", ("development", "dev", "test")),
)
PLACING = (
    Wanted(name="environment", kind="choice", meaning="Which environment.", choices=ENVIRONMENTS, question="Which environment?"),
    Wanted(name="network", kind="network", meaning="Network name or VLAN.", words=("network", "vlan"), question="Which network?"),
    Wanted(name="count", kind="count", meaning="How many machines.", words=("machines", "vms", "servers", "instances")),
    Wanted(name="name", kind="name", meaning="The machine's name.", words=("called", "named", "name")),
    Wanted(name="storage", kind="name", meaning="Where its disk lies.", words=("storage", "datastore")),
    Wanted(name="node", kind="node", meaning="The node it runs on.", words=("node", "host")),
    Wanted(name="os", kind="choice", meaning="The system.", choices=(("debian", ("debian",)), ("ubuntu", ("ubuntu",)))),
    Wanted(name="public_key", kind="public_key", meaning="Your public SSH key.", words=("key",), question="Your public key?"),
    Wanted(name="cpu_count", kind="count", meaning="vCPUs.", words=("cores", "vcpus", "cpus", "vcores")),
    Wanted(name="memory", kind="memory", meaning="Memory.", words=("memory", "ram")),
    Wanted(name="disk", kind="disk", meaning="Disk.", words=("disk", "ssd", "disk space")),
    Wanted(name="backup", kind="yes_no", meaning="Whether it is backed up.", words=("backup",)),
)
USERS = Wanted(
    name="concurrent_users",
    kind="count",
    meaning="Users at once.",
    words=("users", "concurrent users", "connections"),
    question="How many?",
)


@dataclass(frozen=True)
class Listed:
    NAME: str
    WORDS: tuple[str, ...]
    WANTED: tuple[Wanted, ...]


CATALOGUE = {
    one.NAME: one
    for one in (
        Listed("postgresql", ("postgresql", "postgres", "database"), (USERS, *PLACING)),
        Listed("web_server", ("web server", "webserver", "nginx"), PLACING),
        Listed("dev_environment", ("development environment", "dev environment"), PLACING),
        Listed("virtual_machine", ("vm", "virtual machine", "machine", "server"), PLACING),
        Listed(
            "databricks",
            ("databricks", "spark"),
            (
                Wanted(name="data_daily", kind="volume", meaning="Data a day.", words=("data", "daily")),
                Wanted(name="gpu", kind="yes_no", meaning="GPU nodes.", words=("gpu",)),
                Wanted(name="budget", kind="money", meaning="Budget a month.", words=("budget",)),
                Wanted(name="team", kind="text", meaning="Whose it is.", words=("team",)),
                Wanted(name="group", kind="name", meaning="Resource group.", words=("resource group",)),
                PLACING[0],
            ),
        ),
        Listed("azure_openai", ("azure openai", "openai"), (PLACING[0], Wanted(name="budget", kind="money", meaning="Budget."))),
    )
}
