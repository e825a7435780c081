"""What of calls and messages may stand in an output: outputs are saved with notebooks, and secrets belong into no file.

The same is withheld as in recordings. Whoever asks for `.arguments`, `.raw` or `.df()` has everything; only what shows itself is
careful.
"""

from __future__ import annotations

import copy
from typing import Any

import msgspec

from mcp_workbench.exploring.recording.redaction import Redactor, Unreadable
from mcp_workbench.secret import Secret
from mcp_workbench.telemetry.messages import Message
from mcp_workbench.telemetry.pairing import entries_of
from mcp_workbench.telemetry.records import CallRecord

_NAMES = 1000
"""Names of tools, resources and methods of which it is known how they may be shown: they come again and again."""
_SALT = Secret.random()
"""Of all outputs of this process: the same secret has the same mark in each of them. In the next process, and in files, it has another."""


class Withholding:
    """For one output: what was found to be a secret in one place is one in those that follow.

    Args:
        redactor: A new one, or one that has seen what came before.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._names: dict[tuple[str, str], tuple[str, str]] = {}
        self._learned = redactor.learned
        redactor.mark_with(_SALT)
        redactor.begin()

    def begin(self) -> None:
        """Another output: whose secrets are to be kept may have changed."""
        self._names.clear()
        self._redactor.begin()

    def text(self, text: str) -> str:
        """A text without what looks like a secret, or was one before."""
        return self._redactor.text(text)

    def named(self, method: str, target: str) -> tuple[str, str]:
        """Method and target of a request as they may be shown."""
        redactor = self._redactor
        if redactor.learned != self._learned or len(self._names) >= _NAMES:
            self._names.clear()
        found = self._names.get((method, target))
        if found is None:
            found = self._names[method, target] = redactor.text(method), redactor.target(method, target)
        self._learned = redactor.learned
        return found

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
        """A copy of a call as it may be shown: method, target, id, request, answer, error, notes."""
        fit = self.names(record)
        fit.request = None if record.request is None else self.message(record.request)
        fit.answer = None if record.answer is None else self.message(record.answer)
        fit.arguments = None if record.arguments is None else self._arguments(record, record.arguments)
        fit.error = None if record.error is None else self.text(record.error)
        fit.notes = tuple(self.text(str(note)) for note in record.notes)
        if task := _task_of(record):  # an error says of which task it is
            hidden = self._redactor.target(record.method, task)
            fit.error = None if fit.error is None else fit.error.replace(task, hidden)
            fit.answer = None if fit.answer is None else _without(fit.answer, task, hidden)
        return fit

    def _arguments(self, record: CallRecord, arguments: bytes) -> bytes | None:
        """Those that are kept of a failed call without its request; what a tool withholds is known of requests."""
        request = {"method": record.method, "params": {"name": record.target, "arguments": msgspec.Raw(arguments)}}
        try:
            fit = self._redactor.message(msgspec.json.encode(request), record.session_id)
        except (Unreadable, msgspec.EncodeError):
            return None
        return msgspec.json.encode(msgspec.json.decode(fit)["params"]["arguments"])

    def names(self, record: CallRecord) -> CallRecord:
        """A copy of a call of which method, target and id may be shown; its texts are still as they were."""
        fit = copy.copy(record)
        fit.method, fit.target = self.named(record.method, record.target)
        fit.request_id = self.text(record.request_id) if isinstance(record.request_id, str) else record.request_id
        return fit


def _task_of(record: CallRecord) -> str | None:
    """The id of the task that is asked for: who knows it may go on with the task."""
    if not record.method.startswith("tasks/"):
        return None
    entries = entries_of(b"" if record.request is None else record.request.raw)
    params = (entry.get("params") for entry in entries if isinstance(entry, dict) and entry.get("id") == record.request_id)
    task = next((each.get("taskId") for each in params if isinstance(each, dict)), None)
    return task if isinstance(task, str) and task else record.target or None


def _without(message: Message, name: str, fit: str) -> Message:
    name_in_it, fit_in_it = (msgspec.json.encode(each)[1:-1] for each in (name, fit))
    if name_in_it not in message.raw:
        return message
    return msgspec.structs.replace(message, raw=message.raw.replace(name_in_it, fit_in_it))
