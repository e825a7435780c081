from __future__ import annotations

from mcp_workbench.exploring.session_list import SessionList
from mcp_workbench.telemetry import SessionRecord


def test_sessions_show_themselves_in_the_order_in_which_they_came_and_without_secrets() -> None:
    secret = "sk-0123456789abcdef0123456789abcdef"
    late = SessionRecord("tap1", "stdio", "", "", 2.0, client_name=f"<img> {secret}", close_code=1006)
    sessions = SessionList([late, SessionRecord("s7", "websocket", "", "ann", 1.0)])
    words = repr(sessions)
    assert words.startswith("2 sessions")
    assert words.index("s7") < words.index("tap1")
    assert "closed with 1006" in words
    for shown in (words, sessions._repr_html_()):
        assert secret not in shown
    assert "<img>" not in sessions._repr_html_()
    many = SessionList([SessionRecord(f"s{number}", "memory", "", "", float(number)) for number in range(60)])
    assert "… 10 before" in repr(many)
