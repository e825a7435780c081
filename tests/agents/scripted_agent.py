"""An agent without a model: it has the instructions, the tool list and what calls answer to go by, and nothing else.

It knows no name of a DataFrame, column or function beforehand. Names it takes from what it reads; what it gets wrong it
corrects by the nearest value that the message names.
"""

from __future__ import annotations

import re
from typing import Any

from mcp_workbench.client.results import CallResult
from mcp_workbench.client.session import ClientSession

NEAREST = re.compile(r"Nearest: (\w+)")


class ScriptedAgent:
    """Asks and corrects itself.

    Args:
        session: Where it is connected.
    """

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self.made: list[str] = []
        """Calls, in order, with what became of each."""
        self.table = ""
        self.columns: list[str] = []
        self.functions: dict[str, list[str]] = {}

    async def begin(self) -> None:
        """Read the instructions, call what they name first, and learn what there is."""
        first = re.search(r"Call (\w+) first", self._session.instructions or "")
        tools = {tool.name: tool for tool in await self._session.list_tools()}
        assert first is not None
        assert first[1] in tools
        status = await self.call(first[1], {})
        self.table = re.findall(r"^(\w+) v\d+ · ", status, re.MULTILINE)[0]
        for name, parameters in re.findall(r"^(\w+)\((.*?)\)", status, re.MULTILINE):
            self.functions[name] = re.findall(r"(\w+):", parameters)
        described = await self.call("df_describe", {"name": self.table})
        self.columns = re.findall(r"^(\w+),\w+,\d+,\d+,", described, re.MULTILINE)

    async def call(self, tool: str, arguments: dict[str, Any]) -> str:
        """Call; corrects itself once, by the message alone."""
        result = await self._called(tool, arguments)
        if not result.is_error:
            return result.text
        return (await self._called(tool, self._corrected(arguments, result.text))).text

    def _corrected(self, arguments: dict[str, Any], message: str) -> dict[str, Any]:
        nearest, wrong = NEAREST.search(message), re.search(r"""["'](\w+)["']""", message)
        assert nearest is not None, message
        assert wrong is not None, message
        return {
            re.sub(rf"^{wrong[1]}$", nearest[1], name): re.sub(rf"\b{wrong[1]}\b", nearest[1], value) if isinstance(value, str) else value
            for name, value in arguments.items()
        }

    async def _called(self, tool: str, arguments: dict[str, Any]) -> CallResult:
        result = await self._session.call_tool(tool, arguments)
        self.made.append(f"{tool}: {'refused' if result.is_error else 'answered'}")
        return result
