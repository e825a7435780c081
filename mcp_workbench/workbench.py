"""class Workbench: one server and what it offers. It only delegates; `assembly` builds what it delegates to."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import functools
import inspect
import os
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, get_overloads, overload

from mcp_workbench.assembly import RunningServer
from mcp_workbench.client.connect import Connecting, connect
from mcp_workbench.errors import RegistrationError, WorkbenchError
from mcp_workbench.events import Change, Principal
from mcp_workbench.exploring.overheard_channel import OverheardChannel
from mcp_workbench.hosts import PlainHost, current_host, notebook_name
from mcp_workbench.job_report import JobReports
from mcp_workbench.live.dataframes.names import NotFound, is_result
from mcp_workbench.notebook import Notebook
from mcp_workbench.offer import Offer
from mcp_workbench.pasting import HostConfig, config
from mcp_workbench.platforms import call_in_forked_children
from mcp_workbench.primitives.ownership import Kind
from mcp_workbench.primitives.prompts import PromptDefinition, define_prompt
from mcp_workbench.primitives.resources import ResourceDefinition, define_resource, find_resource
from mcp_workbench.primitives.tools import ToolDefinition, define_tool
from mcp_workbench.primitives.wording import nearest
from mcp_workbench.principals import Tokens
from mcp_workbench.secret import Secret, hidden, hidden_values
from mcp_workbench.settings import Settings
from mcp_workbench.status_report import SessionStatus, Status
from mcp_workbench.telemetry.telemetry import Telemetry
from mcp_workbench.transports.channel import Channel
from mcp_workbench.transports.credentials import DEFAULT_NAME

if TYPE_CHECKING:
    import ssl as tls

    import pandas as pd
    from narwhals.typing import IntoFrame

    from mcp_workbench.exploring.traffic import Traffic
    from mcp_workbench.stdio_host import StdioHost
    from mcp_workbench.tapping.tap import Tap
    from mcp_workbench.views.comm import Place
    from mcp_workbench.views.door import ViewDoor
    from mcp_workbench.views.showing import Showing

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

EXIT_GRACE_S = 0.5
STOP_PATIENCE_S = 5.0
"""How long the loop may be blocked before `stop()` gives it up."""


class Workbench:
    """An MCP server in this process, and the tools, resources, prompts and DataFrames it offers.

    Args:
        name: Shown to clients; default: the notebook's name.
        settings: What `start()` takes; may also be given there.

    Everything may be registered before or after `start()`. Registering, publishing, starting and stopping belong to
    the main thread; `touch`, `get`, `status` and the readings may be called from any thread.
    """

    def __init__(self, name: str | None = None, **settings: Any) -> None:
        self._running: RunningServer | None = None  # first: a traceback of what fails here may show our repr
        self._given = ({} if name is None else {"name": name}) | settings
        self._settings = Settings.read(self._given)
        self._offer = Offer(self._settings.limits)
        self._notebook: Notebook | None = None
        self._starting = threading.Lock()
        self._registering = threading.Lock()
        self._forked = False
        self._display: Showing | None = None
        self._traffic: Traffic | None = None
        self._showing = threading.Lock()
        self._stdio: StdioHost | None = None
        """The host that started this script, while it is served."""
        self._view_door: ViewDoor
        """Of the server that runs."""
        self._watches_forks = False
        self.tokens = Tokens(self._offer, lambda: self._running)
        """Who may connect: `.add(name)`, `.revoke(name)`, `.names()`."""

    def __repr__(self) -> str:
        return f"<Workbench {self._name!r} {'at ' + self.url if self._running else 'not running'}>"

    @property
    def _name(self) -> str:
        return self._running.name if self._running else self._settings.name or notebook_name(current_host().identity().notebook)

    # --- starting and stopping ---------------------------------------------------------------------------

    def start(self, name: str | None = None, **settings: Any) -> Self:
        """Start the server; on a running one it changes nothing.

        Args:
            name: Shown to clients; default: the notebook's name.
            settings: host ("127.0.0.1"), port (0: any), http (False; True: Streamable HTTP too), http_port (0: any),
                switch_interval (0.0005 s), limits (`Limits()`), allow_remote (False), allowed_hosts (()),
                allowed_origins (()), builtin_tools (True). Each may also come from `MCP_WORKBENCH_…`.

        Returns:
            This Workbench.

        Raises:
            ValueError: A setting makes no sense, or opens more than `allow_remote` permits.
            OSError: The port is taken.
        """
        given = self._given | ({} if name is None else {"name": name}) | settings
        if self._forked:
            raise WorkbenchError("this process was forked from one that runs the server: make a Workbench of its own with wb.Workbench()")
        wanted = Settings.read(given)
        with self._starting:
            if self._running is None:
                from mcp_workbench.views.door import ViewDoor  # not before it is needed: it takes as long as all of this package

                self._view_door = ViewDoor(self._offer)
                self._running = RunningServer(self._offer, wanted, self._following(), [self._view_door], found=self._stdio is None)
                self._given, self._settings = given, wanted
                atexit.register(self._stop_at_exit)
                self._watch_forks()
                if self._display is not None:
                    self._display.go_on()
        if wanted != self._running.settings:
            warnings.warn(
                f"the server already runs at {self.url} with other settings; nothing was changed. Call stop() first.", stacklevel=2
            )
        return self

    def stop(self) -> None:
        """Stop the server: refuse new calls, let running ones end (`limits.stop_grace_s`), close every connection.

        What was registered stays; `start()` serves it again. Calling it on a stopped server does nothing.

        Raises:
            WorkbenchError: Called by an inline tool, on the server's own thread, which cannot wait for itself.
        """
        self._stop(self._settings.limits.stop_grace_s, STOP_PATIENCE_S)

    def _stop(self, grace_s: float, patience_s: float) -> None:
        if self._running is not None and self._running.on_own_thread:
            raise WorkbenchError('an inline tool cannot stop the server it runs on: register it without run_on="inline"')
        with self._starting:
            running, self._running = self._running, None
        if running is not None:
            atexit.unregister(self._stop_at_exit)
            try:
                running.close(grace_s, patience_s)
            finally:
                if self._display is not None:
                    self._display.rest()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until the server is stopped, and lend this thread to tools with `run_on="main"` meanwhile: the last line of a script.

        On other threads than the main one it only waits.

        Args:
            timeout_s: Seconds after which it gives up waiting; a call that runs then is run to its end. None: never.

        Returns:
            Whether the server was stopped.

        Raises:
            KeyboardInterrupt: Ctrl-C, or the notebook's interrupt, came while no tool ran; one that runs is ended instead.
            WorkbenchError: The server is not running, or this is its own thread.
        """
        try:
            self._wait_for(self._server().stopped, timeout_s)
        except TimeoutError:
            return False
        return True

    def run_stdio(self, name: str | None = None, **settings: Any) -> None:
        """Serve the host that started this script, on its stdin and stdout, until it ends: the last line of a stdio server.

        Blocks like `wait()`, and lends this thread to tools with `run_on="main"`. The server is started if it does not run; then
        `mcp-workbench panel` shows it, and the bridge, which looks for notebooks, does not find it. What is printed goes to stderr,
        also what was printed before and not flushed (8 KiB). When the host has closed stdin, what runs may still answer for 1 s; then
        the server is stopped. A Ctrl-C that a host's terminal sends to all is not for it, but for a `run_on="main"` tool that runs.

        Args:
            name: Shown to clients; default: the script's name.
            settings: As `start()` takes them.

        Raises:
            KeyboardInterrupt: Ctrl-C in a terminal in which a person has started it.
            ValueError: A setting makes no sense, or opens more than `allow_remote` permits.
            WorkbenchError: This is a notebook or IPython, which no host has started.
        """
        from mcp_workbench.stdio_host import StdioHost  # not before the first use, as in show()

        if not isinstance(current_host(), PlainHost):
            raise WorkbenchError("run_stdio() is the last line of a script that an agent's host starts; here it is start()")
        self._stdio = host = StdioHost()
        with host.ignoring_interrupts():
            try:
                self.start(name, **settings)
                host.serve(self._server())
                self._wait_for(host.over)
            finally:
                self._stop(0, STOP_PATIENCE_S)
                host.close()
                self._stdio = None

    def _wait_for(self, future: concurrent.futures.Future[T], timeout_s: float | None = None) -> T:
        """As `future.result(timeout_s)`; on the main thread, calls that are queued for it run meanwhile, which it may be waiting for."""
        running = self._running
        if running is None:
            return future.result(timeout_s)
        if running.on_own_thread:
            raise WorkbenchError('an inline tool cannot wait on the server\'s own thread: register it without run_on="inline"')
        return running.execution.main.pump_until(future, timeout_s)

    def _stop_at_exit(self) -> None:
        serves = self._running is not None  # a fork does not, and the display is its parent's
        with suppress(WorkbenchError):  # a loop that is blocked now will not be waited for: its thread is a daemon
            self._stop(EXIT_GRACE_S, EXIT_GRACE_S)
        if serves and self._display is not None:
            self._display.end()

    def _watch_forks(self) -> None:
        if not self._watches_forks:
            call_in_forked_children(functools.partial(_mark_forked, weakref.ref(self)))
            self._watches_forks = True

    async def __aenter__(self) -> Self:
        """Start."""
        return self.start()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop, without blocking the calling loop."""
        await asyncio.to_thread(self.stop)

    # --- where it is ---------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether it serves."""
        return self._running is not None

    @property
    def url(self) -> str:
        """`ws://127.0.0.1:PORT/mcp`.

        Raises:
            WorkbenchError: It is not running.
        """
        return self._server().url

    @property
    def http_url(self) -> str | None:
        """`http://127.0.0.1:PORT/mcp`; None unless it was started with `http=True`.

        Raises:
            WorkbenchError: It is not running.
        """
        return self._server().http_url

    @property
    def token(self) -> str:
        """The token of the principal `default`. A secret: it stands in no repr, status or log."""
        return self._offer.credentials.token()

    def ticket_url(self, ttl_s: float = 60.0, *, name: str = DEFAULT_NAME) -> str:
        """An address that is good for one connection, for clients that cannot send an `Authorization` header.

        Args:
            ttl_s: Seconds until it expires unused; at most 3,600.
            name: Principal it stands for.

        Raises:
            ValueError: There is no principal of that name, or `ttl_s` is out of range.
        """
        self._offer.credentials.secret(name)  # a ticket for nobody would let a revoked principal in again
        return f"{self._server().url}/t/{self._offer.tickets.mint(Principal(name), ttl_s=ttl_s)}"

    def _following(self) -> Notebook:
        """What follows the cells of this process, from the first registration or start on."""
        with self._registering:
            if self._notebook is None:
                self._notebook = Notebook(self._offer, current_host())
            return self._notebook

    def _server(self) -> RunningServer:
        if self._running is None:
            raise WorkbenchError("the server is not running: call start() first")
        return self._running

    # --- offering --------------------------------------------------------------------------------------------

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
        max_chars: int | None = None,
        version: int | None = None,
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
                job and goes on, None: never; `max_chars`: how much text one result may have (None: what the client's host
                shows); `version`.

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

    @property
    def tools(self) -> tuple[ToolDefinition, ...]:
        """What is offered as tools, by name."""
        return self._offer.tools.list()

    @property
    def resources(self) -> tuple[ResourceDefinition, ...]:
        """The author's resources and templates, by name; DataFrames are not among them."""
        return self._offer.resources.list()

    @property
    def prompts(self) -> tuple[PromptDefinition, ...]:
        """What is offered as prompts, by name."""
        return self._offer.prompts.list()

    @property
    def sessions(self) -> list[SessionStatus]:
        """The sessions that are open now."""
        return [] if self._running is None else [SessionStatus(session.record, session.statistics()) for session in self._running.sessions]

    @property
    def jobs(self) -> JobReports:
        """Calls of agents that were answered early and went on: a list to look at, `jobs["j3"]` to get the result or to cancel."""
        return JobReports(self._offer.jobs)

    @property
    def telemetry(self) -> Telemetry:
        """Call records, session records and histograms."""
        return self._offer.telemetry

    def status(self) -> Status:
        """The facts of this moment, as text and as HTML. Never shows the token."""
        from mcp_workbench.views.open_calls import main_thread, open_calls  # not before the first use, as in show()
        from mcp_workbench.views.text_view import running_lines

        offer, running = self._offer, self._running
        going_on = () if running is None else open_calls(running, offer.jobs, time.time())
        return Status(
            name=self._name,
            url=None if running is None else running.url,
            http_url=None if running is None else running.http_url,
            tools=tuple(tool.name for tool in self.tools),
            resources=tuple(resource.uri for resource in self.resources),
            prompts=tuple(prompt.name for prompt in self.prompts),
            dataframes=self._dataframe_lines(),
            sessions=tuple(self.sessions),
            calls=tuple(offer.telemetry.by_tool()),
            execution={} if running is None else asdict(running.execution.statistics()) | running.suspended.statistics(),
            jobs=offer.jobs.statistics(),
            waiting_tickets=len(offer.tickets),
            notices=() if running is None else tuple(running.notices),
            running=() if running is None else tuple(running_lines(going_on, main_thread(running, going_on))),
            failed=offer.telemetry.failed,
            mistakes=offer.telemetry.mistaken,
            last_mistake=mistakes[0].call_id if (mistakes := offer.telemetry.mistakes()) else "",
        )

    def show(self, panel: str = "all", *, browser: bool = False, keep_data: bool = False) -> None:
        """Show the Workbench below the cell: state, how to connect, sessions, last calls, latencies. Starts the server if needed.

        Where the notebook has widgets, a live panel; and for all other places, and to be saved, a display which renews itself at most
        twice a second, also while a cell runs, and at least once a minute: one that says "as of" an older time is not alive. While
        the panel is watched the display is renewed seldom. Both rest while the server is stopped; a later `show()` takes their place.
        A terminal prints the state once. Never shows the token.

        With `browser=True` it is a page of its own instead, for editors and terminals: one line with its address is printed, which
        can be opened once within 60 s, and where this machine's screen is in front of the person a browser is asked to open it. The
        page lives, and can be clicked, while a cell runs, and ends with the server.

        Args:
            panel: Which panel is open: "all", "connect", "sessions", "calls", "latency", "dataframes" or "kernel". The display shows
                what it has of it. The page of its own always has all.
            browser: Open the page of its own.
            keep_data: Whether the display, which is saved with the notebook, holds what clients and code said too: names of
                clients, URIs, errors, messages of progress. The live panel shows them anyway, and saves nothing.

        Raises:
            ValueError: There is no such panel.
            WorkbenchError: A thousand links wait to be opened.
        """
        from mcp_workbench.views.gathering import Gathering  # not before the first use: most scripts never show anything
        from mcp_workbench.views.keeping import author_names, without_data
        from mcp_workbench.views.showing import Showing
        from mcp_workbench.views.words import PANELS

        if panel not in PANELS:
            raise ValueError(f"panel is one of {', '.join(PANELS)}; got {str(panel)[:40]!r}")
        self.start()
        if browser:
            self._open_page()
            return
        gathering = Gathering(self._name, self._offer, lambda: self._running, self._dataframe_lines)
        named = author_names(self._offer)
        look = gathering.look if keep_data else lambda: without_data(gathering.look(), named)
        host, server = current_host(), self._server()
        # A second server of a kernel is not the one that the kernel's id leads to.
        kernel_id = server.kernel_id if server.kernel_id == server.identity.kernel_id else ""
        with self._showing:
            self._move_display()
            # Known before it is shown: where an interrupt comes meanwhile, the next one moves it all the same.
            self._display = showing = Showing(look, panel, self._view_place, self._count_viewers)
            showing.show(host, server.note_once, kernel_id)
            self._following().on_cell_end.append(showing.cell_ended)

    def _move_display(self) -> None:
        """A newer one takes the place of the last; an interrupt in the middle leaves nothing that the next could stumble over."""
        old, self._display = self._display, None
        if old is not None:
            with suppress(ValueError):  # an interrupt came before it was listed
                self._following().on_cell_end.remove(old.cell_ended)
            old.move()

    def _view_place(self) -> Place | None:
        """Where a view is taken in that comes over a comm; from any thread."""
        from mcp_workbench.views.comm import Place  # as in show()

        running = self._running
        return None if running is None else Place(running.loop, running.post, self._view_door.viewers.accept)

    def _count_viewers(self) -> int:
        return 0 if self._running is None else len(self._view_door.viewers)

    def _open_page(self) -> None:
        from mcp_workbench.views.browser import open_near  # not before the first use, as in show()
        from mcp_workbench.views.page import link_line

        link = hidden(self._view_door.page.link(self._server().page_address))
        sys.stdout.write(f"{link_line(link.reveal())}\n")
        sys.stdout.flush()  # before a browser is waited for
        open_near(link.reveal())

    def _dataframe_lines(self) -> tuple[str, ...]:
        offer = self._offer
        return tuple(line for name in offer.dataframes.names() if (line := _dataframe_line(offer, name)))

    # --- connecting ------------------------------------------------------------------------------------------------------

    def connect(
        self,
        url: str | Secret | Sequence[str] | None = None,
        *,
        token: str | Secret | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        env: Mapping[str, str | Secret] | None = None,
        **options: Any,
    ) -> Connecting:
        """Connect as a client: `async with wb.connect(url, token=token) as session:`.

        Args:
            url: `ws://…/mcp` or `http://…/mcp`, or a ticket's address; or a command, `["npx", "-y",
                "@modelcontextprotocol/server-everything"]`, which is started and spoken with over its stdin and stdout; None: this
                Workbench's own server, over the wire, as the principal `notebook`.
            token: Sent as `Authorization: Bearer`; None without a url: this Workbench's own.
            headers: Further headers of the WebSocket handshake, or of each HTTP request.
            env: A command's variables, beside PATH, HOME and the like; `env=os.environ`: all of this process.
            options: `era`: "auto" (probe), "legacy" or "modern"; `timeout_s` (60): longest wait for an answer;
                `on_log`, `on_elicit`, `on_sample`, `on_roots`: functions or coroutine functions that take what the server sends or
                asks; `on_message`: a plain function that sees each message as it crosses, `("sent", text)` or `("received", text)`;
                `client_info`; `ssl`; `allow_remote` (False): send a token over plain ws:// to other machines; `cwd`: the folder a
                command is started in.

        Returns:
            Something to await, or to enter with `async with`: a session with `list_tools`, `call_tool(name, on_progress=…, **arguments)`,
            `read_resource`, `subscribe`, `list_changes`, `get_prompt`, `complete`, `ping` and `close`.

        Raises:
            WorkbenchError: No url, and this process serves nothing.
        """
        # Before anything fails, for a traceback may show our variables.
        url, token = hidden(url) if isinstance(url, str) else url, hidden(token)
        headers, env = hidden_values(headers), hidden_values(env)
        if url is None and self._running is None:
            raise WorkbenchError(
                "the server of this process is not running: call start() first, or connect to another with url= and token="
            )
        if url is None and token is None:
            token = self._token_here()
        # What passes between ourselves is written down once, by the server.
        hear = None if url is None or self._is_ours(url) else self._hear
        return connect(self.url if url is None else url, token=token, headers=headers, env=env, hear=hear, **options)

    def _is_ours(self, url: Secret | Sequence[str]) -> bool:
        ours = () if self._running is None else (self._running.url, self._running.http_url)
        return isinstance(url, Secret) and any(own is not None and url.reveal().startswith(own) for own in ours)

    def tap(
        self,
        upstream: str | Secret | Sequence[str],
        *,
        listen: str | None = None,
        token: str | Secret | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        env: Mapping[str, str | Secret] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        ssl: tls.SSLContext | None = None,
        allow_remote: bool = False,
    ) -> Tap:
        """Listen between a client and another server, and see in `traffic` what they say: `with wb.tap(url) as tap:`.

        Clients connect to `tap.url` with this Workbench's token; the server need not be running. Messages pass unchanged, unless a
        function given to `@tap.on_request` or `@tap.on_response` delays, changes or drops them.

        Args:
            upstream: The server: `ws://…`, `http://…`, or a command, `["npx", "-y", "@modelcontextprotocol/server-everything"]`,
                which is started anew for each client.
            listen: `ws`, `http`, or an address of this machine as `ws://127.0.0.1:9000/mcp`; None: as the server is spoken with,
                and for a command over WebSocket.
            token: The server's, sent to it as `Authorization: Bearer`; clients of the tap never see it.
            headers: Further headers for the server.
            env: A command's variables, beside PATH, HOME and the like.
            cwd: The folder a command is started in.
            ssl: TLS settings for `wss://` and `https://`.
            allow_remote: Send the token over plain `ws://` or `http://` to other machines.

        Returns:
            The running tap; close it with `close()` or as a context manager.

        Raises:
            ValueError: An address cannot be read, or the two kinds cannot be joined.
            OSError: It cannot listen there.
        """
        from mcp_workbench.tapping.tap import Tap, door_of
        from mcp_workbench.tapping.upstream import upstream_of

        where, token = hidden(upstream) if isinstance(upstream, str) else upstream, hidden(token)
        headers, env = hidden_values(headers), hidden_values(env)
        server = upstream_of(where, token=token, headers=headers, env=env, cwd=cwd, ssl=ssl, allow_remote=allow_remote)
        offer, settings = self._offer, self._settings
        return Tap(
            server,
            door_of(listen, server),
            offer.overhearing,
            offer.credentials,
            offer.tickets,
            settings.limits,
            allowed_hosts=settings.allowed_hosts,
            allowed_origins=settings.allowed_origins,
        )

    @property
    def traffic(self) -> Traffic:
        """What crossed the wire: `.calls("tool:forecast dur:>50ms")`, `.messages()`, `.stats()`, `.histogram()`, `.timeline()`.

        Everything that agents said to this Workbench, this notebook to other servers through `connect`, and others through `tap`.
        """
        if self._traffic is None:
            from mcp_workbench.exploring.sources import Memory
            from mcp_workbench.exploring.traffic import Traffic

            offer = self._offer
            memory = Memory(lambda: offer.telemetry, offer.overhearing, lambda: [session.record for session in self.sessions])
            self._traffic = Traffic(memory, offer.annotations, self.connect)
        return self._traffic

    def _hear(self, channel: Channel) -> Channel:
        return OverheardChannel(channel, self._offer.overhearing)

    def _token_here(self) -> Secret:
        # Code of the main thread may wait for its client's calls, and they for the main thread: they are told apart.
        on_main = threading.current_thread() is threading.main_thread()
        return self._offer.credentials.own_token(on_main=on_main)

    def config(self, client: str = "json") -> HostConfig:
        """What to paste into an agent's host so that it finds this notebook and the next ones: once per machine, no token in it.

        Args:
            client: claude-code, claude-desktop, vscode, cursor, codex, gemini-cli, windsurf, or json for any other.

        Returns:
            Shell lines, file contents and the allow-list of the tools that only look; shows as text.

        Raises:
            ValueError: There is no such client; names the nearest.
        """
        return config(client, port=self._settings.port or None)


_PUBLISH_OPTIONS = frozenset(("description", "live", "follow"))


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
    called = inspect.signature(get_overloads(Workbench.tool)[1])
    function = inspect.Parameter("function", inspect.Parameter.POSITIONAL_ONLY, default=None, annotation="F | None")
    this, *options = called.parameters.values()
    shown = called.replace(parameters=[this, function, *options], return_annotation="F | Callable[[F], F]")
    setattr(Workbench.tool, "__signature__", shown)  # noqa: B010  # no attribute that a type checker knows of functions


_complete_signatures()


def _written_as(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", type(function).__qualname__)


def _dataframe_line(offer: Offer, name: str) -> str | None:
    try:
        publication = offer.dataframes.publication(name)
    except NotFound:  # another thread has unpublished it since
        return None
    rows, columns = publication.latest.df.shape
    lost = f" (not followed any more: {publication.lost})" if publication.lost else ""
    return f"{name} v{publication.latest.version}, {rows:,} x {columns:,}{lost}"


def _mark_forked(reference: weakref.ref[Workbench]) -> None:
    """In a forked child: our sockets belong to the parent."""
    workbench = reference()
    if workbench is not None and workbench._running is not None:  # noqa: SLF001  # the class above
        workbench._starting, workbench._registering = threading.Lock(), threading.Lock()  # noqa: SLF001  # held by threads that are not here
        workbench._showing = threading.Lock()  # noqa: SLF001  # the same
        if workbench._notebook is not None:  # noqa: SLF001  # the class above
            workbench._notebook.registrar.lock = threading.Lock()  # noqa: SLF001  # the class above
        if workbench._stdio is not None:  # noqa: SLF001  # the class above
            workbench._stdio.close_in_child()  # noqa: SLF001  # the class above
        running, workbench._running = workbench._running, None  # noqa: SLF001  # the class above
        workbench._forked = True  # noqa: SLF001  # the class above
        running.abandon_in_child()
