"""A server made with `mcp` 1.30 on its own WebSocket transport; it speaks up to 2025-11-25."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import anyio
from mcp import types
from mcp.server.fastmcp import Context, FastMCP
from mcp.server.websocket import websocket_server
from pydantic import AnyUrl, BaseModel
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

sys.path.append(str(Path(__file__).parents[2] / "benchmarks" / "peers"))
from announce import serve

warnings.simplefilter("ignore", DeprecationWarning)
server = FastMCP("foreign", instructions="Ask me anything.", log_level="CRITICAL")
subscribed: set[str] = set()
lingering: list[anyio.Event] = []


class Wish(BaseModel):
    """What the person is asked for."""

    city: str
    nights: int = 1


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
    await ctx.debug("fine print")
    await ctx.warning("careful")
    return "zero"


@server.tool()
async def book(ctx: Context) -> str:
    """Ask the person."""
    answer = await ctx.elicit("Where to?", Wish)
    return f"{answer.action} {answer.data.city} {answer.data.nights}" if answer.action == "accept" else answer.action


@server.tool()
async def think(ctx: Context) -> str:
    """Ask the client's model."""
    question = types.SamplingMessage(role="user", content=types.TextContent(type="text", text="What is 6 x 7?"))
    answer = await ctx.session.create_message([question], max_tokens=10, system_prompt="Be brief.")
    assert isinstance(answer.content, types.TextContent)
    return f"{answer.model}: {answer.content.text}"


@server.tool()
async def folders(ctx: Context) -> str:
    """Ask for the client's roots."""
    return ", ".join(str(root.uri) for root in (await ctx.session.list_roots()).roots)


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
    """Tell subscribers that the note has changed."""
    if "note://a" in subscribed:
        await ctx.session.send_resource_updated(AnyUrl("note://a"))
    return f"{len(subscribed)} subscribed"


@server.tool()
async def grow(ctx: Context) -> str:
    """Define a tool and tell."""
    server.add_tool(shout, name="late")
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


lowlevel = server._mcp_server


@lowlevel.subscribe_resource()
async def subscribe(uri: AnyUrl) -> None:
    """Remember."""
    subscribed.add(str(uri))


@lowlevel.unsubscribe_resource()
async def unsubscribe(uri: AnyUrl) -> None:
    """Forget."""
    subscribed.discard(str(uri))


@lowlevel.set_logging_level()
async def set_level(level: types.LoggingLevel) -> None:
    """Accept; this SDK leaves the choice of messages to the author."""


async def endpoint(websocket: WebSocket) -> None:
    """One connection."""
    async with websocket_server(websocket.scope, websocket.receive, websocket.send) as (read, write):
        await lowlevel.run(read, write, lowlevel.create_initialization_options())


if sys.argv[1:] == ["stdio"]:
    server.run("stdio")
elif __name__ == "__main__":
    app = server.streamable_http_app()
    app.router.routes.append(WebSocketRoute("/mcp", endpoint))
    serve(app, "server", ["mcp"], {})
