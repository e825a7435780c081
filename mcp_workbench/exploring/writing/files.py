"""The files themselves: written whole or not at all, over nothing that is there unless that is said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from mcp_workbench.exploring.annotations import Annotations
from mcp_workbench.exploring.call import Call
from mcp_workbench.exploring.comparing.answers import Volatile, asks_server
from mcp_workbench.exploring.comparing.playing import Asked
from mcp_workbench.exploring.comparing.questions import key_of
from mcp_workbench.exploring.recording.format import SUFFIX
from mcp_workbench.exploring.recording.reader import read
from mcp_workbench.exploring.recording.redaction import Redactor
from mcp_workbench.exploring.writing.notebook_file import notebook_file
from mcp_workbench.exploring.writing.pytest_file import pytest_file
from mcp_workbench.jsonrpc import encode
from mcp_workbench.platforms import create_private_file

if TYPE_CHECKING:
    from mcp_workbench.exploring.call_list import CallList


def write_test(
    path: Path,
    calls: CallList,
    *,
    command: Sequence[str] | None,
    url: str | None,
    volatile: Iterable[str],
    overwrite: bool,
) -> Path:
    """As `CallList.to_test`, which says what it takes and gives."""
    if isinstance(command, str):
        raise ValueError("command is a list of texts, the program and its arguments: got one text")
    if command is not None and url is not None:
        raise ValueError("the server is started by command, or is at url: got both")
    redactor = calls.origin.redactor()
    redactor.begin()
    _refuse_secrets(redactor, command, url)
    offered = calls.origin.offered(record for record in calls.records if asks_server(record))
    promised: dict[str, Any] = msgspec.json.decode(redactor.message(encode(offered)))
    whole = calls.with_what_was_asked().withheld()
    chosen, there = [key_of(record) for record in calls.records], {key_of(call.record): call for call in whole}
    wanted = [there[key] for key in chosen if key in there]
    text = pytest_file(wanted, promised, Asked(whole, Volatile(volatile)), command=command, url=url)
    return _write(path, text, overwrite=overwrite)


def write_notebook(path: Path, calls: CallList, *, overwrite: bool) -> Path:
    """As `CallList.to_notebook`, which says what it takes and gives."""
    path = path.expanduser().absolute()
    recording = path.with_name(path.name.removesuffix(".ipynb") + SUFFIX)
    _refuse_existing(path, overwrite=overwrite)
    _refuse_existing(recording, overwrite=overwrite)
    notebook_file(calls, recording.name)  # before anything is written: it says when they cannot be made again
    calls.save(recording, overwrite=overwrite)
    written = [Call(record, Annotations()) for record in read(recording).calls()]
    return _write(path, notebook_file(written, recording.name), overwrite=overwrite)


def _refuse_secrets(redactor: Redactor, command: Sequence[str] | None, url: str | None) -> None:
    given = list(command or ())
    has_one = {"url": redactor.text(url or "") != (url or ""), "command": redactor.value(given) != given}  # options are secrets' names
    for what in (what for what, found in has_one.items() if found):
        raise ValueError(
            f"{what} has a secret in it, which belongs into no file: give it in MCP_SERVER or MCP_SERVER_TOKEN when the test runs"
        )


def _refuse_existing(path: Path, *, overwrite: bool) -> None:
    if path.exists() and not (overwrite and path.is_file()):
        raise FileExistsError(f"{path} exists: choose another name, or say overwrite=True to replace it")


def _write(path: Path, text: str, *, overwrite: bool) -> Path:
    path = path.expanduser().absolute()
    _refuse_existing(path, overwrite=overwrite)
    beside = path.with_name(f".{path.name}.{uuid4().hex[:12]}")
    descriptor = create_private_file(beside)  # what agents said is for its owner, as recordings are
    try:
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  # a descriptor
            file.write(text)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path
