"""`mcp-workbench config HOST --install` and `--uninstall`: do it, or show what would be done, and tell in a sentence."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from mcp_workbench.addresses import TOKEN, Reached, Transport, address_entry, start_line
from mcp_workbench.cli.install import Refused, claude
from mcp_workbench.cli.install.edits import Edit, Wish, plan
from mcp_workbench.cli.install.files import read_settings
from mcp_workbench.cli.install.places import Place, place_of
from mcp_workbench.pasting import SERVER, client_named, config


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the command line asks for."""

    client: str
    wish: Wish
    file: Path | None = None
    """Instead of the host's own."""
    dry_run: bool = False
    replace: bool = False
    as_json: bool = False
    transport: Transport = "stdio"
    port: int | None = None
    """Of the server, where it is reached without the bridge; None: the usual one."""


@dataclass(frozen=True, slots=True)
class Done:
    """What has become of it."""

    sentence: str
    facts: dict[str, Any]
    """The same for programs."""
    diff: str = ""


def run_install(order: Order) -> int:
    """Do it and print.

    Args:
        order: What is asked for.

    Returns:
        The exit code: 0 done, or nothing to do; 1 refused, nothing was changed; 2 no such client.
    """
    try:
        done = carry_out(replace(order, client=client_named(order.client)))
    except ValueError as error:
        return _fail(2, str(error))
    except Refused as refusal:
        return _fail(1, f"nothing was changed: {refusal}")
    except OSError as error:
        return _fail(1, f"nothing was changed: {error.filename}: {error.strerror}")
    print(json.dumps(done.facts, indent=2) if order.as_json else f"{done.diff}{done.sentence}")
    return 0


def _fail(code: int, sentence: str) -> int:
    print(f"mcp-workbench config: {sentence}", file=sys.stderr)
    return code


def carry_out(order: Order) -> Done:
    """Do it.

    Raises:
        Refused: It was not done.
        OSError: A file could not be read or written.
    """
    place = place_of(order.client)
    own_program = claude.claude_program() if order.client == "claude-code" and order.file is None else None
    if order.file is not None:
        place = replace(place, path=order.file.absolute())
    if order.transport != "stdio":
        place = replace(place, address=_address(order, place, order.transport))
    edit = _planned(order, place)
    if not edit.changes:
        there = "has it already" if order.wish == "install" else "has no such server"
        return _done(order, edit, f"Nothing to do: {edit.file.path} {there}.", "nothing to do")
    if own_program is not None:
        return _by_claude(order, edit, claude.commands(edit, own_program))
    if order.dry_run:
        return _done(order, edit, "Nothing was written.", "dry run", diff=edit.diff())
    return _written(order, edit, edit.file.write(edit.after, datetime.now().astimezone()))


def _address(order: Order, place: Place, reached: Reached) -> dict[str, Any]:
    entry = address_entry(order.client, reached, order.port)
    if entry is None:
        raise Refused(f"{place.host} is not led to a notebook by {reached}: leave out --transport, and it starts the bridge")
    if order.client == "vscode" and order.wish == "install":
        raise Refused(
            "VS Code asks for the token by an input, which stands beside its servers: paste what `mcp-workbench config vscode` shows"
        )
    return entry


def _planned(order: Order, place: Place) -> Edit:
    return plan(order.wish, place, read_settings(place.path, place.host), replace=order.replace)


def _by_claude(order: Order, edit: Edit, commands: list[list[str]]) -> Done:
    if order.dry_run:
        told = "".join(f"{claude.shown(command)}\n" for command in commands)
        return _done(order, edit, "Nothing was run.", "dry run", diff=told)
    copy = edit.file.keep(datetime.now().astimezone())
    for command in commands:
        claude.run(command)
    if _planned(order, edit.place).changes:
        raise Refused(f"Claude Code said it was done, but {edit.file.path} does not show it")
    return _written(order, edit, copy)


def _written(order: Order, edit: Edit, copy: Path | None) -> Done:
    kept = f" What it was is kept in {copy.name}." if copy else ""
    if order.wish == "uninstall":
        return _done(order, edit, f"Removed: server {SERVER!r} from {edit.file.path}.{kept}", "removed", copy=copy)
    serve = "" if order.transport == "stdio" else f"The notebook runs {start_line(order.transport, order.port)}, {TOKEN} set for both.\n"
    sentence = (
        f"Installed: server {SERVER!r} in {edit.file.path}.{kept} Restart {edit.place.host} if it runs.\n{serve}"
        f"{config(order.client).then}\n"
        f"To let it look without asking each time: mcp-workbench config {order.client}"
    )
    return _done(order, edit, sentence, "installed", copy=copy)


def _done(order: Order, edit: Edit, sentence: str, outcome: str, *, copy: Path | None = None, diff: str = "") -> Done:
    facts = {
        "client": order.client,
        "wish": order.wish,
        "outcome": outcome,
        "file": str(edit.file.path),
        "copy": None if copy is None else str(copy),
        "diff": diff,
    }
    return Done(sentence, facts, diff)
