"""One `show()`: what is shown where, and what becomes of it when the server stops, starts and a newer one comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from mcp_workbench.hosts import HostIdentity, Renew
from mcp_workbench.views import widget as widgets
from mcp_workbench.views.facts import View
from mcp_workbench.views.live_display import MOVED
from mcp_workbench.views.showing import ENDED, Showing
from mcp_workbench.views.widget import NOT_BUILT, WIDGET_VIEW, Bundle
from tests.support.host import ScriptedHost

SERVING = View("trips", "ws://127.0.0.1:1/mcp", 1.7e9)


class Notebook(ScriptedHost):
    """A host that keeps what it was shown, each display in a list of its own."""

    def __init__(self, kind: str = "ipykernel") -> None:
        super().__init__()
        self.kind = kind
        self.displays: list[list[Mapping[str, Any]]] = []

    def identity(self) -> HostIdentity:
        return HostIdentity(self.kind, "k1", "/notebooks/trips.ipynb")

    def display(self, bundle: Mapping[str, Any]) -> Renew | None:
        shown = [bundle]
        self.displays.append(shown)

        def renew(newer: Mapping[str, Any], /, *, here: bool = False) -> None:
            shown.append(newer)

        return renew


class Widget:
    """In place of a widget."""

    made: list[Widget]

    def __init__(self, bundle: Bundle, *state: Any) -> None:
        self.mime_bundle = {WIDGET_VIEW: {"model_id": "m1"}, "text/plain": "live"}
        self.state, self.closed = state[:3], False
        self.sent: list[Any] = []
        Widget.made.append(self)

    def send(self, message: Any) -> None:
        self.sent.append(message)

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def front_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    Widget.made = []
    monkeypatch.setattr(widgets, "PanelWidget", Widget)
    monkeypatch.setattr(widgets, "read_bundle", lambda: Bundle("export default {}", ""))
    yield
    Widget.made = []


def test_the_widget_comes_first_and_the_state_bears_the_mark_that_it_knows() -> None:
    host, notes = Notebook(), list[str]()
    showing = Showing(lambda: SERVING, "calls", lambda: None).show(host, notes.append, "k1")
    [widget], [first, second] = Widget.made, host.displays
    panel, kernel_id, static_id = widget.state
    assert (panel, kernel_id, notes) == ("calls", "k1", [])
    assert WIDGET_VIEW in first[0]
    assert second[0]["text/html"].startswith(f'<div class="mcpw-static-{static_id}"')
    showing.rest()
    assert not widget.closed
    showing.go_on()
    showing.move()
    assert widget.closed
    assert first[-1] == {"text/plain": ""}
    assert second[-1] == MOVED
    showing.move()  # it has gone already
    assert len(first) == 2


def test_a_view_over_the_comm_is_told_when_no_server_runs() -> None:
    showing = Showing(lambda: SERVING, "all", lambda: None).show(Notebook(), list[str]().append)
    assert showing._door is not None
    showing._door.receive({"type": "open"})
    assert [message["type"] for message in Widget.made[0].sent] == ["closed"]
    showing.move()


@pytest.mark.parametrize("why", ["terminal", "switched off", "not built"])
def test_without_a_widget_there_is_the_state_and_nobody_else_watches(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    host, notes = Notebook("ipython" if why == "terminal" else "ipykernel"), list[str]()
    if why == "switched off":
        monkeypatch.setenv("MCP_WORKBENCH_WIDGETS", "0")
    if why == "not built":
        monkeypatch.setattr(widgets, "read_bundle", lambda: None)
    showing = Showing(lambda: SERVING, "all", lambda: None, lambda: 3).show(host, notes.append)
    [[state]] = host.displays
    assert "serves at" in state["text/plain"]
    assert notes == ([NOT_BUILT] if why == "not built" else [])
    assert (Widget.made, showing._watching()) == ([], 0)
    showing.go_on()
    showing.move()


def test_views_that_are_connected_slow_the_state_down() -> None:
    showing = Showing(lambda: SERVING, "all", lambda: None, lambda: 2).show(Notebook(), list[str]().append)
    assert showing._watching() == 2
    showing.cell_ended()
    showing.move()
    assert showing._watching() == 0


def test_when_the_process_ends_a_sentence_takes_the_place_of_the_widget(caplog: pytest.LogCaptureFixture) -> None:
    host = Notebook()
    showing = Showing(lambda: SERVING, "all", lambda: None).show(host, list[str]().append)
    showing.rest()
    showing.end()
    assert host.displays[0][-1] == ENDED

    def gone(_: Mapping[str, Any], /, *, here: bool = False) -> None:
        raise OSError("closed")

    showing._renew_widget = gone
    showing.end()
    assert "could not be taken away" in caplog.text
