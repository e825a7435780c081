"""What one Workbench offers and what is remembered of it; exists with or without a running server."""

from __future__ import annotations

import os
from collections.abc import Callable

from mcp_workbench.events import Change, ChangeKind
from mcp_workbench.execution.context import AsyncContext, Context
from mcp_workbench.exploring.annotations import Annotations
from mcp_workbench.exploring.given import GivenSecrets
from mcp_workbench.exploring.overhearing import Overhearing
from mcp_workbench.limits import Limits
from mcp_workbench.live.chronicle import Chronicle
from mcp_workbench.live.dataframes.arguments import binders_of
from mcp_workbench.live.dataframes.lookup import Lookup
from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.live.dataframes.reading import DataFrameResources
from mcp_workbench.live.dataframes.rendering import DataFrameRenderer
from mcp_workbench.live.documents import Documents
from mcp_workbench.live.results import Results
from mcp_workbench.live.styles import StyleRenderer
from mcp_workbench.primitives.options import digest_of
from mcp_workbench.primitives.prompts import PromptDefinition
from mcp_workbench.primitives.registry import Registry
from mcp_workbench.primitives.rendering import Rendering
from mcp_workbench.primitives.resources import ResourceDefinition
from mcp_workbench.primitives.tools import ToolDefinition
from mcp_workbench.protocol.subscriptions import Listing
from mcp_workbench.secret import Secret, hidden
from mcp_workbench.serving.builtin.calling import calling_tools
from mcp_workbench.serving.builtin.dataframes import dataframe_tools
from mcp_workbench.serving.builtin.fitting import FittedRenderer
from mcp_workbench.serving.builtin.jobs import job_tools
from mcp_workbench.serving.builtin.notebook import KernelFacts, notebook_tools
from mcp_workbench.serving.builtin.own_tools import OwnTools
from mcp_workbench.serving.builtin.status_report import Sources
from mcp_workbench.serving.builtin.tool_news import ToolNews
from mcp_workbench.serving.catalog import Catalog
from mcp_workbench.serving.jobs import Jobs
from mcp_workbench.serving.task_memory import TaskMemory
from mcp_workbench.telemetry.messages import Messages
from mcp_workbench.telemetry.telemetry import Telemetry
from mcp_workbench.transports.credentials import Credentials, Tickets

TOKEN_VARIABLE = "MCP_WORKBENCH_TOKEN"  # noqa: S105  # the name of the variable
"""Environment variable with a token of the owner's choice, so that hosts configured once find the next kernel too."""


class Offer:
    """The registries, the DataFrames, the memory of calls, and who may connect.

    The registries and DataFrames are changed by the notebook's main thread and read by the others.
    """

    def __init__(self, limits: Limits) -> None:
        self.tools: Registry[ToolDefinition] = Registry(beside=self._builtin_digests)
        self.builtins: Registry[ToolDefinition] = Registry()
        """The workbench's own tools that are on offer now; clients see them in one list with the author's."""
        self.builtins.on_change.append(self.tools.look)
        self.own_tools = OwnTools(self.builtins, self.tools)
        self.catalog = Catalog(self.tools, self.builtins)
        self.resources: Registry[ResourceDefinition] = Registry(beside=self._listed_dataframes)
        self.prompts: Registry[PromptDefinition] = Registry()
        self.results = Results(max_results=limits.results, max_bytes=limits.results_bytes)
        self.chronicle = Chronicle()
        """What happened lately: whoever makes news that agents should hear of writes a line."""
        self.dataframes = DataFrames()
        self.dataframe_resources = DataFrameResources(self.dataframes, self.results)
        self.dataframes.on_change.append(self._dataframe_changed)
        self.binders = binders_of(self.dataframes, self.results)
        self.documents = Documents(self.results)
        tables = DataFrameRenderer(self.results)
        self.rendering = Rendering([FittedRenderer(), tables, StyleRenderer(tables)], self.documents)
        self.jobs = Jobs(limits)
        self.jobs.on_end.append(lambda job: self.chronicle.write(f"job {job.id} ({job.tool}) {job.state.value}", principal=job.principal))
        self.tasks = TaskMemory(self.jobs)
        self._memory = limits.records, limits.messages
        self.telemetry = _memory(limits)
        self.overhearing = Overhearing(lambda: self.telemetry)
        """What is heard of other conversations, which ends up in the same memory."""
        self.annotations = Annotations()
        """What its author wrote beside calls."""
        self.kernel_facts: Callable[[], KernelFacts] = KernelFacts
        """What the kernel is doing; a server says so while it runs."""
        self._tool_news = ToolNews(self.tools, self.chronicle)
        self._add_own_tools()
        self.results.on_change.append(self.own_tools.refresh)
        self.tickets = Tickets()
        self.given = GivenSecrets()
        """What it shows to other servers."""
        self.credentials = Credentials(tickets=self.tickets, token=_chosen_token())
        self.sync_context, self.async_context = Context, AsyncContext

    def _add_own_tools(self) -> None:
        sources = Sources(
            self.dataframes,
            self.results,
            self.tools,
            self.jobs,
            telemetry=lambda: self.telemetry,
            resources=lambda: len(self.resources),
            prompts=lambda: len(self.prompts),
        )
        lookup = Lookup(self.dataframes, self.results)
        self.own_tools.add(notebook_tools(self.chronicle, lambda: self.kernel_facts(), sources.contents))
        self.own_tools.add(calling_tools())
        self.own_tools.add(dataframe_tools(lookup, self.dataframe_resources.descriptions))
        self.own_tools.add(job_tools(self.jobs))

    def apply(self, limits: Limits) -> None:
        """Take over the bounds of a start; records already kept stay as they are."""
        self.jobs.limits = limits
        self.results.max_results, self.results.max_bytes = limits.results, limits.results_bytes
        memory = limits.records, limits.messages
        if memory != self._memory and not self.telemetry.messages.total:
            before = self.telemetry
            self._memory, self.telemetry = memory, _memory(limits)
            self.telemetry.inherit(before)
        self.telemetry.messages.max_bytes = limits.messages_bytes

    def _listed_dataframes(self) -> frozenset[str]:
        return frozenset(map(digest_of, self.dataframe_resources.list()))

    def _builtin_digests(self) -> frozenset[str]:
        return frozenset(tool.digest for tool in self.builtins)

    def _dataframe_changed(self, change: Change) -> None:
        """DataFrames stand in the list of resources, and while there are any there are tools that read them."""
        if change.kind in (ChangeKind.PUBLISHED, ChangeKind.UNPUBLISHED):
            self.own_tools.refresh()
            self.resources.look()
        self.chronicle.write(_line(change), topic=f"df://{change.name}")

    def listings(self) -> dict[Listing, Registry[ToolDefinition] | Registry[ResourceDefinition] | Registry[PromptDefinition]]:
        """The author's registries by the list they fill."""
        return {Listing.TOOLS: self.tools, Listing.RESOURCES: self.resources, Listing.PROMPTS: self.prompts}


def _memory(limits: Limits) -> Telemetry:
    return Telemetry(limits.records, Messages(limits.messages, limits.messages_bytes))


def _chosen_token() -> Secret | None:
    # Apart from the line that refuses a weak one: a traceback with variables would show the whole environment there.
    return hidden(os.environ.get(TOKEN_VARIABLE) or None)


def _line(change: Change) -> str:
    """`flights v17: 1,000 rows appended`, for the chronicle."""
    if change.kind is ChangeKind.UNPUBLISHED:
        return f"{change.name} is published no longer"
    label = f"{change.name} v{change.version}"
    return f"{label} published: {change.summary}" if change.kind is ChangeKind.PUBLISHED else f"{label}: {change.summary}"
