"""What people type, in both eras, against a scripted server."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from mcp_workbench.client import connect
from mcp_workbench.client.handlers import Handlers
from mcp_workbench.client.session import MAX_PAGES
from mcp_workbench.errors import LocalProtocolError, PeerError, RemoteProtocolError
from mcp_workbench.events import Era
from mcp_workbench.jsonrpc import ErrorCode, encode
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from tests.client.scripted import Answer, Listener, said

ERAS = pytest.mark.parametrize("era", ["legacy", "modern"])


@ERAS
def test_a_tool_is_called_with_keywords_or_a_mapping(era: Any) -> None:
    def answer(exchange: Exchange) -> Answer:
        return said(f"{exchange.params.name} {sorted(exchange.params.arguments.items())}", structured_content={"n": 3})

    async def main() -> None:
        async with asyncio.timeout(5), connect(Listener(answer), era=era) as session:
            result = await session.call_tool("top_routes", n=3)
            assert result.text == "top_routes [('n', 3)]"
            assert result.structured == {"n": 3}
            assert not result.is_error
            result = await session.call_tool("top_routes", {"timeout_s": 1, "name": "x"}, n=3)
            assert result.text == "top_routes [('n', 3), ('name', 'x'), ('timeout_s', 1)]"
            with pytest.raises(TypeError, match="argument n is given twice"):
                await session.call_tool("top_routes", {"n": 1}, n=3)

    asyncio.run(main())


@ERAS
def test_an_argument_that_is_not_json_leaves_nothing_open(era: Any) -> None:
    async def main() -> None:
        listen = Listener(lambda exchange: said("ok"))
        async with asyncio.timeout(5), connect(listen, era=era) as session:
            with pytest.raises(TypeError):
                await session.call_tool("t", x=object())
            with pytest.raises(ValueError, match="surrogates"):
                await session.call_tool("t", x="\ud800")
            assert not list(session._conversation.peer.awaited)
            assert (await session.call_tool("t")).text == "ok"

    asyncio.run(main())


@ERAS
def test_the_servers_refusal_is_a_peer_error_with_code_and_data(era: Any) -> None:
    def answer(exchange: Exchange) -> Answer:
        return RemoteProtocolError(ErrorCode.INVALID_PARAMS, "Unknown tool", {"nearest": "add"})

    async def main() -> None:
        async with asyncio.timeout(5), connect(Listener(answer), era=era) as session:
            with pytest.raises(PeerError, match="Unknown tool") as caught:
                await session.call_tool("ad")
            assert (caught.value.code, caught.value.data) == (-32602, {"nearest": "add"})

    asyncio.run(main())


@ERAS
def test_lists_follow_every_page(era: Any) -> None:
    def answer(exchange: Exchange) -> Answer:
        page = int(exchange.params.cursor or 0)
        names = [f"{page}-{number}" for number in range(2)]
        cursor: dict[str, Any] = {"next_cursor": str(page + 1)} if page < 2 else {}
        listings: dict[str, Callable[[], wire.Result]] = {
            "tools/list": lambda: wire.ListToolsResult(tools=[wire.Tool(name=name, input_schema={}) for name in names], **cursor),
            "resources/list": lambda: wire.ListResourcesResult(
                resources=[wire.Resource(uri=f"df://{name}", name=name) for name in names], **cursor
            ),
            "resources/templates/list": lambda: wire.ListResourceTemplatesResult(
                resource_templates=[wire.ResourceTemplate(uri_template="df://{x}", name=name) for name in names], **cursor
            ),
            "prompts/list": lambda: wire.ListPromptsResult(prompts=[wire.Prompt(name=name) for name in names], **cursor),
        }
        return listings[exchange.method]()

    async def main() -> None:
        expected = ["0-0", "0-1", "1-0", "1-1", "2-0", "2-1"]
        async with asyncio.timeout(5), connect(Listener(answer), era=era) as session:
            assert [tool.name for tool in await session.list_tools()] == expected
            assert [resource.name for resource in await session.list_resources()] == expected
            assert [template.name for template in await session.list_resource_templates()] == expected
            assert [prompt.name for prompt in await session.list_prompts()] == expected

    asyncio.run(main())


def test_a_list_that_repeats_its_cursor_or_never_ends_is_an_error() -> None:
    def endless(exchange: Exchange) -> Answer:
        return wire.ListToolsResult(tools=[], next_cursor=str(int(exchange.params.cursor or 0) + 1))

    async def main() -> None:
        stuck = Listener(lambda exchange: wire.ListToolsResult(tools=[], next_cursor="x"))
        async with asyncio.timeout(5), connect(stuck) as session:
            with pytest.raises(RemoteProtocolError, match="repeats its cursor"):
                await session.list_tools()
        listen = Listener(endless)
        async with asyncio.timeout(5), connect(listen) as session:
            with pytest.raises(RemoteProtocolError, match="more than 1,000 pages"):
                await session.list_tools()
            assert len(listen.server.sent("tools/list")) == MAX_PAGES

    asyncio.run(main())


def test_a_null_cursor_ends_the_list() -> None:
    async def main() -> None:
        async with asyncio.timeout(5), connect(Listener(lambda exchange: b'{"tools":[],"nextCursor":null}')) as session:
            assert await session.list_tools() == []

    asyncio.run(main())


@pytest.mark.parametrize("raw", [b"{}", b'{"tools":{}}', b'{"tools":[{"name":1}]}', b'{"tools":[],"nextCursor":7}'])
def test_a_result_of_the_wrong_shape_is_the_servers_fault(raw: bytes) -> None:
    async def main() -> None:
        async with asyncio.timeout(5), connect(Listener(lambda exchange: raw), era="legacy") as session:
            with pytest.raises(RemoteProtocolError, match="tools/list has the wrong shape"):
                await session.list_tools()

    asyncio.run(main())


@ERAS
def test_reading_prompts_and_completion(era: Any) -> None:
    def answer(exchange: Exchange) -> Answer:
        params = exchange.params
        if exchange.method == "resources/read":
            return wire.ReadResourceResult(contents=[wire.ResourceContents(uri=params.uri, text="[1]")])
        if exchange.method == "prompts/get":
            content = wire.TextContent(text=encode(params.arguments).decode())
            return wire.GetPromptResult(messages=[wire.PromptMessage(role="user", content=content)])
        return wire.CompleteResult(
            completion=wire.CompletionValues(values=[type(params.ref).__name__, encode(params.context or None).decode()])
        )

    async def main() -> None:
        async with asyncio.timeout(5), connect(Listener(answer), era=era) as session:
            assert (await session.read_resource("df://flights")).json() == [1]
            prompt = await session.get_prompt("report", name="x", rows=3, wide=True)
            assert prompt.messages[0].content == wire.TextContent(text='{"name":"x","rows":"3","wide":"true"}')
            values = await session.complete("report", "style", "br", context={"a": "b"})
            assert values.values == ["PromptReference", '{"arguments":{"a":"b"}}']
            assert (await session.complete("df://{name}", "name", "fl", {})).values[0] == "TemplateReference"
            assert (await session.complete(wire.TemplateReference(uri="x"), "name", "")).values[0] == "TemplateReference"

    asyncio.run(main())


def test_ping_is_legacy_only() -> None:
    async def main() -> None:
        async with asyncio.timeout(5), connect(Listener(), era="legacy") as session:
            await session.ping()
        async with asyncio.timeout(5), connect(Listener()) as session:
            with pytest.raises(LocalProtocolError, match="has no ping"):
                await session.ping()

    asyncio.run(main())


def test_the_log_level_goes_to_a_legacy_server_once() -> None:
    async def main() -> None:
        listen = Listener(lambda exchange: wire.EmptyResult())
        async with asyncio.timeout(5), connect(listen, era="legacy") as session:
            await session.set_log_level("debug")
            assert listen.server.sent("logging/setLevel")[0]["params"] == {"level": "debug"}

    asyncio.run(main())


def test_the_log_level_goes_along_with_each_modern_request() -> None:
    async def main() -> None:
        listen = Listener(lambda exchange: said(str(exchange.log_level)))
        async with asyncio.timeout(5), connect(listen) as session:
            assert (await session.call_tool("t")).text == "None"
            assert (await session.call_tool("t", log_level="info")).text == "info"
            await session.set_log_level("debug")
            assert (await session.call_tool("t")).text == "debug"
            assert (await session.call_tool("t", log_level="error")).text == "error"

    asyncio.run(main())


@ERAS
def test_log_messages_reach_on_log_in_order(era: Any) -> None:
    async def main() -> None:
        got: list[Any] = []
        listen: Listener

        def answer(exchange: Exchange) -> Answer:
            for number in range(3):
                listen.server.send(listen.server.peer.log(exchange, "warning", {"n": number}, "lib"))
            return said("done")

        listen = Listener(answer)
        async with asyncio.timeout(5), connect(listen, era=era, on_log=got.append) as session:
            await session.call_tool("t", log_level="info")
        assert [(entry.level, entry.data, entry.logger) for entry in got] == [("warning", {"n": number}, "lib") for number in range(3)]

    asyncio.run(main())


@ERAS
def test_progress_is_delivered_before_the_call_returns(era: Any) -> None:
    async def main() -> None:
        got: list[tuple[float, float | None, str | None]] = []
        listen: Listener

        def answer(exchange: Exchange) -> Answer:
            listen.server.send(listen.server.peer.progress(exchange, 1, 2, "half"))
            listen.server.send(listen.server.peer.progress(exchange, 2))
            return said("done")

        async def on_progress(progress: float, total: float | None, message: str | None) -> None:
            await asyncio.sleep(0)
            got.append((progress, total, message))

        listen = Listener(answer)
        async with asyncio.timeout(5), connect(listen, era=era) as session:
            await session.call_tool("t", on_progress=on_progress)
            assert got == [(1, 2, "half"), (2, None, None)]
            await session.call_tool("t")
            assert len(got) == 2

    asyncio.run(main())


def test_a_raising_progress_handler_is_logged_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        listen: Listener

        def answer(exchange: Exchange) -> Answer:
            listen.server.send(listen.server.peer.progress(exchange, 1))
            return said("done")

        listen = Listener(answer)
        async with asyncio.timeout(5), connect(listen) as session:
            assert (await session.call_tool("t", on_progress=lambda *report: 1 / 0)).text == "done"

    asyncio.run(main())
    assert "on_progress failed" in caplog.text


@ERAS
def test_any_request_may_be_sent_raw(era: Any) -> None:
    async def main() -> None:
        async with asyncio.timeout(5), connect(Listener(lambda exchange: said("raw")), era=era) as session:
            result = await session.request("tools/call", {"name": "t"})
            assert result["content"] == [{"type": "text", "text": "raw"}]
            with pytest.raises(PeerError) as caught:
                await session.request("no/such")
            assert caught.value.code == -32601

    asyncio.run(main())


def test_a_handler_set_later_is_declared_in_the_modern_era() -> None:
    async def main() -> None:
        listen = Listener(lambda exchange: said("ok"))
        async with asyncio.timeout(5), connect(listen) as session:
            await session.call_tool("t")
            session.on_elicit = lambda request: "decline"
            await session.call_tool("t")
        declared = [message["params"]["_meta"][wire.META_CAPABILITIES] for message in listen.server.sent("tools/call")]
        tasks: dict[str, wire.Json] = {"extensions": {wire.TASKS: {}}}
        assert declared == [tasks, tasks | {"elicitation": {"form": {}}}]

    asyncio.run(main())


def test_a_handler_set_later_in_the_legacy_era_warns_unless_one_was_declared() -> None:
    async def main() -> None:
        async with asyncio.timeout(5), connect(Listener(), era="legacy", on_sample=lambda request: "x") as session:
            session.on_sample = lambda request: "y"
            with pytest.warns(UserWarning, match="not told of on_elicit"):
                session.on_elicit = lambda request: {}
            with pytest.warns(UserWarning, match="not told of on_roots"):
                session.on_roots = list
            assert session.on_sample is not None
            assert session.on_elicit is not None
            assert session.on_roots is list

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(main())


def test_a_timeout_must_be_positive() -> None:
    async def main() -> None:
        async with asyncio.timeout(5), connect(Listener()) as session:
            with pytest.raises(ValueError, match="more than 0"):
                await session.call_tool("t", timeout_s=0)

    asyncio.run(main())


def test_its_repr_names_the_server_and_says_whether_it_is_closed() -> None:
    async def main() -> None:
        async with asyncio.timeout(5), connect(Listener()) as session:
            assert repr(session) == "<ClientSession with scripted, modern 2026-07-28>"
        assert repr(session).endswith(", closed>")
        assert session.era is Era.MODERN

    asyncio.run(main())


def test_a_broken_or_absent_name_of_the_server_is_no_name() -> None:
    async def main(meta: bytes) -> None:
        def intercept(server: Any, message: dict[str, Any]) -> bool:
            result = b'{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{},"_meta":%b}' % meta
            server.send(b'{"jsonrpc":"2.0","id":%d,"result":%b}' % (message["id"], result))
            return True

        async with asyncio.timeout(5), connect(Listener(intercept=intercept)) as session:
            assert session.server_info is None
            assert session.instructions is None
            assert "unnamed" in repr(session)

    for meta in (b"{}", b'{"io.modelcontextprotocol/serverInfo":{"name":1}}', b'{"io.modelcontextprotocol/serverInfo":null}'):
        asyncio.run(main(meta))


class Deaf:
    """Answers nothing in the place of a session's functions."""

    def capabilities(self) -> wire.ClientCapabilities:
        return wire.ClientCapabilities(roots={})

    async def answer(self, method: str, params: dict[str, Any]) -> wire.Result:
        raise RemoteProtocolError(-32603, "deaf")


def test_another_answers_for_a_while_and_the_functions_are_back_then() -> None:
    given: list[Handlers] = []

    def deaf(own: Handlers) -> Deaf:
        given.append(own)
        return Deaf()

    async def main() -> None:
        listen = Listener(lambda exchange: said("ok"))
        async with asyncio.timeout(5), connect(listen, on_elicit=lambda request: "decline", tasks=False) as session:
            with session.answered_by(deaf):
                await session.call_tool("t")
            await session.call_tool("t")
        declared = [message["params"]["_meta"][wire.META_CAPABILITIES] for message in listen.server.sent("tools/call")]
        assert declared == [{"roots": {}}, {"elicitation": {"form": {}}}]
        assert [(own.can("elicitation/create"), own.instead) for own in given] == [(True, None)]

    asyncio.run(main())


def test_what_it_may_be_asked_was_told_in_the_handshake_or_is_told_with_each_request() -> None:
    async def main() -> None:
        opening = connect(Listener(), era="legacy")
        opening.answered_by(lambda own: Deaf())
        async with asyncio.timeout(5), opening as legacy, connect(Listener()) as modern:
            asked = ("roots/list", "elicitation/create", "no/such")
            assert [legacy.may_be_asked(method) for method in asked] == [True, False, False]
            assert [modern.may_be_asked(method) for method in asked] == [True, True, False]

    asyncio.run(main())
