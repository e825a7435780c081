"""The widget's model holds which kernel it belongs to and nothing else, and is made only where it can live."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import comm
import pytest

from mcp_workbench.version import __version__
from mcp_workbench.views import widget as widgets
from mcp_workbench.views.messages import VIEW_PROTOCOL
from mcp_workbench.views.widget import WIDGET_VIEW, Bundle, PanelWidget, read_bundle, wanted

OURS = {"kernel_id", "panel", "static_id", "version", "view_protocol"}


class Comm(comm.DummyComm):
    """Keeps what would be sent."""

    def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any) -> None:
        SENT.append((msg_type, self.comm_id, data))


SENT: list[tuple[str, str, Any]] = []


@pytest.fixture(autouse=True)
def comms(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(comm, "create_comm", lambda *args, **keys: Comm(*args, **keys))
    SENT.clear()
    yield
    SENT.clear()


def made(received: list[Any] | None = None) -> PanelWidget:
    taken = [] if received is None else received
    bundle = Bundle("export default {}", ".mcpw {}")
    return PanelWidget(bundle, "calls", "k1", "abc123", lambda content, buffers: taken.append((content, buffers)))


def opened() -> dict[str, Any]:
    [state] = [data["state"] for kind, _, data in SENT if kind == "comm_open" and data["state"].get("_model_module") == "anywidget"]
    assert isinstance(state, dict)
    return state


def test_it_synchronizes_which_kernel_it_belongs_to_and_no_fact() -> None:
    widget = made()
    state = opened()
    assert {name for name in state if not name.startswith("_")} - {"layout", "tabbable", "tooltip"} == OURS
    assert (state["kernel_id"], state["panel"], state["static_id"]) == ("k1", "calls", "abc123")
    assert (state["version"], state["view_protocol"]) == (__version__, VIEW_PROTOCOL)
    assert (state["_esm"], state["_css"]) == ("export default {}", ".mcpw {}")
    assert widget.mime_bundle[WIDGET_VIEW]["model_id"] in {comm_id for _, comm_id, _ in SENT}
    assert len(widget.mime_bundle["text/plain"]) < 100
    assert "\n" not in widget.mime_bundle["text/plain"]
    widget.close()


def test_messages_go_both_ways_as_they_are_and_a_close_is_told() -> None:
    received: list[Any] = []
    widget = made(received)
    widget.send({"type": "hello"})
    model_id = widget.mime_bundle[WIDGET_VIEW]["model_id"]
    assert SENT[-1] == ("comm_msg", model_id, {"method": "custom", "content": {"type": "hello"}})
    custom = {"content": {"data": {"method": "custom", "content": {"type": "open"}}}, "buffers": []}
    widget._model.comm.handle_msg(custom)
    assert received == [({"type": "open"}, [])]
    widget.close()
    assert ("comm_close", model_id) in {(kind, comm_id) for kind, comm_id, _ in SENT}


def test_it_is_wanted_where_its_libraries_are_and_nobody_has_switched_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wanted()
    monkeypatch.setenv("MCP_WORKBENCH_WIDGETS", "0")
    assert not wanted()
    monkeypatch.setenv("MCP_WORKBENCH_WIDGETS", "1")
    assert wanted()
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "anywidget" else find(name))
    assert not wanted()


def test_the_bundle_is_read_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widgets, "STATIC", tmp_path)
    assert read_bundle() is None
    (tmp_path / "widget.js").write_text("export default {}", encoding="utf-8")
    assert read_bundle() is None
    (tmp_path / "widget.css").write_text("", encoding="utf-8")
    assert read_bundle() == Bundle("export default {}", "")
