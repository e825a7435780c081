"""A recording's requests made again at a live server: what it promises, what it answers, how long it takes, against what was recorded.

What the server asks meanwhile is answered as the recording's client did (`playing`). A call that asked from 2026-07-28 on, which is
several exchanges, is one here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mcp_workbench.client.session import ClientSession
from mcp_workbench.errors import WorkbenchError
from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.comparing import consent
from mcp_workbench.exploring.comparing.answers import Volatile, asks_server
from mcp_workbench.exploring.comparing.asking import Asker, not_again
from mcp_workbench.exploring.comparing.call_diff import CallDiff, in_words, requested
from mcp_workbench.exploring.comparing.comparison import Comparison
from mcp_workbench.exploring.comparing.contract import Contract, Listed, tools_of
from mcp_workbench.exploring.comparing.differences import FIRST
from mcp_workbench.exploring.comparing.latencies import Latencies
from mcp_workbench.exploring.comparing.playing import NOT_HELD, Answers
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.exploring.withholding import Withholding
from mcp_workbench.markup import BAD, GOOD, and_more, box, faint, framed, name, span, text, title
from mcp_workbench.wording import counted, shown

LABELS = ("recorded", "now")
SHOWN = 10
_LISTS = ("tools/list",)
"""Compared as the contract."""


class DifferentError(AssertionError):
    """A server no longer answers as it was recorded; says what differs."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A call of the recording that was not made again, or not to its end."""

    call: Call
    reason: str
    open: bool
    """Whether it could have been, and nobody decided that it should not."""

    def __str__(self) -> str:
        return ": ".join(self.told(Withholding(self.call.redactor())))

    def told(self, withholding: Withholding) -> tuple[str, str]:
        """Which request, and the reason, as they may stand in an output."""
        return in_words(*requested(self.call.fit(withholding))), withholding.text(self.reason)


class Verification:
    """What was found.

    Args:
        contract: Of the tools.
        payloads: Of the calls.
        skipped: Calls that were not made.
    """

    def __init__(self, contract: Contract, payloads: Comparison, skipped: Sequence[Skipped]) -> None:
        self.contract, self.payloads = contract, payloads
        self.skipped = tuple(skipped)

    @property
    def latency(self) -> Latencies:
        """How long calls took, recorded and now. What a server recorded of itself knows nothing of the way to it; now it counts.

        Calls that asked their client something are not among them: they took as long as people do.
        """
        return self.payloads.latencies

    @property
    def ok(self) -> bool:
        """Whether nothing differs, and nothing is left open.

        Left open is what somebody had to decide (`destructive="ask"` with nobody to ask), and what needs an answer that is not held.
        """
        return self.contract.ok and self.payloads.ok and not any(skipped.open for skipped in self.skipped)

    def raise_if_different(self) -> None:
        """For tests.

        Raises:
            DifferentError: It is not `ok`; an AssertionError that says what differs.
        """
        if not self.ok:
            raise DifferentError(repr(self))

    # --- for people -----------------------------------------------------------------------------------------

    def summary(self) -> str:
        """One line."""
        skipped = f", {counted(len(self.skipped), 'call')} not made again" if self.skipped else ""
        differs = not (self.contract.ok and self.payloads.ok)
        return f"{'different' if differs else 'verified' if self.ok else 'undecided'}: {self.payloads.summary()}{skipped}"

    def __repr__(self) -> str:
        withholding = self._withholding()
        lines = [self.summary(), self.contract.words(withholding), self.payloads.words(withholding)]
        lines += [f"not made again: {shown(': '.join(each.told(withholding)), 300)}" for each in self.skipped[:SHOWN]]
        if len(self.skipped) > SHOWN:
            lines.append(f"and {len(self.skipped) - SHOWN:,} more: .skipped has them all")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        verdict = span(f"color:{GOOD if self.ok else BAD};font-weight:600", text(self.summary()))
        withholding = self._withholding()
        contract, payloads = self.contract.html(withholding), self.payloads.html(withholding)
        told = (each.told(withholding) for each in self.skipped[:SHOWN])
        skipped = [box("", name(request), faint(f" {shown(reason, 200)}")) for request, reason in told]
        rest = [title("not made again"), *skipped, and_more(len(self.skipped) - SHOWN, "call")] if self.skipped else []
        return framed(box("", verdict), contract, payloads, *rest)

    def _withholding(self) -> Withholding:
        """For one output."""
        calls = (*(diff.either for diff in self.payloads[:1]), *(skipped.call for skipped in self.skipped[:1]))
        return Withholding(next((call.redactor for call in calls), Redactor)())


async def verify(
    calls: Sequence[Call],
    before: Mapping[str, Listed],
    session: ClientSession,
    answers: Answers,
    volatile: Volatile,
    *,
    destructive: consent.Destructive,
    ask: consent.Ask,
    descriptions: bool = False,
) -> Verification:
    """Make the calls again, in their order, and compare.

    Args:
        calls: What was recorded, of one server.
        before: What it offered then: tools by name.
        session: An open session with the live server, `answered_by` these answers.
        answers: What the recorded client answered.
        volatile: What of params and results is not compared.
        destructive: What becomes of tools that may change something.
        ask: Asks the person.
        descriptions: Whether titles and descriptions belong to the contract.

    Raises:
        WorkbenchError: Nothing was recorded that could be asked again.
    """
    asker, questions = Asker(session, "now", answers), answers.questions
    now = tools_of(await asker.tools())
    asked = (call for call in calls if asks_server(call.record) and call.method not in _LISTS and not questions.went_on(call))
    wanted = [(call, not_again(call, questions)) for call in asked]
    if not wanted and not before:
        raise WorkbenchError(
            f"nothing among {counted(len(calls), 'call')} can be asked again: verify takes a recording of tools, prompts or resources"
        )
    skipped = [Skipped(call, reason, open=reason.startswith(NOT_HELD)) for call, reason in wanted if reason is not None]
    again = [call for call, reason in wanted if reason is None]
    given = consent.Consent(again, [now], destructive, ask)
    diffs = []
    for call in again:
        if (refusal := given.refusal(call)) is not None:
            skipped.append(Skipped(call, refusal.of(call), open=refusal.is_open))
            continue
        timed, now_answered = not questions.of(call), await asker.ask(call)
        diff = CallDiff(call, now_answered, volatile, labels=LABELS, same_request=True, timed=timed, recorded=FIRST)
        if (reason := asker.lacked or (None if diff.ok else asker.unasked(call))) is not None:
            skipped.append(Skipped(call, reason, open=True))
        else:
            diffs.append(diff)
    return Verification(Contract(before, now, descriptions=descriptions), Comparison(diffs, LABELS), skipped)
