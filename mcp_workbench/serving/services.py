"""The services of one running server, and the table that leads to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mcp_workbench.execution.runner import Execution
from mcp_workbench.limits import Limits
from mcp_workbench.live.dataframes.reading import DataFrameResources
from mcp_workbench.live.documents import Documents
from mcp_workbench.primitives import PromptDefinition, Registry, Rendering, ResourceDefinition
from mcp_workbench.serving.background import Background
from mcp_workbench.serving.catalog import Catalog
from mcp_workbench.serving.handler import Handler
from mcp_workbench.serving.prompts import Prompts
from mcp_workbench.serving.resources import Resources
from mcp_workbench.serving.rounds import Suspended
from mcp_workbench.serving.subscriptions import Subscriptions, UpdateFeed
from mcp_workbench.serving.task_memory import TaskMemory
from mcp_workbench.serving.tasks import Tasks
from mcp_workbench.serving.tools import Tools
from mcp_workbench.serving.waiting import News
from mcp_workbench.sessions.registry import Sessions


class Services:
    """Everything that answers requests.

    Args:
        tools: The author's and the workbench's own.
        resources: The author's.
        prompts: The author's.
        dataframes: What is published, as resources.
        documents: What was too long for results.
        rendering: Turns what tools return into content.
        execution: Where the author's code runs.
        news: Where calls wait that have nothing to say yet.
        limits: Bounds.
        after_call: Called on the loop thread when a tool has ended, however it ended.
        background: Answers calls early that take long.
        suspended: Where calls wait that have asked their client something.
        tasks: The calls that their clients follow as tasks.
    """

    def __init__(
        self,
        *,
        tools: Catalog,
        resources: Registry[ResourceDefinition],
        prompts: Registry[PromptDefinition],
        dataframes: DataFrameResources,
        documents: Documents,
        rendering: Rendering,
        execution: Execution,
        news: News,
        limits: Limits,
        after_call: Callable[[], None],
        background: Background,
        suspended: Suspended,
        tasks: TaskMemory,
    ) -> None:
        tool_service = Tools(tools, rendering, execution, news, after_call, background, suspended)
        resource_service = Resources(resources, dataframes, documents, execution, suspended)
        prompt_service = Prompts(prompts, resources, execution, suspended)
        self._tasks = Tasks(tasks, limits)
        self._subscriptions = Subscriptions(resource_service, limits, self._tasks)
        self.handler = Handler(
            {
                "tools/list": tool_service.list,
                "tools/call": tool_service.call,
                "resources/list": resource_service.list,
                "resources/templates/list": resource_service.list_templates,
                "resources/read": resource_service.read,
                "resources/subscribe": self._subscriptions.subscribe,
                "resources/unsubscribe": self._subscriptions.unsubscribe,
                "subscriptions/listen": self._subscriptions.listen,
                "tasks/get": self._tasks.get,
                "tasks/update": self._tasks.update,
                "tasks/cancel": self._tasks.cancel,
                "prompts/list": prompt_service.list,
                "prompts/get": prompt_service.get,
                "completion/complete": prompt_service.complete,
            },
            suspended,
        )

    def close(self) -> None:
        """The server has stopped: nobody is told any more."""
        self._tasks.close()

    def connect(self, sessions: Sessions, loop: asyncio.AbstractEventLoop) -> UpdateFeed:
        """Join the subscriptions with the sessions that hold them; returns the feed that tells of changes."""
        self._subscriptions.sessions = sessions
        self._tasks.connect(sessions, loop)
        return UpdateFeed(loop, sessions.topic_changed)
