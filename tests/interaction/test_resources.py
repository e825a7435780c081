"""Listing, reading and following resources."""

from __future__ import annotations

import base64
import json
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa

import mcp_workbench as wb
from mcp_workbench.protocol import wire
from tests.interaction.requirements import LEGACY, MODERN, requirement, versions
from tests.support.stage import Stage
from tests.support.talk import META, Talk, text_of

UPDATED = "notifications/resources/updated"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"


def _flights() -> pd.DataFrame:
    return pd.DataFrame({"origin": ["EWR", "JFK", "LGA"], "delay": [2, 11, -4]})


def _offer(stage: Stage) -> None:
    workbench = stage.workbench

    @workbench.resource("note://today", mime_type="text/markdown")
    def today() -> str:
        return "# rain"

    @workbench.resource("blob://dot")
    def dot() -> bytes:
        return b"\x00\xff"

    @workbench.resource("weather://{station}/{day}")
    def weather(station: str, day: int) -> dict[str, object]:
        return {"station": station, "day": day}

    workbench.publish("flights", _flights(), description="Three departures.")


async def _follow(talk: Talk, *uris: str) -> str | int:
    """Subscribe in the words of the client's era; returns the listen's id, or 0."""
    if not talk.modern:
        for uri in uris:
            assert await talk.result("resources/subscribe", {"uri": uri}) == {}
        return 0
    listen = talk.ask("subscriptions/listen", {"notifications": {"resourceSubscriptions": list(uris)}})
    assert (await talk.news(ACKNOWLEDGED))["notifications"] == {"resourceSubscriptions": list(uris)}
    return listen


def _told(talk: Talk, method: str = UPDATED) -> list[str]:
    return [params["uri"] for params in talk.heard(method)]


@requirement("resources-list")
@requirement("resources-templates")
def test_resources_and_templates_are_listed_apart(stage: Stage) -> None:
    _offer(stage)

    async def main(talk: Talk) -> None:
        listed = (await talk.result("resources/list"))["resources"]
        assert [resource["uri"] for resource in listed] == ["blob://dot", "df://flights", "note://today"]
        assert listed[1]["description"] == "Three departures."
        assert listed[2] == {"uri": "note://today", "name": "today", "mimeType": "text/markdown"}
        templates = [each["uriTemplate"] for each in (await talk.result("resources/templates/list"))["resourceTemplates"]]
        assert templates == sorted(templates)
        assert "weather://{station}/{day}" in templates
        assert any(template.startswith("df://{name}/rows") for template in templates)

    stage.play(main)


@requirement("resources-read-text")
@requirement("resources-read-blob")
@requirement("resources-read-template")
def test_reading_gives_text_bytes_and_filled_templates(stage: Stage) -> None:
    _offer(stage)

    async def main(talk: Talk) -> None:
        [note] = (await talk.result("resources/read", {"uri": "note://today"}))["contents"]
        assert note == {"uri": "note://today", "mimeType": "text/markdown", "text": "# rain"}
        [blob] = (await talk.result("resources/read", {"uri": "blob://dot"}))["contents"]
        assert (blob["uri"], base64.b64decode(blob["blob"])) == ("blob://dot", b"\x00\xff")
        [filled] = (await talk.result("resources/read", {"uri": "weather://S%C3%A3o%2FPaulo/3"}))["contents"]
        assert filled["uri"] == "weather://S%C3%A3o%2FPaulo/3"
        assert json.loads(filled["text"]) == {"station": "São/Paulo", "day": 3}
        error = await talk.error("resources/read", {"uri": "weather://SFO/tomorrow"})
        assert (error["code"], "day" in error["message"]) == (-32602, True)

    stage.play(main)


@requirement("resources-read-dataframe")
def test_a_dataframe_is_a_card_a_schema_and_rows(stage: Stage) -> None:
    _offer(stage)

    async def main(talk: Talk) -> None:
        async def read(uri: str) -> dict[str, Any]:
            [contents] = (await talk.result("resources/read", {"uri": uri}))["contents"]
            assert contents["uri"] == uri
            found: dict[str, Any] = contents
            return found

        card = await read("df://flights")
        assert (card["mimeType"], "3 rows x 2 columns" in card["text"]) == ("text/markdown", True)
        schema = json.loads((await read("df://flights/schema"))["text"])
        assert [column["name"] for column in schema["columns"]] == ["origin", "delay"]
        rows = await read("df://flights/rows?limit=2&columns=delay")
        assert (rows["mimeType"], rows["text"].splitlines()[:3]) == ("text/csv", ["delay", "2", "11"])
        error = await talk.error("resources/read", {"uri": "df://flights/rows?columns=dely"})
        assert (error["code"], "delay" in error["message"]) == (-32602, True)

    stage.play(main)


@requirement("resources-read-dataframe")
@requirement("tools-call-text")
def test_tables_of_other_libraries_are_read_passed_and_returned_like_dataframes(stage: Stage) -> None:
    workbench = stage.workbench
    workbench.publish(sales=pl.DataFrame({"shop": ["a", "b", "a"], "n": [1, None, 2**60]}))
    workbench.publish(shops=pa.table({"shop": ["a", "b"], "town": ["Bonn", "Köln"]}))
    staff: Any = duckdb.sql("SELECT 'b' AS shop, 1.50::DECIMAL(5, 2) AS wage")
    workbench.publish(staff=staff)

    @workbench.tool
    def per_shop(sales: pl.DataFrame) -> pl.DataFrame:
        return sales.group_by("shop", maintain_order=True).agg(pl.col("n").sum())

    @workbench.tool
    def with_towns(sales: duckdb.DuckDBPyRelation, shops: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
        return sales.join(shops, "shop").order("shop").project("town, n")

    @workbench.tool
    def wages(staff: pd.DataFrame) -> pa.Table:
        return pa.Table.from_pandas(staff)

    async def main(talk: Talk) -> None:
        listed = {tool["name"]: tool for tool in (await talk.result("tools/list"))["tools"]}
        assert "outputSchema" not in listed["per_shop"]
        assert listed["per_shop"]["inputSchema"]["properties"]["sales"]["type"] == "string"
        [card] = (await talk.result("resources/read", {"uri": "df://sales"}))["contents"]
        assert "3 rows x 2 columns · polars DataFrame · v1" in card["text"]
        [rows] = (await talk.result("resources/read", {"uri": "df://sales/rows?format=json"}))["contents"]
        assert json.loads(rows["text"])["data"] == [["a", 1], ["b", None], ["a", str(2**60)]]

        result = await talk.result("tools/call", {"name": "per_shop", "arguments": {}})
        assert f"\nshop,n\na,{2**60 + 1}\nb,0\n" in text_of(result)
        assert "shop String, n Int64" in text_of(result)
        joined = await talk.result("tools/call", {"name": "with_towns", "arguments": {"sales": "_r1"}})
        assert f"\ntown,n\nBonn,{2**60 + 1}\nKöln,0\n" in text_of(joined)
        paid = await talk.result("tools/call", {"name": "wages", "arguments": {}})
        assert "\nshop,wage\nb,1.50\n" in text_of(paid)

    stage.play(main)
    assert type(workbench.get("sales")) is pl.DataFrame
    assert workbench.get("_r2")["n"].tolist() == [2**60 + 1, 0]


@requirement("resources-unknown")
def test_an_unknown_resource_has_the_code_of_its_revision(stage: Stage) -> None:
    _offer(stage)

    async def main(talk: Talk) -> None:
        for uri in (
            "df://flihgts",
            "df://flights/nothing",
            "note://tomorrow",
            "no uri",
            "",
            "df://",
            "file:///etc/passwd",
            "df://../flights",
        ):
            error = await talk.error("resources/read", {"uri": uri})
            assert error["code"] == (-32602 if stage.modern else -32002), (uri, error)

    stage.play(main)


@requirement("subscribe")
@versions(*LEGACY)
def test_a_subscriber_is_told_under_the_uri_it_used_and_others_are_not(stage: Stage) -> None:
    _offer(stage)

    async def main(talk: Talk) -> None:
        async with stage.client() as other, stage.client() as stranger:
            await _follow(talk, "df://flights/rows?limit=1", "df://flights")
            await _follow(other, "df://fl%69ghts")
            stage.workbench.touch("flights")
            assert {(await talk.news(UPDATED))["uri"] for _ in range(2)} == {"df://flights/rows?limit=1", "df://flights"}
            assert (await other.news(UPDATED))["uri"] == "df://fl%69ghts"
            await stranger.fence()
            assert stranger.inbox == []

    stage.play(main)


@requirement("unsubscribe")
@versions(*LEGACY)
def test_after_unsubscribe_nothing_more_comes(stage: Stage) -> None:
    _offer(stage)

    async def main(talk: Talk) -> None:
        async with stage.client() as witness:
            await _follow(talk, "df://flights")
            await _follow(witness, "df://flights")
            for _ in range(2):
                assert await talk.result("resources/unsubscribe", {"uri": "df://flights"}) == {}
            stage.workbench.touch("flights")
            await witness.news(UPDATED)
            await talk.fence()
            assert talk.inbox == []

    stage.play(main)


@requirement("subscribe-unknown")
@versions(*LEGACY)
def test_subscribing_to_nothing_is_refused(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        for uri in ("df://nothing", "note://x", "", "df://a/b/c"):
            assert (await talk.error("resources/subscribe", {"uri": uri}))["code"] == -32002

    stage.play(main)


@requirement("subscribe-own-resources")
def test_touching_an_own_resource_tells_its_subscribers(stage: Stage) -> None:
    _offer(stage)

    async def main(talk: Talk) -> None:
        await _follow(talk, "weather://SFO/1", "note://today")
        stage.workbench.touch("weather://SFO/1")
        assert (await talk.news(UPDATED))["uri"] == "weather://SFO/1"
        stage.workbench.touch("note://today")
        assert (await talk.news(UPDATED))["uri"] == "note://today"

    stage.play(main)


@requirement("subscribe-coalesced")
def test_many_changes_are_few_notifications_and_the_last_is_told(stage: Stage) -> None:
    workbench = stage.workbench
    frame = _flights()
    workbench.publish(flights=frame)

    async def main(talk: Talk) -> None:
        await _follow(talk, "df://flights/rows?limit=1&columns=delay")
        for value in range(200):
            frame.loc[0, "delay"] = value
            workbench.touch("flights")
        seen, told = "", 0
        while "\n199\n" not in seen:
            told += 1
            await talk.news(UPDATED)
            seen = (await talk.result("resources/read", {"uri": "df://flights/rows?limit=1&columns=delay"}))["contents"][0]["text"]
        assert told <= 10

    stage.play(main)


@requirement("listen-ack")
@requirement("listen-honoured-only")
@requirement("listen-id")
@versions(*MODERN)
def test_a_stream_begins_with_what_is_honoured_and_carries_its_id(stage: Stage) -> None:
    _offer(stage)

    async def main(talk: Talk) -> None:
        wanted = {"toolsListChanged": True, "promptsListChanged": False, "resourceSubscriptions": ["df://flights", "df://nothing"]}
        listen = talk.ask("subscriptions/listen", {"notifications": wanted}, request_id="ear")
        stage.workbench.touch("flights")
        first = await talk.take(lambda message: True)
        assert first["method"] == ACKNOWLEDGED
        assert first["params"]["notifications"] == {"toolsListChanged": True, "resourceSubscriptions": ["df://flights"]}
        assert first["params"]["_meta"] == {wire.META_SUBSCRIPTION: listen}
        stage.workbench.touch("flights")
        assert await talk.news(UPDATED) == {"uri": "df://flights", "_meta": {wire.META_SUBSCRIPTION: listen}}
        stage.workbench.tool(_flights)
        assert (await talk.news("notifications/tools/list_changed"))["_meta"] == {wire.META_SUBSCRIPTION: listen}

    stage.play(main)


@requirement("listen-several")
@requirement("listen-cancel")
@versions(*MODERN)
def test_streams_live_side_by_side_until_cancelled(stage: Stage) -> None:
    _offer(stage)

    async def main(talk: Talk) -> None:
        one = await _follow(talk, "df://flights")
        two = await _follow(talk, "df://flights", "note://today")
        stage.workbench.touch("flights")
        ids = {(await talk.news(UPDATED))["_meta"][wire.META_SUBSCRIPTION] for _ in range(2)}
        assert ids == {one, two}
        talk.cancel(one)
        await talk.fence()
        stage.workbench.touch("note://today")
        assert (await talk.news(UPDATED))["_meta"] == {wire.META_SUBSCRIPTION: two}
        stage.workbench.touch("flights")
        assert (await talk.news(UPDATED))["_meta"] == {wire.META_SUBSCRIPTION: two}
        talk.cancel(two)
        await talk.fence()
        stage.workbench.touch("note://today")
        await talk.fence()
        assert talk.inbox == []

    stage.play(main)


@requirement("listen-end")
@versions(*MODERN)
def test_a_stream_the_server_ends_is_answered(stage: Stage) -> None:
    _offer(stage)

    async def main(talk: Talk) -> None:
        listen = await _follow(talk, "df://flights")
        stage.workbench.stop()
        result = (await talk.answer(listen))["result"]
        assert result["_meta"][wire.META_SUBSCRIPTION] == listen
        assert (await talk.closed)[0] == (1000 if stage.transport == "stdio" else 1001), "pipes end without a word"

    stage.play(main)


@requirement("listen-nothing-unasked")
@versions(*MODERN)
def test_without_a_listen_nothing_is_announced(stage: Stage) -> None:
    _offer(stage)

    async def main(talk: Talk) -> None:
        async with stage.client() as listener:
            listen = listener.ask("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
            await listener.news(ACKNOWLEDGED)
            stage.workbench.tool(_flights)
            stage.workbench.touch("flights")
            await listener.news("notifications/tools/list_changed")
            await talk.fence()
            assert (talk.inbox, listener.inbox) == ([], [])
            listener.say({"jsonrpc": "2.0", "id": listen, "method": "tools/list", "params": {"_meta": META}})
            assert (await listener.answer(listen))["error"]["code"] == -32600

    stage.play(main)


@requirement("resources-list-changed")
def test_publishing_and_withdrawing_a_dataframe_is_announced(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        if stage.modern:
            talk.ask("subscriptions/listen", {"notifications": {"resourcesListChanged": True}})
            await talk.news(ACKNOWLEDGED)
        stage.workbench.publish(flights=_flights())
        await talk.news("notifications/resources/list_changed")
        stage.workbench.touch("flights")
        await talk.fence()
        assert talk.inbox == [], "a new version changes no list"
        stage.workbench.unpublish("flights")
        await talk.news("notifications/resources/list_changed")

    stage.play(main)


@requirement("resources-read-dataframe")
def test_results_of_calls_are_read_by_those_they_belong_to(stage: Stage) -> None:
    stage.workbench.publish(flights=_flights())

    @stage.workbench.tool
    def late(flights: pd.DataFrame) -> pd.DataFrame:
        return flights[flights.delay > 0]

    async def main(talk: Talk) -> None:
        await talk.called("late")
        read = (await talk.result("resources/read", {"uri": "df://_r1/rows"}))["contents"][0]["text"]
        assert "EWR" in read
        stage.workbench.tokens.add("bob")
        async with stage.client(principal="bob") as bob:
            assert (await bob.error("resources/read", {"uri": "df://_r1"}))["code"] == (-32602 if stage.modern else -32002)
        assert isinstance(stage.workbench.get("_r1"), pd.DataFrame)

    stage.play(main, limits=wb.Limits())


@requirement("listen-filter")
@versions(*MODERN)
def test_a_stream_is_told_what_it_asked_for_and_nothing_else(stage: Stage) -> None:
    _offer(stage)
    wishes: dict[str, Any] = {
        "notifications/tools/list_changed": {"toolsListChanged": True},
        "notifications/prompts/list_changed": {"promptsListChanged": True, "toolsListChanged": False},
        "notifications/resources/list_changed": {"resourcesListChanged": True, "com.example/more": True},
        UPDATED: {"resourceSubscriptions": ["df://flights"]},
    }

    async def main(talk: Talk) -> None:
        listens = {}
        for method, wish in wishes.items():
            listens[talk.ask("subscriptions/listen", {"notifications": wish})] = method
            await talk.news(ACKNOWLEDGED)
        stage.workbench.tool(_flights)
        stage.workbench.prompt(_flights)
        stage.workbench.resource("flights://all")(_flights)
        stage.workbench.touch("flights")
        stage.workbench.touch("note://today")
        told = [await talk.take(lambda message: "method" in message) for _ in wishes]
        assert {message["params"]["_meta"][wire.META_SUBSCRIPTION]: message["method"] for message in told} == listens
        await talk.fence()
        assert talk.inbox == []

    stage.play(main)


@requirement("listen-shape")
@versions(*MODERN)
def test_a_filter_of_a_wrong_shape_is_invalid_params(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        wrong: tuple[dict[str, Any], ...] = (
            {},
            {"notifications": []},
            {"notifications": {"toolsListChanged": "yes"}},
            {"notifications": {"resourceSubscriptions": "df://flights"}},
            {"notifications": {"resourceSubscriptions": [7]}},
        )
        for params in wrong:
            assert (await talk.error("subscriptions/listen", params))["code"] == -32602, params
        assert talk.inbox == []

    stage.play(main)
