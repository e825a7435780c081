"""`%load_ext mcp_workbench`: gives a shell the magic `%mcp`. It starts nothing by itself."""

from __future__ import annotations

from typing import Any

from mcp_workbench.kernel.magics import run_mcp


def load_ipython_extension(ipython: Any) -> None:
    """Register the magics; IPython calls this.

    Args:
        ipython: The shell, an `IPython.core.interactiveshell.InteractiveShell`.
    """
    ipython.register_magic_function(run_mcp, magic_kind="line", magic_name="mcp")


def unload_ipython_extension(ipython: Any) -> None:
    """Take the magics back; a running server goes on. `%unload_ext mcp_workbench` calls this."""
    ipython.magics_manager.magics["line"].pop("mcp", None)
