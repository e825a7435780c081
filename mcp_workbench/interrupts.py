"""Ctrl-C, and the notebook's interrupt button, while the main thread runs a client's call.

The signal belongs to whatever the main thread is at work on. While a call's code runs that is the call: it
gets a KeyboardInterrupt, however the kernel treats the signal around it (ipykernel ignores it between
cells). While our own few lines before and after run, the signal is held back and delivered when they are
done, to whoever owns the main thread then: a call must never be lost between taking and answering it, nor the
end of a cell (`unbroken`). Main thread only: Python delivers signals there and lets no other thread set handlers.
Knows neither calls nor cells.

What Python itself does with a signal is not ours: one that comes in the microseconds between its last look and a call
that blocks (`time.sleep`) ends that only when it returns, as in a cell or any program; a second one ends it at once.
"""

from __future__ import annotations

import _thread
import functools
import signal
import threading
import time
import types
from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Self, TypeVar, TypeVarTuple

MOMENT_S = 0.02
"""In which whoever calls callbacks has come to what they were called for."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Interrupts:
    """Who gets SIGINT: `with Interrupts() as interrupts:` nobody, inside `interrupts.run(...)` the code that is run."""

    __slots__ = ("_held", "_previous")

    def __init__(self) -> None:
        self._held = False
        self._previous: Any = None

    def __enter__(self) -> Self:
        # None: a handler that Python did not set, and could not set again; then all stays as it is.
        self._previous = signal.getsignal(signal.SIGINT)
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._hold)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
        if self._held:
            signal.raise_signal(signal.SIGINT)

    def run(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        """Run code that an interrupt may end.

        Raises:
            KeyboardInterrupt: It was interrupted, or the signal came just before or after.
        """
        if self._previous is None:
            return function(*args)
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            return function(*args)
        finally:
            self._hold_again()

    def _hold_again(self) -> None:
        # The signal may arrive before the handler is back: that interrupt is told like one that came earlier.
        try:
            signal.signal(signal.SIGINT, self._hold)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, self._hold)
            raise

    def _hold(self, _signal: int, _frame: types.FrameType | None) -> None:
        self._held = True


def unbroken(function: Callable[[*Ts], object], *, owed: Callable[[], bool]) -> Callable[[*Ts], None]:
    """Make a callback that runs to its end whatever Ctrl-C does, and lets no KeyboardInterrupt out to its caller.

    One instruction is left on which an interrupt gets out, before anything has been done: the first, on which Python
    looks for signals before any `try` can begin.

    Args:
        function: Called with the signal held back; on other threads, which get no signals, as it is.
        owed: Asked when an interrupt came and the function has ended: whether something is at work around the callback
            that it was meant for. That gets it a moment later, because whoever calls callbacks prints what these raise
            and goes on. Otherwise what it was meant for has ended by itself.
    """

    @functools.wraps(function)
    def run(*args: *Ts) -> None:
        begun = False
        try:
            if threading.current_thread() is not threading.main_thread():
                function(*args)
                return
            with Interrupts():
                begun = True
                function(*args)
        except KeyboardInterrupt:
            if not begun:
                with Interrupts():
                    function(*args)
            if owed():
                _thread.start_new_thread(_interrupt_main_thread, ())

    return run


def _interrupt_main_thread() -> None:
    time.sleep(MOMENT_S)
    if hasattr(signal, "pthread_kill"):  # wakes the main thread where it sleeps in the system
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:  # Windows, where the signal sets the event that sleeping waits for too
        signal.raise_signal(signal.SIGINT)


@types.coroutine
def interruptible(coroutine: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Await a coroutine each of whose steps an interrupt may end; between two steps the signal is the loop's affair."""
    step: Callable[[Any], Any] = coroutine.send
    given: Any = None
    while True:
        try:
            with Interrupts() as interrupts:
                awaited = interrupts.run(step, given)
        except StopIteration as end:
            value: T = end.value
            return value
        try:
            given = yield awaited
            step = coroutine.send
        except GeneratorExit:
            coroutine.close()
            raise
        except BaseException as error:  # noqa: BLE001  # what the loop throws into the task, a CancelledError for instance, is the coroutine's
            given, step = error, coroutine.throw
