"""How a server is set up: argument > `MCP_WORKBENCH_*` environment > default."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from mcp_workbench.limits import Limits
from mcp_workbench.switching import BUSY_INTERVAL_S

PREFIX = "MCP_WORKBENCH_"
MAX_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything `start()` takes. Environment variables carry the field's name in capitals, lists comma-separated."""

    name: str | None = None
    """Shown to clients and in lists of running kernels; None: the notebook's name."""
    host: str = "127.0.0.1"
    """Address to listen on; anything but loopback needs `allow_remote=True`."""
    port: int = 0
    """TCP port; 0: any free one."""
    http: bool = False
    """Whether Streamable HTTP is spoken too, on a port of its own."""
    http_port: int = 0
    """TCP port for that; 0: any free one."""
    switch_interval: float | None = BUSY_INTERVAL_S
    """Seconds between thread switches while clients are connected; None: leave the interpreter's alone."""
    limits: Limits = field(default_factory=Limits)
    allow_remote: bool = False
    """Whether `host` may be reachable from other machines."""
    allowed_hosts: tuple[str, ...] = ()
    """`Host` names accepted beside those of loopback."""
    allowed_origins: tuple[str, ...] = ()
    """`Origin` values accepted beside those of this machine, for instance `https://lab.example.org`."""
    builtin_tools: bool = True
    """Whether agents are offered the workbench's own tools (`notebook_status`, `df_read` …) beside the author's."""
    channels: bool = False
    """Whether Claude Code's model is told unasked which DataFrames changed and which of its jobs ended."""

    @classmethod
    def read(cls, given: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Settings:
        """Merge what was given with the environment and the defaults.

        Raises:
            ValueError: An environment variable or an argument has no sensible value; says which.
        """
        environment = _of_ours(os.environ if environment is None else environment)
        values: dict[str, Any] = {}
        for name in (each.name for each in fields(cls)):
            if name in given:
                values[name] = _names(name, given[name]) if name.startswith("allowed_") else given[name]
            elif name != "limits" and (text := environment.get(PREFIX + name.upper())) is not None:
                values[name] = _from_text(name, text)
        if unknown := set(given) - {each.name for each in fields(cls)}:
            raise TypeError(f"start() has no setting {min(unknown)!r}; it has {', '.join(each.name for each in fields(cls))}")
        settings = cls(**values)
        settings.check()
        return settings

    def check(self) -> None:
        """Refuse what would open more than was meant.

        Raises:
            ValueError: With the argument to change.
        """
        if self.name is not None and not (_is_text(self.name) and 0 < len(self.name) <= MAX_NAME and self.name.isprintable()):
            raise ValueError(f"name is a printable text of at most {MAX_NAME} characters, got {_shown(self.name)}")
        if not _is_text(self.host):
            raise ValueError(f"host is an address as text, for instance '127.0.0.1', got {_shown(self.host)}")
        for name, port in (("port", self.port), ("http_port", self.http_port)):
            if type(port) is not int or not 0 <= port <= 65535:
                raise ValueError(f"{name} is a whole number between 0 and 65535, got {_shown(port)}")
        if self.port and self.port == self.http_port and self.http:
            raise ValueError(f"port and http_port are two ports, got {self.port} for both")
        if not isinstance(self.http, bool):
            raise ValueError(f"http is True or False, got {_shown(self.http)}")
        if self.switch_interval is not None and not (_is_number(self.switch_interval) and 0 < self.switch_interval < 1):
            raise ValueError(f"switch_interval is in seconds, for instance 0.0005, or None; got {_shown(self.switch_interval)}")
        if not isinstance(self.limits, Limits):
            raise ValueError(f"limits is a wb.Limits(…), got {_shown(self.limits)}")
        if not isinstance(self.allow_remote, bool):
            raise ValueError(f"allow_remote is True or False, got {_shown(self.allow_remote)}")
        if not isinstance(self.builtin_tools, bool):
            raise ValueError(f"builtin_tools is True or False, got {_shown(self.builtin_tools)}")
        if not isinstance(self.channels, bool):
            raise ValueError(f"channels is True or False, got {_shown(self.channels)}")
        if not _is_loopback(self.host) and not self.allow_remote:
            raise ValueError(
                f"host={self.host!r} can be reached from other machines, where anybody with the token can run your tools. "
                "Pass allow_remote=True if that is meant, or keep host='127.0.0.1'."
            )


def _of_ours(environment: Mapping[str, str]) -> dict[str, str]:
    """Only what is a setting: a traceback that shows variables must not show the rest, with the token in it."""
    names = [PREFIX + each.name.upper() for each in fields(Settings)]
    return {name: environment[name] for name in names if name in environment}


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _names(setting: str, given: object) -> tuple[str, ...]:
    names = tuple(given) if isinstance(given, list | tuple | set | frozenset) else (None,)
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"{setting} is a list of texts, for instance {setting}=['lab.example.org'], got {_shown(given)}")
    return tuple(str(name) for name in names)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str | int | float | bool | None) else f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:60]}…"


def _from_text(name: str, text: str) -> Any:
    try:
        if name in ("port", "http_port"):
            return int(text)
        if name == "switch_interval":
            return None if text.strip().lower() in ("", "none") else float(text)
    except ValueError:
        raise ValueError(f"{PREFIX}{name.upper()} must be a number, got {text[:40]!r}") from None
    if name in ("allow_remote", "builtin_tools", "channels", "http"):
        if (word := text.strip().lower()) not in ("1", "true", "yes", "0", "false", "no", ""):
            raise ValueError(f"{PREFIX}{name.upper()} must be 1 or 0, got {text[:40]!r}")
        return word in ("1", "true", "yes")
    if name.startswith("allowed_"):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text
