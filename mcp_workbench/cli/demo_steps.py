"""The demo's progress: one step after the other, each a line with a tick and its time, none skipped silently."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

from mcp_workbench.wording import plain

TITLE_WIDTH = 38


@dataclass(slots=True)
class Step:
    """One thing that has to happen."""

    title: str
    ok: bool = False
    seconds: float = 0.0
    said: str = ""
    """What came of it, in a phrase; why not, when it did not happen."""


class StepFailed(Exception):
    """A step did not happen; the step says why. Nothing after it was tried."""


@dataclass(slots=True)
class Steps:
    """Carries out steps and shows them."""

    console: Console
    taken: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """A step that has happened when its body ends without an exception.

        Raises:
            StepFailed: The body raised.
        """
        step = Step(title)
        began = time.perf_counter()
        self.taken.append(step)
        try:
            with self.console.status(Text(title)):
                yield step
            step.ok = True
        except Exception as error:  # the boundary of the demo: whatever went wrong is its outcome, told in one sentence
            step.said = _sentence(error)
            raise StepFailed(step.said) from error
        finally:
            step.seconds = time.perf_counter() - began
            self.console.print(self._line(step), soft_wrap=True)

    @property
    def failed(self) -> Step | None:
        """The step that did not happen."""
        return next((step for step in self.taken if not step.ok), None)

    def _line(self, step: Step) -> Text:
        fancy = "utf" in (self.console.encoding or "").lower()
        sign = ("✓" if fancy else "+") if step.ok else ("✗" if fancy else "!")
        line = Text(f"{sign} ", style="green" if step.ok else "red")
        line.append(f"{step.seconds:6.2f} s  ", style="dim")
        line.append(f"{step.title:<{TITLE_WIDTH}} " if step.said else step.title, style="default")
        return line.append(plain(step.said), style="cyan" if step.ok else "red")


def _sentence(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it did not happen in time"
    return f"{error}" or type(error).__name__
