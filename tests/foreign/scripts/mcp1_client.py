"""`mcp` 1.30, the last SDK with a WebSocket client of its own, on tours through the server, one for each version."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp import ClientSession, StdioServerParameters, stdio_client, types
from mcp.client.streamable_http import streamable_http_client
from mcp.client.websocket import websocket_client
from mcp.shared._httpx_utils import create_mcp_http_client
from pydantic import AnyUrl, BaseModel
from witness import Witness


def plain(model: BaseModel) -> Any:
    """As on the wire."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


@asynccontextmanager
async def over_http(url: str, token: str) -> AsyncIterator[tuple[Any, Any]]:
    """Its own transport over Streamable HTTP."""
    async with (
        create_mcp_http_client(headers={"Authorization": f"Bearer {token}"}) as client,
        streamable_http_client(url, http_client=client) as (read, write, _),
    ):
        yield read, write


def transport(visit: dict[str, Any]) -> Any:
    """To an address, or to a server that is started."""
    if visit["url"].startswith("http"):
        return over_http(visit["url"], visit["token"])
    if visit["url"]:
        return websocket_client(visit["url"])
    program, *arguments = visit["command"]
    return stdio_client(StdioServerParameters(command=program, args=arguments, env=visit["environment"], cwd="/"))


class Tour:
    """One connection."""

    def __init__(self, witness: Witness) -> None:
        self.witness = witness
        self.session: ClientSession
        self.notifications: asyncio.Queue[types.ServerNotification] = asyncio.Queue()
        self.logs: list[Any] = []

    async def run(self, visit: dict[str, Any]) -> None:
        async with (
            transport(visit) as (read, write),
            ClientSession(
                read,
                write,
                logging_callback=self._log,
                message_handler=self._receive,
                elicitation_callback=self._elicit,
                sampling_callback=self._sample,
                list_roots_callback=self._roots,
            ) as self.session,
        ):
            see = self.witness.see
            await see("opened", self._open())
            await see("tools", self._tools())
            await see("resources", self._resources())
            await see("prompts", self._prompts())
            for name, (tool, arguments) in self.witness.calls.items():
                await see(f"call {name}", self._call(tool, arguments))
            await see("asked", self._call("book", {}))
            await see("unknown tool", self._call("unheard_of", {}))
            await see("progress", self._progress())
            await see("logs", self._logs())
            for uri in self.witness.reads:
                await see(f"read {uri}", self._read(uri))
            await see("prompt", self._prompt())
            await see("completions", self._completions())
            await see("updated", self._updated())
            await see("unsubscribed", self._unsubscribed())
            await see("cancelled", self._cancelled())
            await see("list changed", self._list_changed())
            await see("ping", self._ping())

    async def _open(self) -> Any:
        return plain(await self.session.initialize())

    async def _tools(self) -> Any:
        return plain(await self.session.list_tools())["tools"]

    async def _resources(self) -> Any:
        listed, templates = await self.session.list_resources(), await self.session.list_resource_templates()
        return [*plain(listed)["resources"], *plain(templates)["resourceTemplates"]]

    async def _prompts(self) -> Any:
        return plain(await self.session.list_prompts())["prompts"]

    async def _call(self, name: str, arguments: dict[str, Any]) -> Any:
        return plain(await self.session.call_tool(name, arguments))

    async def _progress(self) -> Any:
        reports: list[Any] = []

        async def report(progress: float, total: float | None, message: str | None) -> None:
            reports.append([progress, total, message])

        await self.session.call_tool("count", {"upto": 3}, progress_callback=report)
        return reports

    async def _logs(self) -> Any:
        await self.session.set_logging_level("info")
        await self.session.call_tool("log")
        return self.logs

    async def _read(self, uri: str) -> Any:
        return plain(await self.session.read_resource(AnyUrl(uri)))["contents"]

    async def _prompt(self) -> Any:
        return plain(await self.session.get_prompt("explain", {"topic": "delays"}))

    async def _completions(self) -> Any:
        prompt = types.PromptReference(type="ref/prompt", name="explain")
        template = types.ResourceTemplateReference(type="ref/resource", uri="weather://{station}")
        return [
            plain(await self.session.complete(prompt, {"name": "topic", "value": "wea"}))["completion"]["values"],
            plain(await self.session.complete(template, {"name": "station", "value": "S"}, {"tone": "plain"}))["completion"]["values"],
        ]

    async def _updated(self) -> Any:
        await self.session.subscribe_resource(AnyUrl("df://flights"))
        await self.witness.cue("change flights")
        told = await self._next(types.ResourceUpdatedNotification)
        return [str(told.params.uri), await self._read("df://flights/rows?limit=1")]

    async def _unsubscribed(self) -> Any:
        await self.session.subscribe_resource(AnyUrl("df://planes"))
        await self.session.unsubscribe_resource(AnyUrl("df://planes"))
        await self.session.subscribe_resource(AnyUrl("notes://today"))
        await self.witness.cue("touch planes")
        await self.witness.cue("touch notes")
        return str((await self._next(types.ResourceUpdatedNotification)).params.uri)

    async def _cancelled(self) -> Any:
        """This SDK has no cancel of its own: the notification is written, and the call is given up."""
        while not self.notifications.empty():
            self.notifications.get_nowait()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._wait_for_ever)
            token = (await self._next(types.ProgressNotification)).params.progressToken
            params = types.CancelledNotificationParams(requestId=token, reason="enough")
            await self.session.send_notification(types.ClientNotification(types.CancelledNotification(params=params)))
            await self.witness.cue("await the end of the slow call")
            tasks.cancel_scope.cancel()
        return plain(await self.session.call_tool("add", {"a": 40, "b": 2}))["content"][0]["text"]

    async def _wait_for_ever(self) -> None:
        async def ignore(*_: object) -> None:
            """Its being there makes the SDK ask for progress; the token it chooses is the request's id."""

        await self.session.call_tool("wait_for_ever", progress_callback=ignore)

    async def _list_changed(self) -> Any:
        await self.witness.cue("define a tool")
        await self._next(types.ToolListChangedNotification)
        names = [tool["name"] for tool in await self._tools()]
        return [name for name in names if name == "late"]

    async def _ping(self) -> Any:
        return plain(await self.session.send_ping())

    async def _elicit(self, context: object, params: types.ElicitRequestParams) -> types.ElicitResult:
        assert params.message == "How many seats?", params
        return types.ElicitResult(action="accept", content={"seats": 2})

    async def _sample(self, context: object, params: types.CreateMessageRequestParams) -> types.CreateMessageResult:
        assert params.maxTokens == 20, params
        return types.CreateMessageResult(role="assistant", content=types.TextContent(type="text", text="Fly"), model="m")

    async def _roots(self, context: object) -> types.ListRootsResult:
        return types.ListRootsResult(roots=[types.Root.model_validate({"uri": "file:///work"})])

    async def _log(self, params: types.LoggingMessageNotificationParams) -> None:
        self.logs.append(plain(params))

    async def _receive(self, message: Any) -> None:
        if isinstance(message, Exception):
            self.witness.complain(f"{type(message).__name__}: {message}")
        elif isinstance(message, types.ServerNotification):
            self.notifications.put_nowait(message)

    async def _next(self, kind: type[Any]) -> Any:
        """The next notification of a kind; those of other kinds before it are of steps that are over."""
        while True:
            notification = (await self.notifications.get()).root
            if isinstance(notification, kind):
                return notification


async def main() -> None:
    witness = Witness()
    for visit in witness.visits():
        # What the SDK asks for; it accepts any version that it knows.
        types.LATEST_PROTOCOL_VERSION = visit["version"]
        await Tour(witness).run(visit)
    witness.finish()


if __name__ == "__main__":
    asyncio.run(main())
