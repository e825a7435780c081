"""The file: one JSON object a line, the header first. docs/traffic.md says the same for people.

What the lines hold, and nothing of how they come to be: `lines` makes them of what was remembered, `reader` takes them apart,
`redaction` decides what of a text may be in them. A field that is added leaves the version as it is, and readers pass over
kinds of lines they do not know; a field whose meaning changes raises it.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from mcp_workbench.events import Era
from mcp_workbench.telemetry.messages import Direction
from mcp_workbench.telemetry.records import Outcome, Side

FORMAT = "mcptraffic"
VERSION = 1
SUFFIX = ".mcptraffic.jsonl"

# What a line may say, so that all that is made of it can be counted, shown and written: nobody's recording comes near.
Moment = Annotated[float, Meta(ge=0, le=2**37)]
"""Seconds since 1970, to the year 6325."""
Nanoseconds = Annotated[int, Meta(ge=-(2**61), le=2**61)]
"""On the clock of the header."""
Number = Annotated[int, Meta(ge=0, le=2**53)]
Bytes = Annotated[int, Meta(ge=0, le=2**40)]
WhichEra = Annotated[str, Meta(pattern=f"^({'|'.join(Era)})?\\Z")]


class RecordingError(ValueError):
    """A file that cannot be read as a recording, or not from this line on; says where and what to do."""


class Clock(msgspec.Struct, frozen=True):
    """What the times of a recording count from."""

    at: Moment
    """Seconds since 1970."""
    at_ns: Nanoseconds = 0
    """The same moment as `at_ns` of the lines counts it."""


class Redaction(msgspec.Struct, frozen=True, kw_only=True):
    """What was withheld from the file. The salt of its hashes stands nowhere."""

    on: bool
    """False: everything stands in the file as it crossed, secrets included."""
    keys: tuple[str, ...] = ()
    """Words by which the name of a member says that its value is a secret, and names that were given."""
    values: tuple[str, ...] = ()
    """Kinds of texts that are secrets wherever they stand."""
    tools: dict[str, tuple[str, ...]] = {}
    """Tool -> arguments its author wants withheld, as `redact=` names them."""
    hash: str = ""
    """How equal secrets stay equal."""


class RecordedTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as it was offered: enough to answer in its place, or to say what has changed since."""

    name: str
    version: str
    """`v2@1f3a9c0e`: which definition, as calls name it."""
    digest: str
    """Of all that is published of it."""
    listed: msgspec.Raw
    """As `tools/list` shows it, with its schemas."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of each file of a recording."""

    format: str
    version: int
    written_by: str
    """Program and version."""
    at: Moment
    """When the recording began, in seconds since 1970."""
    clock: Clock
    recording: str = ""
    """Names the recording: equal in all of its files."""
    part: Number = 1
    """Which of its files, counted from 1."""
    server: str = ""
    """Name of the server, as its clients are told it."""
    tools: tuple[RecordedTool, ...] = ()
    """What it offered when this file began."""
    redaction: Redaction = Redaction(on=False)
    source: str = ""
    """What it was made of, where it was imported."""


class Line(msgspec.Struct, tag_field="k", tag=str.lower, omit_defaults=True):
    """A line after the header; `k` says which kind."""


class Session(Line, tag="session"):
    """A session that messages belong to, as far as it was known then; repeated at the beginning of each file while it lasts."""

    id: str
    side: Side
    transport: str
    remote: str
    principal: str
    since: Moment
    client: str | None = None
    client_version: str | None = None
    era: WhichEra | None = None
    protocol: str | None = None


class End(Line, tag="end"):
    """A session ended."""

    id: str
    until: Moment | None = None
    code: Number | None = None
    reason: str = ""
    crash: str | None = None
    client: str | None = None
    client_version: str | None = None
    era: WhichEra | None = None
    protocol: str | None = None
    ignored: dict[str, Number] = {}


class MessageLine(Line, tag="message"):
    """One text of the wire, in the order they crossed. One of `m`, `text`, `base64` and `withheld` is there."""

    seq: Number
    at: Moment
    at_ns: Nanoseconds
    session: str
    side: Side
    dir: Direction
    size: Bytes
    """Bytes it had on the wire."""
    batch: bool = False
    m: msgspec.Raw = msgspec.Raw(b"")
    """The message, JSON."""
    text: str | None = None
    """A text that is no JSON."""
    base64: str | None = None
    """One that is no text."""
    withheld: str | None = None
    """Why nothing of it stands here."""


class CallLine(Line, tag="call"):
    """A call that ended: what only who answered it knows. Times are on the clock of the header."""

    session: str
    request: Number
    """`seq` of the message with its request; 0: not in this recording."""
    answer: Number
    id: str | int
    method: str
    target: str
    outcome: Outcome
    received_ns: Nanoseconds
    at: Moment
    bytes_in: Bytes
    bytes_out: Bytes = 0
    side: Side = Side.SERVER
    dir: Direction = Direction.IN
    started_ns: Nanoseconds | None = None
    returned_ns: Nanoseconds | None = None
    rendered_ns: Nanoseconds | None = None
    sent_ns: Nanoseconds | None = None
    call: str = ""
    principal: str = ""
    era: WhichEra = ""
    others: tuple[Number, ...] = ()
    code: int | None = None
    """Of a JSON-RPC error, as the other side chose it: whoever reads it must reckon with any."""
    error: str | None = None
    trace: str | None = None
    mine: bool = False
    """The failure is in what the server's author wrote."""
    tool: str | None = None
    """Which definition ran."""
    file: str | None = None
    line: Number = 0
    cell: str | None = None
    notes: tuple[str, ...] = ()
    printed: str | None = None
    behind: str | None = None
    job: str | None = None


class Tools(Line, tag="tools"):
    """What the server offers has changed."""

    at: Moment
    tools: tuple[RecordedTool, ...]


class Lost(Line, tag="lost"):
    """What crossed before this line and stands nowhere."""

    at: Moment
    messages: Number
    calls: Number
    bytes: Bytes
    why: str


class Note(Line, tag="note"):
    """What a person wrote beside it."""

    at: Moment
    text: str
    call: Number | None = None
    """`seq` of the message with the request it is about; None: about this moment."""


class Stop(Line, tag="stop"):
    """The recording was ended in order."""

    at: Moment
    messages: Number
    calls: Number


AnyLine = Session | End | MessageLine | CallLine | Tools | Lost | Note | Stop
KINDS: frozenset[str] = frozenset(str(kind.__struct_config__.tag) for kind in AnyLine.__args__)

_decoder: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)
_header_decoder = msgspec.json.Decoder(Header)


class _Kind(msgspec.Struct):
    k: str = ""


class _Head(msgspec.Struct):
    format: Any = None
    version: Any = None


def encode_line(line: AnyLine | Header) -> bytes:
    """A line, its end included."""
    return msgspec.json.encode(line) + b"\n"


def decode_line(text: bytes) -> AnyLine | None:
    """A line after the header; None: of a kind that a later version wrote.

    Raises:
        RecordingError: It is no line of a recording; says what is wrong with it.
    """
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if isinstance(error, msgspec.ValidationError) and _is_unknown(text):
            return None
        raise RecordingError(_reason(error)) from None


def decode_header(text: bytes) -> Header:
    """The first line.

    Raises:
        RecordingError: It begins no recording, or one of another version.
    """
    try:
        head = msgspec.json.decode(text, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        head = _Head()
    if head.format != FORMAT:
        raise RecordingError(f'expected the header of a recording, {{"format":"{FORMAT}",…}}, got {_shown(text)}')
    if head.version != VERSION:
        version = str(head.version)[:20]
        raise RecordingError(f"it is of version {version}, this program reads version {VERSION}: read it with the one that wrote it")
    try:
        return _header_decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(f"its header is damaged ({_reason(error)}): take its first line from another file of the recording") from None


def _is_unknown(text: bytes) -> bool:
    try:
        kind = msgspec.json.decode(text, type=_Kind).k
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return bool(kind) and kind not in KINDS


def _reason(error: Exception) -> str:
    return "nested too deep" if isinstance(error, RecursionError) else str(error)


def _shown(text: bytes) -> str:
    return repr(text[:60].decode("utf-8", "replace"))
