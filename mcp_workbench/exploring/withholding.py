"""What of calls and messages may stand in an output: outputs are saved with notebooks, and secrets belong into no file.

The same is withheld as in recordings. Whoever asks for `.arguments`, `.raw` or `.df()` has everything; only what shows itself is
careful.
"""

from __future__ import annotations

import copy
from typing import Any

from mcp_workbench.exploring.recording.redaction import Redactor, Unreadable
from mcp_workbench.secret import Secret
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.records import CallRecord

_SALT = Secret.random()
"""Of all outputs of this process: the same secret has the same mark in each of them. In the next process, and in files, it has another."""


class Withholding:
    """For one output: what was found to be a secret in one place is one in those that follow.

    Args:
        redactor: A new one.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        redactor.mark_with(_SALT)
        redactor.begin()

    def text(self, text: str) -> str:
        """A text without what looks like a secret, or was one before."""
        return self._redactor.text(text)

    def member(self, name: str, value: Any) -> Any:
        """A value of JSON as it may be shown, of which it is known what it is called."""
        return self._redactor.value({name: value})[name] if name else self._redactor.value(value)

    def message(self, message: Message) -> Message:
        """A message as it may be shown; the same where nothing of it is a secret."""
        raw, redactor = message.raw, self._redactor
        if not raw or redactor.clean([raw]) == [True]:
            return message
        try:
            raw = redactor.message(raw, message.session_id)
        except Unreadable:
            raw = redactor.text(raw.decode("utf-8", "replace")).encode()
        return Message(message.session_id, message.direction, message.at_ns, message.at, message.size, raw, message.seq)

    def call(self, record: CallRecord) -> CallRecord:
        """A copy of a call as it may be shown: target, request, answer, error, notes."""
        fit = copy.copy(record)
        fit.target = self.text(record.target)
        fit.request = None if record.request is None else self.message(record.request)
        fit.answer = None if record.answer is None else self.message(record.answer)
        fit.error = None if record.error is None else self.text(record.error)
        fit.notes = tuple(self.text(str(note)) for note in record.notes)
        return fit
