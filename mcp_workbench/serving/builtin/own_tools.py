"""Which of the workbench's own tools are on offer, and that no function of the author's takes their names."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from mcp_workbench.errors import RegistrationError
from mcp_workbench.execution.context import Context
from mcp_workbench.primitives.listing import listed_size
from mcp_workbench.primitives.options import digest_of, edition_of
from mcp_workbench.primitives.registry import Registry
from mcp_workbench.primitives.tools import ToolDefinition, Waiting, define_tool
from mcp_workbench.protocol.wire import Json

OF_THE_BRIDGE = ("notebook_use",)
"""Tools that the bridge adds to what it is told; `mcp_workbench.relay` has them."""


@dataclass(frozen=True, slots=True)
class Group:
    """Tools that are offered and withdrawn together."""

    names: tuple[str, ...]
    """What `make` makes, known before it is made."""
    make: Callable[[], Iterable[ToolDefinition]]
    """Defines them; called once, when they are first offered."""
    wanted: Callable[[], bool] = lambda: True
    """Whether they are of use now; from any thread."""


class OwnTools:
    """The workbench's own tools; any thread.

    Args:
        registry: Those on offer now.
        authored: The author's tools.
    """

    def __init__(self, registry: Registry[ToolDefinition], authored: Registry[ToolDefinition]) -> None:
        self._registry = registry
        self._authored = authored
        self._groups: list[Group] = []
        self._made: dict[str, ToolDefinition] = {}
        self._offered = False
        self._changing = threading.Lock()

    def add(self, group: Group) -> None:
        """Have one more group; offered from now on when it is wanted.

        Raises:
            RegistrationError: The author has a tool of one of these names, or another group has.
        """
        for name in group.names:
            if name in self._authored or name in self.names():
                raise RegistrationError(f"{name}: there is a tool of that name already; each name stands for one tool.")
        self._groups.append(group)
        self.refresh()

    def names(self) -> tuple[str, ...]:
        """All their names, whether or not they are on offer."""
        return tuple(name for group in self._groups for name in group.names)

    def keep(self, name: str) -> None:
        """Keep a name from the author: agents know what these names mean.

        Raises:
            RegistrationError: It is the name of one of the workbench's own tools.
        """
        if name in self.names() or name in OF_THE_BRIDGE:
            raise RegistrationError(f'{name} is the name of one of the workbench\'s own tools; give yours another: name="my_{name}".')

    def offer(self, *, offered: bool) -> None:
        """Offer them from now on, or none of them (`start(builtin_tools=False)`)."""
        self._offered = offered
        self.refresh()

    def refresh(self) -> None:
        """What decides whether a group is wanted may have changed; clients are told if it did, once."""
        with self._changing, self._registry.paused():
            for group in self._groups:
                wanted = self._offered and group.wanted()
                if wanted == (group.names[0] in self._registry):
                    continue
                for name in group.names:
                    if wanted:
                        self._registry.add(self._definition(group, name))
                    else:
                        self._registry.remove(name)

    def _definition(self, group: Group, name: str) -> ToolDefinition:
        if name not in self._made:
            self._made.update((tool.name, tool) for tool in group.make())
        return self._made[name]


def define(
    function: Callable[..., Any],
    *,
    read_only: bool = True,
    waits: Callable[[Mapping[str, Json], str], Waiting | None] | None = None,
    forwards: bool = False,
    quick: bool = False,
) -> ToolDefinition:
    """Describe one of the workbench's own tools.

    Args:
        function: A method; its name and docstring are the tool's. A parameter annotated `Context` is the call's context.
        read_only: The hint for hosts: it changes nothing.
        waits: What a call waits for first, by raw arguments and principal's name; asked on the protocol loop.
        forwards: It returns a `Forwarded`, on the protocol loop: the call that is meant.
        quick: It takes milliseconds whatever is published, and is answered while the author's tools have all threads.
    """
    tool = define_tool(function, name=function.__name__, read_only=read_only or None, sync_context=Context)
    tool.arguments.usage = _usage(tool)
    schema = {**tool.listed.input_schema, "properties": _plain(tool.listed.input_schema["properties"])}
    listed = msgspec.structs.replace(tool.listed, input_schema=schema)
    digest = digest_of(listed, tool.version)
    return dataclasses.replace(
        tool,
        listed=listed,
        listed_bytes=listed_size(listed, tool.name),
        digest=digest,
        edition=edition_of(tool.version, digest),
        waits=waits,
        forwards=forwards,
        quick=quick,
    )


def _usage(tool: ToolDefinition) -> str:
    """For sentences: `df_changes(name, since, wait_s=0)`. What each takes stands in the schema, which the caller has."""
    texts = []
    for parameter in tool.arguments.parameters:
        optional = "?" if parameter.default == "None" else ""
        texts.append(f"{parameter.name}{optional}" if optional or parameter.default is None else f"{parameter.name}={parameter.default}")
    return f"{tool.name}({', '.join(texts)})"


def _plain(properties: dict[str, Json]) -> dict[str, Json]:
    """Without `"default": null`: what may be left out is left out, and a host that fills in defaults sends none of another type."""
    return {name: {key: value for key, value in schema.items() if (key, value) != ("default", None)} for name, schema in properties.items()}
