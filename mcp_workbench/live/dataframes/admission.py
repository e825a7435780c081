"""What may be published, and under which names; every refusal says what to do instead."""

from __future__ import annotations

import re

import pandas as pd

from mcp_workbench.errors import RegistrationError
from mcp_workbench.live.dataframes.fingerprint import Frame
from mcp_workbench.live.dataframes.foreign import TableKind, kind_of
from mcp_workbench.live.dataframes.snapshots import DEEP_COPY_BYTES, ENABLE_COPY_ON_WRITE, copy_on_write
from mcp_workbench.primitives.wording import a_type, describe_value

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def check_name(name: object) -> str:
    """Refuse a name that would not survive clients' URI parsers.

    Args:
        name: What the author wants to publish under.

    Returns:
        The name, as plain text.

    Raises:
        RegistrationError: With a name that would do.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        return str.__str__(name)
    raise RegistrationError(
        f"A published name is a letter followed by up to 63 letters, digits or underscores, not {describe_value(name)}. "
        f'Try "{_suggestion(name)}".'
    )


def check_value(name: str, value: object) -> None:
    """Refuse what cannot be served as a DataFrame.

    Raises:
        RegistrationError: No table of pandas, polars, pyarrow or DuckDB, or too large to be copied where it must be.
    """
    if kind_of(value) is not None:
        return
    if not isinstance(value, pd.DataFrame | pd.Series):
        raise RegistrationError(
            f"publish({name}=…) takes a DataFrame of pandas or polars, a pandas Series, a polars LazyFrame, a pyarrow Table or a "
            f"DuckDB relation, not {a_type(type(value))}; convert it with .to_frame(), .compute() or pd.DataFrame(…)."
        )
    check_size(name, value)


def check_description(description: object) -> str | None:
    """Refuse a description that no client could read.

    Returns:
        The description, as plain text: JSON is made of nothing else.

    Raises:
        RegistrationError: Not text, or text that cannot be sent.
    """
    if description is None:
        return None
    if not isinstance(description, str):
        raise RegistrationError(f"publish(description=…) takes text or None, not {a_type(type(description))}.")
    if not _is_unicode(description):
        raise RegistrationError(
            "publish(description=…) takes Unicode text; half of a surrogate pair stands in it, which no client can read. "
            'Try description.encode("utf-8", "replace").decode().'
        )
    return str.__str__(description)


def check_following(live: object, follow: object) -> None:
    """Refuse what says neither whether nor what to follow.

    Raises:
        RegistrationError: Names the option and the type of what came.
    """
    if not isinstance(live, bool):
        raise RegistrationError(f"publish(live=…) takes True or False, not {a_type(type(live))}.")
    if not isinstance(follow, str | None):
        raise RegistrationError(f"publish(follow=…) takes the name of a variable or None, not {a_type(type(follow))}.")


def check_size(name: str, value: Frame) -> None:
    """Refuse what pandas could freeze only by a large copy.

    Raises:
        RegistrationError: Without copy-on-write, past 64 MiB; says which line to add.
    """
    if copy_on_write():
        return
    size = sum(column.array.nbytes for _label, column in (value.to_frame() if isinstance(value, pd.Series) else value).items())
    if size > DEEP_COPY_BYTES:
        raise RegistrationError(
            f"{name} is {size >> 20:,} MiB; without copy-on-write pandas can freeze it only by copying, which is done up to "
            f"{DEEP_COPY_BYTES >> 20} MiB. Put this line first in the notebook: {ENABLE_COPY_ON_WRITE}"
        )


def without_copy_on_write(name: str) -> str:
    """Tell the author what `publish` does where pandas has no copy-on-write, and how to have it."""
    return (
        f'{name} is served as a copy, renewed by wb.touch("{name}"). '
        f"To follow it live, put this line first in the notebook: {ENABLE_COPY_ON_WRITE}"
    )


def asked_once(name: str, kind: TableKind, rows: int) -> str:
    """Tell the author how long what is lazy is served as it was read."""
    return (
        f"{name} is a {kind.value}: it was read once, {rows:,} row{'' if rows == 1 else 's'}, "
        f'and is read again by wb.touch("{name}") or when the variable is bound to another.'
    )


def _suggestion(name: object) -> str:
    words = re.sub(r"\W+", "_", name, flags=re.ASCII) if isinstance(name, str) else ""
    return re.sub(r"\A[^A-Za-z]+", "", words)[:64].rstrip("_") or "table"


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
