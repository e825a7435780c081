"""The same recorded calls against two versions of a tool, in turns, so that both meet the same moment of the machine.

A version is a function, a client session (open, or `wb.connect(…)` that opens one), or where a server is that wants no token;
None: the calls as they were.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol

from mcp_workbench.client.connect import Connecting, connect
from mcp_workbench.client.session import ClientSession
from mcp_workbench.errors import WorkbenchError
from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.comparing import consent
from mcp_workbench.exploring.comparing.asking import Asker, not_again
from mcp_workbench.exploring.comparing.call_diff import CallDiff
from mcp_workbench.exploring.comparing.comparison import Comparison
from mcp_workbench.exploring.comparing.contract import tools_of
from mcp_workbench.exploring.comparing.playing import Answers, Asked
from mcp_workbench.exploring.comparing.questions import Questions
from mcp_workbench.secret import Secret
from mcp_workbench.telemetry.records import CALL_TOOL
from mcp_workbench.wording import counted

Where = str | Secret | Sequence[str]
"""An address, or a command with its arguments."""
Server = ClientSession | Connecting | Where
Version = Callable[..., Any] | Server | None


class Connect(Protocol):
    """How servers are reached from here: `Workbench.connect`, or `client.connect`."""

    def __call__(self, url: Any, *, token: Any = None) -> Connecting:
        """Open a session."""


class Serve(Protocol):
    """Serves one function as a tool, alone, as this notebook's server would."""

    def __call__(self, name: str, function: Callable[..., Any], /) -> Any:
        """An async context manager that gives an open session."""


@asynccontextmanager
async def opened(
    where: Server | None, connecting: Connect | None, answers: Answers, token: Secret | None = None
) -> AsyncIterator[ClientSession]:
    """A session that is open, or one that is opened and closed again; None: with this notebook's own server.

    Args:
        where: The server.
        connecting: How servers are reached.
        answers: What it asks meanwhile is answered by these.
        token: Shown to an address.

    Raises:
        WorkbenchError: There is none.
    """
    if isinstance(where, ClientSession):
        with where.answered_by(answers):
            yield where
        return
    if where is None and connecting is None:
        raise WorkbenchError("a recording has no server of its own: say against=, an address or an open session")
    opening = where if isinstance(where, Connecting) else (connecting or _connect)(where, token=token)
    opening.answered_by(answers)
    async with opening as session:
        yield session


def _connect(url: Any, *, token: Any = None) -> Connecting:
    return connect(url, token=token)


class Trials:
    """Makes calls again with two versions.

    Args:
        connecting: How servers are reached.
        serve: How functions are; None: they cannot be here.
        ask: Asks the person.
    """

    def __init__(self, connecting: Connect | None, serve: Serve | None, ask: consent.Ask) -> None:
        self._connecting, self._serve, self._ask = connecting, serve, ask

    async def run(
        self,
        calls: Sequence[Call],
        versions: tuple[Version, Version],
        asked: Asked,
        *,
        repeat: int,
        destructive: consent.Destructive,
    ) -> Comparison:
        """Make each call with both, and compare.

        Args:
            calls: What is asked.
            versions: Of whom.
            asked: What clients were asked meanwhile, and what is not compared.
            repeat: How often each call is made.
            destructive: What becomes of tools that may change something.

        Raises:
            WorkbenchError: There is no call that can be made again, or a version cannot be reached; says why.
            ValueError: A version is a function, and the calls are not of one tool.
        """
        questions, volatile = asked.questions, asked.volatile
        calls = [call for call in calls if not questions.went_on(call)]
        again = [call for call in calls if not_again(call, questions) is None]
        if not again:
            raise WorkbenchError(f"none of {counted(len(calls), 'call')} can be made again: {_why(calls, questions)}")
        if repeat < 1:
            raise ValueError(f"repeat is how often each call is made, 1 at least; got {repeat}")
        labels = _label(versions[0], "a"), _label(versions[1], "b")
        async with AsyncExitStack() as stack:
            first, other = [await self._asker(stack, version, again, label, asked) for version, label in zip(versions, labels, strict=True)]
            given = await self._consent(again, (first, other), destructive)
            recorded = versions[0] is None, versions[1] is None
            diffs: list[CallDiff] = []
            for number in range(repeat):
                for call in again:
                    if given.refusal(call) is None:
                        one, two = await _in_turn(call, first, other, swap=(len(diffs) + number) % 2 == 1)
                        timed = not questions.of(call)
                        diffs.append(CallDiff(one, two, volatile, labels=labels, same_request=True, timed=timed, recorded=recorded))
        if not diffs:
            raise WorkbenchError(f"no call was made: {'; '.join(f'{tool} {why}' for tool, why in given.refused.items())}")
        return Comparison(diffs, labels)

    async def _asker(self, stack: AsyncExitStack, version: Version, calls: Sequence[Call], label: str, asked: Asked) -> Asker | None:
        if version is None:
            return None
        answers, name = asked.answers(), label.partition(":")[0]
        if callable(version):
            session = await stack.enter_async_context(self._served(version, calls))
            stack.enter_context(session.answered_by(answers))
            return Asker(session, name, answers, trusted=True)
        return Asker(await stack.enter_async_context(opened(version, self._connecting, answers)), name, answers)

    def _served(self, function: Callable[..., Any], calls: Sequence[Call]) -> Any:
        tools = {call.target if call.method == CALL_TOOL else None for call in calls}
        name = next(iter(tools))
        if len(tools) != 1 or name is None:
            raise ValueError("a function stands for one tool: give the calls of one, as wb.traffic.calls('tool:forecast')")
        if self._serve is None:
            raise WorkbenchError("a recording has no notebook to run a function in: wb.traffic.ab(calls, …) has")
        return self._serve(name, function)

    async def _consent(
        self, calls: Sequence[Call], askers: tuple[Asker | None, Asker | None], wish: consent.Destructive
    ) -> consent.Consent:
        """Which calls may be made; the author's own functions were given to be run."""
        strangers = [asker for asker in askers if asker is not None and not asker.trusted]
        return consent.Consent(calls, [tools_of(await asker.tools()) for asker in strangers], wish, self._ask)


async def _in_turn(call: Call, first: Asker | None, other: Asker | None, *, swap: bool) -> tuple[Call, Call]:
    """Both, the one that begins changing each time."""
    if swap:
        two = call if other is None else await other.ask(call)
        return (call if first is None else await first.ask(call)), two
    one = call if first is None else await first.ask(call)
    return one, (call if other is None else await other.ask(call))


def _label(version: Version, side: str) -> str:
    if version is None:
        return f"{side}: as recorded"
    name = getattr(version, "__name__", None)
    return f"{side}: {name}" if isinstance(name, str) else side


def _why(calls: Sequence[Call], questions: Questions) -> str:
    reasons = dict.fromkeys(reason for call in calls if (reason := not_again(call, questions)))
    return "; ".join(list(reasons)[:3]) or "there are none"
