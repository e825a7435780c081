"""Progress of the demo, line by line."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from mcp_workbench.cli.demo_steps import StepFailed, Steps


def steps(encoding: str = "utf-8") -> tuple[Steps, io.BytesIO]:
    raw = io.BytesIO()
    return Steps(Console(file=io.TextIOWrapper(raw, encoding=encoding, write_through=True), width=60, force_terminal=False)), raw


def test_a_step_that_happens_is_a_line_with_a_tick_its_time_and_what_came_of_it() -> None:
    taken, raw = steps()
    with taken.step("Open the door") as step:
        step.said = "it is open"
    line = raw.getvalue().decode()
    assert line.startswith("✓ ")
    assert " s  Open the door " in line
    assert line.endswith("it is open\n")
    assert taken.failed is None
    assert taken.taken[0].ok


def test_a_step_that_fails_says_why_and_stops_the_rest() -> None:
    taken, raw = steps()
    with pytest.raises(StepFailed, match="no key"), taken.step("Open the door"):
        raise ValueError("no key")
    assert raw.getvalue().decode().startswith("✗ ")
    assert raw.getvalue().decode().endswith("no key\n")
    assert taken.failed is taken.taken[0]


@pytest.mark.parametrize(
    ("error", "sentence"), [(TimeoutError(), "it did not happen in time"), (KeyError(), "KeyError"), (RuntimeError("so"), "so")]
)
def test_every_failure_is_a_sentence(error: Exception, sentence: str) -> None:
    taken, _ = steps()
    with pytest.raises(StepFailed), taken.step("Open the door"):
        raise error
    assert taken.taken[0].said == sentence


def test_an_interrupt_is_no_outcome_and_passes_through() -> None:
    taken, _ = steps()
    with pytest.raises(KeyboardInterrupt), taken.step("Open the door"):
        raise KeyboardInterrupt
    assert taken.failed is taken.taken[0]


def test_a_terminal_without_unicode_gets_plain_signs() -> None:
    taken, raw = steps("cp1252")
    with taken.step("Open the door"):
        pass
    assert raw.getvalue().startswith(b"+ ")


def test_what_others_wrote_is_shown_as_text() -> None:
    taken, raw = steps()
    with taken.step("Read [bold]") as step:
        step.said = "[red]\x1b[31m\nnext"
    assert raw.getvalue().decode().endswith("[red]\\x1b[31m\\nnext\n")
    assert "Read [bold]" in raw.getvalue().decode()
