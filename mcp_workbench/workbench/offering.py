"""What a Workbench offers: functions as tools, resources and prompts, and DataFrames. The main thread registers."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, get_overloads, overload

from mcp_workbench.errors import RegistrationError, WorkbenchError
from mcp_workbench.live.dataframes.names import is_result
from mcp_workbench.primitives.ownership import Kind
from mcp_workbench.primitives.prompts import define_prompt
from mcp_workbench.primitives.resources import define_resource, find_resource
from mcp_workbench.primitives.tools import define_tool
from mcp_workbench.primitives.wording import nearest

if TYPE_CHECKING:
    import pandas as pd
    from narwhals.typing import IntoFrame

    from mcp_workbench.events import Change

from mcp_workbench.workbench.core import Core

F = TypeVar("F", bound=Callable[..., Any])

_PUBLISH_OPTIONS = frozenset(("description", "live", "follow"))


class Offering(Core):
    """Registering and publishing."""

    @overload
    def tool(self, function: F, /) -> F: ...

    @overload
    def tool(
        self,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        input_schema: Mapping[str, Any] | None = None,
        annotations: Mapping[str, Any] | None = None,
        icons: Iterable[Mapping[str, Any]] = (),
        tags: Iterable[str] = (),
        timeout_s: float | None = None,
        read_only: bool | None = None,
        destructive: bool | None = None,
        run_on: str | None = None,
        background_after_s: float | None = 45,
        needs_task: bool = False,
        max_chars: int | None = None,
        version: int | None = None,
        redact: Iterable[str] = (),
    ) -> Callable[[F], F]: ...

    def tool(self, function: F | None = None, /, **options: Any) -> F | Callable[[F], F]:
        """Offer a function as a tool; bare (`@wb.tool`) or called (`@wb.tool(name="add")`).

        Args:
            function: A function with annotated parameters; its docstring (Google, NumPy or Sphinx style) describes it.
            options: name, title, description, annotations, icons, tags; `input_schema`: a JSON Schema of your own to list, for rules
                across parameters, which annotations cannot say; `timeout_s`: seconds a call may run (None: any);
                `read_only`, `destructive`: hints for the host; `run_on`: None ("thread" for `def`, "async" for `async def`),
                "main" (the notebook's main thread, between cells; `def` or `async def`) or "inline" (on the protocol loop; must not
                block; watched); `background_after_s` (45): seconds after which a call that still runs or waits is answered as a
                job, or with a task where the client takes them, and goes on, None: never; `needs_task`: each call is a task from
                its beginning, and a client that takes none is refused; `max_chars`: how much text one result may have (None:
                what the client's host shows); `version`; `redact`: names of arguments, or
                places in them (`user.ssn`, `rows[*].email`), whose values are withheld where its calls are written into files
                (`record`).

        Returns:
            The function, unchanged.

        Raises:
            RegistrationError: It cannot be offered as written; shows function, parameter and value.
        """
        if function is None:
            return lambda function: self.tool(function, **options) or function
        offer = self._offer
        tool = define_tool(function, binders=offer.binders, sync_context=offer.sync_context, async_context=offer.async_context, **options)
        offer.own_tools.keep(tool.name)
        replaced = self._following().registrar.enter(Kind.TOOL, tool, numbered=options.get("version") is not None)
        if replaced is not None and _written_as(replaced.function) != _written_as(function):
            before, now = _written_as(replaced.function), _written_as(function)
            warnings.warn(f"the tool {tool.name!r} was {before} and is now {now}; give one of them another name", stacklevel=2)
        return function

    def resource(self, uri: str, /, **options: Any) -> Callable[[F], F]:
        """Offer a function as a resource, `@wb.resource("weather://{station}")`.

        Args:
            uri: Its URI, or an RFC 6570 template whose variables become the function's arguments.
            options: name, title, description, mime_type, icons, completions.

        Raises:
            RegistrationError: URI and function do not fit each other.
        """
        if not isinstance(uri, str):
            raise RegistrationError('a resource needs its URI: @wb.resource("weather://{station}")')

        def register(function: F) -> F:
            offer = self._offer
            resource = define_resource(uri, function, sync_context=offer.sync_context, async_context=offer.async_context, **options)
            self._following().registrar.enter(Kind.RESOURCE, resource, numbered=options.get("version") is not None)
            return function

        return register

    @overload
    def prompt(self, function: F, /) -> F: ...

    @overload
    def prompt(self, /, **options: Any) -> Callable[[F], F]: ...

    def prompt(self, function: F | None = None, /, **options: Any) -> F | Callable[[F], F]:
        """Offer a function as a prompt; bare or called. It returns text, or a list of texts or (role, text).

        Args:
            function: Its arguments are the prompt's.
            options: name, title, description, icons, completions.

        Raises:
            RegistrationError: It cannot be offered as written.
        """
        if function is None:
            return lambda function: self.prompt(function, **options) or function
        offer = self._offer
        prompt = define_prompt(function, sync_context=offer.sync_context, async_context=offer.async_context, **options)
        self._following().registrar.enter(Kind.PROMPT, prompt, numbered=options.get("version") is not None)
        return function

    # --- DataFrames --------------------------------------------------------------------------------------------

    @overload
    def publish(self, name: str, df: IntoFrame | pd.Series, /, **options: Any) -> None: ...

    @overload
    def publish(self, /, **tables: IntoFrame | pd.Series) -> None: ...

    def publish(self, name: str | None = None, df: Any = None, /, **options: Any) -> None:
        """Serve DataFrames as live resources: `publish(flights=df)`, or `publish("flights", df, description="…")`.

        Args:
            name: Published name, a letter then up to 63 letters, digits or underscores.
            df: A pandas DataFrame (a Series becomes the only column of one), a polars DataFrame or LazyFrame, a pyarrow
                Table or a DuckDB relation. What is lazy is read once, up to 1,000,000 rows, and again by `touch()`.
            options: With a name: `description`: for agents; `live` (True): look after every cell whether it has changed;
                `follow`: the variable to follow, default: the one called `name` if it is bound to `df`, else the only public
                one that is, else the object itself. Without a name: the tables, by name.

        Raises:
            RegistrationError: A name cannot be used, or a value is no table or cannot be read.
        """
        if name is not None and not isinstance(name, str):
            raise RegistrationError('publish takes the name first: publish(flights=flights), or publish("flights", flights, description=…)')
        tables, details = (options, {}) if name is None else ({name: df}, options)
        for option in _PUBLISH_OPTIONS & tables.keys():
            if not _is_table(tables[option]):
                raise RegistrationError(
                    f"publish({option}=…) names a DataFrame to publish; to say more about one, give its name first: "
                    f'publish("flights", flights, {option}=…)'
                )
        notebook = self._following()
        namespace = notebook.host.namespace()
        for table_name, table in tables.items():
            published = self._offer.dataframes.publish(table_name, table, namespace=namespace, **details)
            notebook.registrar.published(table_name)
            if published.sentence and namespace is not None:
                sys.stdout.write(published.sentence + "\n")

    def unpublish(self, name: str) -> None:
        """Withdraw a DataFrame, tool, resource or prompt.

        Raises:
            WorkbenchError: Nothing of that name is offered.
        """
        if not self._following().registrar.withdraw(name):
            raise WorkbenchError(f"nothing is published as {name!r}; status() lists what is")

    def touch(self, name_or_uri: str) -> Change | None:
        """Say that a DataFrame, or one of your resources, has changed; from any thread.

        The caller vouches that nobody writes to it meanwhile.

        Args:
            name_or_uri: A published name, a `df://` URI, or the URI of a resource.

        Returns:
            The new version of a DataFrame; None for a resource, which has no versions.

        Raises:
            WorkbenchError: Nothing of that name or URI is offered.
        """
        offer = self._offer
        if find_resource(offer.resources, name_or_uri) is None:
            return offer.dataframes.touch(name_or_uri)
        if self._running is not None:
            self._running.topic_changed(name_or_uri)
        return None

    def get(self, name: str, version: int | None = None) -> Any:
        """A published table in the kind it was published, or a result of an agent's call as a pandas DataFrame.

        It is yours to change, and this may be called from any thread.

        Args:
            name: Published name, or a result: `_r7`.
            version: Which version; None: the latest.

        Raises:
            WorkbenchError: Nothing of that name or version is kept.
        """
        if name in self._offer.dataframes.names():
            return self._offer.dataframes.get(name, version)
        if not is_result(name):
            raise WorkbenchError(_not_published(name, self._offer.dataframes.names()))
        return self._offer.results.snapshot(name, None, version).copy()

    # --- looking ---------------------------------------------------------------------------------------------------


def _is_table(value: object) -> bool:
    """Whether a value comes from pandas or looks like a table of another library."""
    return hasattr(value, "columns") or hasattr(value, "to_frame")


def _not_published(name: str, names: Iterable[str]) -> str:
    known = list(names)
    close = nearest(name, known, 1)
    hint = f", nearest is {close[0]!r}" if close else ""
    there = f"published are {', '.join(known)}" if known else "nothing is: wb.publish(name=df) serves a DataFrame"
    return f"no DataFrame is published as {name[:64]!r}{hint}; {there}. Results of calls are called _r7"


def _complete_signatures() -> None:
    """Show the options of `tool` where it is asked about, as the overloads say them: completion goes by this."""
    called = inspect.signature(get_overloads(Offering.tool)[1])
    function = inspect.Parameter("function", inspect.Parameter.POSITIONAL_ONLY, default=None, annotation="F | None")
    this, *options = called.parameters.values()
    shown = called.replace(parameters=[this, function, *options], return_annotation="F | Callable[[F], F]")
    setattr(Offering.tool, "__signature__", shown)  # noqa: B010  # no attribute that a type checker knows of functions


_complete_signatures()


def _written_as(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", type(function).__qualname__)
