"""The gateway under a real JupyterHub, with its own proxy in front: whose token opens whose kernels.

The lines of configuration are those of docs/deployment.md, which this module reads them from.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.error import HTTPError, URLError

import pytest

from mcp_workbench.client import connect
from mcp_workbench.errors import ConnectionClosed, HandshakeRefused
from tests.foreign.streaming import STREAMING_CELL, see_it_stream
from tests.gateway.process import OPENING_CELL, JupyterProcess

pytest_plugins = ["tests.foreign.fixtures"]
pytestmark = [pytest.mark.foreign, pytest.mark.kernel, pytest.mark.timeout(900)]

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "deployment.md").read_text(encoding="utf-8")
READY_WITHIN_S = 90
ROLE = {"name": "test", "scopes": ["admin:users", "admin:servers", "tokens", "access:servers"], "services": ["test"]}


def configuration_of_the_page() -> str:
    """What the page tells people to write into jupyterhub_config.py."""
    [lines] = re.findall(r"```python\n# jupyterhub_config.py\n(.*?)```", PAGE, re.DOTALL)
    return str(lines)


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        return [stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)]


@dataclass(slots=True)
class Hub:
    """A running JupyterHub."""

    port: int
    key: str
    """Opens its API."""
    log: Path

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """A request to its API; blocks."""
        data = None if body is None else json.dumps(body).encode()
        address = f"http://127.0.0.1:{self.port}/hub/api/{path}"
        request = urllib.request.Request(address, data, {"Authorization": f"token {self.key}"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def token_of(self, user: str, *scopes: str) -> str:
        """A new token of a user's."""
        return str(self.ask("POST", f"users/{user}/tokens", {"scopes": scopes, "note": "agent"})["token"])

    def until(self, ready: Any) -> None:
        """Wait until a question is answered with yes; it is another process, which announces nothing."""
        until = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < until:
            try:
                if ready():
                    return
            except HTTPError as error:
                error.close()  # its proxy listens, and it does not yet
            except (URLError, ConnectionError):
                pass  # neither of them does
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())


@contextmanager
def jupyterhub(python: Path, proxy: list[str], folder: Path) -> Iterator[Hub]:
    """JupyterHub with two users, whose servers are started by nobody yet."""
    port, api_port, hub_port = free_ports(3)
    key, log = secrets.token_hex(32), folder / "log"
    settings = f"""
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.JupyterHub.db_url = "sqlite:///{folder / "hub.sqlite"}"
c.JupyterHub.services = [{{"name": "test", "api_token": {key!r}}}]
c.JupyterHub.load_roles = [{ROLE!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allowed_users = {{"alice", "bob"}}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/{{username}}"
c.Spawner.cmd = [{str(python)!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args.append("--allow-root")
c.Spawner.environment = {{"PYTHONPATH": {str(CHECKOUT)!r}}}
"""
    (folder / "config.py").write_text(settings + configuration_of_the_page())
    (folder / "config.py").chmod(0o600)
    environment = {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder), "PYTHONUNBUFFERED": "1"}
    command = [str(python), "-m", "jupyterhub", "-f", str(folder / "config.py")]
    with log.open("wb") as output, subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=output) as process:
        hub = Hub(port, key, log)
        try:
            hub.until(lambda: process.poll() is not None or hub.ask("GET", "users"))
            assert process.poll() is None, log.read_text()
            yield hub
        finally:
            process.terminate()  # it ends its proxy and its servers
            try:
                process.wait(30)
            finally:
                process.kill()


def start_server(hub: Hub, user: str) -> None:
    hub.ask("POST", f"users/{user}/server", {})
    hub.until(lambda: hub.ask("GET", f"users/{user}")["servers"].get("", {}).get("ready"))


def test_an_agent_reaches_its_users_kernel_with_a_token_of_the_hub_and_nobody_elses(
    jupyterhub_python: Path, hub_proxy: list[str], tmp_path: Path
) -> None:
    with jupyterhub(jupyterhub_python, hub_proxy, tmp_path) as hub:
        start_server(hub, "alice")
        alice = JupyterProcess(hub.port, hub.token_of("alice", "access:servers!server=alice/"), base="/user/alice/")
        kernel_id = alice.open_notebook("flights.ipynb")
        strangers = {
            "bob": hub.token_of("bob", "access:servers!server=bob/"),
            "alice, for nothing": hub.token_of("alice", "read:users:name!user=alice"),
            "nobody": "0" * 32,
        }

        async def meet(scheme: str, era: Any) -> str | None:
            async with connect(alice.url(kernel_id, scheme=scheme), token=alice.token, era=era) as session:
                return (await session.call_tool("add", {"a": 2, "b": 3})).text

        async def main() -> None:
            await alice.run_cell(kernel_id, OPENING_CELL)
            [told] = (await asyncio.to_thread(alice.ask, "mcp-workbench/api/kernels"))["kernels"]
            assert (told["mcp"], told["transports"]) == (f"/user/alice/mcp-workbench/kernels/{kernel_id}/mcp", ["websocket", "http"])
            eras: tuple[Literal["legacy", "modern"], ...] = ("legacy", "modern")
            for scheme in ("ws", "http"):
                for era in eras:
                    assert await meet(scheme, era) == "5", (scheme, era)
            await alice.run_cell(kernel_id, STREAMING_CELL)
            for era in eras:
                await see_it_stream(connect(alice.url(kernel_id, scheme="http"), token=alice.token, era=era))
            for token in strangers.values():
                with pytest.raises(HandshakeRefused) as refused:
                    await connect(alice.url(kernel_id), token=token)
                assert refused.value.status == 403
                with pytest.raises(ConnectionClosed) as closed:
                    await connect(alice.url(kernel_id, scheme="http"), token=token)
                assert closed.value.code == 1008

        async def bounded() -> None:
            async with asyncio.timeout(120):
                await main()

        asyncio.run(bounded())
        # Bob's own server is not running, and being asked does not start it.
        for base, status in (("/user/alice/", 403), ("/user/bob/", 424)):
            with pytest.raises(HTTPError) as caught:
                JupyterProcess(hub.port, strangers["bob"], base=base).ask("mcp-workbench/api/kernels")
            assert caught.value.code == status
            caught.value.close()
    log = hub.log.read_text()
    assert all(secret not in log for secret in (alice.token, hub.key, *strangers.values()))
