"""What is pasted into hosts: valid in their own formats, absolute, the same for every notebook, and never with a secret."""

from __future__ import annotations

import json
import re
import shlex
import sys
import tomllib
from typing import Any

import pytest

import mcp_workbench as wb
from mcp_workbench.pasting import CLIENTS, READ_ONLY, SERVER, HostConfig, config

PYTHON = "/opt/my pythons/bin/python3"
STARTS = [PYTHON, "-m", "mcp_workbench", "bridge"]


def parsed(paste: Any) -> Any:
    return json.loads(paste.text) if paste.language == "json" else tomllib.loads(paste.text)


def texts(found: HostConfig, language: str) -> list[str]:
    return [paste.text for paste in found.pastes if paste.language == language]


def servers_in(value: Any) -> list[dict[str, Any]]:
    """Everything that starts something."""
    if not isinstance(value, dict):
        return []
    here = [value] if "command" in value else []
    return here + [found for each in value.values() for found in servers_in(each)]


@pytest.mark.parametrize("client", CLIENTS)
def test_every_file_is_valid_and_starts_the_bridge_by_its_absolute_interpreter(client: str) -> None:
    found = config(client, executable=PYTHON)
    files = [parsed(paste) for paste in found.pastes if paste.language != "sh"]
    started = [server for file in files for server in servers_in(file)]
    assert started
    assert all([server["command"], *server["args"]] == STARTS for server in started)
    assert any(SERVER in str(file) for file in files)


@pytest.mark.parametrize("client", ["claude-code", "codex", "gemini-cli"])
def test_one_shell_line_is_enough(client: str) -> None:
    line = texts(config(client, executable=PYTHON), "sh")[0]
    assert "\n" not in line
    words = [word for word in shlex.split(line) if word != "--"]
    assert words[-4:] == STARTS
    assert SERVER in words


def test_vscode_takes_its_server_as_one_word_of_json() -> None:
    program, option, server = shlex.split(texts(config("vscode", executable=PYTHON), "sh")[0])
    assert (program, option) == ("code", "--add-mcp")
    assert json.loads(server) == {"name": SERVER, "command": PYTHON, "args": STARTS[1:]}


def test_the_websocket_variant_names_the_variable_and_not_what_it_holds() -> None:
    line = texts(config("claude-code", port=8123), "sh")[1]
    server = json.loads(shlex.split(line)[-1])
    assert server["url"] == "ws://127.0.0.1:8123/mcp"
    assert server["headers"]["Authorization"] == "Bearer ${MCP_WORKBENCH_TOKEN}"


OVER_HTTP: dict[str, Any] = {
    "claude-code": {"type": "http", "url": "URL", "headers": {"Authorization": "Bearer ${MCP_WORKBENCH_TOKEN}"}},
    "vscode": {"type": "http", "url": "URL", "headers": {"Authorization": "Bearer ${input:mcp-workbench-token}"}},
    "cursor": {"url": "URL", "headers": {"Authorization": "Bearer ${env:MCP_WORKBENCH_TOKEN}"}},
    "codex": {"url": "URL", "bearer_token_env_var": "MCP_WORKBENCH_TOKEN"},
    "gemini-cli": {"httpUrl": "URL", "headers": {"Authorization": "Bearer ${MCP_WORKBENCH_TOKEN}"}},
    "windsurf": {"serverUrl": "URL", "headers": {"Authorization": "Bearer ${env:MCP_WORKBENCH_TOKEN}"}},
    "json": {"type": "http", "url": "URL", "headers": {"Authorization": "Bearer ${MCP_WORKBENCH_TOKEN}"}},
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_host_that_speaks_http_is_offered_the_address_as_it_writes_one(client: str) -> None:
    found = [paste for paste in config(client, http_port=8123).pastes if "over HTTP" in paste.what]
    if client == "claude-desktop":
        assert found == [], "it reaches no address of this machine"
        return
    (paste,) = found
    assert "`wb.start(http=True, http_port=8123)`" in paste.what
    if paste.language == "sh":
        server = json.loads(shlex.split(paste.text)[-1])
    else:
        (section,) = (value for name, value in parsed(paste).items() if name != "inputs")
        server = section[SERVER]
    assert server == json.loads(json.dumps(OVER_HTTP[client]).replace("URL", "http://127.0.0.1:8123/mcp"))


def test_vscode_asks_for_the_token_and_keeps_it_itself() -> None:
    (asked,) = parsed(config("vscode").pastes[-1])["inputs"]
    assert (asked["id"], asked["type"], asked["password"]) == ("mcp-workbench-token", "promptString", True)


def test_a_workbench_that_serves_http_names_its_own_port() -> None:
    workbench = wb.Workbench(http=True, http_port=8765)
    assert "http://127.0.0.1:8765/mcp" in repr(workbench.config("cursor"))


@pytest.mark.parametrize("client", CLIENTS)
def test_the_tools_that_only_look_are_named_for_the_allow_list(client: str) -> None:
    shown = repr(config(client))
    assert all(tool in shown for tool in READ_ONLY)
    assert "notebook_call" not in shown


@pytest.mark.parametrize("client", CLIENTS)
def test_no_token_is_ever_shown(client: str) -> None:
    workbench = wb.Workbench()
    found = workbench.config(client)
    for shown in (repr(found), found._repr_html_(), json.dumps(found.as_dict())):
        assert workbench.token not in shown


def test_html_is_escaped() -> None:
    assert "<b>" not in config(executable="/tmp/<b>/python")._repr_html_()


@pytest.mark.parametrize("written", ["Claude Code", "claude_code", " claude-code "])
def test_clients_are_found_as_people_write_them(written: str) -> None:
    assert config(written).client == "claude-code"


def test_an_unknown_client_is_refused_with_the_nearest_and_all_there_are() -> None:
    with pytest.raises(ValueError, match=re.escape("no client 'claude', nearest is claude-code; there are claude-code, claude-desktop")):
        config("claude")


def test_this_interpreter_is_the_default() -> None:
    assert sys.executable in repr(config())


def test_in_a_notebook_code_looks_like_code_and_headings_stand_with_what_they_head() -> None:
    page = config("claude-code", executable=PYTHON)._repr_html_()
    assert "<code>claude mcp get notebook</code> says Connected" in page
    assert "`" not in page
    assert page.count("<pre style=") == page.count("margin:14px 0 4px") - 2 == len(config("claude-code").pastes)
