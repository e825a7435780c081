"""What is too long or too large for one result: cut or shrunk, said, linked, and read in slices."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pandas as pd
from PIL import Image
from plotly import graph_objects

import mcp_workbench as wb
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.versions import V2025_06_18
from tests.interaction.requirements import ERAS, requirement, versions
from tests.support.oracle import Message
from tests.support.stage import Stage, talking
from tests.support.talk import CLIENT, Talk, text_of

LONG = "".join(f"{number:05}\n" for number in range(5_000))


def link_of(result: Message, version: str) -> str:
    """The URI of the only link; a text before 2025-06-18."""
    if version < V2025_06_18:
        (line,) = [part["text"] for part in result["content"] if part.get("text", "").startswith("Resource result://")]
        uri: str = line.split()[1]
        return uri
    (link,) = [part for part in result["content"] if part["type"] == "resource_link"]
    assert link["uri"].startswith("result://")
    found: str = link["uri"]
    return found


async def read_all(talk: Talk, uri: str) -> str | bytes:
    """The whole of a document, slice by slice."""
    slices: list[Any] = []
    following: str | None = uri
    while following is not None:
        contents, *note = (await talk.result("resources/read", {"uri": following}))["contents"]
        slices.append(contents["text"] if "text" in contents else base64.b64decode(contents["blob"]))
        following = contents["_meta"].get("mcp-workbench/next")
        assert not note or (following is None) == note[0]["text"].endswith("These are the last.]")
        assert all(each["mimeType"] == "text/plain" for each in note)
    whole: str | bytes = type(slices[0])().join(slices)
    return whole


@requirement("tools-call-long")
@requirement("resources-read-result")
def test_a_long_text_is_cut_and_read_to_its_end(stage: Stage) -> None:
    @stage.workbench.tool
    def log() -> str:
        return LONG

    @stage.workbench.tool(max_chars=300)
    def thrifty() -> str:
        return LONG

    @stage.workbench.tool
    def numbers() -> dict[str, list[int]]:
        return {"n": list(range(10_000))}

    async def main(talk: Talk) -> None:
        result = await talk.called("log")
        shown = result["content"][0]["text"]
        uri = link_of(result, stage.version)
        assert 7_500 < len(shown) <= 8_000
        offset = int(shown.rpartition(f"More: {uri}?offset=")[2].removesuffix(".]"))
        assert shown.startswith(LONG[:offset] + "\n[Cut: ")
        assert await read_all(talk, uri) == LONG
        assert await read_all(talk, f"{uri}?offset={offset}&limit=9000") == LONG[offset:]

        assert len((await talk.called("thrifty"))["content"][0]["text"]) <= 400

        result = await talk.called("numbers")
        if stage.version >= V2025_06_18:
            assert result["structuredContent"] == {"n": list(range(10_000))}
        assert json.loads(await read_all(talk, link_of(result, stage.version))) == {"n": list(range(10_000))}

    stage.play(main)


@requirement("resources-read-result")
def test_a_long_result_exists_only_for_the_principal_whose_call_it_was(stage: Stage) -> None:
    @stage.workbench.tool
    def log() -> str:
        return LONG

    not_found = -32602 if stage.modern else -32002

    async def main(talk: Talk) -> None:
        uri = link_of(await talk.called("log"), stage.version)
        templates = (await talk.result("resources/templates/list"))["resourceTemplates"]
        assert "result://{name}{?offset,limit}" in [each["uriTemplate"] for each in templates]
        stage.workbench.tokens.add("bob")
        async with stage.client(principal="bob") as bob:
            assert (await bob.error("resources/read", {"uri": uri}))["code"] == not_found
            stage.workbench.tokens.revoke("bob")
        async with stage.client() as same:
            assert await read_all(same, uri) == LONG
        for wrong in ("result://_r99", "result://flights", f"{uri}/rows", "result://"):
            assert (await talk.error("resources/read", {"uri": wrong}))["code"] == not_found, wrong
        error = await talk.error("resources/read", {"uri": f"{uri}?ofset=3"})
        assert (error["code"], "Nearest: offset" in error["message"]) == (-32602, True)
        error = await talk.error("resources/read", {"uri": uri.replace("result", "df")})
        assert (error["code"], f"read it as {uri}" in error["message"]) == (not_found, True)

    stage.play(main)


@requirement("tools-call-large-image")
def test_a_large_image_is_sent_smaller_and_read_in_full(stage: Stage) -> None:
    image = Image.effect_noise((1_100, 1_000), 100)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")

    @stage.workbench.tool
    def picture() -> bytes:
        return buffer.getvalue()

    @stage.workbench.tool
    def both() -> list[Any]:
        return ["two:", buffer.getvalue(), image]

    async def main(talk: Talk) -> None:
        result = await talk.called("picture")
        shown, note, *_ = result["content"]
        assert (shown["type"], len(base64.b64decode(shown["data"])) <= 500_000) == ("image", True)
        assert note["text"].startswith("The image of 1,100 x 1,000 pixels, ")
        uri = link_of(result, stage.version)
        assert await read_all(talk, uri) == buffer.getvalue()
        part = (await talk.result("resources/read", {"uri": uri}))["contents"][0]
        assert part["mimeType"] == "application/octet-stream"
        several = await talk.called("both")
        assert [part["type"] for part in several["content"] if part["type"] == "image"] == ["image", "image"]
        assert "isError" not in several or not several["isError"]

    stage.play(main)


@requirement("tools-call-image")
@versions(*ERAS)
def test_pictures_plots_sounds_and_styles_are_what_a_model_can_read(stage: Stage) -> None:
    @stage.workbench.tool
    def look() -> list[Any]:
        plot: Any = graph_objects.Figure([graph_objects.Bar(y=[1, 2])], layout={"title": "<script>alert(1)</script>"})
        style: Any = pd.DataFrame({"a": ["<b>x</b>"]}).style
        return [Image.new("RGB", (4, 3)), plot, style, b"OggS\x00", Shown()]

    @stage.workbench.tool
    def report() -> dict[str, Any]:
        return {"title": "Delays", "plot": Image.new("L", (4, 3))}

    async def main(talk: Talk) -> None:
        content = (await talk.called("look"))["content"]
        assert [part["type"] for part in content] == ["image", "text", "resource_link", "text", "resource_link", "audio", "text"]
        assert content[1]["text"].splitlines()[:2] == ["A plotly figure: <script>alert(1)</script>", "1. bar: 2 points"]
        assert content[3]["text"].endswith("a\n<b>x</b>\n")
        assert content[6]["text"] == "words"
        assert not any("html" in part.get("mimeType", "") for part in content)
        named = (await talk.called("report"))["content"]
        assert [part.get("text", part["type"]) for part in named] == ["title:", "Delays", "plot:", "image"]

    stage.play(main)


class Shown:
    """As many libraries' objects are in a notebook."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": "<p>words</p><script>alert(1)</script>", "text/plain": "<Shown at 0x7f>"}


@requirement("tools-call-budget")
@versions(*ERAS)
def test_how_much_text_a_result_has_follows_the_clients_name(stage: Stage) -> None:
    @stage.workbench.tool
    def log() -> str:
        return LONG

    @stage.workbench.tool
    def table() -> pd.DataFrame:
        return pd.DataFrame({"n": range(100_000)})

    @stage.workbench.tool(max_chars=1_000)
    def brief() -> str:
        return LONG

    async def main(talk: Talk) -> None:
        for name, chars in (
            ("claude-code", 20_000),
            ("codex-mcp-client", 20_000),
            ("Cline", 7_500),
            ("qwen-code", 24_000),
            ("curl", 8_000),
        ):
            info = {"name": name, "version": "1"}
            async with talking(stage.workbench, stage.version, transport=stage.transport, opened=False) as client:
                meta = {wire.META_CLIENT_INFO: info} if stage.modern else {}
                if not stage.modern:
                    await client.result("initialize", {"protocolVersion": stage.version, "capabilities": {}, "clientInfo": info})
                    client.notify("notifications/initialized")
                for tool, most in (("log", chars), ("table", chars), ("brief", 1_000)):
                    result = await client.result("tools/call", {"name": tool, "arguments": {}}, **meta)
                    assert 0.9 * most - 250 < len(text_of(result)) <= most, (name, tool)
                uri = next(part["uri"] for part in result["content"] if part["type"] == "resource_link")
                part = (await client.result("resources/read", {"uri": uri}, **meta))["contents"][0]["text"]
                assert len(part) == chars
        assert len(text_of(await talk.called("log"))) <= 8_000, CLIENT

    stage.play(main)


@requirement("tools-call-long")
@versions(*ERAS)
def test_a_connection_that_takes_little_is_sent_little(stage: Stage) -> None:
    image = Image.effect_noise((300, 300), 100)

    @stage.workbench.tool(max_chars=100_000)
    def much() -> list[Any]:
        return [image, LONG]

    @stage.workbench.tool
    def text() -> str:
        return "\U0001f600" * 5_000

    async def main(talk: Talk) -> None:
        content = (await talk.called("much"))["content"]
        assert [part["type"] for part in content] == ["image", "text", "resource_link", "text", "resource_link"]
        assert await read_all(talk, content[-1]["uri"]) == LONG
        result = await talk.called("text")
        assert await read_all(talk, link_of(result, stage.version)) == "\U0001f600" * 5_000

    stage.play(main, limits=wb.Limits(max_result_bytes=16_000))
