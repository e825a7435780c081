"""A kernel's answers, with what only the bridge knows: that the kernel was restarted, whose a tool is, what runs besides.

Written from what the host has met (`known`) in the words of `sentences`. The relay passes it the answers; no other text comes
here.
"""

from __future__ import annotations

from collections.abc import Callable

from mcp_workbench.discovery import Entry
from mcp_workbench.relay import answers, own_tools, sentences
from mcp_workbench.relay.answers import USE_NAME
from mcp_workbench.relay.choosing import Choice, is_restart, is_same_notebook
from mcp_workbench.relay.envelope import member
from mcp_workbench.relay.known import Kind, Known
from mcp_workbench.relay.memory import Memory

OWN_NAMES = own_tools.NAMES | {USE_NAME}
RESTART_IS_NEWS_S = 600.0
"""How long a restart is told of when nothing that the host has met is missing any more."""
NOT_THERE = ("No DataFrame", "No function", "No job", "No result")
"""How a kernel begins its answer when one of its own tools was given a name that it does not have."""


class Explaining:
    """To one host.

    Args:
        memory: What the host was told; only read.
        now: Seconds since 1970.
    """

    def __init__(self, memory: Memory, now: Callable[[], float]) -> None:
        self._memory = memory
        self._now = now
        self._entry: Entry | None = None
        self._known = Known()
        self._homes: dict[str, str] = {}
        """Tools the host was ever told of -> name of their notebook."""

    @property
    def after_restart(self) -> bool:
        """Whether answers of calls may need `with_restart`."""
        return self._known.restarted is not None

    def note_kernel(self, entry: Entry) -> None:
        """A kernel is connected."""
        before, self._entry = self._entry, entry
        if before is None:
            return
        if not is_same_notebook(before, entry):
            self._known.clear()
        elif is_restart(before, entry):
            self._known.restart(entry.started)

    def note_listed(self, method: str) -> None:
        """The host was shown a list of this kernel's."""
        if self._entry is not None and method == "tools/list":
            functions = self._memory.tool_names() - OWN_NAMES
            self._known.meet(functions, Kind.DEFINED)
            self._homes |= dict.fromkeys(functions, self._entry.name)
        elif method == "resources/list":
            self._known.meet_resources(item.get("uri") for item in self._memory.items(method) if isinstance(item, dict))

    def status(self, text: bytes, choice: Choice, *, with_others: bool) -> bytes:
        """The kernel's status.

        Args:
            text: The response.
            choice: What runs.
            with_others: Whether there is, or was, something to choose.
        """
        self._known.meet_status(answers.text_of(member(text, "result")))
        if self._known.lost or self._is_news:
            text = answers.with_line(text, sentences.restarted(self._known, self._now()), first=True)
        if with_others and self._entry is not None:
            text = answers.with_line(text, sentences.others(self._entry, choice, self._now()))
        return text

    def with_restart(self, request: bytes, text: bytes) -> bytes:
        """A call's result; the restart stands before it when that is why one of the workbench's own tools did not find a name."""
        if b'"isError":true' not in text:
            return text
        tool, arguments = answers.call_of(request)
        if tool not in own_tools.NAMES or not answers.text_of(member(text, "result")).startswith(NOT_THERE):
            return text
        name = _bare(arguments.get("function" if tool == own_tools.CALL_NAME else "name"))
        if name not in self._known.lost and not self._is_news:
            return text
        return answers.with_line(text, sentences.not_there(name, self._known, self._now()), first=True)

    def unknown_tool(self, request: bytes, text: bytes) -> str | None:
        """Why a tool that the host was told of is unknown to this kernel; None: the error says what there is to say."""
        message, (tool, _) = member(text, "error").get("message"), answers.call_of(request)
        if not isinstance(message, str) or not message.startswith("Unknown tool") or self._entry is None:
            return None
        home, restarted = self._homes.get(tool), self._known.restarted
        if tool in own_tools.NAMES:
            gone = restarted is not None and tool.startswith("df_")
            return sentences.nothing_published(self._known, self._now()) if gone else message
        if home is not None and home != self._entry.name:
            return sentences.belongs_elsewhere(tool, home, self._entry)
        return None if home is None or restarted is None else sentences.not_defined(tool, restarted, self._now())

    @property
    def _is_news(self) -> bool:
        restarted = self._known.restarted
        return restarted is not None and self._now() - restarted < RESTART_IS_NEWS_S


def _bare(name: object) -> str:
    """A name as models write it: in quotes, as an address, as a call."""
    return name.strip("`\"' ").removeprefix("df://").removesuffix("()") if isinstance(name, str) else ""
