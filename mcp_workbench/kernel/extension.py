"""Gives a shell `%mcp`, `%mcp_call` and `%%mcp_tool`, and takes them back.

Which Workbench they act on is said by whoever gives them (`face`), as a function that is asked when one is used: loading an
extension must not slow every start of IPython.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from mcp_workbench.hosts import current_shell
from mcp_workbench.kernel.completing import add_completer, remove_completer
from mcp_workbench.kernel.magics import run_mcp, run_mcp_call, run_mcp_tool

if TYPE_CHECKING:
    from mcp_workbench.workbench import Workbench

Find = Callable[[], "Workbench"]
"""Gives the Workbench that the magics act on."""

_KINDS = {"mcp": "line", "mcp_call": "line", "mcp_tool": "cell"}


def add_magics(shell: Any, find: Find) -> None:
    """Register the magics in a shell; those of the same names give way.

    Args:
        shell: An `IPython.core.interactiveshell.InteractiveShell`.
        find: Gives the Workbench they act on.
    """
    _add(shell, find, _KINDS)


def add_magics_here(find: Find) -> None:
    """Register the magics in the shell of this process, if there is one; names that are taken there stay whose they are."""
    shell = current_shell()
    if shell is not None:
        taken = shell.magics_manager.magics
        _add(shell, find, [name for name, kind in _KINDS.items() if name not in taken[kind]])


def remove_magics(shell: Any) -> None:
    """Take the magics back."""
    for name, kind in _KINDS.items():
        shell.magics_manager.magics[kind].pop(name, None)
    remove_completer(shell)


def _add(shell: Any, find: Find, names: Collection[str]) -> None:
    from IPython.core.magic import no_var_expand  # not where no shell is: the package only lends this function's name

    functions = _functions(find)
    for name in names:
        # {"a": 1} is a literal here, and no format string.
        shell.register_magic_function(no_var_expand(functions[name]), magic_kind=_KINDS[name], magic_name=name)
    if "mcp" in names:
        add_completer(shell, find)


def _functions(find: Find) -> dict[str, Callable[..., object]]:
    def mcp(line: str) -> None:
        run_mcp(find, line)

    def mcp_call(line: str) -> None:
        run_mcp_call(find(), line)

    def mcp_tool(line: str, cell: str) -> object:
        return run_mcp_tool(find(), line, cell)

    mcp.__doc__, mcp_call.__doc__, mcp_tool.__doc__ = run_mcp.__doc__, run_mcp_call.__doc__, run_mcp_tool.__doc__
    return {"mcp": mcp, "mcp_call": mcp_call, "mcp_tool": mcp_tool}
