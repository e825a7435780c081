"""What a viewer needs around it: a channel, feeds and actions that do what the test says, and a server that is not there."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, cast

from mcp_workbench.exploring.annotations import Annotations
from mcp_workbench.live.dataframes.publications import DataFrames
from mcp_workbench.telemetry.telemetry import Telemetry
from mcp_workbench.transports.channel import ChannelFacts
from mcp_workbench.views.asks import Action, Ask
from mcp_workbench.views.feeds.sources import Sources
from mcp_workbench.views.messages import VIEW_PROTOCOL, Message, Open, Watch, encode
from mcp_workbench.views.viewer import Viewer
from tests.sessions.rig import FakeChannel

OPEN = encode(Open(view_protocol=VIEW_PROTOCOL, version="1.0"))


class FakeFeed:
    """Tells what the test has put in."""

    def __init__(self, panel: str) -> None:
        self.panel = panel
        self.news: list[Message] = []
        self.wanted: list[Watch] = []
        self.looks: list[float] = []
        self.fault = ""
        self.last = False

    def watch(self, wanted: Watch) -> None:
        self.wanted.append(wanted)
        if self.fault == "watch":
            raise KeyError("watch")

    def look(self, now: float, *, last: bool = False) -> Iterable[Message]:
        self.looks.append(now)
        self.last = last
        if self.fault == "look":
            raise KeyError("look")
        news, self.news = self.news, []
        return news


class Home:
    """A home of viewers whose clock the test sets."""

    def __init__(self) -> None:
        self.clock = 100.0
        self.gone: list[Viewer] = []
        self.posted: list[Callable[[], None]] = []

    def now(self) -> float:
        return self.clock

    def post(self, function: Callable[[], None]) -> bool:
        self.posted.append(function)
        return True

    def forget(self, viewer: Viewer) -> None:
        self.gone.append(viewer)


class View:
    """One viewer and the view at the other end."""

    def __init__(self, *feeds: FakeFeed, actions: dict[type[Any], Action] | None = None, transport: str = "websocket") -> None:
        self.home = Home()
        self.channel = FakeChannel()
        self.channel.facts = ChannelFacts(transport, "test:1")
        self.viewer = Viewer(self.channel, no_server(), feeds, actions or {}, self.home)
        self.channel.open(self.viewer)

    def say(self, message: Message) -> None:
        """The view sends something."""
        self.channel.deliver(encode(message))

    def opened(self, *panels: str) -> View:
        """It has opened, watches, and has been told what there was."""
        self.channel.deliver(OPEN)
        self.say(Watch(panels=panels))
        self.heard()
        return self

    def heard(self) -> list[dict[str, Any]]:
        """What it was told since the last time."""
        texts, self.channel.texts = self.channel.texts, []
        return [json.loads(text) for text in texts]

    @property
    def types(self) -> list[str]:
        """The types of what it was told since the last time."""
        return [message["type"] for message in self.heard()]


def no_server(telemetry: Telemetry | None = None) -> Sources:
    """Sources of a server without sessions; only telemetry is a real one."""
    sessions = SimpleNamespace(find=lambda _session_id: None)
    identity = SimpleNamespace(kind="ipykernel")
    running = SimpleNamespace(kernel_id="k1", identity=identity, since=0.0, sessions=sessions)
    offer = SimpleNamespace(
        telemetry=Telemetry() if telemetry is None else telemetry,
        overhearing=SimpleNamespace(sessions=list),
        annotations=Annotations(),
        dataframes=DataFrames(),
    )
    return Sources(cast(Any, running), cast(Any, offer))


def answer_of(action: Action, request: Any, sources: Sources) -> Message:
    """What an action answers, also where a thread works it out."""
    sent: list[Message] = []
    answered = threading.Event()

    def send(message: Message) -> None:
        sent.append(message)
        answered.set()

    def post(function: Callable[[], None]) -> bool:
        function()
        return True

    action(Ask(request, sources, send, post))
    assert answered.wait(10)
    [answer] = sent
    return answer
