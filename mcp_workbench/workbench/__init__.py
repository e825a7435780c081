"""The Workbench: what the functions of the package act on. `core` is its state; each other module one side of what it does."""

from mcp_workbench.workbench.workbench import Workbench

__all__ = ["Workbench"]
