"""A secret is read by whoever asks for it, and by nobody who only looks: no traceback with variables holds a token."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mcp_workbench as wb
from mcp_workbench import discovery
from mcp_workbench.client import connect
from mcp_workbench.events import Principal
from mcp_workbench.relay.bridge import connect as connect_bridge
from mcp_workbench.secret import Secret, hidden, hidden_values
from mcp_workbench.settings import Settings
from mcp_workbench.transports.credentials import Credentials, Tickets
from mcp_workbench.transports.websocket_client import open_websocket
from tests.support.channels import house
from tests.support.tracebacks import with_variables

TOKEN = "telltale" * 8


def shows(error: BaseException) -> bool:
    """Whether the traceback holds the token, or its beginning."""
    return TOKEN[:8] in with_variables(error)


BEARER = {"X-Api-Key": TOKEN}


def test_it_shows_itself_to_who_asks_only() -> None:
    secret = Secret(TOKEN)
    assert secret.reveal() == TOKEN
    assert (repr(secret), str(secret), f"{secret}", f"{[secret]}") == ("<secret>", "<secret>", "<secret>", "[<secret>]")
    assert secret == Secret(TOKEN) != Secret("other")
    assert secret != TOKEN
    assert len({secret, Secret(TOKEN), Secret("other")}) == 2
    assert len(Secret.random().reveal()) == 43
    assert Secret.random() != Secret.random()


def test_what_is_hidden_already_stays_as_it_is_and_nothing_stays_nothing() -> None:
    secret = Secret(TOKEN)
    assert hidden(secret) is secret
    assert hidden(TOKEN) == secret
    assert hidden(None) is None
    assert hidden_values(None) == {}
    assert hidden_values({"a": TOKEN, "b": secret}) == {"a": secret, "b": secret}


def test_what_is_no_text_is_told_of_without_being_shown() -> None:
    with pytest.raises(TypeError, match=r"is a text \(str\), got bytes") as refused:
        Secret(TOKEN.encode()).reveal()
    assert not shows(refused.value)


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def enter(connecting: Any) -> None:
    async with connecting:
        pass


def an_entry(url: str) -> discovery.Entry:
    return discovery.describe_this_process(kernel_id="k", name="n", url=url, token=Secret(TOKEN))


FAILING_CONNECTIONS: dict[str, Callable[[str], Any]] = {
    "nothing listens": lambda url: enter(connect(url, token=TOKEN)),
    "nothing listens, through a Workbench": lambda url: enter(wb.Workbench().connect(url, token=TOKEN, headers=BEARER)),
    "nothing listens, for the bridge": lambda url: connect_bridge(an_entry(url)),
    "a ticket": lambda url: enter(connect(f"{url}/t/{TOKEN}")),
    "a password in the address": lambda url: enter(connect(url.replace("//", f"//me:{TOKEN}@"))),
    "an address of another kind": lambda url: enter(connect(url.replace("ws:", "http:") + TOKEN, token=TOKEN)),
    "no scheme": lambda _: enter(wb.Workbench().connect(TOKEN)),
    "an unknown era": lambda url: enter(wb.Workbench().connect(url, token=TOKEN, headers=BEARER, era="new")),
    "no time": lambda url: enter(connect(url, token=TOKEN, headers=BEARER, timeout_s=0)),
    "a server that is not running": lambda _: enter(wb.Workbench().connect(token=TOKEN)),
    "a token that cannot be sent": lambda url: open_websocket(url, token=f"{TOKEN}\n{TOKEN}"),
    "a header that cannot be sent": lambda url: open_websocket(url, headers={"X-Key": f"{TOKEN}\0"}),
    "bytes": lambda url: enter(connect(url, token=TOKEN.encode())),  # type: ignore[arg-type]  # a mistake of the caller's
    "another machine": lambda _: open_websocket("ws://192.0.2.1:9/mcp", token=TOKEN, headers=BEARER),
    "a command that cannot be started": lambda _: enter(connect(["no-such-program"], env={"KEY": TOKEN})),
    "a folder that is not there, through a Workbench": lambda _: enter(
        wb.Workbench().connect(["python"], env={"KEY": TOKEN}, cwd="/no/such/folder")
    ),
    "not an address": lambda _: open_websocket(f"ws://[{TOKEN}", token=TOKEN),
}


@pytest.mark.parametrize("fault", FAILING_CONNECTIONS)
def test_no_traceback_of_a_connection_that_fails_holds_the_token(fault: str) -> None:
    with pytest.raises((wb.WorkbenchError, ValueError, TypeError)) as failed:
        asyncio.run(FAILING_CONNECTIONS[fault](f"ws://127.0.0.1:{a_free_port()}/mcp"))
    assert not shows(failed.value)


def test_no_traceback_of_a_refusal_holds_the_token() -> None:
    async def main() -> None:
        async with house() as here, asyncio.timeout(5):
            with pytest.raises(wb.WorkbenchError) as refused:
                await enter(connect(here.url, token=TOKEN, headers=BEARER))
            assert not shows(refused.value)

    asyncio.run(main())


def with_tokens() -> Credentials:
    credentials = Credentials(token=TOKEN)
    credentials.add("ann")
    return credentials


FAILING_CREDENTIALS: dict[str, Callable[[], Any]] = {
    "a weak token": lambda: Credentials(token=TOKEN[:8]),
    "a taken name": lambda: with_tokens().add("default"),
    "no name": lambda: with_tokens().add(5),  # type: ignore[arg-type]  # a mistake of the caller's
    "nobody": lambda: with_tokens().revoke("bob"),
    "no name to revoke": lambda: with_tokens().revoke(5),  # type: ignore[arg-type]  # a mistake of the caller's
    "a list to revoke": lambda: with_tokens().revoke([]),  # type: ignore[arg-type]  # a mistake of the caller's
    "nobody's token": lambda: with_tokens().token("bob"),
}


@pytest.mark.parametrize("fault", FAILING_CREDENTIALS)
def test_no_traceback_about_credentials_holds_a_token(fault: str) -> None:
    with pytest.raises(ValueError, match=r"token") as failed:
        FAILING_CREDENTIALS[fault]()
    assert not shows(failed.value)


def test_no_traceback_of_a_ticket_that_cannot_be_kept_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_workbench.secret.secrets.token_urlsafe", lambda _: TOKEN)
    with pytest.raises(wb.WorkbenchError, match="0 tickets") as failed:
        Tickets(limit=0).mint(Principal("ann"))
    assert not shows(failed.value)


def test_no_traceback_about_the_environment_holds_the_token_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCP_WORKBENCH_TOKEN", TOKEN[:8])
    monkeypatch.setenv("MCP_WORKBENCH_PORT", "any")
    with pytest.raises(ValueError, match="MCP_WORKBENCH_PORT must be a number") as failed:
        Settings.read({})
    assert not shows(failed.value)
    monkeypatch.delenv("MCP_WORKBENCH_PORT")
    with pytest.raises(ValueError, match="a chosen token has 32") as weak:
        wb.Workbench()
    assert not shows(weak.value)


def test_no_traceback_of_a_discovery_file_that_cannot_be_written_or_read_holds_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    path = discovery.write(an_entry("ws://127.0.0.1:1/mcp"))
    assert json.loads(path.read_bytes())["token"] == TOKEN
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError) as failed:
            discovery.write(an_entry("ws://127.0.0.1:1/mcp"))
    assert not shows(failed.value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discovery, "machine_name", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError) as unread:
            discovery.find()
    assert not shows(unread.value)
