"""What a kernel and a view say to each other: one JSON object a message, over a WebSocket or a comm.

These types are the one definition of it. `labextension/generate_messages.py` writes them as TypeScript, and a test says
when that is out of date. A field with a default, always an empty one (0, "", false, none), is left out of the JSON while
it has that value. Times are seconds since 1970 by the kernel's clock, durations microseconds; texts are whatever clients,
data and authors wrote, to be shown as text and never as markup.

The view opens with `Open` and says with `Watch` what is to be seen; the kernel answers with `Hello` (or `Refused`) and then
tells what has changed, at most four times a second. What carries an `id` is answered by a message whose `re` is that id.
A message of a type that one side does not know is ignored by it, so either may learn new ones without raising `VIEW_PROTOCOL`;
that is raised when an old view could no longer make sense of a new kernel.
"""

from __future__ import annotations

from typing import Any

import msgspec

VIEW_PROTOCOL = 1
"""Both sides must speak the same."""


class Struct(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A part of a message."""


class Message(Struct, frozen=True, tag_field="type", tag=lambda name: name[0].lower() + name[1:]):
    """A message; `type` is its name with a small first letter."""


# --- kernel to view: what is there ----------------------------------------------------------------------------------


class Hello(Message, frozen=True):
    """The first message: who speaks. The view takes its clock from `now`."""

    view_protocol: int
    version: str
    """Of mcp_workbench in the kernel's environment."""
    now: float
    """Seconds since 1970 by the kernel's clock."""
    kernel_id: str = ""
    waits_for_cells: bool = False
    """Whether what is clicked waits until no cell is busy, as over a comm."""
    plain: bool = False
    """Whether it is a plain Python program, without cells."""


class Refused(Message, frozen=True):
    """The two cannot talk; the connection ends."""

    sentence: str
    """Which side to upgrade, where."""
    command: str = ""
    """What to type there."""


class Closed(Message, frozen=True):
    """The kernel has ended the connection, over a comm, which has no close of its own; the view may open again."""

    code: int
    """As a WebSocket's: 1001 it stops, 1006 it lost the view, 1013 it takes none now."""
    reason: str
    """A sentence."""


class Snippet(Struct, frozen=True):
    """How one host is connected; holds no secret."""

    client: str
    """`claude-code`, as `wb.config` takes it."""
    title: str
    """`Claude Code`."""
    what: str
    """What to do with the text, one sentence."""
    text: str
    """The text to copy."""
    then: str = ""
    """How to see that it worked; what stands between backticks is code."""


class State(Message, frozen=True):
    """What is served. Sent whole when something of it has changed."""

    name: str
    url: str = ""
    """Empty: it does not serve."""
    since: float = 0
    tools: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    dataframes: tuple[str, ...] = ()
    """Names of those that are published."""
    principals: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    failed: int = 0
    """Calls that failed in what the author wrote, since the start."""
    mistakes: int = 0
    """Calls that failed by what callers sent."""
    calls: int = 0
    """Requests recorded since the start; handshakes and pings are none."""
    bytes_in: int = 0
    bytes_out: int = 0
    connect: tuple[Snippet, ...] = ()


class SessionRow(Struct, frozen=True):
    """One session, open or ended lately."""

    id: str
    transport: str
    remote: str
    principal: str
    since: float
    client: str = ""
    """What the client calls itself; empty until it says so."""
    client_version: str = ""
    protocol: str = ""
    era: str = ""
    """`legacy` or `modern`; empty before the first request."""
    until: float = 0
    """0 while it lasts."""
    close_code: int = 0
    close_reason: str = ""
    crash: str = ""
    calls: int = 0
    running: int = 0
    parked: int = 0
    backlog: int = 0
    subscriptions: int = 0
    outbox_bytes: int = 0
    unsent_bytes: int = 0
    dropped: int = 0
    """Notifications that were dropped because the client did not read."""
    messages_in: int = 0
    messages_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    ignored: tuple[str, ...] = ()
    """Why messages got no answer: `response to an unknown id: 3`."""


class Sessions(Message, frozen=True):
    """Sessions that are new or have changed, and the ids of those that are shown no longer."""

    rows: tuple[SessionRow, ...] = ()
    gone: tuple[str, ...] = ()
    open: int = 0
    """How many are open, also where not all of them are sent."""


# --- kernel to view: calls --------------------------------------------------------------------------------------------


class OpenCall(Struct, frozen=True):
    """A call that runs or waits."""

    key: str
    """What `Stop` takes."""
    target: str
    """Tool, prompt or URI."""
    method: str
    session: str
    principal: str
    at: float
    """When it came."""
    client: str = ""
    call_id: str = ""
    """Empty while it waits for a place."""
    job: str = ""
    """`j3`: it was answered early and goes on as this job."""
    started: float = 0
    """When its code began; 0: not yet."""
    progress: float = 0
    total: float = 0
    """0: unknown."""
    message: str = ""
    """What it said last."""
    waits: str = ""
    """What it waits for: `behind cell [12]`, `its turn`, `news`, `the client's answer`; empty when it runs."""


class OpenCalls(Message, frozen=True):
    """Everything that runs or waits, oldest first; sent whole when it has changed."""

    rows: tuple[OpenCall, ...] = ()
    more: int = 0
    """How many further ones there are."""


class CallRow(Struct, frozen=True):
    """One call that has ended."""

    seq: int
    """Counted from 1 in the order in which calls end; the name of its record."""
    at: float
    method: str
    target: str
    session: str
    principal: str
    outcome: str
    """`ok`, `tool_error`, `rpc_error`, `timeout`, `cancelled`, `rejected` or `dropped`."""
    client: str = ""
    call_id: str = ""
    error: str = ""
    code: int = 0
    wait_us: float | None = None
    run_us: float | None = None
    send_us: float | None = None
    total_us: float | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    job: str = ""
    """`j3`: it was answered early and went on as this job."""
    printed: bool = False
    """Whether its code said something."""
    note: str = ""
    """The beginning of what the notebook's author wrote beside it last, when it was told."""
    arguments: str = ""
    """The beginning of what a tool or prompt was called with, as `n=5, region='EMEA'`; empty: nothing, or long, or kept no longer."""


class Calls(Message, frozen=True):
    """Calls that have ended since the last of these, ascending by `seq`."""

    rows: tuple[CallRow, ...] = ()
    skipped: int = 0
    """How many ended meanwhile that are not among them: too many came at once. Failed ones are never left out for others."""
    oldest: int = 0
    """`seq` of the oldest record that is still kept: what `Older` can reach."""
    newest: int = 0
    """`seq` of the latest record; all between are kept, told or not."""
    since: int = 0
    """Of the first of them: nothing before this `seq` was looked at; 0: all was."""
    filter: str = ""
    """The filter by which they were chosen: what is told by another than the view wants now is too late."""


class OlderCalls(Message, frozen=True):
    """The answer to `GetOlder`."""

    re: int
    rows: tuple[CallRow, ...] = ()
    oldest: int = 0
    reached: int = 0
    """With a filter: down to this `seq` it was looked, and of those that fit none is missing from there on."""


class FilterChecked(Message, frozen=True):
    """The answer to `CheckFilter`."""

    re: int
    ok: bool
    canonical: str = ""
    """The filter as it is understood."""
    sentence: str = ""
    """What is wrong with it."""
    position: int | None = None
    """Index of the character where it went wrong; None: it is no matter of the text."""
    nearest: str = ""
    """What was probably meant."""


class Text(Struct, frozen=True):
    """A text, or the beginning of a long one."""

    text: str
    size: int
    """Its whole length in bytes."""


class Detail(Message, frozen=True):
    """The answer to `GetDetail`: all that is known of one call."""

    re: int
    row: CallRow
    request: Text | None = None
    """The request as it came; None where it is kept no longer."""
    answer: Text | None = None
    """The answer as it was sent."""
    meanwhile: tuple[Text, ...] = ()
    """What crossed for it between request and answer, the latest of it: notifications, what its client was asked, and the replies."""
    output: str = ""
    """What its code printed, logged, warned of and displayed."""
    traceback: str = ""
    defined_at: str = ""
    """`cell [12] line 3`."""
    tool_version: str = ""
    notes: tuple[str, ...] = ()
    """What it read, made or asked: `flights v17`."""
    queued_behind: str = ""
    as_cell: str = ""
    """The same call as a line for a cell; empty where there is none."""
    annotations: tuple[str, ...] = ()
    """What the notebook's author wrote beside it."""
    resend: str = ""
    """Whether it can be sent again: `yes`, `asks` (it destroys something, so the person is asked), or empty."""
    arguments: str = ""
    """JSON of what it was called with, to be edited and sent again; empty where it cannot be sent again."""
    request_seq: int = 0
    """Its request among the messages, by which it is found there; 0: it is not kept."""


class Sides(Struct, frozen=True):
    """What is compared of two calls, as JSON: without what belongs to the conversation, and what is counted anew each time."""

    left: str
    """Empty: it is kept no longer, or too long to be shown."""
    right: str
    differences: int
    """Places where they differ, also where the texts are not shown; 0: they are the same."""


class Compared(Message, frozen=True):
    """The answer to `Compare`."""

    re: int
    arguments: Sides
    result: Sides


class Resent(Message, frozen=True):
    """The answer to `Resend`: it was made again, and is a call of its own."""

    re: int
    sentence: str
    seq: int
    """Of its record."""


# --- kernel to view: messages -----------------------------------------------------------------------------------------


class MessageRow(Struct, frozen=True):
    """One message that crossed: a text of the wire, as far as a line has room for it."""

    seq: int
    """Counted from 1 in the order in which they crossed."""
    at: float
    session: str
    """`s1` of this server; `out1` of this notebook as a client; `tap1` of a tap."""
    size: int
    out: bool = False
    """Whether we sent it; at a tap: the server."""
    kind: str = ""
    """`request`, `response`, `error`, `notification`, `batch` or `malformed`; empty: its text was gone, or too long to be read here."""
    id: str = ""
    """The request's id as JSON, `5` or `"a"`."""
    method: str = ""
    target: str = ""
    """Tool, prompt, resource or task that it names."""
    beginning: str = ""
    """What it carries, as `exploring.carrying` puts it, as far as a line has room."""
    gone: bool = False
    """Whether its text had been pushed out by newer ones when it was told."""
    era: str = ""
    """`legacy` or `modern`; empty where that is not known."""
    client: str = ""
    begins: tuple[str, ...] = ()
    """Exchanges that it opens, by names that are good within its session."""
    belongs: tuple[str, ...] = ()
    """Exchanges that it answers, or says something of."""


class Messages(Message, frozen=True):
    """Messages that have crossed since the last of these, ascending by `seq`."""

    rows: tuple[MessageRow, ...] = ()
    skipped: int = 0
    """How many crossed meanwhile, and fit the filter, that are not among them: too many at once."""
    oldest: int = 0
    """`seq` of the oldest message that is still kept."""
    newest: int = 0
    """`seq` of the latest."""
    oldest_text: int = 0
    """`seq` of the oldest one whose text is still kept."""
    since: int = 0
    filter: str = ""
    """Both as of `Calls`."""


class OlderMessages(Message, frozen=True):
    """The answer to `GetOlderMessages`."""

    re: int
    rows: tuple[MessageRow, ...] = ()
    oldest: int = 0
    reached: int = 0
    """As of `OlderCalls`."""


class MessageText(Message, frozen=True):
    """The answer to `GetText`: a message, whole or its beginning, and what belongs to it."""

    re: int
    row: MessageRow
    text: Text | None = None
    """None: it was pushed out by newer ones."""
    call: int = 0
    """`seq` of the call that it belongs to; 0: none that has ended and is kept."""
    others: tuple[MessageRow, ...] = ()
    """The other messages of that call, ascending."""


# --- kernel to view: timeline -----------------------------------------------------------------------------------------


class Span(Struct, frozen=True):
    """One call that has ended, as a bar."""

    seq: int
    at: float
    """When its request arrived."""
    session: str
    target: str
    method: str
    outcome: str
    total_us: float
    wait_us: float | None = None
    run_us: float | None = None
    client: str = ""


class Mark(Struct, frozen=True):
    """One moment."""

    at: float
    kind: str
    """`notification` or `version`."""
    text: str
    """`notifications/progress`; `flights v17: 1,000 rows appended`."""
    session: str = ""
    """Whose it is; empty: of no session."""
    out: bool = False
    """Of a notification: whether we sent it."""
    seq: int = 0
    """Of a notification: its message."""


class Timeline(Message, frozen=True):
    """Calls that have ended and marks that were made since the last of these."""

    spans: tuple[Span, ...] = ()
    """Ascending by `seq`."""
    marks: tuple[Mark, ...] = ()
    skipped: int = 0
    """How many calls ended meanwhile that are not among them."""
    skipped_marks: int = 0
    """How many marks are not among them."""
    since: int = 0
    """Of the first of them: nothing before this `seq` was looked at; 0: all was."""
    filter: str = ""
    """The filter by which they were chosen: what is told by another than the view wants now is too late."""


# --- kernel to view: latency --------------------------------------------------------------------------------------------


class Quantiles(Struct, frozen=True):
    """Of the calls that ended well, in microseconds; None: too few calls support it (p99.9 takes 1,000)."""

    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    p999: float | None = None


class ToolRow(Struct, frozen=True):
    """The calls of one tool added up, as seen by the server."""

    name: str
    n: int
    """Calls that ended, failed ones included."""
    errors: int = 0
    per_s: float = 0
    """Calls a second, over the last ten seconds."""
    total: Quantiles = Quantiles()
    wait: Quantiles = Quantiles()
    run: Quantiles = Quantiles()
    send: Quantiles = Quantiles()


class Tools(Message, frozen=True):
    """Tools whose calls have changed; at most one a second."""

    rows: tuple[ToolRow, ...] = ()


class Histogram(Message, frozen=True):
    """Durations of one tool; at most one a second for each that is watched.

    Bucket `i` holds the durations in `(2**(i/32), 2**((i+1)/32)]` seconds, as OpenTelemetry's of scale 5.
    """

    tool: str
    phase: str
    """`total`, `wait`, `run` or `send`."""
    failed: bool = False
    n: int = 0
    buckets: tuple[tuple[int, int], ...] = ()
    """Index and count, ascending."""
    min_us: float | None = None
    max_us: float | None = None
    mean_us: float | None = None
    quantiles: Quantiles = Quantiles()


class HeatColumn(Struct, frozen=True):
    """Ten seconds of calls."""

    at: float
    """When it begins; a multiple of ten seconds."""
    cells: tuple[tuple[int, int], ...] = ()
    """Row and count, ascending; row `r` holds the durations in `(2**(r/2), 2**((r+1)/2)]` seconds."""
    failed: int = 0


class Heatmap(Message, frozen=True):
    """How long calls took over the last ten minutes: the columns that have changed."""

    tool: str = ""
    """Empty: all tools together."""
    columns: tuple[HeatColumn, ...] = ()


# --- kernel to view: DataFrames, jobs, kernel ---------------------------------------------------------------------------


class DataFrameRow(Struct, frozen=True):
    """One published DataFrame."""

    name: str
    rows: int
    columns: int
    version: int
    kind: str
    """How the latest version came to be: `published`, `append`, `columns`, `schema`, `replace`, `touched`."""
    library: str = ""
    """`polars`, `pyarrow` or `duckdb`; empty: pandas."""
    summary: str = ""
    """`1,000 rows appended`."""
    at: float = 0
    """When the latest version was made."""
    subscribers: tuple[str, ...] = ()
    """Ids of the sessions that are told of changes."""
    lost: str = ""
    """Why it is not followed any more; empty: it is."""


class DataFrames(Message, frozen=True):
    """DataFrames that are new or have changed, and the names of those that are gone."""

    rows: tuple[DataFrameRow, ...] = ()
    gone: tuple[str, ...] = ()


class Column(Struct, frozen=True):
    """One column of a preview."""

    name: str
    dtype: str


class Preview(Message, frozen=True):
    """The answer to `GetPreview`: the first rows, as text."""

    re: int
    name: str
    version: int
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    all_rows: int
    all_columns: int
    index_columns: int = 0
    """How many of the first columns are the index's, which `all_columns` does not count; 0: it only counts the rows."""


class JobRow(Struct, frozen=True):
    """One job, running or ended and still kept."""

    id: str
    key: str
    """What `Stop` takes."""
    tool: str
    principal: str
    state: str
    """`waiting`, `running`, `done`, `failed`, `cancelled` or `timed out`."""
    at: float
    """When its call came."""
    client: str = ""
    call_id: str = ""
    seconds: float = 0
    """How long it took; 0 while it runs."""
    progress: float = 0
    total: float = 0
    message: str = ""
    waits: str = ""
    result_bytes: int = 0
    fetched: bool = False


class Jobs(Message, frozen=True):
    """Jobs that are new or have changed, and the ids of those that are kept no longer."""

    rows: tuple[JobRow, ...] = ()
    gone: tuple[str, ...] = ()


class Queue(Struct, frozen=True):
    """The reading of one queue or counter."""

    name: str
    value: int
    bound: int = 0
    """0: it has none."""
    meaning: str = ""
    rolls: bool = False
    """Full is how it usually is: the oldest go for the newest."""


class Kernel(Message, frozen=True):
    """What the kernel is doing. Sent whole when something of it has changed."""

    cell: str = ""
    """`[12]`: the cell that runs; empty: none does."""
    cell_since: float = 0
    main_call: str = ""
    """Name of the call that has the main thread, so that cells wait for it."""
    main_call_id: str = ""
    main_since: float = 0
    main_waiting: int = 0
    """Calls in line for the main thread."""
    queues: tuple[Queue, ...] = ()


class Done(Message, frozen=True):
    """The answer to `Stop`, `Touch`, `Annotate`, and to whatever could not be done."""

    re: int
    ok: bool
    sentence: str
    """What became of it."""


# --- view to kernel -------------------------------------------------------------------------------------------------------


class Open(Message, frozen=True):
    """The first message of a view."""

    view_protocol: int
    version: str
    """Of mcp_workbench where the view comes from."""


class HistogramKey(Struct, frozen=True):
    """Which histogram."""

    tool: str
    phase: str
    failed: bool = False


class PanelFilter(Struct, frozen=True):
    """What of a panel's rows is wanted."""

    panel: str
    """`calls`, `messages` or `timeline`."""
    text: str
    """In the language of filters; the kernel has said that it can be read."""


class Watch(Message, frozen=True):
    """What is to be seen, in place of what was; nothing of a panel that is not named is sent.

    Over a comm the view says it again every 20 s, as its sign of life.
    """

    panels: tuple[str, ...] = ()
    """`connect`, `sessions`, `calls` (those that have ended), `running` (those that have not), `messages`, `timeline`, `latency`,
    `dataframes`, `kernel`."""
    histograms: tuple[HistogramKey, ...] = ()
    heatmap: str | None = None
    """A tool, or empty for all together; None: no heatmap."""
    filters: tuple[PanelFilter, ...] = ()
    """Panels that are not named here tell everything."""


class CheckFilter(Message, frozen=True):
    """Whether a text is a filter for the rows of a panel."""

    id: int
    panel: str
    """`calls`, `messages` or `timeline`."""
    text: str


class GetDetail(Message, frozen=True):
    """All that is known of the call with this `seq`."""

    id: int
    seq: int


class Compare(Message, frozen=True):
    """What differs between two calls, as `wb.traffic.diff` has it."""

    id: int
    seq: int
    other: int


class GetOlder(Message, frozen=True):
    """Calls that ended before `before`."""

    id: int
    before: int
    limit: int
    """At most 500."""
    filter: str = ""


class GetOlderMessages(Message, frozen=True):
    """Messages that crossed before `before`."""

    id: int
    before: int
    limit: int
    """At most 500."""
    filter: str = ""


class GetText(Message, frozen=True):
    """The text of the message with this `seq`, and what belongs to it."""

    id: int
    seq: int
    whole: bool = False
    """All of it, as far as a view may be sent so much; else no more than its beginning."""


class Resend(Message, frozen=True):
    """Make a call again, through the wire, as the notebook itself."""

    id: int
    seq: int
    """Of its record."""
    arguments: str
    """JSON: what it is called with this time."""
    sure: bool = False
    """The person was asked, and said yes: for what destroys something."""


class Annotate(Message, frozen=True):
    """Write something beside a call."""

    id: int
    seq: int
    text: str
    """Empty: all that stands there is taken away."""


class GetPreview(Message, frozen=True):
    """The first rows of a DataFrame."""

    id: int
    name: str


class Stop(Message, frozen=True):
    """End a call or job."""

    id: int
    key: str


class Touch(Message, frozen=True):
    """Say that a DataFrame has changed, as `wb.touch`."""

    id: int
    name: str


ToView = (
    Hello | Refused | Closed | State | Sessions | OpenCalls | Calls | OlderCalls | FilterChecked | Detail | Compared | Resent | Messages
    | OlderMessages | MessageText | Timeline | Tools | Histogram | Heatmap | DataFrames | Preview | Jobs | Kernel | Done
)  # fmt: skip
ToKernel = (
    Open | Watch | CheckFilter | GetDetail | Compare | GetOlder | GetOlderMessages | GetText | Resend | Annotate | GetPreview | Stop | Touch
)  # fmt: skip


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ToKernel).decode


def encode(message: Message) -> bytes:
    """One message as JSON.

    Half of a surrogate pair, which is how Python reads file names that are no UTF-8, has no place in JSON: it is sent as its escape.
    """
    try:
        return _encode(message)
    except UnicodeEncodeError:
        return _encode(_sendable(msgspec.to_builtins(message)))


def _sendable(part: Any) -> Any:
    """A part of a message with texts that UTF-8 can write."""
    match part:
        case str():
            return part.encode("utf-8", "backslashreplace").decode("utf-8")
        case dict():
            return {key: _sendable(value) for key, value in part.items()}
        case list() | tuple():
            return [_sendable(value) for value in part]
        case _:
            return part


def decode(text: bytes) -> ToKernel:
    """What a view sent.

    Raises:
        msgspec.DecodeError: It is no message that a view sends.
    """
    message: ToKernel = _decode(text)
    return message
