"""Reviews a storage account: region, names and tags as every Azure part, and its own containers and open addresses."""

from __future__ import annotations

from tools.capabilities.storage_account.facts import is_public_range
from tools.rules.azure import names as azure_names
from tools.rules.azure.review import Checked, Checks, common, subscription
from tools.values.manifest import Part
from tools.values.review import Severity
from tools.values.site import Reserved, Site
from tools.values.snapshot import Snapshot


def review(part: Part, snapshot: Snapshot, site: Site, reserved: Reserved) -> Checked:
    checks, variables = Checks(part), part.variables
    names = {kind: (variables["names"][kind],) for kind in ("resource_group", "storage", "logs")}
    common(checks, subscription(snapshot), reserved, names={**names, "container": tuple(variables["containers"])})
    wrong = [one for one in variables["allowed_ranges"] if not is_public_range(one)]
    trouble = f"{', '.join(wrong)} may not be let in." if wrong else ""
    checks.check("open.ranges", variables["names"]["storage"], trouble, "Name your own public addresses.")
    shut = (
        "" if variables["allowed_ranges"] else "Nobody reaches its data until a private endpoint is added or addresses are named."
    )
    checks.check("open.reach", variables["names"]["storage"], shut, "Say from which addresses, such as `from addresses 198.51.100.0/24`.",
                 Severity.NOTE)  # fmt: skip
    repeated = len(set(variables["containers"])) != len(variables["containers"])
    checks.check(
        "containers", azure_names.RULES["storage"].noun, "A container is named twice." if repeated else "", "Name each once."
    )
    return checks.done()
