"""The server that clients of others judge: one Workbench that offers something of every kind.

It runs in the test's own process, so that a test can do what a person at the notebook does - change a
DataFrame, define a tool - at the moment a client asks for it.
"""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

import pandas as pd

from mcp_workbench.errors import ToolError
from mcp_workbench.execution.context import AsyncContext, Context
from mcp_workbench.telemetry.records import SessionRecord
from mcp_workbench.workbench import Workbench

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
STATIONS = ("JFK", "LGA", "SFO")
ENDED_WITHIN_S = 10.0


@dataclass
class Station:
    """Where the weather is measured."""

    code: str
    elevation_m: float | None
    neighbours: list[str]


class Notebook:
    """Used as `with Notebook() as notebook`; started inside, stopped and its sessions recorded after it."""

    def __init__(self) -> None:
        self.workbench = Workbench("judged")
        self.slow_call_ended = threading.Event()
        """Set when the tool `wait_for_ever` was cancelled."""
        self._closing = threading.Event()
        self._flights = pd.DataFrame({"dest": ["ATL", "BOS", "SFO"] * 20, "delay": range(60)})
        self._planes = pd.DataFrame({"tail": ["N1", "N2"], "seats": [100, 200]})
        self._wide = pd.DataFrame({f"column_{number}": ["x" * 50] * 20_000 for number in range(4)})
        self.workbench.publish("flights", self._flights, description="Departures of one day.")
        self.workbench.publish(planes=self._planes, wide=self._wide)
        self._offer_tools()
        self._offer_tools_that_talk()
        self._offer_resources_and_prompts()

    def __enter__(self) -> Self:
        self.workbench.start(http=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.set()
        self.workbench.stop()

    # --- what a person does meanwhile -----------------------------------------------------------------

    @property
    def deeds(self) -> dict[str, Callable[[], object]]:
        """What a client may ask the person to do, by the name of the cue."""
        return {
            "change flights": self._change_flights,
            "touch planes": lambda: self.workbench.touch("planes"),
            "touch notes": lambda: self.workbench.touch("notes://today"),
            "define a tool": self._define_a_tool,
            "await the end of the slow call": lambda: self.slow_call_ended.wait(ENDED_WITHIN_S),
        }

    def ended_sessions(self) -> list[SessionRecord]:
        """The sessions that are over."""
        return self.workbench.telemetry.sessions()

    def _change_flights(self) -> None:
        self._flights.loc[0, "delay"] = 999
        self.workbench.touch("flights")

    def _define_a_tool(self) -> None:
        @self.workbench.tool
        def late() -> str:
            """Defined while clients are connected."""
            return "better than never"

    # --- what is offered ------------------------------------------------------------------------------------

    def _offer_tools(self) -> None:
        tool = self.workbench.tool

        @tool(title="Greeting", read_only=True)
        def greet(name: str) -> str:
            """Say hello.

            Args:
                name: Whom to greet.
            """
            return f"Hello, {name}!"

        @tool
        def add(a: int, b: int = 1) -> int:
            """Add two numbers."""
            return a + b

        @tool
        def averages() -> dict[str, float]:
            """Average delay by destination."""
            return {"ATL": 28.5, "BOS": float("nan")}

        @tool
        def station(code: str) -> Station:
            """A weather station."""
            return Station(code, None, ["LGA"])

        @tool
        def counts() -> list[int]:
            """Three numbers."""
            return [1, 2, 3]

        @tool
        def everything() -> list[str]:
            """More than one message may carry."""
            return ["x" * 1000] * 2000

        @tool(background_after_s=0.01)
        def forecast() -> dict[str, float]:
            """Delays of tomorrow; takes the whole day."""
            self._closing.wait()
            return {}

        @tool(background_after_s=0.01)
        def report() -> str:
            """A report in words; takes the whole day too."""
            self._closing.wait()
            return ""

        @tool
        def worst(flights: pd.DataFrame, n: int = 2) -> pd.DataFrame:
            """The longest delays."""
            return flights.nlargest(n, "delay")

        @tool
        def picture() -> bytes:
            """A very small image."""
            return PNG

        @tool
        def nothing() -> None:
            """Return nothing."""

        @tool
        def fail() -> str:
            """Raise an exception."""
            raise ZeroDivisionError("by the author's own hand")

        @tool
        def fail_politely() -> str:
            """Raise a ToolError."""
            raise ToolError("Ask again tomorrow.")

    def _offer_tools_that_talk(self) -> None:
        tool = self.workbench.tool

        @tool
        def count(ctx: Context, upto: int = 3) -> str:
            """Report progress."""
            for number in range(1, upto + 1):
                ctx.report_progress(number, upto, f"number {number}")
            return f"counted to {upto}"

        @tool
        def log(ctx: Context) -> str:
            """Log at three levels."""
            ctx.log("fine print", level="debug")
            ctx.log({"rows": 60}, level="info", logger="judged")
            ctx.log("careful", level="warning")
            return "logged"

        @tool
        async def wait_for_ever(ctx: AsyncContext) -> str:
            """Wait until cancelled; reports progress once it waits."""
            ctx.report_progress(1)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.slow_call_ended.set()
                raise
            return "never"

        @tool
        def book(ctx: Context) -> str:
            """Book seats: asks the person, the model and the client itself."""
            seats = ctx.elicit("How many seats?", {"seats": int})
            slogan = ctx.sample("A slogan for the flight", max_tokens=20)
            return f"{seats.action} {seats.data}, {slogan.text}, {[root.uri for root in ctx.roots()]}"

    def _offer_resources_and_prompts(self) -> None:
        workbench = self.workbench

        @workbench.resource("notes://today", mime_type="text/markdown", title="Notes")
        def notes() -> str:
            """What was noted today."""
            return "# Today\nSunny."

        @workbench.resource("logo://small", mime_type="image/png")
        def logo() -> bytes:
            """The logo."""
            return PNG

        @workbench.resource("weather://{station}", completions={"station": lambda prefix, context: STATIONS})
        def weather(station: str) -> dict[str, str]:
            """The weather at a station."""
            return {"station": station, "sky": "clear"}

        @workbench.prompt(title="Explain")
        def explain(topic: Literal["delays", "weather"], tone: str = "plain") -> list[str]:
            """Ask for an explanation."""
            return [f"Explain {topic}.", f"Be {tone}."]
