"""Processes of a benchmark: servers that announce themselves, and the client that takes orders.

Every process reads its stdin and ends with it; what does not end within 5 s is killed by its handle.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Self, TypeVar, cast

import msgspec

from mcp_workbench.cli.bench.announce import Ask, Ready, Seen
from mcp_workbench.cli.bench.load import Answer, Measured, Order
from mcp_workbench.cli.bench.paced_load import PacedOrder
from mcp_workbench.cli.bench.pacing import Paced

T = TypeVar("T")

READY_WITHIN_S = 60.0
END_WITHIN_S = 5.0


class ProcessFailedError(Exception):
    """A process ended, or said nothing in time; carries the end of its error output."""


class LineProcess:
    """A child process that is spoken with line by line."""

    def __init__(self, command: Sequence[str]) -> None:
        # A file, not a pipe: nobody reads it while all goes well, and a full pipe would stop the process.
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by stop()
        self._process = subprocess.Popen(  # noqa: S603  # our own modules and scripts
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
        )
        self._stdin = cast("IO[bytes]", self._process.stdin)
        self._stdout = cast("IO[bytes]", self._process.stdout)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def tell(self, message: msgspec.Struct) -> None:
        """Write one line."""
        self._stdin.write(msgspec.json.encode(message) + b"\n")
        self._stdin.flush()

    def hear(self, answer_type: type[T], within_s: float) -> T:
        """Read one line, or fail with the process's last words."""
        # readline cannot be told to give up; killing the process makes it return.
        deadline = threading.Timer(within_s, self._process.kill)
        deadline.start()
        try:
            line = self._stdout.readline()
        finally:
            deadline.cancel()
            deadline.join()
        if not line:
            self._process.wait(END_WITHIN_S)
            raise ProcessFailedError(self._last_words())
        return msgspec.json.decode(line, type=answer_type)

    def stop(self) -> None:
        """Close its stdin and wait for its end."""
        self._stdin.close()
        try:
            self._process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stdout.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"ended with code {self._process.returncode}"


class Server(LineProcess):
    """A server under measurement; constructed when it is ready."""

    def __init__(self, command: Sequence[str]) -> None:
        super().__init__(command)
        try:
            self.ready = self.hear(Ready, READY_WITHIN_S)
        except BaseException:
            self.stop()
            raise

    def seen(self, target: str) -> Seen | None:
        """What the server itself has seen of a target since it was last asked; None: it does not say."""
        if not self.ready.sees:
            return None
        self.tell(Ask(target=target))
        return self.hear(Seen, READY_WITHIN_S)


class Load(LineProcess):
    """The client process."""

    def __init__(self) -> None:
        super().__init__([sys.executable, "-m", "mcp_workbench.cli.bench.load"])

    def measure(self, order: Order) -> Measured:
        """Have one measurement made.

        Raises:
            ProcessFailedError: It could not be made.
        """
        answer = self._answer(order, order.seconds)
        if answer.measured is None:
            raise ProcessFailedError(answer.reason)
        return answer.measured

    def measure_paced(self, order: PacedOrder) -> Paced:
        """Have one measurement made at a rate.

        Raises:
            ProcessFailedError: It could not be made.
        """
        answer = self._answer(order, order.seconds)
        if answer.paced is None:
            raise ProcessFailedError(answer.reason)
        return answer.paced

    def _answer(self, order: Order | PacedOrder, seconds: float) -> Answer:
        self.tell(order)
        return self.hear(Answer, 60 + 2 * seconds)
