from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from mcp_workbench.discovery import Entry, describe_this_process
from mcp_workbench.gateway.doors import Door, entries, is_elsewhere
from mcp_workbench.secret import Secret


def test_of_two_servers_that_claim_one_kernel_the_later_one_is_meant() -> None:
    older = describe_this_process(kernel_id="k", name="older", url="ws://127.0.0.1:1/mcp", token=Secret("a"))
    later, other = replace(older, name="later", started=older.started + 1), replace(older, kernel_id="other")

    def find() -> list[Entry]:
        return [later, other, older]  # as discovery sorts them

    assert asyncio.run(entries(Door("mcp", "mcp", find))) == {"k": later, "other": other}


def test_a_kernel_without_a_local_process_is_elsewhere() -> None:
    assert not is_elsewhere(SimpleNamespace(provisioner=LocalProvisioner()))
    assert is_elsewhere(SimpleNamespace(provisioner=object()))
    assert is_elsewhere(SimpleNamespace(provisioner=None)), "as a Kernel Gateway's are"
