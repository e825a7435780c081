"""docs/architecture.md draws the table of states that the Peer uses."""

from __future__ import annotations

from pathlib import Path

from mcp_workbench.protocol.states import TRANSITIONS, Refusal, State, Trigger

PAGE = (Path(__file__).parent.parent / "docs" / "architecture.md").read_text(encoding="utf-8")


def _cell(state: State, trigger: Trigger) -> str:
    verdict = TRANSITIONS[state][trigger]
    if isinstance(verdict, Refusal):
        return str(int(verdict.code))
    return "=" if verdict is state else verdict.value


def test_the_page_shows_the_states_as_they_are() -> None:
    head = "| | " + " | ".join(trigger.value for trigger in Trigger) + " |\n" + "|---" * (len(Trigger) + 1) + "|\n"
    rows = "".join(f"| **{state.value}** | {' | '.join(_cell(state, trigger) for trigger in Trigger)} |\n" for state in State)
    drawn = PAGE.split("<!-- states: begin -->\n")[1].split("<!-- states: end -->")[0]
    assert drawn == head + rows
