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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything `start()` takes. Environment variables carry the field's name in capitals, lists comma-separated."""

    name: str | None = None
    """Shown to clients and in lists of running kernels; None: the notebook's name."""
    host: str = "127.0.0.1"
    """Address to listen on; anything but loopback needs `allow_remote=True`."""
    port: int = 0
    """TCP port; 0: any free one."""
    switch_interval: float | None = BUSY_INTERVAL_S
    """Seconds between thread switches while clients are connected; None: leave the interpreter's alone."""
    limits: Limits = field(default_factory=Limits)
    allow_remote: bool = False
    """Whether `host` may be reachable from other machines."""
    allowed_hosts: tuple[str, ...] = ()
    """`Host` names accepted beside those of loopback."""
    allowed_origins: tuple[str, ...] = ()
    """`Origin` values accepted beside those of this machine, for instance `https://lab.example.org`."""

    @classmethod
    def read(cls, given: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Settings:
        """Merge what was given with the environment and the defaults.

        Raises:
            ValueError: An environment variable or an argument has no sensible value; says which.
        """
        environment = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for name in (each.name for each in fields(cls)):
            if name in given:
                values[name] = tuple(given[name]) if name.startswith("allowed_") else given[name]
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
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port must lie between 0 and 65535, got {self.port}")
        if self.switch_interval is not None and not 0 < self.switch_interval < 1:
            raise ValueError(f"switch_interval is in seconds, for instance 0.0005, or None; got {self.switch_interval}")
        if not _is_loopback(self.host) and not self.allow_remote:
            raise ValueError(
                f"host={self.host!r} can be reached from other machines, where anybody with the token can run your tools. "
                "Pass allow_remote=True if that is meant, or keep host='127.0.0.1'."
            )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _from_text(name: str, text: str) -> Any:
    try:
        if name == "port":
            return int(text)
        if name == "switch_interval":
            return None if text.strip().lower() in ("", "none") else float(text)
    except ValueError:
        raise ValueError(f"{PREFIX}{name.upper()} must be a number, got {text[:40]!r}") from None
    if name == "allow_remote":
        return text.strip().lower() in ("1", "true", "yes")
    if name.startswith("allowed_"):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text
