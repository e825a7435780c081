"""Listing and calling tools."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel, Field

import mcp_workbench as wb
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.versions import V2024_11_05, V2025_06_18, V2025_11_25
from tests.interaction.requirements import MODERN, STRUCTURED, UNSTRUCTURED, requirement, versions
from tests.support.stage import Stage
from tests.support.talk import Talk, text_of

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@requirement("tools-list")
def test_tools_are_listed_in_order_with_schema_and_description(stage: Stage) -> None:
    @stage.workbench.tool(title="Second", read_only=True)
    def zeta(city: str, days: int = 3) -> str:
        """Forecast.

        Args:
            city: Where.
            days: How many.
        """
        return city * days

    @stage.workbench.tool
    def alpha() -> None:
        """Nothing."""

    async def main(talk: Talk) -> None:
        listed = (await talk.result("tools/list"))["tools"]
        assert [tool["name"] for tool in listed] == ["alpha", "zeta"]
        schema = listed[1]["inputSchema"]
        assert listed[1]["description"].startswith("Forecast.")
        assert (schema["type"], schema["required"]) == ("object", ["city"])
        assert schema["properties"]["days"] | {"type": "integer", "default": 3, "description": "How many."} == schema["properties"]["days"]
        assert listed[1]["annotations"]["readOnlyHint"] is True
        assert (await talk.result("tools/list"))["tools"] == listed

    stage.play(main)


@requirement("tools-list-changed")
@requirement("prompts-list-changed")
@requirement("resources-list-changed")
def test_what_comes_and_goes_is_announced_to_who_wants_to_know(stage: Stage) -> None:
    workbench = stage.workbench

    def thing() -> str:
        return "x"

    async def main(talk: Talk) -> None:
        if stage.modern:
            wanted = {"toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True}
            talk.ask("subscriptions/listen", {"notifications": wanted})
            await talk.news("notifications/subscriptions/acknowledged")
        for method, register in (
            ("notifications/tools/list_changed", workbench.tool),
            ("notifications/prompts/list_changed", workbench.prompt),
            ("notifications/resources/list_changed", workbench.resource("thing://x")),
        ):
            register(thing)
            await talk.news(method)
            register(thing)
            workbench.unpublish("thing")
            await talk.news(method)
            await talk.fence()
            assert talk.inbox == [], "the same definition again is no news"

    stage.play(main)


@requirement("tools-call-text")
@requirement("tools-call-none")
def test_text_is_text_and_nothing_is_a_sentence(stage: Stage) -> None:
    @stage.workbench.tool
    def greet(name: str) -> str:
        return f"hello {name} \u2028 \U0001f600"

    @stage.workbench.tool
    def rest() -> None:
        return None

    async def main(talk: Talk) -> None:
        result = await talk.called("greet", name="<b>")
        assert [item["type"] for item in result["content"]] == ["text"]
        assert text_of(result) == "hello <b> \u2028 \U0001f600"
        assert not result.get("isError", False)
        assert text_of(await talk.called("rest")) == "Done, no result."

    stage.play(main)


@requirement("tools-call-image")
def test_image_bytes_are_an_image(stage: Stage) -> None:
    @stage.workbench.tool
    def dot() -> bytes:
        return PNG

    async def main(talk: Talk) -> None:
        [image] = (await talk.called("dot"))["content"]
        assert (image["type"], image["mimeType"], base64.b64decode(image["data"])) == ("image", "image/png", PNG)

    stage.play(main)


@requirement("tools-call-audio")
def test_audio_is_audio_where_the_revision_knows_it(stage: Stage) -> None:
    @stage.workbench.tool
    def beep() -> wire.AudioContent:
        return wire.AudioContent(data="AAAA", mime_type="audio/wav")

    async def main(talk: Talk) -> None:
        [sound] = (await talk.called("beep"))["content"]
        if stage.version == V2024_11_05:
            assert "audio/wav" in sound["text"]
        else:
            assert (sound["type"], sound["data"]) == ("audio", "AAAA")

    stage.play(main)


@requirement("tools-call-embedded")
@requirement("tools-call-link")
@requirement("tools-call-mixed")
def test_contents_of_several_kinds_keep_their_order(stage: Stage) -> None:
    @stage.workbench.tool
    def report() -> list[Any]:
        return [
            "see",
            wire.EmbeddedResource(resource=wire.ResourceContents(uri="note://1", mime_type="text/plain", text="note")),
            wire.ResourceLink(uri="df://flights", name="flights", description="all of it"),
            wire.ImageContent(data=base64.b64encode(PNG).decode(), mime_type="image/png"),
        ]

    async def main(talk: Talk) -> None:
        first, embedded, link, image = (await talk.called("report"))["content"]
        assert first["text"] == "see"
        assert embedded["resource"] == {"uri": "note://1", "mimeType": "text/plain", "text": "note"}
        assert image["type"] == "image"
        if stage.version < V2025_06_18:
            assert (link["type"], "df://flights" in link["text"]) == ("text", True)
        else:
            assert (link["type"], link["uri"]) == ("resource_link", "df://flights")

    stage.play(main)


@requirement("tools-call-async")
def test_coroutines_and_inline_functions_are_called_like_any_other(stage: Stage) -> None:
    places: dict[str, str] = {}

    @stage.workbench.tool
    async def slowly(n: int) -> int:
        places["async"] = threading.current_thread().name
        return n + 1

    @stage.workbench.tool(run_on="inline")
    def quickly(n: int) -> int:
        places["inline"] = threading.current_thread().name
        return n + 2

    @stage.workbench.tool
    def plainly(n: int) -> int:
        places["thread"] = threading.current_thread().name
        return n + 3

    async def main(talk: Talk) -> None:
        assert [text_of(await talk.called(name, n=1)) for name in ("slowly", "quickly", "plainly")] == ["2", "3", "4"]
        assert places["async"] == "mcp-async-tools"
        assert places["inline"] == "mcp-workbench"
        assert places["thread"].startswith("mcp-tool-")

    stage.play(main)


def _totals(stage: Stage) -> None:
    @stage.workbench.tool
    def totals() -> dict[str, int]:
        return {"a": 1, "b": 2}


@requirement("tools-structured")
@versions(*STRUCTURED)
def test_a_promised_object_is_structured_and_told_as_text_too(stage: Stage) -> None:
    _totals(stage)

    async def main(talk: Talk) -> None:
        [tool] = (await talk.result("tools/list"))["tools"]
        assert tool["outputSchema"]["type"] == "object"
        result = await talk.called("totals")
        assert result["structuredContent"] == {"a": 1, "b": 2}
        assert text_of(result) == '{"a":1,"b":2}'

    stage.play(main)


@requirement("tools-unstructured")
@versions(*UNSTRUCTURED)
def test_older_clients_get_the_object_as_text_alone(stage: Stage) -> None:
    _totals(stage)

    async def main(talk: Talk) -> None:
        result = await talk.called("totals")
        assert "structuredContent" not in result
        assert text_of(result) == '{"a":1,"b":2}'

    stage.play(main)


@requirement("tools-structured-any")
@versions(*MODERN)
def test_a_promised_array_is_wrapped_as_its_schema_says(stage: Stage) -> None:
    @stage.workbench.tool
    def primes() -> list[int]:
        return [2, 3, 5]

    async def main(talk: Talk) -> None:
        [tool] = (await talk.result("tools/list"))["tools"]
        assert tool["outputSchema"]["required"] == ["result"]
        assert (await talk.called("primes"))["structuredContent"] == {"result": [2, 3, 5]}

    stage.play(main)


@requirement("tools-errors")
def test_a_function_that_raises_is_a_sentence(stage: Stage) -> None:
    @stage.workbench.tool
    def fail() -> None:
        raise ValueError("no such month: 13")

    @stage.workbench.tool
    def explain() -> None:
        raise wb.ToolError("Ask for months 1 to 12.")

    @stage.workbench.tool
    async def fail_later() -> None:
        raise KeyError("x")

    async def main(talk: Talk) -> None:
        failed, explained, later = [await talk.called(name) for name in ("fail", "explain", "fail_later")]
        assert [result["isError"] for result in (failed, explained, later)] == [True] * 3
        assert text_of(failed).startswith("ValueError: no such month: 13 (in fail, line ")
        assert text_of(explained) == "Ask for months 1 to 12."
        assert text_of(later).startswith("KeyError: 'x' (in fail_later, line ")
        records = [record for record in stage.workbench.telemetry.calls() if record.target in ("fail", "explain", "fail_later")]
        parts = [(record.wait_ns, record.run_ns, record.send_ns) for record in records]
        assert [sum(part or 0 for part in each) for each in parts] == [record.total_ns for record in records]
        assert all(part is not None for each in parts for part in each)
        assert "Traceback" not in text_of(failed)
        assert ".py" not in text_of(failed)

    stage.play(main)


@requirement("tools-arguments")
def test_wrong_arguments_are_explained(stage: Stage) -> None:
    ran = []

    @stage.workbench.tool
    def add(a: int, b: int, ctx: wb.Context) -> int:
        ran.append(ctx.call_id)
        return a + b

    async def main(talk: Talk) -> None:
        for arguments in (
            {},
            {"a": 1},
            {"a": "one", "b": 2},
            {"a": 1, "b": None},
            {"a": 1, "b": 2, "c": 3},
            {"a": 1, "b": 2, "ctx": {}},
            {"a": 1, "b": 2, "__class__": "x"},
            {"a": 1, "b": 2, "": 0},
        ):
            result = await talk.result("tools/call", {"name": "add", "arguments": arguments})
            assert (result["isError"], "Expected: add(a: int, b: int)" in text_of(result)) == (True, True), text_of(result)
        assert ran == []
        assert text_of(await talk.called("add", a=1, b=2)) == "3"

    stage.play(main)


@requirement("tools-unknown")
def test_an_unknown_tool_is_an_error_that_names_the_nearest(stage: Stage) -> None:
    @stage.workbench.tool
    def forecast() -> None: ...

    async def main(talk: Talk) -> None:
        error = await talk.error("tools/call", {"name": "forcast", "arguments": {}})
        assert error["code"] == -32602
        assert "Unknown tool: forcast. Nearest: forecast." in error["message"]
        stage.workbench.unpublish("forecast")
        assert (await talk.error("tools/call", {"name": "forecast"}))["code"] == -32602

    stage.play(main)


@requirement("tools-concurrent")
def test_calls_are_answered_as_they_finish(stage: Stage) -> None:
    gates = [threading.Event() for _ in range(3)]

    @stage.workbench.tool
    def wait(n: int) -> int:
        gates[n].wait()
        return n

    async def main(talk: Talk) -> None:
        asked = [talk.call("wait", n=number) for number in range(3)]
        for number in (2, 0, 1):
            gates[number].set()
            assert text_of((await talk.answer(asked[number]))["result"]) == str(number)

    stage.play(main)


@requirement("tools-backlog")
def test_calls_past_those_that_may_run_wait_and_are_answered(stage: Stage) -> None:
    release = threading.Event()

    @stage.workbench.tool
    def wait(n: int) -> int:
        release.wait()
        return n

    async def main(talk: Talk) -> None:
        asked = [talk.call("wait", n=number) for number in range(9)]
        await talk.fence()
        [session] = stage.workbench.sessions
        assert (session.queues["running"], session.queues["backlog"]) == (2, 7)
        release.set()
        assert [text_of((await talk.answer(request_id))["result"]) for request_id in asked] == [str(number) for number in range(9)]

    stage.play(main, limits=wb.Limits(running_calls=2))


@requirement("tools-names")
def test_names_are_plain_unique_and_told_as_they_are(stage: Stage) -> None:
    def nothing() -> None: ...

    for name in ("", " ", "a b", "a,b", "a/b", "é", "x" * 129):
        with pytest.raises(wb.RegistrationError):
            stage.workbench.tool(name=name)(nothing)
    good = ["A-b_c.9", "a-b_c.9", "x" * 128]
    for name in good:
        stage.workbench.tool(name=name)(nothing)

    async def main(talk: Talk) -> None:
        assert [tool["name"] for tool in (await talk.result("tools/list"))["tools"]] == good
        assert text_of(await talk.called("a-b_c.9")) == "Done, no result."
        assert (await talk.error("tools/call", {"name": "a-B_c.9"}))["code"] == -32602

    stage.play(main)


ICONS_OFFERED = [{"src": "https://example.org/icon.png", "mimeType": "image/png", "sizes": ["48x48"]}]


@requirement("tools-described")
@requirement("prompts-described")
@requirement("resources-described")
def test_what_describes_is_told_from_the_revision_on_that_knows_it(stage: Stage) -> None:
    workbench = stage.workbench

    @workbench.tool(title="A title", icons=ICONS_OFFERED, annotations={"idempotentHint": True}, read_only=False, destructive=False)
    def thing() -> str:
        return "x"

    workbench.prompt(title="A title", icons=ICONS_OFFERED)(thing)
    workbench.resource("thing://x", title="A title", icons=ICONS_OFFERED)(thing)
    workbench.resource("thing://{name}", name="things", title="A title", icons=ICONS_OFFERED)(lambda name: name)

    async def main(talk: Talk) -> None:
        for kind, key in (
            ("tools", "tools"),
            ("prompts", "prompts"),
            ("resources", "resources"),
            ("resources/templates", "resourceTemplates"),
        ):
            entries = (await talk.result(f"{kind}/list"))[key]
            [entry] = [entry for entry in entries if entry["name"] in ("thing", "things")]
            # A revision that does not know a member has clients that skip it: what must be there is what it knows.
            if stage.version >= V2025_06_18:
                assert entry["title"] == "A title", kind
            if stage.version >= V2025_11_25:
                assert entry["icons"] == ICONS_OFFERED, kind
            if kind == "tools" and stage.version > V2024_11_05:
                hints = {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True}
                assert hints.items() <= entry["annotations"].items()

    stage.play(main)


class Stop(BaseModel):
    """Where a journey goes."""

    city: str
    nights: Annotated[int, Field(ge=1)]


@requirement("tools-schema")
def test_schemas_are_of_2020_12_and_what_is_promised_is_kept(stage: Stage) -> None:
    @stage.workbench.tool
    def nothing() -> None: ...

    @stage.workbench.tool
    def journey(
        stops: list[Stop],
        mode: Literal["train", "bus"] = "train",
        limit: Annotated[float, Field(gt=0)] | None = None,
        names: dict[str, tuple[int, str]] | None = None,
    ) -> Stop:
        return stops[0]

    async def main(talk: Talk) -> None:
        tools = (await talk.result("tools/list"))["tools"]
        for schema in [tool[key] for tool in tools for key in ("inputSchema", "outputSchema") if key in tool]:
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
            assert schema.get("$schema", "https://json-schema.org/draft/2020-12/schema").endswith("2020-12/schema")
            assert "://" not in str([value for key, value in _pairs(schema) if key == "$ref"]), "nothing is to be fetched"
        [journey] = [tool for tool in tools if tool["name"] == "journey"]
        arguments = {"stops": [{"city": "Oslo", "nights": 2}]}
        jsonschema.validate(arguments, journey["inputSchema"])
        result = await talk.called("journey", **arguments)
        if stage.version in STRUCTURED:
            jsonschema.validate(result["structuredContent"], journey["outputSchema"])

    stage.play(main)


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object in it."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield key, member
            yield from _pairs(member)
    elif isinstance(value, list):
        for member in value:
            yield from _pairs(member)


def _with_header(header: Any, kind: Any = str) -> Any:
    return Annotated[kind, Field(json_schema_extra={"x-mcp-header": header})]


@requirement("tools-header")
@versions(*MODERN)
def test_a_header_for_which_clients_would_leave_the_tool_out_is_refused(stage: Stage) -> None:
    def offer(**annotations: Any) -> None:
        def place(a: str, b: str = "") -> None: ...

        place.__annotations__ = annotations | {"return": None}
        stage.workbench.tool(place)

    for wrong in ("", "a b", "a\r\nX: y", "é", 7):
        with pytest.raises(wb.RegistrationError, match="place: x-mcp-header is not as 2026-07-28 wants it"):
            offer(a=_with_header(wrong), b=str)
    for kind in (float, list[str], str | None, dict[str, int]):
        with pytest.raises(wb.RegistrationError, match="clients would leave the tool out"):
            offer(a=_with_header("Region", kind), b=str)
    with pytest.raises(wb.RegistrationError, match="each one once"):
        offer(a=_with_header("Region"), b=_with_header("region"))
    offer(a=_with_header("Region"), b=_with_header("Zone"))

    async def main(talk: Talk) -> None:
        [tool] = (await talk.result("tools/list"))["tools"]
        assert tool["inputSchema"]["properties"]["a"]["x-mcp-header"] == "Region"

    stage.play(main)
