"""One host's conversation over kernels that come and go, in both eras."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from mcp_workbench.jsonrpc import ErrorCode
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from mcp_workbench.relay import sentences
from mcp_workbench.relay.choosing import Choice
from tests.relay.rig import NOW, OWN, OWN_TOOLS, Rig, an_entry, several
from tests.support.talk import CLIENT, META

CHANGED = "notifications/tools/list_changed"
UPDATED = "notifications/resources/updated"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"


@pytest.fixture(params=[LATEST_LEGACY, LATEST_MODERN])
def rig(request: pytest.FixtureRequest) -> Rig:
    return Rig(request.param)


def with_listen(rig: Rig) -> Rig:
    """A host that hears of changed lists, in its era's way."""
    rig.open()
    if rig.modern:
        rig.listen()
        assert rig.news() == [ACKNOWLEDGED]
    return rig


def test_a_text_that_is_not_utf_8_is_answered_here_and_no_kernel_sees_it(rig: Rig) -> None:
    rig.checked = False
    rig.open()
    odd = b'{"jsonrpc":"2.0","id":"odd","method":"tools/call","params":{"name":"add","arguments":{"x":"\xff"}}}'
    for kernel in (None, rig.connect(tools=["add"])):
        rig.settle()
        rig.heard.clear()
        rig.relay.receive_from_host(odd)
        assert [(each["id"], each["error"]["code"]) for each in rig.heard] == [(None, ErrorCode.PARSE_ERROR)]
        assert kernel is None or not kernel.inbox
    assert rig.relay.idle


# --- faults of ours -------------------------------------------------------------------------------------


def failing(*_: object, **__: object) -> Any:
    raise OverflowError("injected")


def test_a_fault_of_ours_is_answered_once_for_its_request_and_costs_no_other(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.open()
    with monkeypatch.context() as patch:
        patch.setattr(sentences, "why_none", failing)
        error = rig.answer(rig.call("add"))["error"]
        assert (error["code"], error["message"]) == (ErrorCode.INTERNAL_ERROR, sentences.FAULT)
        patch.setattr("mcp_workbench.relay.relay.member", failing)
        assert rig.answer(rig.call("notebook_use", name="x"))["error"]["code"] == ErrorCode.INTERNAL_ERROR
        rig.notify("notifications/cancelled", {"requestId": 1})
    assert rig.text_of(rig.call("add")).startswith("add was not run.")
    assert (rig.uses, rig.heard, rig.relay.idle) == ([], [], True)


def test_a_fault_over_one_request_that_was_held_back_costs_none_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    rig.open()
    rig.connect()
    asked = [rig.call("one"), rig.ask("resources/list"), rig.call("two")]
    assert rig.relay.holding
    with monkeypatch.context() as patch:
        patch.setattr(sentences, "why_none", failing)
        rig.drop()
    assert [rig.answer(each).get("error", {}).get("code") for each in asked] == [ErrorCode.INTERNAL_ERROR, None, ErrorCode.INTERNAL_ERROR]


def test_of_status_calls_that_wait_each_is_answered_though_the_words_fail(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.open()
    asked = [rig.call("notebook_status", wait_s=9) for _ in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(sentences, "status", failing)
        rig.relay.know(several(an_entry("a.ipynb"), an_entry("b.ipynb")))
    assert [rig.answer(each)["error"]["code"] for each in asked] == [ErrorCode.INTERNAL_ERROR] * 2


def test_in_a_batch_only_the_requests_are_answered_with_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig("2025-03-26")
    rig.open()
    monkeypatch.setattr(sentences, "why_none", failing)
    ping, call = {"jsonrpc": "2.0", "id": "p", "method": "ping"}, {"jsonrpc": "2.0", "id": "c", "method": "tools/call"}
    rig.say([ping, call | {"params": {"name": "add"}}, {"jsonrpc": "2.0", "method": "notifications/x"}])
    assert [rig.answer(each).get("error", {}).get("code") for each in ("p", "c")] == [None, ErrorCode.INTERNAL_ERROR]
    with monkeypatch.context() as patch:
        patch.setattr(rig.relay, "_receive_odd", failing)
        rig.say([ping | {"id": "q"}, {"jsonrpc": "2.0", "method": "notifications/x"}])
    assert rig.answer("q")["error"]["code"] == ErrorCode.INTERNAL_ERROR


# --- connected ------------------------------------------------------------------------------------------


def test_while_connected_every_text_passes_unchanged_both_ways(rig: Rig) -> None:
    rig.checked = False
    kernel = rig.connect(tools=["add"])
    said = rig.say({"jsonrpc": "2.0", "id": "a", "method": "no/such", "params": {"x": [1, 2.50, "é"], "_meta": META}})
    odd = b' { "id" : 7 ,"jsonrpc":"2.0", "method":"tools/call", "params" :{"name":"add", "n": 1e2} } '
    rig.relay.receive_from_host(odd)
    broken = rig.say(b'{"jsonrpc":')
    assert list(kernel.inbox) == [said, odd, broken]
    told = [
        b'{"jsonrpc":"2.0", "method":"notifications/progress","params":{"progressToken":7,"progress":0.50}}',
        '{"result":{"content":[{"type":"text","text":"é \\u00e9"}] },"jsonrpc":"2.0","id":7}'.encode(),
    ]
    for text in told:
        rig.relay.receive_from_kernel(text)
    assert rig.texts == told


def test_the_opening_is_the_kernels_own_when_it_was_there_first(rig: Rig) -> None:
    kernel = rig.connect(tools=["add"])
    rig.open()
    assert kernel.peer.version == rig.version
    assert rig.tools() == ["add"]
    assert rig.news() == []


def test_progress_and_calls_keep_their_ids_whatever_their_type(rig: Rig) -> None:
    kernel = rig.connect(tools=["add"])
    rig.open()
    for request_id in ("7", 7):
        rig.ask("tools/call", {"name": "add"}, request_id=request_id, progressToken=f"p{request_id}")
    rig.settle()
    kernel.report("7", 1)
    kernel.finish(7, "the number")
    kernel.finish("7", "the text")
    assert rig.news() == ["notifications/progress"]
    texts = {type(message["id"]): message["result"]["content"][0]["text"] for message in rig.heard}
    assert texts == {int: "the number", str: "the text"}


def test_a_cancel_passes_while_its_request_is_open_and_is_dropped_afterwards(rig: Rig) -> None:
    kernel = rig.connect(tools=["add"])
    rig.open()
    first, second = rig.call("add"), rig.call("add")
    rig.settle()
    rig.cancel(first)
    rig.settle()
    assert list(kernel.calls) == [second]
    kernel.finish(second)
    rig.answer(second)
    rig.cancel(second)
    assert not kernel.inbox


# --- nobody there -----------------------------------------------------------------------------------------


def test_without_a_kernel_the_conversation_opens_and_notebook_status_says_how_to_start_one(rig: Rig) -> None:
    rig.open()
    assert rig.tools() == OWN_TOOLS
    assert "import mcp_workbench as wb\nwb.start()" in rig.text_of(rig.call("notebook_status"))
    empty = {"resources/list": "resources", "resources/templates/list": "resourceTemplates", "prompts/list": "prompts"}
    assert [rig.answer(rig.ask(method))["result"][member] for method, member in empty.items()] == [[], [], []]


def test_without_a_kernel_the_workbenchs_own_tools_say_what_notebook_status_says(rig: Rig) -> None:
    rig.open()
    status = rig.text_of(rig.call("notebook_status"))
    for tool in (name for name in OWN_TOOLS if name != "notebook_status"):
        result = rig.answer(rig.call(tool, name="sales", job="j3", function="top_routes"))["result"]
        assert result["isError"] is True
        assert result["content"][0]["text"] == f"{tool} was not run. {status}"


def test_the_workbenchs_own_tools_stay_listed_whichever_of_them_a_kernel_offers(rig: Rig) -> None:
    with_listen(rig)
    rig.tools()
    some = [name for name in OWN_TOOLS if not name.startswith("df_")]
    kernel = rig.connect(tools=some)
    assert rig.news() == [], "what the host was shown is what it finds"
    assert sorted(rig.tools()) == OWN_TOOLS
    kernel.page_size = 2
    first = rig.answer(rig.ask("tools/list"))["result"]
    assert [tool["name"] for tool in first["tools"]] == some[:2], "what is added stands on the last page"
    last = rig.answer(rig.ask("tools/list", {"cursor": first["nextCursor"]}))["result"]
    assert [tool["name"] for tool in last["tools"]] == [*some[2:], "df_changes", "df_describe", "df_read"]
    restarted(rig, some)
    assert rig.news() == []


def test_a_kernel_that_offers_none_of_the_workbenchs_own_tools_is_given_none(rig: Rig) -> None:
    with_listen(rig)
    rig.tools()
    rig.connect(tools=["add"])
    assert rig.news() == [CHANGED]
    assert rig.tools() == ["add"]
    assert rig.text_of(rig.call("notebook_call")) == "Unknown tool: notebook_call"


def test_a_first_request_that_calls_one_of_them_is_answered_in_its_era() -> None:
    rig = Rig(LATEST_MODERN)
    rig.connect(tools=["add"])
    assert rig.text_of(rig.call("df_read", name="sales")) == "Unknown tool: df_read"


def test_without_a_kernel_a_call_is_not_run_and_a_read_is_an_error(rig: Rig) -> None:
    rig.open()
    result = rig.answer(rig.call("top_routes"))["result"]
    assert result["isError"] is True
    assert result["content"][0]["text"].startswith("top_routes was not run. No notebook is connected")
    error = rig.answer(rig.ask("resources/read", {"uri": "df://flights"}))["error"]
    assert (error["code"], error["data"]) == (-32603, {"reason": "no kernel"})
    assert "notebook_status" in error["message"]


def test_broken_texts_are_answered_by_the_rules_of_the_protocol_also_without_a_kernel(rig: Rig) -> None:
    rig.say(b"{")
    rig.say({"jsonrpc": "2.0", "id": 5, "method": "tools/list", "params": []})
    codes = [message["error"]["code"] for message in rig.heard]
    assert codes == [-32700, -32600]


def test_a_kernel_that_appears_is_told_who_the_host_is_and_the_host_that_the_tools_changed(rig: Rig) -> None:
    with_listen(rig)
    rig.tools()
    kernel = rig.connect(tools=["add"])
    assert rig.news() == [CHANGED]
    assert kernel.peer.version == rig.version
    assert kernel.peer.facts is not None
    assert kernel.peer.facts.info == wire.Implementation(name=CLIENT["name"], version=CLIENT["version"])
    assert rig.tools() == ["add"]
    assert rig.news() == []


def test_a_host_that_has_listed_nothing_is_told_of_no_change(rig: Rig) -> None:
    with_listen(rig)
    rig.connect(tools=["add"])
    assert rig.news() == []


def test_what_the_host_says_while_a_kernel_joins_is_held_back_in_order(rig: Rig) -> None:
    with_listen(rig)
    rig.tools()
    kernel = rig.connect(tools=["add"])
    first, second = rig.call("add"), rig.call("add")
    assert rig.relay.holding
    assert not rig.relay.idle
    rig.settle()
    assert not rig.relay.holding
    assert list(kernel.calls) == [first, second]


# --- a kernel is lost -------------------------------------------------------------------------------------


def test_every_open_request_of_a_lost_kernel_is_answered_once(rig: Rig) -> None:
    kernel = rig.connect(tools=["add", "look", "notebook_status"], resources=["df://flights"])
    rig.open()
    rig.tools()
    call, read, listing = rig.call("add"), rig.ask("resources/read", {"uri": "df://flights"}), rig.ask("tools/list")
    status = rig.call("notebook_status")
    kernel.inbox.clear()
    rig.drop("closed with code 1001: the server stops")
    sentence = rig.text_of(call)
    assert "was lost during add (closed with code 1001: the server stops)" in sentence
    assert "It may have run, wholly, in part or not at all" in sentence
    assert rig.answer(read)["error"]["message"].endswith("ask again")
    assert [tool["name"] for tool in rig.answer(listing)["result"]["tools"][:3]] == ["add", "look", "notebook_status"]
    assert "flights.ipynb was lost 0 s ago" in rig.text_of(status)
    assert rig.heard == []
    rig.cancel(call)
    assert rig.heard == []


def test_a_lost_call_that_only_reads_may_be_repeated(rig: Rig) -> None:
    kernel = rig.connect(tools=["look"])
    rig.open()
    listing = rig.ask("tools/list")
    kernel.read()
    listed = json.loads(kernel.outbox.popleft())
    listed["result"]["tools"][0]["annotations"] = {"readOnlyHint": True}
    rig.relay.receive_from_kernel(json.dumps(listed).encode())
    rig.answer(listing)
    call = rig.call("look")
    rig.drop()
    assert "It only reads: repeat it" in rig.text_of(call)


def test_lists_come_from_memory_page_by_page_after_the_kernel_is_gone(rig: Rig) -> None:
    kernel = rig.connect(tools=["a", "b", "c"])
    kernel.page_size = 2
    rig.open()
    first = rig.answer(rig.ask("tools/list"))["result"]
    second = rig.answer(rig.ask("tools/list", {"cursor": first["nextCursor"]}))["result"]
    rig.drop()
    for _ in range(2):
        assert rig.answer(rig.ask("tools/list"))["result"] == first
        assert rig.answer(rig.ask("tools/list", {"cursor": "2"}))["result"] == second
    assert rig.answer(rig.ask("tools/list", {"cursor": "4"}))["error"]["code"] == -32602
    again = rig.connect(tools=["a", "b", "c"])
    again.page_size = 1
    assert rig.news() == []


def test_the_opening_is_answered_when_the_kernel_was_lost_over_it(rig: Rig) -> None:
    rig.connect()
    opening = (
        rig.ask("server/discover")
        if rig.modern
        else rig.ask("initialize", {"protocolVersion": rig.version, "capabilities": {}, "clientInfo": CLIENT})
    )
    rig.drop()
    assert "result" in rig.answer(opening)
    kernel = rig.connect()
    rig.tools()
    assert kernel.peer.version == rig.version


def test_a_call_that_comes_while_a_kernel_joins_that_is_lost_again_was_not_run(rig: Rig) -> None:
    rig.open()
    rig.tools()
    rig.connect()
    call = rig.call("add")
    rig.drop()
    assert rig.text_of(call).startswith("add was not run. The connection to flights.ipynb was lost")


# --- restarts ---------------------------------------------------------------------------------------------


def restarted(rig: Rig, tools: list[str]) -> None:
    rig.drop()
    rig.connect(an_entry(pid=2, started=NOW - 40), tools=tools)


def test_after_a_restart_a_known_tool_is_explained_until_it_is_defined_again(rig: Rig) -> None:
    rig.connect(tools=["top_routes"])
    with_listen(rig)
    rig.tools()
    restarted(rig, [])
    assert rig.news() == [CHANGED]
    result = rig.answer(rig.call("top_routes"))["result"]
    assert result["isError"] is True
    assert result["content"][0]["text"] == ("Kernel restarted 40 s ago; top_routes is not defined yet, ask for its cell to be run.")
    assert rig.answer(rig.call("never_heard_of"))["error"]["code"] == -32602
    assert rig.tools() == []
    assert rig.kernel is not None
    rig.kernel.define("top_routes")
    assert rig.news() == [CHANGED]
    call = rig.call("top_routes")
    rig.settle()
    rig.kernel.finish(call)
    assert rig.text_of(call) == "done"


def test_after_a_restart_its_own_tools_say_so_where_something_is_not_there_any_more(rig: Rig) -> None:
    first = rig.connect(tools=[*OWN_TOOLS, "top_routes"], resources=["df://sales"])
    rig.open()
    status = rig.call("notebook_status")
    rig.settle()
    told = "shop · kernel idle\nDataFrames:\nplanes v3 · 5 rows\nFunctions of this person:\nfit_model(n) · Fit."
    first.finish(status, told)
    assert rig.text_of(status) == told
    rig.tools()
    rig.answer(rig.ask("resources/list"))
    restarted(rig, ["job_cancel", "job_wait", "notebook_call", "notebook_status"])
    rig.settle()
    gone = "Jobs and results of before are gone."
    unpublished = (
        f"Kernel restarted 40 s ago; nothing is published yet, planes, sales were. {gone} Ask the person to run their cells again."
    )
    assert rig.text_of(rig.call("df_read", name="sales")) == unpublished
    assert rig.text_of(rig.call("df_describe", name="anything")) == unpublished

    def answered(tool: str, text: str, *, is_error: bool = True, **arguments: str) -> str:
        call = rig.call(tool, **arguments)
        rig.settle()
        assert rig.kernel is not None
        rig.kernel.finish(call, text, is_error=is_error)
        return rig.text_of(call)

    undefined = (
        f"Kernel restarted 40 s ago; {{}} is not defined yet, ask for its cell to be run. {gone}\nNo function {{}} in this notebook."
    )
    for name in ("fit_model", "top_routes"):
        assert answered("notebook_call", f"No function {name} in this notebook.", function=f"{name}()") == undefined.format(name, name)
    no_job = "No job 'j3'. You have none."
    unknown = f"Kernel restarted 40 s ago; only what ran since is there. {gone}\n{no_job}"
    assert answered("job_wait", no_job, job="j3") == unknown
    assert answered("job_wait", "j3: still running", job="j3", is_error=False) == "j3: still running"
    assert answered("notebook_call", "n: expected a number", function="top_routes") == "n: expected a number"
    news = (
        "Kernel restarted 40 s ago; planes, sales not published yet, {}top_routes not defined yet: ask for their cells to be run. " + gone
    )
    assert answered("notebook_status", "shop · kernel idle", is_error=False) == news.format("fit_model, ") + "\nshop · kernel idle"
    again = "shop\nfit_model(n) · Fit."
    assert answered("notebook_status", again, is_error=False) == news.format("") + "\n" + again
    rig.now += 3600
    assert answered("job_wait", no_job, job="j3") == no_job, "no news any more"
    assert answered("notebook_call", "No function top_routes", function="top_routes").startswith(
        "Kernel restarted 60 min ago; top_routes is"
    )


def test_a_restart_is_told_of_for_a_while_also_to_a_host_that_knew_nothing(rig: Rig) -> None:
    rig.connect(tools=["notebook_status"])
    rig.open()
    restarted(rig, ["notebook_status"])
    for minutes, said in [(0, "Kernel restarted 40 s ago. Jobs and results of before are gone.\nidle"), (10, "idle")]:
        rig.now += 60 * minutes
        status = rig.call("notebook_status")
        rig.settle()
        assert rig.kernel is not None
        rig.kernel.finish(status, "idle")
        assert rig.text_of(status) == said


def test_a_server_that_only_stopped_and_started_again_has_forgotten_nothing(rig: Rig) -> None:
    rig.connect(tools=["top_routes"])
    with_listen(rig)
    rig.tools()
    rig.drop()
    kernel = rig.connect(an_entry(pid=1, started=NOW), tools=["top_routes"])
    assert rig.news() == []
    kernel.define()
    assert rig.answer(rig.call("top_routes"))["error"]["message"] == "Unknown tool: top_routes"


def test_a_restart_of_one_notebook_is_none_of_another(rig: Rig) -> None:
    rig.connect()
    rig.open()
    restarted(rig, [])
    rig.drop()
    kernel = rig.connect(an_entry("weather.ipynb", pid=3), tools=["forecast"])
    rig.tools()
    kernel.define()
    assert rig.answer(rig.call("forecast"))["error"]["message"] == "Unknown tool: forecast"


def test_a_tool_withdrawn_without_a_restart_is_answered_by_the_kernel_itself(rig: Rig) -> None:
    rig.connect(tools=["top_routes"])
    rig.open()
    rig.tools()
    assert rig.kernel is not None
    rig.kernel.define()
    assert rig.answer(rig.call("top_routes"))["error"]["message"] == "Unknown tool: top_routes"


def test_a_changed_list_is_told_once_however_often_kernels_restart(rig: Rig) -> None:
    rig.connect(tools=["a"])
    with_listen(rig)
    rig.tools()
    told = []
    for pid in range(2, 6):
        rig.drop()
        rig.connect(an_entry(pid=pid), tools=["b"])
        told += rig.news()
    assert told == [CHANGED]
    assert rig.tools() == ["b"]
    restarted(rig, ["a"])
    assert rig.news() == [CHANGED]


def test_another_notebooks_tool_is_told_from_one_that_is_not_defined_yet(rig: Rig) -> None:
    rig.connect(tools=["top_routes"])
    rig.open()
    rig.tools()
    rig.drop()
    rig.connect(an_entry("weather.ipynb", pid=2))
    assert rig.text_of(rig.call("top_routes")).startswith("top_routes belongs to flights.ipynb, and weather.ipynb is used now.")


# --- subscriptions ------------------------------------------------------------------------------------------


def test_legacy_subscriptions_and_the_log_level_are_told_to_the_next_kernel() -> None:
    rig = Rig()
    kernel = rig.connect(resources=["df://flights", "df://planes"])
    rig.open()
    for uri in ("df://flights", "df://planes"):
        rig.answer(rig.ask("resources/subscribe", {"uri": uri}))
    rig.answer(rig.ask("resources/unsubscribe", {"uri": "df://planes"}))
    rig.answer(rig.ask("logging/setLevel", {"level": "warning"}))
    rig.drop()
    kernel = rig.connect(resources=["df://flights", "df://planes"])
    assert rig.news() == [UPDATED]
    assert kernel.watched == {"df://flights"}
    assert kernel.level == "warning"
    kernel.touch("df://flights")
    assert rig.news() == [UPDATED]


def test_subscriptions_made_without_a_kernel_hold_with_the_first_one() -> None:
    rig = Rig()
    rig.open()
    assert rig.answer(rig.ask("resources/subscribe", {"uri": "df://flights"}))["result"] == {}
    assert rig.answer(rig.ask("logging/setLevel", {"level": "error"}))["result"] == {}
    kernel = rig.connect(resources=["df://flights"])
    assert rig.news() == [UPDATED]
    assert (kernel.watched, kernel.level) == ({"df://flights"}, "error")


def test_a_resource_that_is_published_again_after_a_restart_is_watched_again_and_told(rig: Rig) -> None:
    kernel = rig.connect(resources=["df://flights"])
    rig.open()
    if rig.modern:
        rig.listen("df://flights", tools=False, resources=False)
    else:
        rig.answer(rig.ask("resources/subscribe", {"uri": "df://flights"}))
    rig.news()
    restarted(rig, [])
    kernel = rig.kernel  # type: ignore[assignment]  # there is one
    assert rig.news() == []
    kernel.publish("df://other")
    assert UPDATED not in rig.news()
    kernel.publish("df://other", "df://flights")
    assert rig.news().count(UPDATED) == 1
    kernel.touch("df://flights")
    assert rig.news() == [UPDATED]
    assert kernel.watched == {"df://flights"}
    assert [listen.exchange.id for listen in kernel.peer.subscriptions.listens if str(listen.exchange.id).startswith(OWN)] == []


def test_a_subscription_that_is_being_ended_is_not_made_again() -> None:
    rig = Rig()
    rig.open()
    rig.answer(rig.ask("resources/subscribe", {"uri": "df://flights"}))
    kernel = rig.connect()
    rig.settle()
    ending = rig.ask("resources/unsubscribe", {"uri": "df://flights"})
    kernel.publish("df://flights")
    kernel.read()
    rig.answer(ending)
    assert kernel.watched == set()
    rig.answer(rig.ask("resources/subscribe", {"uri": "df://flights"}))
    assert kernel.watched == {"df://flights"}


def test_open_listens_stay_open_for_the_host_whatever_kernels_do() -> None:
    rig = Rig(LATEST_MODERN)
    kernel = rig.connect(tools=["a"], resources=["df://flights"])
    rig.open()
    listen = rig.listen("df://flights")
    assert rig.news() == [ACKNOWLEDGED]
    kernel.end_listens()
    assert rig.news() == []
    rig.drop()
    kernel = rig.connect(tools=["a"], resources=["df://flights"])
    assert rig.news() == [UPDATED]
    kernel.define("b")
    rig.settle()
    assert [(m["method"], m["params"]["_meta"][wire.META_SUBSCRIPTION]) for m in rig.heard] == [(CHANGED, listen)]
    rig.news()
    rig.cancel(listen)
    rig.settle()
    assert kernel.watched == set()
    rig.drop()
    assert rig.connect().watched == set()
    assert rig.heard == []


def test_a_listen_opened_without_a_kernel_is_acknowledged_once_and_served_by_the_first_one() -> None:
    rig = Rig(LATEST_MODERN)
    rig.open()
    rig.listen("df://flights")
    assert rig.news() == [ACKNOWLEDGED]
    kernel = rig.connect(resources=["df://flights"])
    assert rig.news() == [UPDATED]
    kernel.touch("df://flights")
    assert rig.news() == [UPDATED]


def test_a_listen_that_was_not_acknowledged_when_the_kernel_was_lost_is_acknowledged_now() -> None:
    rig = Rig(LATEST_MODERN)
    kernel = rig.connect()
    rig.open()
    rig.listen("df://flights")
    kernel.inbox.clear()
    rig.drop()
    assert rig.news() == [ACKNOWLEDGED]


def test_a_listen_cancelled_without_a_kernel_is_not_sent_to_the_next_one() -> None:
    rig = Rig(LATEST_MODERN)
    rig.open()
    rig.cancel(rig.listen("df://flights"))
    assert rig.connect(resources=["df://flights"]).watched == set()
    rig.settle()
    assert not rig.relay.holding


def test_a_change_found_before_the_handshake_is_complete_is_told_when_it_is() -> None:
    rig = Rig()
    rig.ask("initialize", {"protocolVersion": rig.version, "capabilities": {}, "clientInfo": CLIENT})
    rig.tools()
    rig.connect(tools=["a"])
    assert rig.news() == []
    rig.notify("notifications/initialized")
    assert rig.news() == [CHANGED]


# --- kernels ask the host -----------------------------------------------------------------------------------


def answer_question(rig: Rig, action: str) -> None:
    question = next(message for message in rig.heard if message.get("method") == "elicitation/create")
    rig.heard.remove(question)
    rig.say({"jsonrpc": "2.0", "id": question["id"], "result": {"action": action}})
    rig.settle()


def test_a_question_of_a_lost_kernel_is_withdrawn_and_its_late_answer_reaches_no_other_kernel() -> None:
    rig = Rig()
    kernel = rig.connect()
    rig.open()
    asked = kernel.ask_host(message="first?")
    rig.settle()
    rig.drop()
    assert rig.heard[-1]["params"]["requestId"] == asked
    assert rig.news() == ["notifications/cancelled"]
    second = rig.connect()
    rig.settle()
    assert second.ask_host(message="second?") == asked, "each kernel counts from the start"
    rig.settle()
    answer_question(rig, "decline")
    assert second.answers == []
    answer_question(rig, "accept")
    assert [answer.result for answer in second.answers] == [{"action": "accept"}]


def test_a_kernel_may_withdraw_its_question() -> None:
    rig = Rig()
    kernel = rig.connect()
    rig.open()
    pending, text = kernel.peer.request("elicitation/create", {"message": "?"})
    withdrawal = kernel.peer.cancel(pending)
    assert withdrawal is not None
    kernel.outbox.extend((text, withdrawal))
    rig.settle()
    assert rig.texts[-1] == withdrawal
    answer_question(rig, "accept")
    assert kernel.answers == []


# --- which kernel -------------------------------------------------------------------------------------------


def test_notebook_use_is_listed_once_there_is_something_to_choose_and_stays(rig: Rig) -> None:
    with_listen(rig)
    assert rig.tools() == OWN_TOOLS
    one, two = an_entry("a.ipynb"), an_entry("b.ipynb", pid=2)
    rig.relay.know(several(one, two))
    assert rig.news() == [CHANGED]
    rig.relay.know(several(one, two))
    assert rig.news() == []
    assert rig.tools() == [*OWN_TOOLS, "notebook_use"]
    status = rig.text_of(rig.call("notebook_status"))
    assert "2 are running and none is chosen" in status
    assert "- a.ipynb · /data/a.ipynb · serving for 40 s" in status
    rig.connect(one, tools=["add"])
    rig.relay.know(Choice(one, (one,)))
    assert rig.news() == [CHANGED]
    assert rig.tools() == ["add", "notebook_use"]
    assert rig.news() == []


def test_a_second_kernel_that_appears_while_connected_makes_notebook_use_appear_once(rig: Rig) -> None:
    one, two = an_entry("a.ipynb"), an_entry("b.ipynb", pid=2)
    rig.connect(one, tools=["add", "notebook_status"])
    with_listen(rig)
    rig.tools()
    rig.relay.know(dataclasses.replace(several(one, two), entry=one))
    assert rig.news() == [CHANGED]
    assert sorted(rig.tools()) == ["add", *OWN_TOOLS, "notebook_use"]
    status = rig.call("notebook_status")
    rig.settle()
    assert rig.kernel is not None
    rig.kernel.finish(status, "what the kernel says")
    lines = rig.text_of(status)
    assert lines.startswith("what the kernel says\nThis is a.ipynb. Also running")
    assert "- b.ipynb" in lines
    assert "- a.ipynb" not in lines


def test_a_choice_goes_to_the_driver_in_every_state_and_is_answered_once(rig: Rig) -> None:
    rig.open()
    first = rig.call("notebook_use", name="a.ipynb")
    rig.connect()
    rig.settle()
    second = rig.call("notebook_use")
    assert rig.uses == [(first, "a.ipynb"), (second, "")]
    rig.relay.answer_use(first, "Now using a.ipynb.", is_error=False)
    rig.relay.answer_use(first, "again", is_error=False)
    assert rig.text_of(first) == "Now using a.ipynb."
    rig.cancel(second)
    rig.relay.answer_use(second, "too late", is_error=True)
    assert rig.heard == []
    assert rig.relay.idle


def test_a_call_that_only_mentions_the_bridges_tools_is_the_kernels(rig: Rig) -> None:
    kernel = rig.connect(tools=["note"])
    rig.open()
    call = rig.call("note", text="call notebook_use or notebook_status")
    rig.settle()
    assert list(kernel.calls) == [call]


# --- waiting for a kernel ---------------------------------------------------------------------------------------


def test_a_status_call_that_may_wait_is_answered_by_the_kernel_as_soon_as_it_is_there(rig: Rig) -> None:
    rig.open()
    status = rig.call("notebook_status", wait_s=50)
    rig.settle()
    assert rig.heard == []
    assert rig.waits == {status: 50}
    kernel = rig.connect(tools=["notebook_status"])
    rig.settle()
    kernel.finish(status, "what the kernel says")
    assert rig.text_of(status) == "what the kernel says"
    rig.relay.wake(status)
    assert rig.heard == []


def test_it_waits_no_longer_than_asked_and_never_past_what_hosts_allow(rig: Rig) -> None:
    rig.open()
    short, long = rig.call("notebook_status", wait_s=0.5), rig.call("notebook_status", wait_s=1e9)
    assert rig.waits == {short: 0.5, long: 50}
    rig.relay.wake(short)
    assert "wb.start()" in rig.text_of(short)
    rig.cancel(long)
    rig.relay.wake(long)
    rig.connect(tools=["notebook_status"])
    rig.settle()
    assert rig.heard == []
    assert rig.relay.idle


def test_a_wait_that_ends_while_a_kernel_joins_is_answered_by_it_or_when_it_is_lost_again(rig: Rig) -> None:
    rig.open()
    rig.tools()
    for stays in (True, False):
        status = rig.call("notebook_status", wait_s=50)
        kernel = rig.connect(tools=["notebook_status"])
        rig.relay.wake(status)
        assert rig.heard == []
        if stays:
            rig.settle()
            kernel.finish(status, "what the kernel says")
            assert rig.text_of(status) == "what the kernel says"
        else:
            rig.drop()
            assert "flights.ipynb was lost" in rig.text_of(status)
        rig.drop()
        rig.news()


@pytest.mark.parametrize("wait_s", [0, -1, "50", None])
def test_without_a_wait_it_is_answered_at_once(rig: Rig, wait_s: object) -> None:
    rig.open()
    assert "wb.start()" in rig.text_of(rig.call("notebook_status", wait_s=wait_s))


def test_news_that_are_no_kernel_end_the_wait_as_well(rig: Rig) -> None:
    rig.open()
    status = rig.call("notebook_status", wait_s=50)
    one, two = an_entry("a.ipynb"), an_entry("b.ipynb", pid=2)
    rig.relay.know(several(one, two))
    assert "2 are running and none is chosen" in rig.text_of(status)
    again = rig.call("notebook_status", wait_s=50)
    rig.relay.know(several(one, two))
    rig.relay.know(Choice(one, (one, two)))
    assert rig.heard == [], "what is about to be connected is no news yet"
    rig.relay.know(Choice(one, (one, two)), "nothing listens there")
    assert "not connected: nothing listens there" in rig.text_of(again)


def test_files_that_were_not_used_are_named_in_the_status(rig: Rig) -> None:
    rig.open()
    rig.relay.know(Choice(None, ()), None, ("kernel-1.json was written by another version",))
    assert "Not used: kernel-1.json was written by another version." in rig.text_of(rig.call("notebook_status"))


# --- batches and other revisions ------------------------------------------------------------------------------


def batch(rig: Rig, *requests: tuple[int, str, dict[str, str]]) -> None:
    rig.say([{"jsonrpc": "2.0", "id": number, "method": method, "params": params} for number, method, params in requests])


def test_batches_pass_and_are_answered_as_arrays_by_whoever_is_there() -> None:
    rig = Rig("2025-03-26")
    kernel = rig.connect(tools=["add"])
    rig.open()
    rig.tools()
    pair: list[tuple[int, str, dict[str, str]]] = [(11, "ping", {}), (12, "tools/call", {"name": "add"})]
    batch(rig, *pair)
    rig.settle()
    kernel.finish(12)
    rig.settle()
    assert [message["id"] for message in json.loads(rig.texts[-1])] == [11, 12]
    batch(rig, *((number + 10, method, params) for number, method, params in pair))
    rig.drop()
    lost = json.loads(rig.texts[-1])
    assert [message["id"] for message in lost] == [21, 22]
    assert lost[1]["result"]["isError"] is True
    batch(rig, (31, "tools/list", {}), (32, "ping", {}))
    told = json.loads(rig.texts[-1])
    assert [message["id"] for message in told] == [31, 32]
    assert told[0]["result"]["tools"][0]["name"] == "add"


def test_a_kernel_that_does_not_speak_the_hosts_revision_is_given_up() -> None:
    rig = Rig()
    rig.open()
    kernel = rig.connect()
    request = json.loads(kernel.inbox.popleft())
    rig.relay.receive_from_kernel(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": {"protocolVersion": "1999-01-01"}}).encode())
    (sentence,) = rig.given_up
    assert f"does not speak MCP {LATEST_LEGACY}" in sentence
    call = rig.call("add")
    rig.drop(sentence)
    assert sentence in rig.text_of(call)


# --- a channel ------------------------------------------------------------------------------------------------

NEWS = b'{"jsonrpc":"2.0","method":"notifications/claude/channel","params":{"content":"x","meta":{"dataframes":"a@1"}}}'
DISCOVER = {"jsonrpc": "2.0", "id": "probe", "method": "server/discover", "params": {"_meta": META}}


@pytest.mark.parametrize("kernel_first", [True, False])
def test_with_a_channel_the_host_is_led_to_a_revision_that_has_one_whoever_answers(kernel_first: bool) -> None:
    rig = Rig(channel=True)
    rig.checked = False
    if kernel_first:
        rig.connect(tools=["add"])
        rig.settle()
    rig.say(DISCOVER)
    assert [(each["id"], each["error"]["code"]) for each in rig.heard] == [("probe", ErrorCode.METHOD_NOT_FOUND)]
    rig.heard.clear()
    opened = rig.answer(rig.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}))["result"]
    assert opened["capabilities"]["experimental"] == {"claude/channel": {}}
    assert "<channel> events" in opened["instructions"]
    rig.notify("notifications/initialized")
    kernel = rig.kernel or rig.connect(tools=["add"])
    rig.settle()
    rig.heard.clear()
    kernel.outbox.append(NEWS)
    rig.settle()
    assert rig.heard == [json.loads(NEWS)]


def test_without_the_flag_nothing_is_declared_and_news_pass_as_everything_does(rig: Rig) -> None:
    rig.checked = False
    rig.open()
    kernel = rig.connect(tools=["add"])
    rig.settle()
    rig.heard.clear()
    kernel.outbox.append(NEWS)
    rig.settle()
    assert rig.heard == [json.loads(NEWS)]
