"""A text that nobody reads by accident: tokens, and addresses and headers in which one may be.

A traceback that shows variables (IPython's `%xmode Verbose`, pytest, rich) prints what our functions hold at that
moment. So a token becomes a `Secret` in the first statement that sees it, is carried as one, and is revealed within
the expression that needs it, never into a variable. Knows nothing of what it hides.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, overload


class Secret:
    """Shows as `<secret>`; equal to another of the same text.

    Args:
        text: What is hidden. Anything is taken, for a complaint would be shown together with it; `reveal` looks.
    """

    __slots__ = ("_text",)

    def __init__(self, text: Any) -> None:
        self._text = text

    @classmethod
    def random(cls) -> Secret:
        """256 random bits, as 43 characters that are safe in a header and in a path."""
        return cls(secrets.token_urlsafe(32))

    def __repr__(self) -> str:
        return "<secret>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and bool(self._text == other._text)

    def __hash__(self) -> int:
        return hash(self._text)

    def reveal(self) -> str:
        """The text.

        Raises:
            TypeError: Something else than text was hidden.
        """
        kind = type(self._text)
        if not issubclass(kind, str):
            raise TypeError(f"a token, and the value of a header, is a text (str), got {kind.__name__}")
        return str(self._text)


@overload
def hidden(value: None) -> None: ...
@overload
def hidden(value: str | Secret) -> Secret: ...
def hidden(value: str | Secret | None) -> Secret | None:
    """The same as a `Secret`; None stays None."""
    return value if value is None or isinstance(value, Secret) else Secret(value)


def hidden_values(headers: Mapping[str, str | Secret] | None) -> dict[str, Secret]:
    """Headers whose values are hidden: any of them may be a credential."""
    return {name: hidden(value) for name, value in (headers or {}).items()}
