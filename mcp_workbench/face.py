"""The module functions: one default Workbench, as pyplot has one default figure.

`import mcp_workbench` loads this module only when one of its names is first used, because it brings pandas
and pydantic along.
"""

from __future__ import annotations

from typing import Any

from mcp_workbench.workbench import Workbench

_default: Workbench | None = None


def default() -> Workbench:
    """The Workbench that the module functions act on; made when first needed."""
    global _default  # the one module-level state of the package, as its docstring says
    if _default is None:
        _default = Workbench()
    return _default


def of_default(name: str) -> Any:
    """A method or property of the default Workbench."""
    return getattr(default(), name)
