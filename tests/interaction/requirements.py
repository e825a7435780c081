"""What a server must do, one row per behaviour: the revisions and transports it holds for, and where the specification says so.

`test_requirements.py` fails when a row is not shown by a test for each of its revisions and transports, when a test
names a row that is not here, and when a link leads to no section of the specification. So a gap is a failing test, and
the table can be read alone. `doors.py` beside it says what is left out over which transport, and why.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from mcp_workbench.protocol.versions import (
    LEGACY_VERSIONS,
    MODERN_VERSIONS,
    V2024_11_05,
    V2025_03_26,
    V2025_06_18,
    V2025_11_25,
)
from tests.interaction.doors import TRANSPORTS

LEGACY = LEGACY_VERSIONS
MODERN = MODERN_VERSIONS
ALL = (*LEGACY, *MODERN)
BATCHES = (V2025_03_26,)
NO_BATCHES = tuple(version for version in ALL if version != V2025_03_26)
STRUCTURED = tuple(version for version in ALL if version >= V2025_06_18)
UNSTRUCTURED = (V2024_11_05, V2025_03_26)
ERAS = (V2025_11_25, *MODERN)
"""The latest revision of each era, for what no revision says."""
ELICITING = tuple(version for version in ALL if version >= V2025_06_18)
BY_URL = (V2025_11_25, *MODERN)
AUDIO = tuple(version for version in ALL if version >= V2025_03_26)
ICONS = (V2025_11_25, *MODERN)

STDIO = ("stdio",)
HTTP = ("http",)

requirement = pytest.mark.requirement
versions = pytest.mark.versions

SPECIFICATION = "https://modelcontextprotocol.io/specification"
SECTIONS: dict[str, dict[str, list[str]]] = json.loads(Path(__file__).with_name("sections.json").read_text())
"""Revision -> page -> its sections, as the specification has them."""


EXTENSION = f"{SPECIFICATION}/extensions/tasks"
"""Of `io.modelcontextprotocol/tasks` (SEP-2663); its text stands in https://github.com/modelcontextprotocol/ext-tasks."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row."""

    id: str
    revisions: tuple[str, ...]
    links: tuple[str, ...]
    """Sections of the specification: one for each era it holds for."""
    sentence: str
    transports: tuple[str, ...] = TRANSPORTS


def _legacy(
    id: str,  # noqa: A002  # the column's name
    section: str,
    sentence: str,
    revisions: tuple[str, ...] = LEGACY,
    over: tuple[str, ...] = TRANSPORTS,
) -> Requirement:
    revision = V2025_03_26 if revisions == BATCHES else V2025_11_25
    return Requirement(id, revisions, (f"{SPECIFICATION}/{revision}/{section}",), sentence, over)


def _modern(id: str, section: str, sentence: str, over: tuple[str, ...] = TRANSPORTS) -> Requirement:  # noqa: A002  # the column's name
    return Requirement(id, MODERN, (f"{SPECIFICATION}/{MODERN[-1]}/{section}",), sentence, over)


def _all(
    id: str,  # noqa: A002  # the column's name
    section: str,
    sentence: str,
    revisions: tuple[str, ...] = ALL,
    over: tuple[str, ...] = TRANSPORTS,
    modern: str | None = None,
) -> Requirement:
    """Held by both eras; `modern` is the section of the modern one, where it is another."""
    links = f"{SPECIFICATION}/{V2025_11_25}/{section}", f"{SPECIFICATION}/{MODERN[-1]}/{modern or section}"
    return Requirement(id, revisions, links if set(revisions) & set(MODERN) else links[:1], sentence, over)


CANCELLATION = "basic/patterns/cancellation"
PROGRESS = "basic/patterns/progress"
SUBSCRIPTIONS = "basic/patterns/subscriptions"
MRTR = "basic/patterns/mrtr"
LEGACY_HTTP = "basic/transports"
MODERN_HTTP = "basic/transports/streamable-http"


def _task(id: str, section: str, sentence: str) -> Requirement:  # noqa: A002  # the column's name
    return Requirement(id, MODERN, (f"{EXTENSION}#{section}",), sentence)


REQUIREMENTS = (
    # --- lifecycle
    _legacy(
        "initialize",
        "basic/lifecycle#initialization",
        "The server answers initialize with its revision, capabilities, name and instructions.",
    ),
    _legacy("initialize-same-version", "basic/lifecycle#version-negotiation", "A revision the server speaks is answered with itself."),
    _legacy(
        "initialize-other-version",
        "basic/lifecycle#version-negotiation",
        "Any other one, a modern one included, is answered with the latest legacy one.",
    ),
    _legacy("initialize-once", "basic/lifecycle#initialization", "A second initialize is refused and changes nothing."),
    _legacy("initialize-first", "basic/lifecycle#initialization", "Before initialize only ping is served; initialize works afterwards."),
    _legacy(
        "initialize-shape",
        "basic/lifecycle#error-handling",
        "An initialize of a wrong shape is -32602, and the connection can be opened still.",
    ),
    _legacy("initialize-pipelined", "basic/lifecycle#initialization", "Requests sent behind initialize without waiting are answered."),
    _legacy("initialized-wait", "basic/lifecycle#initialization", "Before notifications/initialized the server announces nothing."),
    _legacy("ping", "basic/utilities/ping#behavior-requirements", "ping is answered at once with an empty result, also while calls run."),
    _all(
        "session-own",
        "basic/lifecycle#operation",
        "Every connection stands alone: what one has opened or asked, another knows nothing of.",
        modern="basic#statelessness",
    ),
    _all(
        "lists-same",
        "basic/lifecycle#operation",
        "What is listed is the same on every connection, whatever was said or done on it.",
        modern="basic#statelessness",
    ),
    _all(
        "capabilities-only-used",
        "basic/lifecycle#capability-negotiation",
        "What the server declares it serves; what an extension or an experiment of the client's is called changes nothing.",
        modern="basic/versioning#extension-negotiation",
    ),
    _modern(
        "discover", "server/discover#response", "server/discover names the modern revisions, capabilities, cache hints and instructions."
    ),
    _modern("modern-no-handshake", "basic#statelessness", "The first request may be any: no request depends on an earlier one."),
    _modern(
        "modern-per-request", "basic#meta", "What one request declares of its client is nothing to the next one of the same connection."
    ),
    _modern("modern-meta-required", "basic#meta", "A request without protocolVersion or clientCapabilities in _meta is -32602."),
    _modern(
        "modern-unknown-version",
        "basic/versioning#protocol-version-negotiation",
        "An unknown revision is -32022 with supported and requested.",
    ),
    _modern(
        "modern-removed-methods",
        "basic/versioning#backward-compatibility-with-initialization-based-versions",
        "initialize is -32022, -32601 over HTTP; ping, subscribe, unsubscribe, setLevel are -32601.",
    ),
    _legacy("legacy-no-envelope", "basic/lifecycle#operation", "After initialize, a request in the modern envelope is refused."),
    _legacy("legacy-no-modern-methods", "basic/lifecycle#operation", "server/discover and subscriptions/listen are unknown methods there."),
    _modern("result-type", "basic#result-responses", "Every result carries resultType complete and the server's info in _meta."),
    _modern(
        "cache-hints", "server/utilities/caching#cacheable-results", "Cacheable results carry ttlMs and cacheScope; the others do not."
    ),
    _modern("cache-pages", "server/utilities/caching#interaction-with-pagination", "All pages of a list have the same cacheScope."),
    _legacy("no-modern-members", "basic#result-responses", "No member of 2026-07-28 reaches a legacy client."),
    # --- messages
    _all(
        "id-exact",
        "basic#result-responses",
        "The id is given back with its type and value: text, integers of any size, 0, negative, empty.",
    ),
    _all("id-invalid", "basic#requests", "An id that is null, boolean, a fraction, an array or an object is -32600."),
    _all("id-unique", "basic#requests", "The id of a request in flight cannot be used again: -32600, and the first request is untouched."),
    _all("parse-error", "basic#error-responses", "Text that is no JSON is -32700 with id null, and the connection goes on."),
    _all("invalid-request", "basic#error-responses", "JSON that is no message is -32600, and the connection goes on."),
    _all("unknown-method", "basic#error-responses", "An unknown method is -32601."),
    _all(
        "error-codes",
        "basic#error-responses",
        "Every error has the request's id, a sentence, and a code that the revision defines.",
        modern="basic#error-codes",
    ),
    _all("params-shape", "basic#requests", "params that are no object, or of the wrong shape, are -32600 or -32602."),
    _all("meta-foreign", "basic#meta", "Keys of others in _meta, trace context among them, are accepted and change nothing."),
    _all("notification-silent", "basic#notifications", "A notification is never answered, whatever it says."),
    _all(
        "response-ignored",
        "basic#responses",
        "Responses to requests the server never sent are answered by nothing, or refused where none may be sent.",
    ),
    _all("order", "basic#messages", "Requests that need no user code are answered in the order they came."),
    _all("pipelining", "basic#messages", "Many requests at once get one answer each."),
    _legacy("batch", "basic#batching", "An array is answered by one array with one answer per request.", BATCHES),
    _legacy("batch-notifications", "basic#batching", "An array of notifications gets no answer.", BATCHES),
    _legacy("batch-no-initialize", "basic#batching", "initialize must not stand in a batch.", BATCHES),
    _all("no-batch", "basic#messages", "Where the revision has no batches an array is -32600.", NO_BATCHES),
    # --- tools
    _all(
        "tools-list",
        "server/tools#listing-tools",
        "tools/list names every tool with description and input schema, always in the same order.",
    ),
    _all("tools-names", "server/tools#tool-names", "Names have 1 to 128 letters, digits, _ - . and are unique; case counts."),
    _modern("tools-header", "server/tools#x-mcp-header", "An x-mcp-header that clients would not take is refused to its author."),
    _all("tools-described", "server/tools#tool", "Title, annotations and icons are told from the revision on that knows them."),
    _all(
        "tools-schema", "basic#schema-dialect", "Every schema is JSON Schema 2020-12, of type object, and what is promised conforms to it."
    ),
    _all(
        "tools-list-changed", "server/tools#list-changed-notification", "A tool that comes or goes is announced once to who wants to know."
    ),
    _all("tools-call-text", "server/tools#text-content", "A text is one text content."),
    _all("tools-call-none", "server/tools#tool-result", "A function without a result is answered with a sentence."),
    _all("tools-call-image", "server/tools#image-content", "Image bytes are an image content."),
    _all("tools-call-audio", "server/tools#audio-content", "Audio is an audio content since 2025-03-26, a sentence before."),
    _all("tools-call-embedded", "server/tools#embedded-resources", "A resource's contents can ride in a result."),
    _all("tools-call-link", "server/tools#resource-links", "A resource link is one since 2025-06-18, a text before."),
    _all("tools-call-mixed", "server/tools#tool-result", "A list of contents stays in its order."),
    _all(
        "tools-call-long", "server/tools#tool-result", "What is too long for a result is cut, says so, and is read whole through its link."
    ),
    _all("tools-call-large-image", "server/tools#image-content", "A large image is sent smaller, says so, and its link gives every byte."),
    _all(
        "tools-call-budget", "server/tools#tool-result", "The client's name decides how much text one result has, and nothing else.", ERAS
    ),
    _all("tools-call-async", "server/tools#calling-tools", "Coroutines and inline functions are called like any other."),
    _all("tools-structured", "server/tools#structured-content", "A promised object comes as structuredContent and as text.", STRUCTURED),
    _all(
        "tools-unstructured",
        "server/tools#tool-result",
        "Before 2025-06-18 there is no structuredContent; the text says it all.",
        UNSTRUCTURED,
    ),
    _modern("tools-structured-any", "server/tools#structured-content", "In 2026-07-28 a promised array is wrapped as its schema says."),
    _all(
        "tools-errors",
        "server/tools#error-handling",
        "A function that raises is a result with isError and a sentence, no traceback and no path.",
    ),
    _all(
        "tools-arguments",
        "server/tools#security-considerations",
        "Wrong, missing or unknown arguments are isError and say what was expected.",
    ),
    _all("tools-unknown", "server/tools#error-handling", "An unknown tool is -32602 and names the nearest."),
    _all("tools-concurrent", "server/tools#calling-tools", "Calls run side by side and are answered as they finish."),
    _all("tools-backlog", "server/tools#security-considerations", "Past the calls that may run, calls wait and are answered all the same."),
    # --- resources
    _all(
        "resources-list", "server/resources#listing-resources", "resources/list names the author's resources and the published DataFrames."
    ),
    _all("resources-templates", "server/resources#resource-templates", "Templates are listed apart."),
    _all(
        "resources-described",
        "server/resources#resource",
        "Title, description and icons of resources and templates are told from the revision on that knows them.",
    ),
    _all("resources-read-text", "server/resources#text-content", "Text is read as text under the URI that was asked for."),
    _all("resources-read-blob", "server/resources#binary-content", "Bytes are read as base64."),
    _all(
        "resources-read-template",
        "server/resources#resource-templates",
        "A template's variables become the function's arguments, percent-decoded.",
    ),
    _all("resources-read-dataframe", "server/resources#reading-resources", "A published DataFrame is a card, a schema and pages of rows."),
    _all(
        "resources-read-result",
        "server/resources#security-considerations",
        "A long result is read in slices, by the principal whose call it was.",
    ),
    _all(
        "resources-unknown",
        "server/resources#error-handling",
        "An unknown resource is -32002 up to 2025-11-25, -32602 since, and never empty contents.",
    ),
    _all(
        "resources-list-changed",
        "server/resources#list-changed-notification",
        "Publishing and withdrawing is announced to who wants to know.",
    ),
    _legacy("subscribe", "server/resources#subscriptions", "A subscriber is told of a change under the URI it used; others are not."),
    _legacy("unsubscribe", "server/resources#subscriptions", "After unsubscribe nothing more comes; doing it twice is no error."),
    _legacy("subscribe-unknown", "server/resources#error-handling", "Subscribing to what does not exist is an error."),
    _all("subscribe-own-resources", "server/resources#subscriptions", "touch() of the author's own resource tells its subscribers."),
    _all(
        "subscribe-coalesced", "server/resources#subscriptions", "Many changes are few notifications, and the last change is always told."
    ),
    # --- listen
    _modern("listen-ack", f"{SUBSCRIPTIONS}#acknowledgment", "The first message of a stream is the acknowledgement of what is honoured."),
    _modern("listen-honoured-only", f"{SUBSCRIPTIONS}#acknowledgment", "What does not exist is left out of the acknowledgement."),
    _modern("listen-filter", f"{SUBSCRIPTIONS}#notification-filter", "A stream is told nothing it has not asked for."),
    _modern("listen-shape", f"{SUBSCRIPTIONS}#opening-a-stream", "A filter of a wrong shape is -32602."),
    _modern("listen-id", f"{SUBSCRIPTIONS}#receiving-notifications", "Every message of a stream carries the id of its listen request."),
    _modern(
        "listen-several",
        f"{SUBSCRIPTIONS}#multiple-concurrent-subscriptions",
        "Several streams live side by side; each gets what it asked for.",
    ),
    _modern("listen-cancel", f"{SUBSCRIPTIONS}#cancellation", "A cancelled stream is silent, without an answer."),
    _modern("listen-end", f"{SUBSCRIPTIONS}#graceful-closure", "A stream the server ends is ended by the request's response."),
    _modern("listen-nothing-unasked", f"{SUBSCRIPTIONS}#opening-a-stream", "Without a listen nothing is announced."),
    # --- prompts and completion
    _all("prompts-list", "server/prompts#listing-prompts", "prompts/list names every prompt with its arguments."),
    _all("prompts-described", "server/prompts#prompt", "Title and icons of prompts are told from the revision on that knows them."),
    _all("prompts-get", "server/prompts#getting-a-prompt", "A prompt is filled with the arguments given."),
    _all(
        "prompts-messages",
        "server/prompts#promptmessage",
        "Several messages keep their roles and contents, embedded resources and audio among them.",
    ),
    _all("prompts-unknown", "server/prompts#error-handling", "An unknown prompt, or a missing argument, is -32602."),
    _all(
        "prompts-list-changed", "server/prompts#list-changed-notification", "A prompt that comes or goes is announced to who wants to know."
    ),
    _all(
        "completion-choices", "server/utilities/completion#requesting-completions", "Arguments with known values are completed by prefix."
    ),
    _all(
        "completion-completer",
        "server/utilities/completion#requesting-completions",
        "A completer of the author's is asked, with the context.",
    ),
    _all("completion-template", "server/utilities/completion#reference-types", "A template's variables are completed."),
    _all(
        "completion-bounded",
        "server/utilities/completion#completion-results",
        "At most 100 values come, with how many there are and whether there are more.",
    ),
    _all("completion-unknown", "server/utilities/completion#error-handling", "A reference to nothing is -32602."),
    # --- utilities
    _all(
        "pagination",
        "server/utilities/pagination#operations-supporting-pagination",
        "Long lists of each kind come in pages that join to the whole, each entry once.",
    ),
    _all("pagination-cursor", "server/utilities/pagination#error-handling", "A cursor that is not the server's is -32602."),
    _all(
        "cancel",
        "basic/utilities/cancellation#behavior-requirements",
        "After a cancel nothing more is sent for the request, and the function is told.",
        modern=f"{CANCELLATION}#behavior-requirements",
    ),
    _all(
        "cancel-waiting",
        "basic/utilities/cancellation#behavior-requirements",
        "A call that waits for its turn can be cancelled and is never run.",
        modern=f"{CANCELLATION}#behavior-requirements",
    ),
    _all(
        "cancel-late",
        "basic/utilities/cancellation#error-handling",
        "A cancel of an unknown or finished request is ignored.",
        modern=f"{CANCELLATION}#error-handling",
    ),
    _legacy("cancel-initialize", "basic/utilities/cancellation#behavior-requirements", "initialize cannot be cancelled."),
    _all(
        "progress",
        "basic/utilities/progress#progress-flow",
        "With a token, progress comes under it, increasing, and before the answer.",
        modern=f"{PROGRESS}#progress-flow",
    ),
    _all(
        "progress-token",
        "basic/utilities/progress#progress-flow",
        "A token is a text or an integer; anything else is -32602.",
        modern=f"{PROGRESS}#progress-flow",
    ),
    _all(
        "progress-ended",
        "basic/utilities/progress#implementation-notes",
        "Progress stops with the answer, whoever goes on reporting.",
        modern=f"{PROGRESS}#implementation-notes",
    ),
    _all(
        "progress-unasked",
        "basic/utilities/progress#behavior-requirements",
        "Without a token there is no progress.",
        modern=f"{PROGRESS}#behavior-requirements",
    ),
    _legacy(
        "logging-level",
        "server/utilities/logging#setting-log-level",
        "logging/setLevel decides which messages come, by the eight levels in their order.",
    ),
    _modern(
        "logging-request",
        "server/utilities/logging#per-request-log-level",
        "Only a request that names a level gets log messages, from that level on.",
    ),
    _all("logging-invalid-level", "server/utilities/logging#error-handling", "An unknown level is -32602."),
    # --- what a call asks its client
    _all(
        "elicit-form",
        "client/elicitation#form-mode-elicitation-requests",
        "A tool asks the person by a form, and goes on with the checked value.",
        ELICITING,
    ),
    _all(
        "elicit-schema",
        "client/elicitation#requested-schema",
        "A form has flat fields of primitive kinds, with defaults and choices; another is refused to the author.",
        ELICITING,
    ),
    _all("elicit-actions", "client/elicitation#response-actions", "Accept, decline and cancel are told apart.", ELICITING),
    _all(
        "elicit-url",
        "client/elicitation#url-mode-elicitation-requests",
        "A person is sent to a page, where the client declared this.",
        BY_URL,
    ),
    _all(
        "elicit-misfit", "client/elicitation#form-mode-security", "An answer that does not fit the form never reaches the tool.", ELICITING
    ),
    _all(
        "sampling",
        "client/sampling#creating-messages",
        "A tool asks the client's model, with nothing more to declare.",
    ),
    _all(
        "sampling-tools",
        "client/sampling#sampling-with-tools",
        "The model is offered tools, where the client declared this, and its uses are answered.",
        BY_URL,
    ),
    _all("sampling-tools-undeclared", "client/sampling#capabilities", "A client that has not declared sampling.tools is sent none."),
    _all("roots", "client/roots#listing-roots", "A tool asks for the client's roots."),
    _legacy(
        "roots-changed",
        "client/roots#root-list-changes",
        "That the roots have changed is taken without a word; the next question is asked anew.",
    ),
    _all(
        "ask-undeclared",
        "basic/lifecycle#capability-negotiation",
        "What a client has not declared it is not asked; the tool may go on without.",
        modern=f"{MRTR}#server-requirements-basic-workflow",
    ),
    _modern("ask-undeclared-code", "basic#meta", "A call that needs an undeclared capability is -32021 with requiredCapabilities."),
    _legacy("ask-error", "client/sampling#error-handling", "A client that answers with an error is an error of the tool, with its words."),
    _all(
        "ask-cancel",
        "basic/utilities/cancellation#behavior-requirements",
        "A call that waits for its client is cancelled like any other.",
        modern=f"{CANCELLATION}#behavior-requirements",
    ),
    _legacy(
        "ask-taken-back",
        "basic/utilities/cancellation#cancellation-flow",
        "A question that nobody waits for any more is cancelled at the client.",
    ),
    _all(
        "ask-within-call",
        "client/elicitation#identifying-the-user",
        "Nobody is asked once the call is answered.",
        ELICITING,
        modern="client/elicitation#statefulness",
    ),
    _modern(
        "mrtr-no-requests",
        "basic/patterns#request-and-response",
        "The server sends no request of its own, only objects within a result that asks for input.",
    ),
    _modern("mrtr-resumed", f"{MRTR}#basic-workflow", "The retry goes on with the call where it stands; nothing runs twice."),
    _modern("mrtr-elsewhere", f"{MRTR}#basic-workflow", "The retry may come on another connection, also after the first one ended."),
    _modern(
        "mrtr-state",
        f"{MRTR}#server-requirements-basic-workflow",
        "A state used again, changed, with other arguments or of another principal is -32602.",
    ),
    _modern("mrtr-late", f"{MRTR}#server-requirements-basic-workflow", "A retry after the time is up is -32602, and the call has ended."),
    _modern("mrtr-missing", f"{MRTR}#error-handling", "What a retry does not answer fittingly is asked again; extra answers are ignored."),
    _modern("mrtr-several", f"{MRTR}#inputrequests", "Several questions at once are one round."),
    _modern("mrtr-brought", f"{MRTR}#inputresponses", "The answer to a question with a key may come with the call itself."),
    _modern("mrtr-others", f"{MRTR}#supported-requests", "prompts/get and resources/read may need input too."),
    _modern("mrtr-progress", f"{PROGRESS}#behavior-requirements", "Progress goes to the request that is open now, under its token."),
    # --- jobs: what the specification leaves to the server, within its rules
    _all(
        "job-early-answer",
        "server/tools#calling-tools",
        "A call that takes long is answered once, in time, with what to call for its result.",
    ),
    _all(
        "job-silence",
        "basic/utilities/progress#implementation-notes",
        "Progress stops with the answer, also where the function goes on.",
        modern=f"{PROGRESS}#implementation-notes",
    ),
    _all("job-same", "server/tools#calling-tools", "A call that is repeated while it runs as a job is told of that job and not run again."),
    _all(
        "job-cancel-late",
        "basic/utilities/cancellation#timing-considerations",
        "A cancel after the early answer is ignored; the job goes on.",
        modern=f"{CANCELLATION}#timing-considerations",
    ),
    _all("job-cancel", "server/tools#calling-tools", "A job can be cancelled by a tool, which says whether code may still run."),
    _all(
        "job-own",
        "server/tools#security-considerations",
        "A job belongs to its principal, whichever of its connections asks; to others it does not exist.",
    ),
    _all("job-wait", "server/tools#calling-tools", "Many may wait for a job at once, and hinder nothing else."),
    _all("job-stop", "server/tools#calling-tools", "Who waits for a job when the server stops is told that it stops."),
    _all("job-structure", "server/tools#output-schema", "A tool that promises structure breaks the promise only in an error."),
    # --- stdio
    _all(
        "stdio-lines",
        "basic/transports#stdio",
        "One message is one line, with no line break in it.",
        over=STDIO,
        modern="basic/transports/stdio",
    ),
    _all(
        "stdio-stdout",
        "basic/transports#stdio",
        "Nothing but messages gets onto stdout, whatever is printed.",
        over=STDIO,
        modern="basic/transports/stdio#receiving-messages",
    ),
    _all(
        "stdio-end",
        "basic/lifecycle#shutdown",
        "The server ends soon when its stdin does.",
        over=STDIO,
        modern="basic/transports/stdio#shutdown",
    ),
    # --- Streamable HTTP, both eras
    _all(
        "http-origin",
        f"{LEGACY_HTTP}#security-warning",
        "An Origin that is not allowed is 403, before anything else is told; a foreign Host likewise.",
        over=HTTP,
        modern=MODERN_HTTP,
    ),
    _all(
        "http-preflight",
        f"{LEGACY_HTTP}#security-warning",
        "A page of an allowed origin may ask first and read the answers; another may do neither.",
        over=HTTP,
        modern=MODERN_HTTP,
    ),
    _all(
        "http-loopback",
        f"{LEGACY_HTTP}#security-warning",
        "The server listens at the loopback address unless it was told otherwise.",
        over=HTTP,
        modern=MODERN_HTTP,
    ),
    _all(
        "http-credential",
        f"{LEGACY_HTTP}#security-warning",
        "A request without a credential is 401, whatever session it names.",
        over=HTTP,
        modern=MODERN_HTTP,
    ),
    _all(
        "http-one-path",
        f"{LEGACY_HTTP}#streamable-http",
        "There is one path, spoken to with POST, and up to 2025-11-25 with GET and DELETE; another method is 405.",
        over=HTTP,
        modern=MODERN_HTTP,
    ),
    _all(
        "http-accept",
        f"{LEGACY_HTTP}#sending-messages-to-the-server",
        "A POST is JSON and takes JSON and events; else 415 or 406.",
        over=HTTP,
        modern=f"{MODERN_HTTP}#sending-messages",
    ),
    _all(
        "http-accepted",
        f"{LEGACY_HTTP}#sending-messages-to-the-server",
        "What needs no answer is 202 without a body.",
        over=HTTP,
        modern=f"{MODERN_HTTP}#sending-messages",
    ),
    _all(
        "http-refused",
        f"{LEGACY_HTTP}#sending-messages-to-the-server",
        "What cannot be taken has an error status and a JSON-RPC error.",
        over=HTTP,
        modern=f"{MODERN_HTTP}#sending-messages",
    ),
    _all(
        "http-json-or-events",
        f"{LEGACY_HTTP}#sending-messages-to-the-server",
        "An answer is one JSON object, or a stream of events that ends with it.",
        over=HTTP,
        modern=f"{MODERN_HTTP}#receiving-messages",
    ),
    _all(
        "http-version-header",
        f"{LEGACY_HTTP}#protocol-version-header",
        "An MCP-Protocol-Version that is unknown, or stands there twice, is 400.",
        over=HTTP,
        modern=f"{MODERN_HTTP}#protocol-version-header",
    ),
    _all(
        "http-framing",
        f"{LEGACY_HTTP}#security-warning",
        "What can be read in two ways is refused and ends the connection; nothing behind it is answered.",
        over=HTTP,
        modern=MODERN_HTTP,
    ),
    _all(
        "http-patience",
        f"{LEGACY_HTTP}#security-warning",
        "Whoever is slow to ask or to read is dropped, and keeps nobody else out.",
        over=HTTP,
        modern=MODERN_HTTP,
    ),
    # --- Streamable HTTP up to 2025-11-25
    _legacy(
        "http-session-id",
        f"{LEGACY_HTTP}#session-management",
        "The session's id is given with the answer to initialize: visible ASCII, random, and never again.",
        over=HTTP,
    ),
    _legacy("http-session-required", f"{LEGACY_HTTP}#session-management", "A request without a session id is 400.", over=HTTP),
    _legacy(
        "http-session-own",
        f"{LEGACY_HTTP}#session-management",
        "An id is good together with its principal only; forged and foreign ones are 404.",
        over=HTTP,
    ),
    _legacy("http-session-ended", f"{LEGACY_HTTP}#session-management", "A session that has ended is 404.", over=HTTP),
    _legacy("http-session-delete", f"{LEGACY_HTTP}#session-management", "DELETE ends a session, also during a call.", over=HTTP),
    _legacy(
        "http-get",
        f"{LEGACY_HTTP}#listening-for-messages-from-the-server",
        "What belongs to no request goes to the stream of a GET, of which a session has one.",
        over=HTTP,
    ),
    _legacy(
        "http-one-stream",
        f"{LEGACY_HTTP}#multiple-connections",
        "Each message is told on one stream: an answer on that of its request.",
        over=HTTP,
    ),
    _legacy(
        "http-hang-up",
        f"{LEGACY_HTTP}#sending-messages-to-the-server",
        "Hanging up is no cancel; notifications/cancelled is one.",
        over=HTTP,
    ),
    _legacy(
        "http-primed",
        f"{LEGACY_HTTP}#sending-messages-to-the-server",
        "Since 2025-11-25 a stream begins with an event that has an id and no text.",
        BY_URL[:1],
        over=HTTP,
    ),
    _legacy(
        "http-resume",
        f"{LEGACY_HTTP}#resumability-and-redelivery",
        "Last-Event-ID brings what came behind it, on its stream only; ids name one event of one session.",
        over=HTTP,
    ),
    # --- Streamable HTTP from 2026-07-28
    _modern(
        "http-alone",
        f"{MODERN_HTTP}#earlier-streamable-http-revisions",
        "There are no sessions: no id is given, one that comes is ignored, and so is Last-Event-ID.",
        HTTP,
    ),
    _modern("http-post-only", f"{MODERN_HTTP}#earlier-streamable-http-revisions", "GET and DELETE are 405.", HTTP),
    _modern("http-headers", f"{MODERN_HTTP}#standard-request-headers", "MCP-Protocol-Version, Mcp-Method and Mcp-Name are required.", HTTP),
    _modern("http-mismatch", f"{MODERN_HTTP}#server-validation", "Headers that say something else than the body are 400 and -32020.", HTTP),
    _modern("http-header-case", f"{MODERN_HTTP}#case-sensitivity", "Names of headers may be written in any case, values may not.", HTTP),
    _modern(
        "http-param-headers",
        f"{MODERN_HTTP}#server-behavior-for-custom-headers",
        "Arguments with x-mcp-header are compared, decoded, numbers as numbers; null and absent ones have none; unknown ones are ignored.",
        HTTP,
    ),
    _modern("http-unsupported-version", f"{MODERN_HTTP}#protocol-version-header", "An unknown revision is 400 and -32022.", HTTP),
    _modern("http-unknown-method", f"{MODERN_HTTP}#protocol-version-header", "An unknown method is 404 and -32601.", HTTP),
    _modern("http-bad-request", "basic#meta", "Missing _meta and undeclared capabilities are 400.", HTTP),
    _modern("http-close-cancels", f"{MODERN_HTTP}#cancellation", "Closing the stream cancels its request, and no other.", HTTP),
    _modern(
        "http-own-stream",
        f"{MODERN_HTTP}#receiving-messages",
        "Progress and log messages come on the stream of their request, never on a listen.",
        HTTP,
    ),
    _modern(
        "http-unbuffered", f"{MODERN_HTTP}#receiving-messages", "A stream tells proxies not to hold it back, and gives signs of life.", HTTP
    ),
    # --- tasks: jobs that their clients follow
    _task("task-declared", "capability-negotiation", "The server declares the extension; a call of who did not declare it is no task."),
    _task("task-needed", "capability-negotiation", "What needs a task is -32021 with requiredCapabilities for who takes none."),
    _task("task-created", "task-creation", "A call that takes long is answered with a task that can be asked for at once."),
    _task("task-completed", "task-polling", "Of a completed task the result is what the call would have been answered with."),
    _task("task-tool-error", "task-execution-errors", "A tool that fails completes its task with isError."),
    _task("task-failed", "task-execution-errors", "A task fails with the JSON-RPC error its call would have been answered with."),
    _task("task-input", "task-update-requests", "A task asks through tasks/get, and goes on with what tasks/update brings."),
    _task("task-input-partial", "task-update-requests", "Some answers are taken, unknown ones ignored, and what is left is asked still."),
    _task("task-cancel", "task-cancellation", "A cancelled task ends; cancelling one that has ended changes nothing."),
    _task("task-unknown", "protocol-errors", "A task that there is not, or of another principal, is -32602."),
    _task("task-undeclared", "protocol-errors", "tasks/* and a listen for tasks are -32021 for who has not declared the extension."),
    _task("task-listen", "task-status-notifications", "A listen is told how its tasks stand, each time that changes, and of no others."),
    _task("task-removed", "reservations", "tasks/result and tasks/list of 2025-11-25 are -32601."),
)

BY_ID = {row.id: row for row in REQUIREMENTS}
