"""Opening a conversation, in both eras."""

from __future__ import annotations

import threading
from typing import Any

import pandas as pd

import mcp_workbench as wb
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from tests.interaction.requirements import LEGACY, MODERN, requirement, versions
from tests.support.stage import Stage
from tests.support.talk import CLIENT, META, Talk


def _initialize(version: object = LATEST_LEGACY) -> dict[str, object]:
    return {"protocolVersion": version, "capabilities": {}, "clientInfo": CLIENT}


@requirement("initialize")
@requirement("initialize-same-version")
@versions(*LEGACY)
def test_the_handshake_says_revision_capabilities_name_and_instructions(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        opened = await talk.open()
        assert opened["protocolVersion"] == stage.version
        assert opened["capabilities"] == {
            "tools": {"listChanged": True},
            "resources": {"subscribe": True, "listChanged": True},
            "prompts": {"listChanged": True},
            "logging": {},
            "completions": {},
        }
        assert opened["serverInfo"]["name"] == "mcp-workbench"
        assert "running Python program" in opened["instructions"]

    stage.play(main, opened=False)


@requirement("initialize-other-version")
@versions(*LEGACY)
def test_a_revision_nobody_speaks_is_answered_with_the_latest_legacy_one(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        for asked in ("1999-01-01", LATEST_MODERN, ""):
            async with stage.client(opened=False) as other:
                assert (await other.result("initialize", _initialize(asked)))["protocolVersion"] == LATEST_LEGACY

    stage.play(main)


@requirement("initialize-once")
@versions(*LEGACY)
def test_a_second_initialize_is_refused_and_changes_nothing(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        other = LEGACY[0] if stage.version != LEGACY[0] else LEGACY[1]
        assert (await talk.error("initialize", _initialize(other)))["code"] == -32600
        assert (await talk.result("tools/list"))["tools"] == []
        [session] = stage.workbench.sessions
        assert session.record.protocol_version == stage.version

    stage.play(main)


@requirement("initialize-first")
@versions(*LEGACY)
def test_before_initialize_only_ping_is_served(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        for method in ("tools/list", "tools/call", "resources/read", "logging/setLevel", "nonsense"):
            error = await talk.error(method, {"name": "x", "uri": "x://y", "level": "info"})
            assert (error["code"], "not initialized" in error["message"]) == (-32600, True)
        assert await talk.result("ping") == {}
        assert (await talk.open())["protocolVersion"] == stage.version

    stage.play(main, opened=False)


@requirement("initialize-shape")
@versions(*LEGACY)
def test_an_initialize_of_a_wrong_shape_is_refused_and_can_be_put_right(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        whole = _initialize()
        for broken in (
            {},
            whole | {"protocolVersion": 7},
            whole | {"capabilities": []},
            whole | {"clientInfo": "me"},
            whole | {"clientInfo": {"name": "me"}},
            {key: value for key, value in whole.items() if key != "protocolVersion"},
        ):
            assert (await talk.error("initialize", broken))["code"] == -32602
        await talk.open()

    stage.play(main, opened=False)


@requirement("initialize-pipelined")
@versions(*LEGACY)
def test_requests_behind_initialize_are_answered(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        opening = talk.ask("initialize", _initialize(stage.version))
        listing = talk.ask("tools/list")
        talk.notify("notifications/initialized")
        assert "result" in await talk.answer(opening)
        assert (await talk.answer(listing))["result"]["tools"] == []

    stage.play(main, opened=False)


@requirement("ping")
@versions(*LEGACY)
def test_ping_is_answered_while_a_call_runs(stage: Stage) -> None:
    release = threading.Event()

    @stage.workbench.tool
    def hold() -> str:
        release.wait()
        return "done"

    async def main(talk: Talk) -> None:
        call = talk.call("hold")
        assert await talk.result("ping") == {}
        assert talk.inbox == []
        release.set()
        await talk.answer(call)

    stage.play(main)


@requirement("session-own")
def test_a_connection_knows_nothing_of_another(stage: Stage) -> None:
    release = threading.Event()

    @stage.workbench.tool
    def hold() -> str:
        release.wait()
        return "mine"

    async def main(talk: Talk) -> None:
        mine = talk.call("hold", 7)
        async with stage.client(opened=False) as stranger:
            if not stage.modern:
                assert (await stranger.error("tools/list"))["code"] == -32600
            await stranger.open()
            stranger.cancel(7)
            assert (await stranger.request("tools/list"))["id"] != mine
            await stranger.fence()
            assert stranger.inbox == []
        release.set()
        assert (await talk.answer(mine))["result"]["content"][0]["text"] == "mine"

    stage.play(main)


@requirement("discover")
@requirement("cache-hints")
@versions(*MODERN)
def test_discover_names_revisions_capabilities_and_hints(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        found = await talk.open()
        assert found["supportedVersions"] == list(MODERN)
        assert found["capabilities"]["resources"] == {"subscribe": True, "listChanged": True}
        assert (found["ttlMs"], found["cacheScope"]) == (0, "private")
        assert "running Python program" in found["instructions"]

    stage.play(main, opened=False)


@requirement("modern-no-handshake")
@versions(*MODERN)
def test_the_first_request_may_be_any(stage: Stage) -> None:
    stage.workbench.tool(lambda_tool)

    async def main(talk: Talk) -> None:
        assert (await talk.called("lambda_tool"))["content"][0]["text"] == "here"

    stage.play(main, opened=False)


def lambda_tool() -> str:
    return "here"


@requirement("modern-meta-required")
@versions(*MODERN)
def test_a_request_without_its_own_facts_is_refused(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        for missing in (wire.META_VERSION, wire.META_CAPABILITIES):
            meta = {key: value for key, value in META.items() if key != missing}
            talk.say({"jsonrpc": "2.0", "id": missing, "method": "tools/list", "params": {"_meta": meta}})
            error = (await talk.answer(missing))["error"]
            assert (error["code"], "_meta" in error["message"]) == (-32602, True)
        talk.say({"jsonrpc": "2.0", "id": "bare", "method": "tools/list"})
        assert (await talk.answer("bare"))["error"]["code"] == -32602

    stage.play(main)


@requirement("modern-unknown-version")
@versions(*MODERN)
def test_an_unknown_revision_is_told_the_known_ones(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        error = await talk.error("tools/list", **{wire.META_VERSION: "2099-01-01"})
        assert error["code"] == -32022
        assert error["data"] == {"supported": list(MODERN), "requested": "2099-01-01"}

    stage.play(main)


@requirement("modern-removed-methods")
@versions(*MODERN)
def test_methods_of_the_legacy_era_are_gone(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        talk.say({"jsonrpc": "2.0", "id": "old", "method": "initialize", "params": _initialize()})
        assert (await talk.answer("old"))["error"]["code"] == -32022
        for method, params in (
            ("ping", {}),
            ("resources/subscribe", {"uri": "df://x"}),
            ("resources/unsubscribe", {"uri": "df://x"}),
            ("logging/setLevel", {"level": "info"}),
        ):
            assert (await talk.error(method, params))["code"] == -32601

    stage.play(main)


@requirement("legacy-no-envelope")
@requirement("legacy-no-modern-methods")
@versions(*LEGACY)
def test_after_initialize_nothing_modern_is_taken(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        assert (await talk.error("tools/list", {"_meta": META}))["code"] == -32600
        for method in ("server/discover", "subscriptions/listen"):
            assert (await talk.error(method, {"notifications": {}}))["code"] == -32601

    stage.play(main)


@requirement("result-type")
@requirement("cache-hints")
@versions(*MODERN)
def test_every_result_says_what_it_is_and_who_speaks(stage: Stage) -> None:
    stage.workbench.tool(lambda_tool)

    async def main(talk: Talk) -> None:
        for method in ("tools/list", "prompts/list", "resources/list", "resources/templates/list", "server/discover"):
            result = await talk.result(method)
            assert (result["resultType"], result["ttlMs"], result["cacheScope"]) == ("complete", 0, "private")
            assert result["_meta"][wire.META_SERVER_INFO]["title"] == "Program stage"
        called = await talk.called("lambda_tool")
        assert called["resultType"] == "complete"
        assert not {"ttlMs", "cacheScope"} & called.keys()

    stage.play(main)


@requirement("no-modern-members")
@versions(*LEGACY)
def test_a_legacy_client_gets_no_modern_member(stage: Stage) -> None:
    stage.workbench.tool(lambda_tool)

    async def main(talk: Talk) -> None:
        for result in (await talk.result("tools/list"), await talk.called("lambda_tool"), await talk.result("ping")):
            assert not {"resultType", "ttlMs", "cacheScope", "_meta"} & result.keys()

    stage.play(main)


@requirement("initialized-wait")
@versions(*LEGACY)
def test_a_client_that_is_not_ready_is_told_nothing(stage: Stage) -> None:
    async def main(talk: Talk) -> None:
        await talk.result("initialize", _initialize(stage.version))
        stage.workbench.tool(lambda_tool)
        await talk.fence()
        assert talk.inbox == []
        talk.notify("notifications/initialized")
        await talk.fence()
        stage.workbench.unpublish("lambda_tool")
        await talk.news("notifications/tools/list_changed")

    stage.play(main, opened=False)


@requirement("capabilities-only-used")
def test_what_is_declared_is_served_and_what_others_declare_changes_nothing(stage: Stage) -> None:
    served: dict[str, tuple[str, dict[str, Any]]] = {
        "tools": ("tools/list", {}),
        "resources": ("resources/templates/list", {}),
        "prompts": ("prompts/list", {}),
        "completions": ("completion/complete", {"ref": {"type": "ref/prompt", "name": "ask"}, "argument": {"name": "topic", "value": ""}}),
        "logging": ("logging/setLevel", {"level": "info"}),
    }

    @stage.workbench.prompt
    def ask(topic: str) -> str:
        return topic

    async def main(talk: Talk) -> None:
        async with stage.client(opened=False) as plain:
            declared = (await plain.open())["capabilities"]
            assert (await talk.open())["capabilities"] == declared
        assert declared.keys() - {"extensions"} <= served.keys()
        for capability in declared.keys() & served.keys():
            method, params = served[capability]
            if not (stage.modern and method == "logging/setLevel"):  # there a request names its own level
                await talk.result(method, params)

    stage.play(main, opened=False, capabilities={"experimental": {"x": {}}, "extensions": {"com.example/none": {"a": 1}}})


@requirement("modern-per-request")
@versions(*MODERN)
def test_what_one_request_declares_is_nothing_to_the_next(stage: Stage) -> None:
    @stage.workbench.tool
    def capital(ctx: wb.Context) -> str:
        return ctx.sample("Capital of France?").text

    async def main(talk: Talk) -> None:
        for _ in range(2):
            assert (await talk.error("tools/call", {"name": "capital"}))["code"] == -32021
            asked = await talk.result("tools/call", {"name": "capital"}, **{wire.META_CAPABILITIES: {"sampling": {}}})
            assert asked["resultType"] == "input_required"

    stage.play(main)


@requirement("lists-same")
def test_every_connection_is_shown_the_same(stage: Stage) -> None:
    workbench = stage.workbench
    workbench.tool(lambda_tool)
    workbench.prompt(lambda_tool)
    workbench.resource("note://x")(lambda_tool)
    workbench.publish(numbers=pd.DataFrame({"a": [1]}))
    kinds = ("tools", "prompts", "resources", "resources/templates")

    async def main(talk: Talk) -> None:
        async with stage.client(capabilities={"sampling": {}}) as other:
            await other.called("lambda_tool")
            await other.result("resources/read", {"uri": "df://numbers"})
            if not stage.modern:
                await other.result("resources/subscribe", {"uri": "df://numbers"})
            for kind in kinds:
                assert await talk.result(f"{kind}/list") == await other.result(f"{kind}/list")

    stage.play(main)


@requirement("meta-foreign")
def test_what_others_put_into_meta_changes_nothing(stage: Stage) -> None:
    stage.workbench.tool(lambda_tool)
    others: dict[str, Any] = {
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "a=b",
        "baggage": "nonsense \x00",
        "com.example/mine": {"deep": [1, None]},
        "io.modelcontextprotocol/unheard-of": 7,
        "": "",
    }

    async def main(talk: Talk) -> None:
        for method, params in (("tools/list", {}), ("tools/call", {"name": "lambda_tool"})):
            plain = await talk.result(method, params)
            assert await talk.result(method, params, **others) == plain
            assert await talk.result(method, params, traceparent=7) == plain

    stage.play(main)
