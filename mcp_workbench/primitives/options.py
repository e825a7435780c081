"""What tools, resources and prompts are told alike: names, icons, where to run, how long, and the digest.

Each check refuses at registration with a sentence that names the value and what may be written.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.signature import own_name
from mcp_workbench.primitives.wording import describe_value, nearest, quote
from mcp_workbench.protocol.wire import Icon

RunOn = Literal["thread", "async", "inline"]
"""Where user code runs: a tool thread, the loop of async tools, or the protocol loop itself."""
IconLike = Icon | str | Mapping[str, Any]
"""An icon, its URI alone, or its members by their names in Python."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII)


def checked_name(name: object, function: Callable[..., Any], kind: str) -> str:
    """The name to list, given or the function's own.

    Args:
        name: What the author chose; None takes the function's name.
        function: The function to offer.
        kind: `tool`, `resource` or `prompt`, for the sentence.

    Raises:
        RegistrationError: A name MCP does not allow, or none at all (lambda, partial, callable instance).
    """
    name = own_name(function) if name is None else name
    if name is None:
        raise RegistrationError(f"This {kind} has no name of its own ({describe_value(function)}): give it one with name=....")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        shown = quote(name) if isinstance(name, str) else describe_value(name)
        raise RegistrationError(f"A {kind} cannot be named {shown}: use 1 to 128 of the characters A-Z a-z 0-9 _ . - only.")
    return name


def checked_run_on(run_on: object, *, is_async: bool, label: str) -> RunOn:
    """Where the function runs; None means `async` for an `async def`, `thread` for a `def`.

    Raises:
        RegistrationError: An unknown place, one this version does not have, or one the function cannot run at.
    """
    if run_on is None:
        return "async" if is_async else "thread"
    if not isinstance(run_on, str) or run_on not in get_args(RunOn):
        shown = repr(run_on) if run_on == "main" else describe_value(run_on)
        raise RegistrationError(
            f'{label}: run_on={shown} is not in this version; write "thread" or "inline" for a def, "async" for an async def.'
        )
    if is_async != (run_on == "async"):
        raise RegistrationError(f'{label}: run_on="{run_on}" is for {"a def" if is_async else "an async def"}; leave it out.')
    return run_on  # type: ignore[return-value]  # membership was checked above


def checked_timeout(timeout_s: object, label: str) -> float | None:
    """Seconds until a call is given up; None for no bound of its own."""
    if timeout_s is None:
        return None
    if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float) or not (0 < timeout_s < math.inf):
        raise RegistrationError(f"{label}: timeout_s is a number of seconds above 0, got {describe_value(timeout_s)}.")
    return float(timeout_s)


def checked_count(value: object, option: str, label: str) -> int:
    """An option that counts from 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise RegistrationError(f"{label}: {option} is a whole number from 1 up, got {describe_value(value)}.")
    return value


def checked_icons(icons: Sequence[IconLike] | IconLike | None, label: str) -> list[Icon] | UnsetType:
    """Icons as listed; MCP allows `https:` and `data:` URIs only."""
    if icons is None:
        return UNSET
    several = [icons] if isinstance(icons, Icon | str | Mapping) else list(icons)
    checked = [_icon(icon, label) for icon in several]
    return checked or UNSET


def one_struct(kind: type[msgspec.Struct], members: Mapping[str, Any], label: str) -> Any:
    """A wire object from its members, named as in Python or as on the wire.

    Raises:
        RegistrationError: An unknown member (with the nearest known one) or a wrong type.
    """
    fields = {name: field.name for field in msgspec.structs.fields(kind) for name in (field.name, field.encode_name)}
    for member in members:
        if member not in fields:
            close = nearest(str(member), fields, 1)
            hint = f", nearest is {close[0]}" if close else ""
            raise RegistrationError(f"{label}: {kind.__name__} has no member {quote(str(member))}{hint}.")
    try:
        return msgspec.convert({msgspec_name(kind, fields[member]): value for member, value in members.items()}, kind)
    except msgspec.ValidationError as error:
        raise RegistrationError(f"{label}: {kind.__name__}: {error}.") from error


def msgspec_name(kind: type[msgspec.Struct], field_name: str) -> str:
    """The wire name of a Struct's field."""
    return next(field.encode_name for field in msgspec.structs.fields(kind) if field.name == field_name)


def digest_of(listed: msgspec.Struct, *more: object) -> str:
    """A stable hash of what is published: equal for a cell that ran again unchanged."""
    text = msgspec.json.encode([listed, *more], order="deterministic")
    return hashlib.sha256(text).hexdigest()[:32]


def text_or_unset(text: str | None) -> str | UnsetType:
    """An optional text as the wire has it."""
    return text or UNSET


def _icon(icon: IconLike, label: str) -> Icon:
    checked: Icon = one_struct(Icon, {"src": icon} if isinstance(icon, str) else icon, label) if not isinstance(icon, Icon) else icon
    if not checked.src.startswith(("https://", "data:")):
        raise RegistrationError(f"{label}: an icon's src begins with https:// or data:, got {quote(checked.src)}.")
    return checked
