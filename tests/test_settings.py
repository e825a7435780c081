"""Argument before environment before default, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_workbench.limits import Limits
from mcp_workbench.settings import Settings


def test_the_defaults_are_loopback_on_any_port() -> None:
    settings = Settings.read({}, {})
    assert (settings.host, settings.port, settings.allow_remote) == ("127.0.0.1", 0, False)
    assert (settings.allowed_hosts, settings.allowed_origins, settings.limits) == ((), (), Limits())


def test_an_argument_goes_before_the_environment_and_that_before_the_default() -> None:
    environment = {"MCP_WORKBENCH_PORT": "8801", "MCP_WORKBENCH_NAME": "from outside"}
    settings = Settings.read({"port": 9000}, environment)
    assert (settings.port, settings.name, settings.host) == (9000, "from outside", "127.0.0.1")


def test_the_process_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCP_WORKBENCH_NAME", "mine")
    assert Settings.read({}).name == "mine"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("PORT", "8801", 8801),
        ("HTTP", "1", True),
        ("HTTP", "no", False),
        ("HTTP_PORT", "8802", 8802),
        ("HOST", "localhost", "localhost"),
        ("SWITCH_INTERVAL", "0.001", 0.001),
        ("SWITCH_INTERVAL", "none", None),
        ("SWITCH_INTERVAL", "", None),
        ("ALLOW_REMOTE", "true", True),
        ("ALLOW_REMOTE", "0", False),
        ("ALLOWED_HOSTS", "a.example, b.example,", ("a.example", "b.example")),
        ("ALLOWED_ORIGINS", "https://a.example", ("https://a.example",)),
    ],
)
def test_text_from_the_environment_becomes_a_value(name: str, text: str, value: object) -> None:
    assert getattr(Settings.read({}, {f"MCP_WORKBENCH_{name}": text}), name.lower()) == value


@pytest.mark.parametrize(("name", "text"), [("PORT", "high"), ("SWITCH_INTERVAL", "fast"), ("PORT", "")])
def test_an_unusable_variable_is_named(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"MCP_WORKBENCH_{name} must be a number"):
        Settings.read({}, {f"MCP_WORKBENCH_{name}": text})


@pytest.mark.parametrize("given", [{"port": 70000}, {"port": -1}, {"switch_interval": 0}, {"switch_interval": 5.0}])
def test_values_without_sense_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(given))} .*got"):
        Settings.read(given, {})


def test_the_two_ports_are_two() -> None:
    with pytest.raises(ValueError, match="port and http_port are two ports, got 8801 for both"):
        Settings.read({"port": 8801, "http_port": 8801, "http": True}, {})
    assert Settings.read({"port": 8801, "http_port": 8801}, {}).http is False


def test_an_unknown_setting_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(TypeError, match="no setting 'prot'; it has name, host, port"):
        Settings.read({"prot": 1}, {})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "lab.example", ""])
def test_what_others_can_reach_needs_allow_remote(host: str) -> None:
    with pytest.raises(ValueError, match="allow_remote=True"):
        Settings.read({"host": host}, {})
    assert Settings.read({"host": host, "allow_remote": True}, {}).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "localhost", "::1"])
def test_loopback_needs_nothing(host: str) -> None:
    assert Settings.read({"host": host}, {}).host == host


def test_a_variable_cannot_open_the_server_by_half() -> None:
    with pytest.raises(ValueError, match="allow_remote"):
        Settings.read({}, {"MCP_WORKBENCH_HOST": "0.0.0.0"})


@pytest.mark.parametrize(
    "given",
    [
        {"port": "8801"},
        {"port": None},
        {"port": 1.5},
        {"port": True},
        {"http_port": "8802"},
        {"http_port": 70000},
        {"http": 1},
        {"limits": {}},
        {"limits": None},
        {"name": 5},
        {"name": ""},
        {"name": "x" * 70_000},
        {"host": 5},
        {"switch_interval": "soon"},
        {"allow_remote": "no", "host": "0.0.0.0"},
        {"allowed_hosts": "lab"},
        {"allowed_origins": "https://lab.example"},
        {"allowed_hosts": [5]},
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_name_and_opens_nothing(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(given))} .*got"):
        Settings.read(given, {})


def test_a_variable_that_is_neither_yes_nor_no_is_refused() -> None:
    with pytest.raises(ValueError, match="MCP_WORKBENCH_ALLOW_REMOTE must be 1 or 0"):
        Settings.read({}, {"MCP_WORKBENCH_ALLOW_REMOTE": "maybe"})
