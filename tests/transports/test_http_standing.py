"""What is said again, as the last that was said of each."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.jsonrpc import Notification, Request
from mcp_workbench.transports.http_standing import Standing

URIS = ("df://a", "df://b", "df://c")


def test_the_handshake_is_kept_as_it_was_said() -> None:
    standing = Standing()
    assert (standing.opening, standing.again()) == (None, [])
    opening = Request(1, "initialize", {"protocolVersion": "2025-11-25"})
    standing.note_sent(opening, b"opening")
    standing.note_sent(Notification("notifications/initialized", None), b"ready")
    standing.note_sent(Request(2, "tools/list", None), b"other")
    assert (standing.opening, standing.ready) == ((opening, b"opening"), b"ready")


@given(st.lists(st.tuples(st.sampled_from(["resources/subscribe", "resources/unsubscribe", "logging/setLevel"]), st.sampled_from(URIS))))
def test_what_is_said_again_is_what_holds(said: list[tuple[str, str]]) -> None:
    standing, holds, level = Standing(), set[str](), None
    for number, (method, word) in enumerate(said):
        params: dict[str, Any] = {"level": word} if method == "logging/setLevel" else {"uri": word}
        standing.note_answered(Request(number, method, params))
        if method == "logging/setLevel":
            level = word
        else:
            (holds.add if method == "resources/subscribe" else holds.discard)(word)
    again = [(request, json.loads(text)) for request, text in standing.again()]
    assert all((request.id, request.method, request.params) == (text["id"], text["method"], text["params"]) for request, text in again)
    assert {text["params"]["uri"] for _, text in again if text["method"] == "resources/subscribe"} == holds
    assert [text["params"]["level"] for _, text in again if text["method"] == "logging/setLevel"] == ([] if level is None else [level])
    news = [json.loads(text) for text in standing.news()]
    assert {each["params"]["uri"] for each in news if each["method"] == "notifications/resources/updated"} == holds
    assert sum(each["method"].endswith("/list_changed") for each in news) == 3
