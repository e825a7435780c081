"""What a function's signature says, read once when it is registered.

Annotations are resolved here (strings too), the context parameter is found here, and everything that
cannot be called from outside by name is refused here, with a sentence that says what to write
instead. Nothing in this module knows MCP: `binding` turns the parameters into a binder, `tools`,
`resources` and `prompts` turn them into what is listed.

Refused: `*args` (a JSON object has no positions), `**kwargs` (its names would be in no schema, and an
agent's misspelt argument would vanish in it), positional-only parameters, names that begin with an
underscore, `self` / `cls` of a function that is not bound, generators and classes.
"""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from mcp_workbench.errors import RegistrationError
from mcp_workbench.events import DefinedAt
from mcp_workbench.primitives.wording import describe_value, shorten, type_name


class _Missing:
    """The type of `MISSING`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""Stands for "no value", "no default", "no annotation", where None would be one."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter that callers fill."""

    name: str
    annotation: Any
    """Resolved, with its `Annotated` extras; MISSING when there is none."""
    default: Any
    """MISSING when there is none."""


@dataclass(frozen=True, slots=True)
class Signature:
    """All that registration needs to know of a function."""

    label: str
    """How sentences call the function."""
    parameters: tuple[Parameter, ...]
    """Without the context parameter, in the order written."""
    returns: Any
    """Resolved return annotation; MISSING when there is none."""
    context_parameter: str | None
    """Name of the parameter that receives the call's context."""
    is_async: bool
    defined_at: DefinedAt


def read_signature(
    function: Callable[..., Any],
    *,
    label: str | None = None,
    sync_context: type | None = None,
    async_context: type | None = None,
) -> Signature:
    """Read and check one function.

    Args:
        function: A function, bound method, `functools.partial` or callable instance.
        label: How sentences call it; default: its own name.
        sync_context: Annotation that marks the context parameter of a `def`.
        async_context: The same for an `async def`.

    Returns:
        The signature, with every annotation resolved.

    Raises:
        RegistrationError: The function cannot be called by name with JSON arguments.
    """
    label = label or own_name(function) or type_name(type(function))
    _refuse_what_is_no_function(function, label)
    # Of a decorated function the wrapper decides: a `def` around an `async def` runs as a `def`.
    is_async = is_async_function(function)
    code_owner = _code_owner(function)
    parameters = _parameters(function, label)
    hints = _hints(code_owner, label)
    context = _context_parameter(parameters, hints, label, is_async, sync_context, async_context)
    for parameter in parameters:
        if parameter.name != context:
            _refuse_unnameable(parameter, label)
    return Signature(
        label=label,
        parameters=tuple(
            Parameter(p.name, hints.get(p.name, MISSING), MISSING if p.default is p.empty else p.default)
            for p in parameters
            if p.name != context
        ),
        returns=hints.get("return", MISSING),
        context_parameter=context,
        is_async=is_async,
        defined_at=_defined_at(code_owner),
    )


def is_async_function(function: object) -> bool:
    """Whether calling it gives a coroutine: an `async def`, or an object whose `__call__` is one."""
    return inspect.iscoroutinefunction(_callee(function))


def own_name(function: object) -> str | None:
    """The name a function was given by its author; None for lambdas, partials and most callable instances."""
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) and name != "<lambda>" else None


def docstring_of(function: object) -> str:
    """The text its author wrote about a function; empty when there is none."""
    # Not `inspect.getdoc`: it inherits, and every `__call__` inherits "Call self as a function."
    text = _code_owner(function).__doc__ or (type(function).__doc__ if _is_instance(function) else None)
    if text is not None and not isinstance(text, str):
        name = own_name(function) or type_name(type(function))
        raise RegistrationError(f"The docstring of {name} is text, got {describe_value(text)}.")
    return inspect.cleandoc(text or "")


def _refuse_what_is_no_function(function: object, label: str) -> None:
    if isinstance(function, type):
        raise RegistrationError(f"{label} is a class: offer a function that makes and uses an instance, or a bound method of one.")
    if not callable(function):
        raise RegistrationError(f"Expected a function to register, got {describe_value(function)}. Bind a classmethod first: Class.method.")
    callee = _callee(function)
    if inspect.isgeneratorfunction(callee) or inspect.isasyncgenfunction(callee):
        raise RegistrationError(f"{label} is a generator: return a list instead, and report steps with ctx.report_progress().")


def _is_instance(function: object) -> bool:
    """A callable instance of a class with `__call__`."""
    return not isinstance(function, functools.partial | staticmethod) and not inspect.isroutine(function)


def _callee(function: Any) -> Any:
    """The function that is entered first: behind partials and bound methods, or an instance's `__call__`."""
    while isinstance(function, functools.partial):
        function = function.func
    if _is_instance(function):
        function = type(function).__call__
    return getattr(function, "__func__", function)


def _code_owner(function: Any) -> Any:
    """The function whose author wrote signature and docstring: behind `functools.wraps` too."""
    return inspect.unwrap(_callee(inspect.unwrap(function)))


def _parameters(function: Callable[..., Any], label: str) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except NameError as error:
        raise _unresolved(label, error) from None
    except (ValueError, TypeError):
        raise RegistrationError(f"{label} has no signature Python can read: wrap it in a def with named parameters.") from None


def _hints(owner: Any, label: str) -> dict[str, Any]:
    code, cells = getattr(owner, "__code__", None), getattr(owner, "__closure__", None) or ()
    # A class defined inside the same function is visible to a string annotation only through the closure.
    enclosing = dict(zip(code.co_freevars, (_cell(cell) for cell in cells), strict=True)) if code else {}
    try:
        return typing.get_type_hints(owner, localns=enclosing, include_extras=True)
    except NameError as error:
        raise _unresolved(label, error) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # an annotation in quotes is code of the author's, and runs here
        raise RegistrationError(f"{label}: an annotation cannot be resolved ({type(error).__name__}); write it as a type.") from error


def _cell(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet: the enclosing function is still running
        return MISSING


def _unresolved(label: str, error: NameError) -> RegistrationError:
    return RegistrationError(
        f"{label}: the name {shorten(error.name or '')!r} in its annotations cannot be resolved. "
        "Define or import it at module level before the function, not only under TYPE_CHECKING."
    )


def _refuse_unnameable(parameter: inspect.Parameter, label: str) -> None:
    name = parameter.name
    if parameter.kind is parameter.VAR_POSITIONAL:
        raise RegistrationError(f"{label}: *{name} cannot be filled from named arguments; write {name}: list[...] instead.")
    if parameter.kind is parameter.VAR_KEYWORD:
        raise RegistrationError(
            f"{label}: **{name} would accept any misspelt argument; write {name}: dict[str, ...] or name the parameters."
        )
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise RegistrationError(f"{label}: parameter {name} is positional-only, arguments come by name; remove the '/'.")
    if name in ("self", "cls") and parameter.annotation is parameter.empty:
        raise RegistrationError(f"{label}: {name} shows a method that is not bound; register it on an instance: tool(instance.{label}).")
    if name == "ctx" and parameter.annotation is parameter.empty:
        raise RegistrationError(
            f"{label}: ctx would be an argument the agent has to send; annotate it ctx: wb.Context (in async def: wb.AsyncContext)."
        )
    if name.startswith("_"):
        raise RegistrationError(f"{label}: parameter {name} begins with an underscore; rename it, or bind it with functools.partial.")


def _context_parameter(
    parameters: list[inspect.Parameter],
    hints: dict[str, Any],
    label: str,
    is_async: bool,
    sync_context: type | None,
    async_context: type | None,
) -> str | None:
    right, wrong = (async_context, sync_context) if is_async else (sync_context, async_context)
    found = [p for p in parameters if _mentions(hints.get(p.name), right)]
    for parameter in parameters:
        if parameter not in found and _mentions(hints.get(parameter.name), wrong):
            raise RegistrationError(
                f"{label}: parameter {parameter.name} is annotated {getattr(wrong, '__name__', '')}; "
                f"{'an async def' if is_async else 'a def'} takes {getattr(right, '__name__', 'no context')}."
            )
    if len(found) > 1:
        raise RegistrationError(f"{label}: {found[0].name} and {found[1].name} both ask for the context; keep one.")
    if found and found[0].kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD and found[0].kind is not inspect.Parameter.KEYWORD_ONLY:
        raise RegistrationError(f"{label}: the context parameter {found[0].name} must be an ordinary or keyword-only parameter.")
    return found[0].name if found else None


def _mentions(annotation: Any, wanted: type | None) -> bool:
    """The annotation is the wanted type, alone, in `Annotated`, or in a union such as `Context | None`."""
    if wanted is None or annotation is None:
        return False
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated or origin is typing.Union or origin is types.UnionType:
        return any(_mentions(argument, wanted) for argument in typing.get_args(annotation) if isinstance(argument, type))
    return annotation is wanted


def _defined_at(owner: Any) -> DefinedAt:
    code = getattr(owner, "__code__", None)
    if code is None:
        return DefinedAt("<built-in>", 1)
    in_cell = code.co_filename.startswith("<") or "ipykernel_" in code.co_filename
    return DefinedAt("<cell>" if in_cell else PurePath(code.co_filename).name, code.co_firstlineno)
