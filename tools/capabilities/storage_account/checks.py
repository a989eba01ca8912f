"""Reviews a storage account: what every Azure part is held to, and its own containers and open addresses."""

from __future__ import annotations

from tools.capabilities import Reviewed
from tools.capabilities.storage_account.facts import is_public_range
from tools.rules.azure import names as azure_names
from tools.rules.azure.checks import Checks
from tools.values.manifest import Part
from tools.values.situation import Situation


def review(part: Part, situation: Situation) -> Reviewed:
    checks = Checks(part, situation)
    containers, ranges = part.variables["containers"], part.variables["allowed_ranges"]
    for name in containers:
        checks.check("name.valid", name, azure_names.name_problem("container", name), "Say another name.")
    repeated = len(set(containers)) != len(containers)
    checks.check("containers", "", "A container is named twice." if repeated else "", "Name each once.")
    wrong = [one for one in ranges if not is_public_range(one)]
    text = f"{', '.join(wrong)} may not be let in." if wrong else ""
    checks.check("exposure", "", text, "Name your own public addresses.")
    text = "" if ranges else "Nobody reaches its data until a private endpoint is added or addresses are named."
    checks.note("reach", "", text, "Say from which addresses, such as `from addresses 198.51.100.0/24`.")
    return checks.done()
