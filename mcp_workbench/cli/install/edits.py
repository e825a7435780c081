"""What is to be done to a host's settings so that it starts the bridge, or does not any more; decided before anything is written."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, Literal

from mcp_workbench.addresses import TOKEN
from mcp_workbench.cli.install import Refused
from mcp_workbench.cli.install.files import SettingsFile
from mcp_workbench.cli.install.places import Place
from mcp_workbench.pasting import SERVER, stdio_server

Wish = Literal["install", "uninstall"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one file."""

    wish: Wish
    place: Place
    file: SettingsFile
    after: str
    """The whole text."""
    had_entry: bool
    """Whether an entry of our name is there now."""

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return self.after != self.file.text

    def diff(self) -> str:
        """The lines that change and no others: what stands beside them may be somebody's secret."""
        path = str(self.file.path)
        lines = difflib.unified_diff(_lines(self.file.text), _lines(self.after), path, path, lineterm="", n=0)
        return "".join(f"{line}\n" for line in lines)


def plan(wish: Wish, place: Place, file: SettingsFile, *, replace: bool) -> Edit:
    """Decide.

    Args:
        wish: What is wanted.
        place: The host's settings.
        file: As they are.
        replace: Whether an entry of our name that is not ours may be lost.

    Raises:
        Refused: It is not understood, or would cost an entry that is not ours.
    """
    try:
        there = place.form.read_entry(file.text, place.section, SERVER) if file.text.strip() else None
        if wish == "uninstall":
            return Edit(wish, place, file, _without(place, file, there, replace=replace), there is not None)
        return Edit(wish, place, file, _with(place, file, there, replace=replace), there is not None)
    except Refused as refusal:
        raise Refused(f"{file.path}: {refusal}") from None


def _with(place: Place, file: SettingsFile, there: Any, *, replace: bool) -> str:
    if _starts_the_same(there, place.entry):
        return file.text
    if there is not None and not replace:
        raise Refused(f"it has a server {SERVER!r} that is something else: --replace puts this one in its place")
    edited: str = place.form.put_entry(file.text, place.section, SERVER, place.entry)
    return edited


def _without(place: Place, file: SettingsFile, there: Any, *, replace: bool) -> str:
    if there is None:
        return file.text
    if not replace and not (_is_a_bridge(there) or _has_our_variable(there)):
        raise Refused(f"its server {SERVER!r} is not one of ours: --replace removes it all the same")
    edited: str = place.form.drop_entry(file.text, place.section, SERVER)
    return edited


def _starts_the_same(there: Any, wanted: dict[str, Any]) -> bool:
    """What else people and hosts have noted in an entry, such as what needs no question, is theirs."""
    return isinstance(there, dict) and {"type": "stdio", **wanted}.items() <= {"type": "stdio", **there}.items()


def _is_a_bridge(there: Any) -> bool:
    """Whether it starts a bridge, with any interpreter and any options."""
    ours = stdio_server()["args"]
    arguments = there.get("args") if isinstance(there, dict) else None
    return isinstance(arguments, list) and arguments[: len(ours)] == ours


def _has_our_variable(there: Any) -> bool:
    """Whether it leads straight to a server of ours, by any port."""
    if not isinstance(there, dict):
        return False
    headers = there.get("headers")
    bearer = headers.get("Authorization") if isinstance(headers, dict) else None
    return there.get("bearer_token_env_var") == TOKEN or (isinstance(bearer, str) and TOKEN in bearer)


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")
