"""`%load_ext mcp_workbench`: gives a shell `%mcp`, `%mcp_call` and `%%mcp_tool`. It starts nothing by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp_workbench.kernel.magics import run_mcp, run_mcp_call, run_mcp_tool

_MAGICS: tuple[tuple[str, str, Callable[..., object]], ...] = (
    ("line", "mcp", run_mcp),
    ("line", "mcp_call", run_mcp_call),
    ("cell", "mcp_tool", run_mcp_tool),
)


def load_ipython_extension(ipython: Any) -> None:
    """Register the magics; IPython calls this.

    Args:
        ipython: The shell, an `IPython.core.interactiveshell.InteractiveShell`.
    """
    from IPython.core.magic import no_var_expand  # not where no shell is: the package only lends this function's name

    for kind, name, function in _MAGICS:
        # {"a": 1} is a literal here, and no format string.
        ipython.register_magic_function(no_var_expand(function), magic_kind=kind, magic_name=name)


def unload_ipython_extension(ipython: Any) -> None:
    """Take the magics back; a running server goes on. `%unload_ext mcp_workbench` calls this."""
    for kind, name, _ in _MAGICS:
        ipython.magics_manager.magics[kind].pop(name, None)
