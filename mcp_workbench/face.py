"""The module functions: one default Workbench, as pyplot has one default figure.

The magics act on that same Workbench, so it brings them along: `%mcp` is there as soon as a notebook has used any of the
functions, and `%load_ext mcp_workbench` is for those who want it before. Another Workbench (`wb.Workbench()`) brings none.

Loaded by the first name that is used, and light itself: pandas and pydantic come with the Workbench.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp_workbench.kernel.extension import add_magics, add_magics_here, remove_magics

if TYPE_CHECKING:
    from mcp_workbench.workbench import Workbench

_default: Workbench | None = None


def default() -> Workbench:
    """The Workbench that the module functions and the magics act on; made when first needed."""
    global _default  # the one module-level state of the package, as its docstring says
    if _default is None:
        from mcp_workbench.workbench import Workbench  # not before the first use: it brings pandas along

        _default = Workbench()
        add_magics_here(default)
    return _default


def of_default(name: str) -> Any:
    """A method or property of the default Workbench."""
    return getattr(default(), name)


def load_ipython_extension(ipython: Any) -> None:
    """Register the magics; IPython calls this for `%load_ext mcp_workbench`. It starts nothing by itself.

    Args:
        ipython: The shell, an `IPython.core.interactiveshell.InteractiveShell`.
    """
    add_magics(ipython, default)


def unload_ipython_extension(ipython: Any) -> None:
    """Take the magics back; a running server goes on. `%unload_ext mcp_workbench` calls this."""
    remove_magics(ipython)
