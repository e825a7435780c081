"""What tools, resources and prompts are told alike: names, icons, where to run, how long, and the digest.

Each check refuses at registration with a sentence that names the value and what may be written.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.signature import own_name
from mcp_workbench.primitives.wording import describe_value, nearest, quote, type_name
from mcp_workbench.protocol.wire import Icon

RunOn = Literal["thread", "async", "inline", "main"]
"""Where user code runs: a tool thread, the loop of async tools, the protocol loop itself, or the notebook's main thread."""
IconLike = Icon | str | Mapping[str, Any]
"""An icon, its URI alone, or its members by their names in Python."""

BACKGROUND_AFTER_S = 45.0
"""Seconds after which a call is answered as a job: desktop hosts drop it at about 60."""
MAX_TEXT_BYTES = 64 * 1024
"""Bytes of one title or description: every client reads all of them before it can use any."""
MAX_ENTRIES = 100
"""Icons or tags of one definition."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII)
_GREATEST = 10**15


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
        raise RegistrationError(f'This {kind} has no name of its own ({describe_value(function)}): give it one, for instance name="add".')
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        shown = quote(name) if isinstance(name, str) else describe_value(name)
        raise RegistrationError(f"A {kind} cannot be named {shown}: use 1 to 128 of the characters A-Z a-z 0-9 _ . - only.")
    return str.__str__(name)


def checked_text(text: object, option: str, label: str) -> str | UnsetType:
    """An optional text as the wire has it; nothing for None and for an empty one.

    Args:
        text: What the author gave, or what the docstring says.
        option: `title`, `description` …, for the sentence.
        label: How sentences call what it belongs to.

    Raises:
        RegistrationError: Not a text, longer than `MAX_TEXT_BYTES`, or no Unicode.
    """
    if text is None:
        return UNSET
    if not isinstance(text, str):
        raise RegistrationError(f"{label}: {option} is text, got {describe_value(text)}.")
    text = str.__str__(text)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise RegistrationError(f"{label}: {option} holds half of a surrogate pair, which is no character and cannot be sent.") from None
    if size > MAX_TEXT_BYTES:
        raise RegistrationError(
            f"{label}: {option} is {size:,} bytes, {MAX_TEXT_BYTES:,} are listed. Say what a caller must know; the rest can be a resource."
        )
    return text or UNSET


def checked_flag(flag: object, option: str, label: str) -> bool | None:
    """An option that is True, False or not given."""
    if flag is not None and type(flag) is not bool:
        raise RegistrationError(f"{label}: {option} is True or False, got {describe_value(flag)}.")
    return flag


def checked_tags(tags: object, label: str) -> frozenset[str]:
    """The author's labels; one may be given alone."""
    several = [tags] if isinstance(tags, str) else _several(tags, "tags", label)
    texts = [checked_text(tag, "a tag", label) for tag in several]
    return frozenset(text for text in texts if text is not UNSET)


def checked_run_on(run_on: object, *, is_async: bool, label: str) -> RunOn:
    """Where the function runs; None means `async` for an `async def`, `thread` for a `def`.

    Raises:
        RegistrationError: An unknown place, one this version does not have, or one the function cannot run at.
    """
    if run_on is None:
        return "async" if is_async else "thread"
    if not isinstance(run_on, str) or run_on not in get_args(RunOn):
        shown = quote(run_on) if isinstance(run_on, str) else describe_value(run_on)
        close = nearest(run_on, get_args(RunOn), 1) if isinstance(run_on, str) else []
        hint = f", nearest is {quote(close[0])}" if close else ""
        raise RegistrationError(
            f"{label}: run_on={shown} is not in this version{hint}; "
            'write "thread", "main" or "inline" for a def, "async" or "main" for an async def.'
        )
    if run_on != "main" and is_async != (run_on == "async"):
        raise RegistrationError(f'{label}: run_on="{run_on}" is for {"a def" if is_async else "an async def"}; leave it out.')
    return run_on  # type: ignore[return-value]  # membership was checked above


def checked_timeout(timeout_s: object, label: str) -> float | None:
    """Seconds until a call is given up; None for no bound of its own."""
    if timeout_s is None:
        return None
    if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float) or not (0 < timeout_s <= sys.float_info.max):
        raise RegistrationError(f"{label}: timeout_s is a number of seconds above 0, got {describe_value(timeout_s)}.")
    return float(timeout_s)


def checked_background(after_s: object, run_on: RunOn, label: str) -> float | None:
    """Seconds after which a call is answered early; None: never. UNSET takes the default of the place it runs at.

    Raises:
        RegistrationError: No such number, or an inline tool, which has ended before anybody could be answered.
    """
    if after_s is UNSET:
        return None if run_on == "inline" else BACKGROUND_AFTER_S
    if after_s is None:
        return None
    if isinstance(after_s, bool) or not isinstance(after_s, int | float) or not (0 < after_s <= sys.float_info.max):
        raise RegistrationError(f"{label}: background_after_s is a number of seconds above 0, or None, got {describe_value(after_s)}.")
    if run_on == "inline":
        raise RegistrationError(
            f'{label}: with run_on="inline" nothing else is answered while it runs, so it cannot be answered early; '
            "leave background_after_s out."
        )
    return float(after_s)


def checked_needs_task(needs_task: object, after_s: object, run_on: RunOn, label: str) -> bool:
    """Whether each call is a task from its beginning.

    Raises:
        RegistrationError: Not a flag, or a tool whose calls never go on after they were answered.
    """
    needed = checked_flag(needs_task, "needs_task", label) is True
    if needed and (run_on == "inline" or after_s is None):
        why = 'run_on="inline"' if run_on == "inline" else "background_after_s=None"
        raise RegistrationError(f"{label}: with {why} a call never goes on after its answer, so it cannot be a task; keep one of them.")
    return needed


def checked_count(value: object, option: str, label: str) -> int:
    """An option that counts from 1."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _GREATEST:
        raise RegistrationError(f"{label}: {option} is a whole number from 1 up to {_GREATEST:,}, got {describe_value(value)}.")
    return int.__int__(value)


def checked_icons(icons: object, label: str) -> list[Icon] | UnsetType:
    """Icons as listed, from one or several; MCP allows `https:` and `data:` URIs only."""
    if icons is None:
        return UNSET
    several = [icons] if isinstance(icons, Icon | str | Mapping) else _several(icons, "icons", label)
    return [_icon(icon, label) for icon in several] or UNSET


def one_struct(kind: type[msgspec.Struct], given: object, label: str) -> Any:
    """A wire object from one, or from its members, named as in Python or as on the wire.

    Raises:
        RegistrationError: Neither of both, an unknown member (with the nearest known one) or a wrong type.
    """
    members = _members(kind, given, label)
    encoded = {name: field.encode_name for field in msgspec.structs.fields(kind) for name in (field.name, field.encode_name)}
    for member in members:
        if member not in encoded:
            shown = member if isinstance(member, str) else type_name(type(member))
            close = nearest(shown, encoded, 1)
            hint = f", nearest is {close[0]}" if close else ""
            raise RegistrationError(f"{label}: {kind.__name__} has no member {quote(shown)}{hint}.")
    try:
        return msgspec.convert({encoded[member]: value for member, value in members.items()}, kind)
    except msgspec.ValidationError as error:
        raise RegistrationError(f"{label}: {kind.__name__}: {error}.") from error


def digest_of(listed: msgspec.Struct, *more: object) -> str:
    """A stable hash of what is published: equal for a cell that ran again unchanged."""
    text = msgspec.json.encode([listed, *more], order="deterministic")
    return hashlib.sha256(text).hexdigest()[:32]


def edition_of(version: int, digest: str) -> str:
    """A definition's version for records: `v2@1f3a9c0e`, the second that was published under its name, and which one that was."""
    return f"v{version}@{digest[:8]}"


def _members(kind: type[msgspec.Struct], given: object, label: str) -> Mapping[Any, Any]:
    # An object is taken apart too: its constructor checks nothing.
    if isinstance(given, kind):
        return {name: value for name, value in msgspec.structs.asdict(given).items() if value is not UNSET}
    if isinstance(given, Mapping):
        return given
    raise RegistrationError(f"{label}: expected {kind.__name__} or its members by name, got {describe_value(given)}.")


def _several(values: object, option: str, label: str) -> list[Any]:
    """The entries of an option that takes some, from an iterable that may have no end."""
    taken = list(itertools.islice(values, MAX_ENTRIES + 1)) if isinstance(values, Iterable) else None
    if taken is None:
        raise RegistrationError(f"{label}: {option} takes one or a list of them, got {describe_value(values)}.")
    if len(taken) > MAX_ENTRIES:
        raise RegistrationError(f"{label}: {option} takes up to {MAX_ENTRIES}, got more.")
    return taken


def _icon(icon: object, label: str) -> Icon:
    checked: Icon = one_struct(Icon, {"src": icon} if isinstance(icon, str) else icon, label)
    if not checked.src.startswith(("https://", "data:")):
        raise RegistrationError(f"{label}: an icon's src begins with https:// or data:, got {quote(checked.src)}.")
    return checked
