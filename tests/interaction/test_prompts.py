"""Prompts and completion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from mcp_workbench.protocol import wire
from mcp_workbench.protocol.versions import V2024_11_05
from tests.interaction.requirements import requirement
from tests.support.stage import Stage
from tests.support.talk import Talk


def _prompt(name: str) -> dict[str, str]:
    return {"type": "ref/prompt", "name": name}


@requirement("prompts-list")
@requirement("prompts-get")
def test_a_prompt_is_listed_with_its_arguments_and_filled(stage: Stage) -> None:
    @stage.workbench.prompt
    def review(table: str, rows: int = 5) -> str:
        """Review a table.

        Args:
            table: Which.
        """
        return f"Review {rows} rows of {table}."

    async def main(talk: Talk) -> None:
        [listed] = (await talk.result("prompts/list"))["prompts"]
        assert (listed["name"], listed["description"]) == ("review", "Review a table.")
        assert [(each["name"], each.get("required", False)) for each in listed["arguments"]] == [("table", True), ("rows", False)]
        got = await talk.result("prompts/get", {"name": "review", "arguments": {"table": "flights", "rows": "7"}})
        assert got["messages"] == [{"role": "user", "content": {"type": "text", "text": "Review 7 rows of flights."}}]

    stage.play(main)


@requirement("prompts-messages")
def test_messages_keep_their_roles_and_contents(stage: Stage) -> None:
    @stage.workbench.prompt
    async def dialogue() -> list[Any]:
        return [
            ("user", "Who?"),
            ("assistant", "Me."),
            wire.ImageContent(data="AAAA", mime_type="image/png"),
            wire.AudioContent(data="AAAA", mime_type="audio/wav"),
            wire.EmbeddedResource(resource=wire.ResourceContents(uri="note://1", mime_type="text/plain", text="note")),
        ]

    async def main(talk: Talk) -> None:
        messages = (await talk.result("prompts/get", {"name": "dialogue"}))["messages"]
        kinds = [(each["role"], each["content"]["type"]) for each in messages]
        sound = "text" if stage.version == V2024_11_05 else "audio"
        assert kinds == [("user", "text"), ("assistant", "text"), ("user", "image"), ("user", sound), ("user", "resource")]
        assert messages[4]["content"]["resource"] == {"uri": "note://1", "mimeType": "text/plain", "text": "note"}

    stage.play(main)


@requirement("prompts-unknown")
def test_an_unknown_prompt_and_a_missing_argument_are_invalid_params(stage: Stage) -> None:
    @stage.workbench.prompt
    def review(table: str) -> str:
        return table

    async def main(talk: Talk) -> None:
        assert (await talk.error("prompts/get", {"name": "reviews"}))["code"] == -32602
        error = await talk.error("prompts/get", {"name": "review"})
        assert (error["code"], "table" in error["message"]) == (-32602, True)
        assert (await talk.error("prompts/get", {"name": "review", "arguments": {"table": "a", "more": "b"}}))["code"] == -32602

    stage.play(main)


@requirement("completion-choices")
@requirement("completion-completer")
@requirement("completion-template")
def test_arguments_are_completed(stage: Stage) -> None:
    def cities(prefix: str, context: Mapping[str, str]) -> list[str]:
        return ["Paris", "Pau"] if context.get("country") == "FR" else ["Porto"]

    @stage.workbench.prompt(completions={"city": cities})
    def travel(mode: Literal["train", "tram", "bus"], country: str, city: str) -> str:
        return f"{mode}{country}{city}"

    @stage.workbench.resource("weather://{station}", completions={"station": lambda prefix, context: ["SFO", "SEA", "EWR"]})
    def weather(station: str) -> str:
        return station

    async def main(talk: Talk) -> None:
        async def complete(ref: dict[str, str], name: str, value: str, **context: str) -> list[str]:
            params: dict[str, Any] = {"ref": ref, "argument": {"name": name, "value": value}}
            if context:
                params["context"] = {"arguments": context}
            values: list[str] = (await talk.result("completion/complete", params))["completion"]["values"]
            return values

        assert await complete(_prompt("travel"), "mode", "tr") == ["train", "tram"]
        assert await complete(_prompt("travel"), "city", "P", country="FR") == ["Paris", "Pau"]
        assert await complete(_prompt("travel"), "city", "P") == ["Porto"]
        assert await complete(_prompt("travel"), "country", "F") == []
        assert await complete({"type": "ref/resource", "uri": "weather://{station}"}, "station", "S") == ["SFO", "SEA"]

    stage.play(main)


@requirement("completion-unknown")
def test_completing_nothing_is_invalid_params(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        for ref in (
            _prompt("absent"),
            {"type": "ref/resource", "uri": "x://{y}"},
            {"type": "ref/resource", "uri": "df://{name}/schema{?version}"},
        ):
            error = await talk.error("completion/complete", {"ref": ref, "argument": {"name": "a", "value": ""}})
            assert error["code"] == -32602

    stage.play(main)


@requirement("completion-bounded")
def test_a_hundred_values_come_at_most_with_how_many_there_are(stage: Stage) -> None:
    @stage.workbench.prompt(completions={"city": lambda prefix, context: [f"city {number}" for number in range(250)]})
    def travel(city: str) -> str:
        return city

    async def main(talk: Talk) -> None:
        found = await talk.result("completion/complete", {"ref": _prompt("travel"), "argument": {"name": "city", "value": "c"}})
        completion = found["completion"]
        assert completion["values"] == [f"city {number}" for number in range(100)]
        assert (completion["total"], completion["hasMore"]) == (250, True)

    stage.play(main)
