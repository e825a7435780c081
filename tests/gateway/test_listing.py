from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth.authorizer import Authorizer

from mcp_workbench import discovery
from tests.gateway.jupyter import BASE, KERNEL, OTHER, Jupyter, announce, jupyter, kernel, run


async def listed(here: Jupyter) -> list[dict[str, Any]]:
    answer = await here.get("mcp-workbench/api/kernels")
    assert (answer.code, answer.headers["Content-Type"]) == (200, "application/json")
    kernels: list[dict[str, Any]] = json.loads(answer.body)["kernels"]
    return kernels


async def open_notebook(here: Jupyter, path: str, kernel_id: str) -> None:
    sessions: Any = here.app.session_manager

    async def list_sessions() -> list[dict[str, Any]]:
        return [{"path": path, "kernel": {"id": kernel_id}}]

    sessions.list_sessions = list_sessions


def test_kernels_of_this_server_that_serve_are_listed_without_a_secret_or_a_path_of_the_machine(tmp_path: Path) -> None:
    async def main() -> None:
        async with jupyter(tmp_path) as here:
            assert await listed(here) == []
            async with kernel(KERNEL) as there, kernel("not-of-this-server"):
                await open_notebook(here, "work/flights.ipynb", KERNEL)
                [told] = await listed(here)
                started = discovery.find_views()[0].started
                assert told.pop("since") == pytest.approx(started, abs=60)
                assert told == {
                    "kernelId": KERNEL,
                    "name": "flights",
                    "notebook": "work/flights.ipynb",
                    "mcp": f"{BASE}mcp-workbench/kernels/{KERNEL}/mcp",
                    "transports": ["websocket"],
                    "view": f"{BASE}mcp-workbench/kernels/{KERNEL}/view",
                }
                assert "api_last_activity" not in here.app.web_app.settings, "a sidebar that looks would keep an idle server alive"
                assert all(secret not in json.dumps(told) for secret in there.secrets.values())

    run(main)


def test_only_what_there_is_to_reach_has_an_address(tmp_path: Path) -> None:
    async def main() -> None:
        files = [announce(KERNEL, "mcp", 1, "a" * 43), announce(OTHER, "view", 1, "a" * 43)]
        async with jupyter(tmp_path) as here:
            assert {each["kernelId"]: {"mcp", "view"} & set(each) for each in await listed(here)} == {KERNEL: {"mcp"}, OTHER: {"view"}}
        async with jupyter(tmp_path, McpWorkbenchGateway={"agents": False}) as here:
            assert {each["kernelId"]: {"mcp", "view"} & set(each) for each in await listed(here)} == {KERNEL: set(), OTHER: {"view"}}
        for file in files:
            file.unlink()

    run(main)


class NoReader(Authorizer):
    """Lets nobody read what it is told not to."""

    forbidden = ("kernels",)

    def is_authorized(self, handler: Any, user: object, action: str, resource: str) -> bool:
        return not (action == "read" and resource in self.forbidden)


class NoSessions(NoReader):
    """The same for Jupyter's sessions, in which notebooks are named."""

    forbidden = ("sessions",)


def test_who_may_not_see_kernels_or_notebooks_in_jupyter_does_not_see_them_here(tmp_path: Path) -> None:
    async def main() -> None:
        async with kernel():
            async with jupyter(tmp_path, ServerApp={"authorizer_class": NoReader}) as here:
                assert (await here.get("mcp-workbench/api/kernels")).code == 403
            async with jupyter(tmp_path, ServerApp={"authorizer_class": NoSessions}) as here:
                await open_notebook(here, "work/flights.ipynb", KERNEL)
                assert [each["notebook"] for each in await listed(here)] == [None]
                assert (await here.get("mcp-workbench/api/kernels", token=False)).code == 403

    run(main)
