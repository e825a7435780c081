"""Around one open request: cancelling it, its progress, its log messages."""

from __future__ import annotations

import pytest

from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Fate
from mcp_workbench.protocol.versions import LEGACY_VERSIONS, V2026_07_28
from tests.support.protocol import Conversation, legacy, modern

CALL = wire.CallToolResult(content=[wire.TextContent(text="3")])
CALLED = '<< #1 result {"...":0}'


def calling(version: str = "2025-11-25", meta: str = "") -> Conversation:
    """A conversation with one open tools/call, id 1; `meta` are further members of its `_meta`."""
    if version == V2026_07_28:
        talk = modern()
        envelope = '"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}'
        meta = f"{envelope},{meta}" if meta else envelope
    else:
        talk = legacy(version)
    talk.play(f'>> #1 tools/call {{"name":"add","_meta":{{{meta}}}}}\n << (request #1 tools/call)')
    return talk


ALL_VERSIONS = (*LEGACY_VERSIONS, V2026_07_28)

# --- cancelling ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ALL_VERSIONS)
def test_a_cancelled_request_is_never_answered(version: str) -> None:
    talk = calling(version, '"progressToken":1,"io.modelcontextprotocol/logLevel":"debug"')
    talk.play("""
        >> notifications/cancelled {"requestId":1,"reason":"too slow"}
        << (cancelled #1 too slow)
    """)
    exchange, peer = talk.exchange(1), talk.peer
    assert (exchange.fate, peer.in_flight) == (Fate.CANCELLED, 0)
    talk.send(peer.answer(exchange, CALL), peer.answer_error(exchange, -32603, "no"))
    talk.send(peer.progress(exchange, 1.0), peer.log(exchange, "error", "text"))
    talk.play("<< nothing\n << nothing\n << nothing\n << nothing")


def test_a_late_answer_of_a_cancelled_request_leaves_its_successor_alone() -> None:
    talk = calling()
    old = talk.exchange(1)
    talk.play("""
        >> notifications/cancelled {"requestId":1}
        << (cancelled #1)
        >> #1 tools/call {"name":"add"}
        << (request #1 tools/call)
    """)
    talk.send(talk.peer.answer_error(old, -32603, "late"), talk.peer.answer(old, CALL))
    talk.play("<< nothing\n << nothing")
    assert talk.peer.in_flight == 1
    talk.answer(1, CALL)
    talk.play(CALLED)


@pytest.mark.parametrize("named", ["99", '"1"', '""', "-1", "0"])
def test_cancelling_an_unknown_id_changes_nothing(named: str) -> None:
    talk = calling()
    talk.play(f'>> notifications/cancelled {{"requestId":{named}}}\n << (ignored LATE_CANCEL)')
    talk.answer(1, CALL)
    talk.play(CALLED)


def test_text_and_integer_ids_are_different_requests() -> None:
    talk = legacy()
    talk.play("""
        >> #7 tools/list
        << (request #7 tools/list)
        >> #"7" tools/list
        << (request #"7" tools/list)
        >> notifications/cancelled {"requestId":"7"}
        << (cancelled #"7")
    """)
    talk.answer("7", wire.ListToolsResult(tools=[]))
    talk.answer(7, wire.ListToolsResult(tools=[]))
    talk.play('<< nothing\n << #7 result {"tools":[]}')


@pytest.mark.parametrize(
    "params", ["", "{}", '{"requestId":null}', '{"requestId":1.0}', '{"requestId":true}', '{"requestId":[1]}', '{"requestId":1,"reason":5}']
)
def test_a_broken_cancel_is_ignored(params: str) -> None:
    talk = calling()
    talk.play(f">> notifications/cancelled {params}\n << (ignored BROKEN_NOTIFICATION)")
    assert talk.peer.in_flight == 1


def test_cancelling_a_finished_request_or_initialize_is_too_late() -> None:
    talk = calling()
    talk.answer(1, CALL)
    talk.play(f"""
        {CALLED}
        >> notifications/cancelled {{"requestId":1}}
        << (ignored LATE_CANCEL)
        >> notifications/cancelled {{"requestId":0}}
        << (ignored LATE_CANCEL)
    """)
    assert talk.exchange(1).fate is Fate.ANSWERED


def test_cancelling_twice_is_too_late_the_second_time() -> None:
    calling().play("""
        >> notifications/cancelled {"requestId":1}
        << (cancelled #1)
        >> notifications/cancelled {"requestId":1}
        << (ignored LATE_CANCEL)
    """)


# --- progress --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ALL_VERSIONS)
@pytest.mark.parametrize("token", ["1", '"a"', "0", '""'])
def test_progress_carries_the_token_of_the_request(version: str, token: str) -> None:
    talk = calling(version, f'"progressToken":{token}')
    exchange, peer = talk.exchange(1), talk.peer
    talk.send(peer.progress(exchange, 0.5), peer.progress(exchange, 1, 4, "reading"))
    talk.play(f"""
        << notifications/progress {{"progressToken":{token},"progress":0.5}}
        << notifications/progress {{"progressToken":{token},"progress":1,"total":4,"message":"reading"}}
    """)
    talk.answer(1, CALL)
    talk.send(peer.progress(exchange, 2))
    talk.play(CALLED + "\n << nothing")


@pytest.mark.parametrize("version", ALL_VERSIONS)
def test_without_a_token_there_is_no_progress(version: str) -> None:
    talk = calling(version)
    talk.send(talk.peer.progress(talk.exchange(1), 1))
    talk.play("<< nothing")


def test_nothing_follows_the_end_of_the_connection() -> None:
    talk = calling(meta='"progressToken":1')
    talk.peer.close()
    talk.send(talk.peer.progress(talk.exchange(1), 1), talk.peer.log(talk.exchange(1), "error", "x"))
    talk.answer(1, CALL)
    talk.play("<< nothing\n << nothing\n << nothing")


def test_progress_of_a_request_we_never_sent_is_ignored() -> None:
    legacy().play('>> notifications/progress {"progressToken":1,"progress":1}\n << (ignored UNKNOWN_PROGRESS)')
    modern().play('>> notifications/progress {"progressToken":1,"progress":1}\n << (ignored UNKNOWN_NOTIFICATION)')


# --- log messages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", LEGACY_VERSIONS)
def test_legacy_log_messages_follow_the_level_of_the_connection(version: str) -> None:
    talk = calling(version)
    exchange, peer = talk.exchange(1), talk.peer
    talk.send(peer.log(exchange, "debug", "quiet"), peer.log(exchange, "info", {"a": 1}, "tool"))
    talk.play('<< nothing\n << notifications/message {"level":"info","data":{"a":1},"logger":"tool"}')
    peer.log_level = "error"
    talk.send(peer.log(exchange, "warning", "quiet"), peer.log(exchange, "emergency", None))
    talk.play('<< nothing\n << notifications/message {"level":"emergency","data":null}')
    talk.answer(1, CALL)
    talk.send(peer.log(exchange, "emergency", "late"))
    talk.play(CALLED + "\n << nothing")


def test_a_modern_request_hears_nothing_unless_it_asked() -> None:
    talk = calling(V2026_07_28)
    talk.send(*(talk.peer.log(talk.exchange(1), level, "x") for level in wire.LOG_LEVELS))
    talk.play("<< nothing\n" * len(wire.LOG_LEVELS))


@pytest.mark.parametrize("level", wire.LOG_LEVELS)
def test_a_modern_request_hears_its_own_level_and_above(level: wire.LogLevel) -> None:
    talk = calling(V2026_07_28, f'"io.modelcontextprotocol/logLevel":"{level}"')
    heard = [other for other in wire.LOG_LEVELS if talk.peer.log(talk.exchange(1), other, "x") is not None]
    assert heard == list(wire.LOG_LEVELS[wire.LOG_LEVELS.index(level) :])
    talk.send(talk.peer.log(talk.exchange(1), "emergency", "x"))
    talk.play('<< notifications/message {"level":"emergency","data":"x"}')


def test_each_modern_request_has_its_own_level() -> None:
    talk = calling(V2026_07_28, '"io.modelcontextprotocol/logLevel":"error"')
    talk.play('>> #2 tools/call {"_meta":$META,"name":"add"}\n << (request #2 tools/call)')
    talk.send(talk.peer.log(talk.exchange(2), "emergency", "x"), talk.peer.log(talk.exchange(1), "error", "x"))
    talk.play('<< nothing\n << notifications/message {"level":"error","data":"x"}')


def test_an_unknown_modern_level_is_refused() -> None:
    envelope = '"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}'
    modern().play(f'>> #1 tools/list {{"_meta":{{{envelope},"io.modelcontextprotocol/logLevel":"loud"}}}}\n << #1 error -32602')


def test_a_server_without_the_logging_capability_does_not_log() -> None:
    talk = legacy(capabilities=wire.ServerCapabilities(tools=wire.ListChanged(list_changed=True)))
    talk.play(">> #1 tools/list\n << (request #1 tools/list)")
    talk.send(talk.peer.log(talk.exchange(1), "emergency", "x"))
    talk.play("<< nothing")
