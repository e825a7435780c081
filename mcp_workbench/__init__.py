"""mcp_workbench: your running notebook as an MCP server.

    import mcp_workbench as wb

    @wb.tool
    def add(a: int, b: int) -> int:
        "Add two numbers."
        return a + b

    wb.publish(flights=flights)     # a live, subscribable resource
    wb.start()

These functions act on one default `Workbench`; `wb.Workbench()` makes more. Importing the package loads
neither pandas nor pydantic: they come with the first name that is used.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from mcp_workbench.version import __version__

if TYPE_CHECKING:
    from mcp_workbench.errors import (
        CallTimedOut,
        Cancelled,
        ConnectionClosed,
        NotAnswered,
        PeerError,
        RegistrationError,
        ToolError,
        WorkbenchError,
    )
    from mcp_workbench.execution.context import AsyncContext, Context
    from mcp_workbench.limits import Limits
    from mcp_workbench.principals import Tokens
    from mcp_workbench.workbench import Workbench

    _wb = Workbench()
    config = _wb.config
    connect = _wb.connect
    get = _wb.get
    jobs = _wb.jobs
    prompt = _wb.prompt
    publish = _wb.publish
    resource = _wb.resource
    run_stdio = _wb.run_stdio
    show = _wb.show
    start = _wb.start
    status = _wb.status
    stop = _wb.stop
    tap = _wb.tap
    tokens: Tokens
    tool = _wb.tool
    touch = _wb.touch
    traffic = _wb.traffic
    unpublish = _wb.unpublish
    wait = _wb.wait

# Without a handler of the user's, Python's last resort would print our warnings and errors into whichever cell runs.
logging.getLogger("mcp_workbench").addHandler(logging.NullHandler())

_ELSEWHERE = {
    "AsyncContext": "execution.context",
    "CallTimedOut": "errors",
    "Cancelled": "errors",
    "ConnectionClosed": "errors",
    "Context": "execution.context",
    "Limits": "limits",
    "NotAnswered": "errors",
    "PeerError": "errors",
    "RegistrationError": "errors",
    "ToolError": "errors",
    "Workbench": "workbench",
    "WorkbenchError": "errors",
    "load_ipython_extension": "face",
    "unload_ipython_extension": "face",
}
"""Name -> the module that holds it. The last two are IPython's: `%load_ext mcp_workbench` looks for them here."""

_OF_DEFAULT = frozenset(
    (
        "config",
        "connect",
        "get",
        "jobs",
        "prompt",
        "publish",
        "resource",
        "run_stdio",
        "show",
        "start",
        "status",
        "stop",
        "tap",
        "tokens",
        "tool",
        "touch",
        "traffic",
        "unpublish",
        "wait",
    )
)
"""Methods and properties of the default Workbench."""

__all__ = [
    "AsyncContext",
    "CallTimedOut",
    "Cancelled",
    "ConnectionClosed",
    "Context",
    "Limits",
    "NotAnswered",
    "PeerError",
    "RegistrationError",
    "ToolError",
    "Workbench",
    "WorkbenchError",
    "__version__",
    "config",
    "connect",
    "get",
    "jobs",
    "prompt",
    "publish",
    "resource",
    "run_stdio",
    "show",
    "start",
    "status",
    "stop",
    "tap",
    "tokens",
    "tool",
    "touch",
    "traffic",
    "unpublish",
    "wait",
]


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:
        return getattr(importlib.import_module(f"mcp_workbench.{_ELSEWHERE[name]}"), name)
    if name in _OF_DEFAULT:
        return importlib.import_module("mcp_workbench.face").of_default(name)
    raise AttributeError(f"module 'mcp_workbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """What `jupyter-builder develop` asks: where JupyterLab's part is built, and its name there."""
    return [{"src": "labextension", "dest": "mcp-workbench"}]
