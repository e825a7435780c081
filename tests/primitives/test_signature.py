"""Reading a signature: what is offered, what is refused, and where the context goes."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.signature import MISSING, Signature, docstring_of, own_name, read_signature

if TYPE_CHECKING:
    from decimal import Decimal


class Context:
    pass


class AsyncContext:
    pass


def read(function: Callable[..., Any]) -> Signature:
    return read_signature(function, sync_context=Context, async_context=AsyncContext)


def refused(function: Any) -> str:
    with pytest.raises(RegistrationError) as caught:
        read(function)
    return str(caught.value)


class Counter:
    """Counts."""

    def count(self, step: int = 1) -> int:
        """Count on."""
        return step

    @classmethod
    def make(cls, start: int) -> Counter:
        return cls()

    @staticmethod
    def double(n: int) -> int:
        return 2 * n

    async def __call__(self, n: int) -> int:
        return n


def plain(a: int, b: str = "x", *, c=None) -> list[int]:  # type: ignore[no-untyped-def]
    return []


def test_parameters_come_resolved_and_in_order() -> None:
    signature = read(plain)
    assert [(p.name, p.annotation, p.default) for p in signature.parameters] == [
        ("a", int, MISSING),
        ("b", str, "x"),
        ("c", MISSING, None),
    ]
    assert signature.returns == list[int]
    assert not signature.is_async


def test_a_class_of_the_enclosing_function_is_found_through_the_closure() -> None:
    class Local:
        pass

    def tool(value: Local) -> None:
        assert isinstance(value, Local)

    assert read(tool).parameters[0].annotation is Local


def test_a_name_that_cannot_be_resolved_is_named() -> None:
    def tool(price: Decimal) -> None: ...

    assert "the name 'Decimal' in its annotations cannot be resolved" in refused(tool)
    assert "not only under TYPE_CHECKING" in refused(tool)


def test_an_annotation_that_is_no_type_is_refused() -> None:
    def tool(a: int) -> None: ...

    tool.__annotations__["a"] = "1 +"
    assert "an annotation cannot be resolved (SyntaxError)" in refused(tool)


def test_bound_methods_static_methods_and_class_methods_lose_their_owner() -> None:
    for function in (Counter().count, Counter.make, Counter.double):
        assert [p.name for p in read(function).parameters] in (["step"], ["start"], ["n"])


def test_a_callable_instance_is_read_through_its_call_method() -> None:
    signature = read_signature(Counter(), label="counter")
    assert [p.name for p in signature.parameters] == ["n"]
    assert signature.is_async


def test_a_partial_offers_what_is_left() -> None:
    signature = read_signature(functools.partial(plain, 1, b="y"), label="p")
    assert [(p.name, p.default) for p in signature.parameters] == [("b", "y"), ("c", None)]


def test_of_a_decorated_function_the_wrapper_decides_whether_it_is_async() -> None:
    async def inner(a: int) -> int:
        return a

    @functools.wraps(inner)
    def outer(*args: Any) -> Any:
        return inner(*args)

    signature = read(outer)
    assert not signature.is_async
    assert [p.annotation for p in signature.parameters] == [int]


def test_a_cached_function_keeps_its_name_and_signature() -> None:
    @functools.lru_cache
    def slow(n: int) -> int:
        """Slowly."""
        return n

    assert own_name(slow) == "slow"
    assert docstring_of(slow) == "Slowly."
    assert [p.annotation for p in read(slow).parameters] == [int]


@pytest.mark.parametrize(
    ("function", "name"),
    [(plain, "plain"), (Counter().count, "count"), (lambda: 1, None), (functools.partial(plain), None), (Counter(), None)],
)
def test_only_what_its_author_named_has_a_name(function: object, name: str | None) -> None:
    assert own_name(function) == name


def test_the_docstring_of_an_instance_is_its_class_s() -> None:
    assert docstring_of(Counter()) == "Counts."
    assert docstring_of(Counter().count) == "Count on."
    assert docstring_of(functools.partial(plain)) == ""


def variadic(*values: int) -> None: ...
def keywords(**values: int) -> None: ...
def positional(a: int, /) -> None: ...
def private(_a: int) -> None: ...


def unreadable() -> None: ...


unreadable.__signature__ = 3  # type: ignore[attr-defined]


def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (variadic, "write values: list"),
        (keywords, r"**values would accept any misspelt argument"),
        (positional, "parameter a is positional-only"),
        (private, "parameter _a begins with an underscore"),
        (Counter.count, "method that is not bound"),
        (Counter, "is a class"),
        (vars(Counter)["make"], "Expected a function to register"),
        (3, "Expected a function to register, got the number 3"),
        (generator, "is a generator: return a list"),
        (async_generator, "is a generator: return a list"),
        (len, "positional-only"),
        (dict.get, "positional-only"),
        (print, "cannot be filled"),
        (unreadable, "has no signature Python can read"),
    ],
)
def test_what_cannot_be_called_by_name_is_refused_with_what_to_do(function: Any, words: str) -> None:
    assert words in refused(function)


def test_the_context_parameter_is_found_and_kept_apart() -> None:
    def alone(a: int, ctx: Context) -> None: ...
    def optional(context: Context | None = None) -> None: ...
    async def awaited(my_ctx: AsyncContext, a: int) -> None: ...

    assert read(alone).context_parameter == "ctx"
    assert [p.name for p in read(alone).parameters] == ["a"]
    assert read(optional).context_parameter == "context"
    assert read(awaited).context_parameter == "my_ctx"
    assert read(plain).context_parameter is None


def test_a_context_parameter_may_begin_with_an_underscore() -> None:
    def tool(_ctx: Context) -> None: ...

    assert read(tool).context_parameter == "_ctx"


def test_the_wrong_context_is_refused_with_the_right_one() -> None:
    def tool(ctx: AsyncContext) -> None: ...
    async def awaited(ctx: Context) -> None: ...

    assert refused(tool) == "tool: parameter ctx is annotated AsyncContext; a def takes Context."
    assert refused(awaited) == "awaited: parameter ctx is annotated Context; an async def takes AsyncContext."


def test_two_contexts_are_refused() -> None:
    def tool(one: Context, two: Context) -> None: ...

    assert "one and two both ask for the context" in refused(tool)


def test_a_positional_only_context_is_refused() -> None:
    def tool(ctx: Context, /) -> None: ...

    assert "the context parameter ctx must be" in refused(tool)


def test_where_a_function_was_written_is_its_file_and_line() -> None:
    where = read(plain).defined_at
    assert (where.file, where.line) == ("test_signature.py", plain.__code__.co_firstlineno)


@pytest.mark.parametrize("file", ["<ipython-input-3-abc>", "<stdin>", "/tmp/ipykernel_123/456.py"])
def test_code_of_a_cell_says_so(file: str) -> None:
    namespace: dict[str, Any] = {}
    exec(compile("\ndef tool(): ...", file, "exec"), namespace)
    assert str(read(namespace["tool"]).defined_at) == "<cell>:2"


def test_a_context_without_its_annotation_is_no_argument_of_the_agents() -> None:
    def tool(ctx, n: int) -> int:  # type: ignore[no-untyped-def]  # the mistake
        return n

    with pytest.raises(RegistrationError, match=r"annotate it ctx: wb\.Context \(in async def: wb\.AsyncContext\)"):
        read_signature(tool)
