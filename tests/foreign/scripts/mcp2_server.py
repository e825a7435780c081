"""A server made with `mcp` 2.x, which serves both eras, over a WebSocket transport written here: it has none of its own."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Annotated

import anyio
import mcp_types as types
from mcp.server.mcpserver import Context, Elicit, ElicitationResult, ListRoots, MCPServer, Resolve, Sample
from mcp.shared.message import SessionMessage
from pydantic import BaseModel
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

sys.path.append(str(Path(__file__).parents[2] / "benchmarks" / "peers"))
from announce import serve

warnings.simplefilter("ignore", DeprecationWarning)
warnings.simplefilter("ignore", UserWarning)
server = MCPServer("foreign", instructions="Ask me anything.", log_level="CRITICAL")
lingering: list[anyio.Event] = []


class Wish(BaseModel):
    """What the person is asked for."""

    city: str
    nights: int = 1


async def ask_wish() -> Elicit[Wish]:
    """What to ask the person."""
    return Elicit("Where to?", Wish)


async def ask_model() -> Sample:
    """What to ask the model."""
    question = types.SamplingMessage(role="user", content=types.TextContent(type="text", text="What is 6 x 7?"))
    return Sample([question], max_tokens=10, system_prompt="Be brief.")


async def ask_roots() -> ListRoots:
    """Ask for the roots."""
    return ListRoots()


@server.tool()
async def shout(text: str) -> str:
    """Say it loud."""
    return text.upper()


@server.tool()
async def totals() -> dict[str, int]:
    """Totals by city."""
    return {"Oslo": 3, "Rome": 4}


@server.tool()
async def break_down() -> str:
    """Raise."""
    raise ValueError("broken")


@server.tool()
async def countdown(ctx: Context) -> str:
    """Report progress and log."""
    for done in (1, 2, 3):
        await ctx.report_progress(done, 3, f"step {done}")
    await ctx.log("debug", "fine print")
    await ctx.log("warning", "careful")
    return "zero"


@server.tool()
async def book(wish: Annotated[ElicitationResult[Wish], Resolve(ask_wish)]) -> str:
    """Ask the person."""
    return f"{wish.action} {wish.data.city} {wish.data.nights}" if wish.action == "accept" else wish.action


@server.tool()
async def think(answer: Annotated[types.CreateMessageResult, Resolve(ask_model)]) -> str:
    """Ask the client's model."""
    assert isinstance(answer.content, types.TextContent)
    return f"{answer.model}: {answer.content.text}"


@server.tool()
async def folders(listed: Annotated[types.ListRootsResult, Resolve(ask_roots)]) -> str:
    """Ask for the client's roots."""
    return ", ".join(str(root.uri) for root in listed.roots)


@server.tool()
async def linger(ctx: Context) -> str:
    """Wait until cancelled; reports progress once it waits."""
    ended = anyio.Event()
    lingering.append(ended)
    await ctx.report_progress(1)
    try:
        await anyio.sleep_forever()
    finally:
        ended.set()


@server.tool()
async def await_cancelled() -> str:
    """Tell when the last `linger` was cancelled."""
    await lingering[-1].wait()
    return "cancelled"


@server.tool()
async def change_note(ctx: Context) -> str:
    """Tell listeners that the note has changed."""
    await ctx.notify_resource_updated("note://a")
    return "told"


@server.tool()
async def grow(ctx: Context) -> str:
    """Define a tool and tell, in the way of either era."""
    server.add_tool(shout, name="late")
    await ctx.notify_tools_changed()
    await ctx.session.send_tool_list_changed()
    return "grown"


@server.resource("note://a", mime_type="text/plain")
def note() -> str:
    """A note."""
    return "the note"


@server.resource("note://by/{author}")
def note_by(author: str) -> str:
    """A note by an author."""
    return f"a note by {author}"


@server.prompt()
def plan(city: str) -> str:
    """Plan a journey."""
    return f"Plan a journey to {city}."


@server.completion()
async def complete(
    ref: types.PromptReference | types.ResourceTemplateReference,
    argument: types.CompletionArgument,
    context: types.CompletionContext | None,
) -> types.Completion:
    """Complete cities."""
    return types.Completion(values=[city for city in ("Oslo", "Rome") if city.startswith(argument.value)])


async def endpoint(websocket: WebSocket) -> None:
    """One connection."""
    await websocket.accept(subprotocol="mcp")
    to_server, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, from_server = anyio.create_memory_object_stream[SessionMessage](0)

    async def receive() -> None:
        async with to_server:
            async for text in websocket.iter_text():
                try:
                    await to_server.send(SessionMessage(types.jsonrpc_message_adapter.validate_json(text, by_name=False)))
                except ValueError as error:
                    await to_server.send(error)

    async def send() -> None:
        async with from_server:
            async for message in from_server:
                try:
                    await websocket.send_text(message.message.model_dump_json(by_alias=True, exclude_unset=True))
                except WebSocketDisconnect:
                    return

    lowlevel = server._lowlevel_server
    async with incoming, outgoing, anyio.create_task_group() as tasks:
        tasks.start_soon(receive)
        tasks.start_soon(send)
        await lowlevel.run(incoming, outgoing, lowlevel.create_initialization_options())
        tasks.cancel_scope.cancel()


if sys.argv[1:] == ["stdio"]:
    server.run("stdio")
elif __name__ == "__main__":
    app = server.streamable_http_app()
    app.router.routes.append(WebSocketRoute("/mcp", endpoint))
    serve(app, "server", ["mcp"], {})
