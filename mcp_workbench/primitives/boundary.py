"""Registering runs the author's code: validators, metaclasses, properties, docstrings that are no text. Here is where it stops.

Whatever that code does, a decorator ends in a definition or in a `RegistrationError`. The specific checks,
with the better sentences, are where the things are read; what they leave over is worded here.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.wording import describe_value, nearest, quote, type_name

P = ParamSpec("P")
T = TypeVar("T")

_OURS = frozenset(("binders", "sync_context", "async_context", "defined_at"))
"""Options that the Workbench fills in, not the author."""
_FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType)


@contextmanager
def concerning(what: str) -> Iterator[None]:
    """Turn whatever is raised inside into a `RegistrationError`.

    Args:
        what: What could not be read, as the beginning of a sentence: `add: parameter a`.

    Raises:
        RegistrationError: One from inside as it is; else one that says what raised, from the original.
        KeyboardInterrupt: As it is: it is the user's, not the code's.
    """
    try:
        yield
    except (RegistrationError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise RegistrationError(f"{what} cannot be offered: reading it raised {type_name(type(error)).rpartition('.')[2]}.") from error


def ends_in_a_sentence(define: Callable[P, T]) -> Callable[P, T]:
    """Wrap one of `define_tool`, `define_resource`, `define_prompt`, whose last positional argument is the function.

    An option it does not have is refused with the nearest one it has.
    """
    kind = define.__name__.removeprefix("define_")
    options = tuple(p.name for p in inspect.signature(define).parameters.values() if p.kind is p.KEYWORD_ONLY)

    @functools.wraps(define)
    def defined(*arguments: P.args, **given: P.kwargs) -> T:
        label = _label(arguments[-1], given.get("name")) if arguments else kind
        if unknown := [option for option in given if option not in options]:
            raise RegistrationError(f"{label}: {_unknown_option(kind, unknown[0], options)}")
        with concerning(label):
            return define(*arguments, **given)

    return defined


def _label(function: object, name: object) -> str:
    """How sentences call a function of which nothing is known yet; runs nothing of it."""
    if type(name) is str:
        return quote(name)[1:-1]
    own: object = function.__name__ if type(function) in _FUNCTIONS else None  # type: ignore[attr-defined]  # all three have it
    return own if type(own) is str else describe_value(function)


def _unknown_option(kind: str, option: str, options: tuple[str, ...]) -> str:
    known = tuple(name for name in options if name not in _OURS)
    close = nearest(option, known, 1)
    hint = f"nearest is {close[0]}" if close else f"it has {', '.join(known)}"
    return f"a {kind} has no option {quote(option)[1:-1]}; {hint}."
