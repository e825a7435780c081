"""`mcp` 2.x on tours through the server: finding out the era by itself, modern, and with each version of the handshake.

Every result passes the SDK's own check against the schema of the revision that was negotiated, every
structured result its check against the tool's output schema.
"""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import mcp.client.session
import mcp_types as types
from mcp import Client
from mcp.client.subscriptions import ResourceUpdated, ToolsListChanged
from mcp2_transport import http_transport, stdio_transport, websocket_transport
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic import BaseModel
from witness import Witness


def plain(model: BaseModel) -> Any:
    """As on the wire."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


class Tour:
    """One connection."""

    def __init__(self, witness: Witness) -> None:
        self.witness = witness
        self.client: Client
        self.notifications: asyncio.Queue[Any] = asyncio.Queue()
        self.logs: list[Any] = []
        self.sent_cancels: asyncio.Queue[None] = asyncio.Queue()

    async def run(self, visit: dict[str, Any], mode: str) -> None:
        if visit["url"].startswith("http"):
            transport = http_transport(visit["url"], visit["token"], self._sent)
        elif visit["url"]:
            transport = websocket_transport(visit["url"], visit["token"], self._sent)
        else:
            transport = stdio_transport(visit["command"], visit["environment"], self._sent)
        async with Client(
            transport,
            mode=mode,
            log_level="info",
            logging_callback=self._log,
            message_handler=self._receive,
            read_timeout_seconds=8,
            elicitation_callback=self._elicit,
            sampling_callback=self._sample,
            list_roots_callback=self._roots,
        ) as self.client:
            see = self.witness.see
            await see("opened", self._opened())
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
            legacy = self.client.protocol_version < "2026"
            await see("updated", self._updated() if legacy else self._updated_by_listening())
            await see("unsubscribed", self._unsubscribed() if legacy else self._stopped_listening())
            await see("cancelled", self._cancelled())
            await see("list changed", self._list_changed() if legacy else self._list_changed_by_listening())
            await see("ping", self._ping() if legacy else self._discover())

    async def _opened(self) -> Any:
        session = self.client.session
        result = session.initialize_result or session.discover_result
        return (plain(result) if result else {}) | {"protocolVersion": self.client.protocol_version}

    async def _tools(self) -> Any:
        return plain(await self.client.list_tools())["tools"]

    async def _resources(self) -> Any:
        listed, templates = await self.client.list_resources(), await self.client.list_resource_templates()
        return [*plain(listed)["resources"], *plain(templates)["resourceTemplates"]]

    async def _prompts(self) -> Any:
        return plain(await self.client.list_prompts())["prompts"]

    async def _call(self, name: str, arguments: dict[str, Any]) -> Any:
        return plain(await self.client.call_tool(name, arguments))

    async def _progress(self) -> Any:
        reports: list[Any] = []

        async def report(progress: float, total: float | None, message: str | None) -> None:
            reports.append([progress, total, message])

        await self.client.call_tool("count", {"upto": 3}, progress_callback=report)
        return reports

    async def _logs(self) -> Any:
        if self.client.protocol_version < "2026":
            await self.client.set_logging_level("info")
        await self.client.call_tool("log")
        return self.logs

    async def _read(self, uri: str) -> Any:
        return plain(await self.client.read_resource(uri))["contents"]

    async def _prompt(self) -> Any:
        return plain(await self.client.get_prompt("explain", {"topic": "delays"}))

    async def _completions(self) -> Any:
        prompt = types.PromptReference(type="ref/prompt", name="explain")
        template = types.ResourceTemplateReference(type="ref/resource", uri="weather://{station}")
        return [
            plain(await self.client.complete(prompt, {"name": "topic", "value": "wea"}))["completion"]["values"],
            plain(await self.client.complete(template, {"name": "station", "value": "S"}, {"tone": "plain"}))["completion"]["values"],
        ]

    async def _cancelled(self) -> Any:
        with anyio.CancelScope() as scope:

            async def report(*_: object) -> None:
                scope.cancel()

            await self.client.call_tool("wait_for_ever", progress_callback=report)
        await self.witness.cue("await the end of the slow call")
        return plain(await self.client.call_tool("add", {"a": 40, "b": 2}))["content"][0]["text"]

    # --- up to 2025-11-25 -----------------------------------------------------------------------------------

    async def _updated(self) -> Any:
        await self.client.subscribe_resource("df://flights")
        await self.witness.cue("change flights")
        told = await self._next(types.ResourceUpdatedNotification)
        return [told.params.uri, await self._read("df://flights/rows?limit=1")]

    async def _unsubscribed(self) -> Any:
        await self.client.subscribe_resource("df://planes")
        await self.client.unsubscribe_resource("df://planes")
        await self.client.subscribe_resource("notes://today")
        await self.witness.cue("touch planes")
        await self.witness.cue("touch notes")
        return (await self._next(types.ResourceUpdatedNotification)).params.uri

    async def _list_changed(self) -> Any:
        await self.witness.cue("define a tool")
        await self._next(types.ToolListChangedNotification)
        return [tool["name"] for tool in await self._tools() if tool["name"] == "late"]

    async def _ping(self) -> Any:
        return plain(await self.client.send_ping())

    # --- 2026-07-28 --------------------------------------------------------------------------------------------

    async def _updated_by_listening(self) -> Any:
        async with self.client.listen(resource_subscriptions=["df://flights", "df://nowhere"]) as subscription:
            self.witness.saw["honoured"] = plain(subscription.honored)
            await self.witness.cue("change flights")
            event = await anext(subscription)
            assert isinstance(event, ResourceUpdated), event
            return [event.uri, await self._read("df://flights/rows?limit=1")]

    async def _stopped_listening(self) -> Any:
        """Two listens at once; one is ended, and its notification comes no more."""
        async with self.client.listen(resource_subscriptions=["notes://today"]) as notes:
            while not self.sent_cancels.empty():
                self.sent_cancels.get_nowait()
            async with self.client.listen(resource_subscriptions=["df://planes"]):
                pass
            # The SDK ends it in the background; what the server answers after that, it does in order.
            await self.sent_cancels.get()
            await self._discover()
            while not self.notifications.empty():
                self.notifications.get_nowait()
            await self.witness.cue("touch planes")
            await self.witness.cue("touch notes")
            event = await anext(notes)
            assert isinstance(event, ResourceUpdated), event
            # The raw notifications: the SDK's subscription would drop those it did not ask for.
            return (await self._next(types.ResourceUpdatedNotification)).params.uri

    async def _list_changed_by_listening(self) -> Any:
        async with self.client.listen(tools_list_changed=True, prompts_list_changed=True) as subscription:
            await self.witness.cue("define a tool")
            event = await anext(subscription)
            assert isinstance(event, ToolsListChanged), event
        return [tool["name"] for tool in await self._tools() if tool["name"] == "late"]

    async def _discover(self) -> Any:
        """There is no ping: any request shows that the server lives."""
        return {} if (await self.client.session.send_discover("2026-07-28"))["supportedVersions"] else None

    # --- what goes and comes unasked -----------------------------------------------------------------------------------------

    def _sent(self, method: str) -> None:
        if method == "notifications/cancelled":
            self.sent_cancels.put_nowait(None)

    async def _elicit(self, context: object, params: types.ElicitRequestParams) -> types.ElicitResult:
        assert params.message == "How many seats?", params
        return types.ElicitResult(action="accept", content={"seats": 2})

    async def _sample(self, context: object, params: types.CreateMessageRequestParams) -> types.CreateMessageResult:
        assert params.max_tokens == 20, params
        return types.CreateMessageResult(role="assistant", content=types.TextContent(type="text", text="Fly"), model="m")

    async def _roots(self, context: object) -> types.ListRootsResult:
        return types.ListRootsResult(roots=[types.Root.model_validate({"uri": "file:///work"})])

    async def _log(self, params: types.LoggingMessageNotificationParams) -> None:
        self.logs.append(plain(params))

    async def _receive(self, message: Any) -> None:
        if isinstance(message, Exception):
            self.witness.complain(f"{type(message).__name__}: {message}")
        else:
            self.notifications.put_nowait(message)

    async def _next(self, kind: type[Any]) -> Any:
        """The next notification of a kind; those of other kinds before it are of steps that are over."""
        while not isinstance(notification := await self.notifications.get(), kind):
            pass
        return notification


async def main() -> None:
    witness = Witness()
    for visit in witness.visits():
        mode = version = visit["version"]
        if version in HANDSHAKE_PROTOCOL_VERSIONS:
            # What the SDK asks for in its legacy mode; it accepts any version that it knows.
            mode, mcp.client.session.LATEST_HANDSHAKE_VERSION = "legacy", version
        await Tour(witness).run(visit, mode)
    witness.finish()


if __name__ == "__main__":
    asyncio.run(main())
