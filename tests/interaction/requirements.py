"""What a server must do, one row per behaviour, and the revisions it holds for.

`test_requirements.py` fails when a row has no test, when the tests of a row leave out one of its revisions,
and when a test names a row that is not here. So a gap is a failing test, and the table can be read alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from mcp_workbench.protocol.versions import (
    LEGACY_VERSIONS,
    MODERN_VERSIONS,
    V2024_11_05,
    V2025_03_26,
    V2025_06_18,
    V2025_11_25,
)

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

requirement = pytest.mark.requirement
versions = pytest.mark.versions

SPECIFICATION = "https://modelcontextprotocol.io/specification"
LATEST_OF_LEGACY = f"{SPECIFICATION}/{V2025_11_25}"
LATEST_OF_ALL = f"{SPECIFICATION}/{MODERN[-1]}"


EXTENSION = f"{SPECIFICATION}/extensions/tasks"
"""Of `io.modelcontextprotocol/tasks` (SEP-2663); its text stands in https://github.com/modelcontextprotocol/ext-tasks."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row."""

    id: str
    revisions: tuple[str, ...]
    link: str
    sentence: str


def _legacy(id: str, page: str, sentence: str, revisions: tuple[str, ...] = LEGACY) -> Requirement:  # noqa: A002  # the column's name
    return Requirement(id, revisions, f"{LATEST_OF_LEGACY}/{page}", sentence)


def _all(id: str, page: str, sentence: str, revisions: tuple[str, ...] = ALL) -> Requirement:  # noqa: A002  # the column's name
    return Requirement(id, revisions, f"{LATEST_OF_ALL}/{page}", sentence)


def _modern(id: str, page: str, sentence: str) -> Requirement:  # noqa: A002  # the column's name
    return Requirement(id, MODERN, f"{LATEST_OF_ALL}/{page}", sentence)


def _task(id: str, section: str, sentence: str) -> Requirement:  # noqa: A002  # the column's name
    return Requirement(id, MODERN, f"{EXTENSION}#{section}", sentence)


REQUIREMENTS = (
    # --- lifecycle
    _legacy("initialize", "basic/lifecycle", "The server answers initialize with its revision, capabilities, name and instructions."),
    _legacy("initialize-same-version", "basic/lifecycle", "A revision the server speaks is answered with itself."),
    _legacy("initialize-other-version", "basic/lifecycle", "Any other one, a modern one included, is answered with the latest legacy one."),
    _legacy("initialize-once", "basic/lifecycle", "A second initialize is refused and changes nothing."),
    _legacy("initialize-first", "basic/lifecycle", "Before initialize only ping is served; initialize works afterwards."),
    _legacy("initialize-shape", "basic/lifecycle", "An initialize of a wrong shape is -32602, and the connection can be opened still."),
    _legacy("initialize-pipelined", "basic/lifecycle", "Requests sent behind initialize without waiting are answered."),
    _legacy("ping", "basic/utilities/ping", "ping is answered at once with an empty result, also while calls run."),
    _all("session-own", "basic/lifecycle", "Every connection stands alone: what one has opened or asked, another knows nothing of."),
    _modern("discover", "server/discover", "server/discover names the modern revisions, capabilities, cache hints and instructions."),
    _modern("modern-no-handshake", "basic/lifecycle", "The first request may be any: no request depends on an earlier one."),
    _modern("modern-meta-required", "basic", "A request without protocolVersion or clientCapabilities in _meta is -32602."),
    _modern("modern-unknown-version", "basic/versioning", "An unknown revision is -32022 with supported and requested."),
    _modern("modern-removed-methods", "basic/versioning", "initialize is -32022; ping, subscribe, unsubscribe, setLevel are -32601."),
    _legacy("legacy-no-envelope", "basic/versioning", "After initialize, a request in the modern envelope is -32600."),
    _legacy("legacy-no-modern-methods", "basic/versioning", "server/discover and subscriptions/listen are unknown methods there."),
    _modern("result-type", "basic", "Every result carries resultType complete and the server's info in _meta."),
    _modern("cache-hints", "server/utilities/caching", "Cacheable results carry ttlMs and cacheScope; the others do not."),
    _legacy("no-modern-members", "basic", "No member of 2026-07-28 reaches a legacy client."),
    # --- messages
    _all("id-exact", "basic", "The id is given back with its type and value: text, integers of any size, 0, negative, empty."),
    _all("id-invalid", "basic", "An id that is null, boolean, a fraction, an array or an object is -32600."),
    _all("id-unique", "basic", "The id of a request in flight cannot be used again: -32600, and the first request is untouched."),
    _all("parse-error", "basic", "Text that is no JSON is -32700 with id null, and the connection goes on."),
    _all("invalid-request", "basic", "JSON that is no message is -32600, and the connection goes on."),
    _all("unknown-method", "basic", "An unknown method is -32601."),
    _all("params-shape", "basic", "params that are no object, or of the wrong shape, are -32600 or -32602."),
    _all("notification-silent", "basic", "A notification is never answered, whatever it says."),
    _all("response-ignored", "basic", "Responses to requests the server never sent are ignored."),
    _all("order", "basic", "Requests that need no user code are answered in the order they came."),
    _all("pipelining", "basic", "Many requests at once get one answer each."),
    _legacy("batch", "basic", "An array is answered by one array with one answer per request.", BATCHES),
    _legacy("batch-notifications", "basic", "An array of notifications gets no answer.", BATCHES),
    _legacy("batch-no-initialize", "basic/lifecycle", "initialize must not stand in a batch.", BATCHES),
    _all("no-batch", "basic", "Where the revision has no batches an array is -32600.", NO_BATCHES),
    # --- tools
    _all("tools-list", "server/tools", "tools/list names every tool with description and input schema, always in the same order."),
    _all("tools-list-changed", "server/tools", "A tool that comes or goes is announced once to who wants to know."),
    _all("tools-call-text", "server/tools", "A text is one text content."),
    _all("tools-call-none", "server/tools", "A function without a result is answered with a sentence."),
    _all("tools-call-image", "server/tools", "Image bytes are an image content."),
    _all("tools-call-audio", "server/tools", "Audio is an audio content since 2025-03-26, a sentence before."),
    _all("tools-call-embedded", "server/tools", "A resource's contents can ride in a result."),
    _all("tools-call-link", "server/tools", "A resource link is one since 2025-06-18, a text before."),
    _all("tools-call-mixed", "server/tools", "A list of contents stays in its order."),
    _all("tools-call-long", "server/tools", "What is too long for a result is cut, says so, and is read whole through its link."),
    _all("tools-call-large-image", "server/tools", "A large image is sent smaller, says so, and its link gives every byte."),
    _all("tools-call-budget", "server/tools", "The client's name decides how much text one result has, and nothing else.", ERAS),
    _all("tools-call-async", "server/tools", "Coroutines and inline functions are called like any other."),
    _all("tools-structured", "server/tools", "A promised object comes as structuredContent and as text.", STRUCTURED),
    _all("tools-unstructured", "server/tools", "Before 2025-06-18 there is no structuredContent; the text says it all.", UNSTRUCTURED),
    _modern("tools-structured-any", "server/tools", "In 2026-07-28 a promised array is wrapped as its schema says."),
    _all("tools-errors", "server/tools", "A function that raises is a result with isError and a sentence, no traceback and no path."),
    _all("tools-arguments", "server/tools", "Wrong, missing or unknown arguments are isError and say what was expected."),
    _all("tools-unknown", "server/tools", "An unknown tool is -32602 and names the nearest."),
    _all("tools-concurrent", "server/tools", "Calls run side by side and are answered as they finish."),
    _all("tools-backlog", "server/tools", "Past the calls that may run, calls wait and are answered all the same."),
    # --- resources
    _all("resources-list", "server/resources", "resources/list names the author's resources and the published DataFrames."),
    _all("resources-templates", "server/resources", "Templates are listed apart."),
    _all("resources-read-text", "server/resources", "Text is read as text under the URI that was asked for."),
    _all("resources-read-blob", "server/resources", "Bytes are read as base64."),
    _all("resources-read-template", "server/resources", "A template's variables become the function's arguments, percent-decoded."),
    _all("resources-read-dataframe", "server/resources", "A published DataFrame is a card, a schema and pages of rows."),
    _all("resources-read-result", "server/resources", "A long result is read in slices, by the principal whose call it was."),
    _all("resources-unknown", "server/resources", "An unknown resource is -32002 up to 2025-11-25, -32602 since."),
    _all("resources-list-changed", "server/resources", "Publishing and withdrawing is announced to who wants to know."),
    _legacy("subscribe", "server/resources", "A subscriber is told of a change under the URI it used; others are not."),
    _legacy("unsubscribe", "server/resources", "After unsubscribe nothing more comes; doing it twice is no error."),
    _legacy("subscribe-unknown", "server/resources", "Subscribing to what does not exist is an error."),
    _all("subscribe-own-resources", "server/resources", "touch() of the author's own resource tells its subscribers."),
    _all("subscribe-coalesced", "server/resources", "Many changes are few notifications, and the last change is always told."),
    # --- listen
    _modern("listen-ack", "server/subscriptions", "The first message of a stream is the acknowledgement of what is honoured."),
    _modern("listen-honoured-only", "server/subscriptions", "What does not exist is left out of the acknowledgement."),
    _modern("listen-id", "server/subscriptions", "Every message of a stream carries the id of its listen request."),
    _modern("listen-several", "server/subscriptions", "Several streams live side by side; each gets what it asked for."),
    _modern("listen-cancel", "server/subscriptions", "A cancelled stream is silent, without an answer."),
    _modern("listen-end", "server/subscriptions", "A stream the server ends is ended by the request's response."),
    _modern("listen-nothing-unasked", "server/subscriptions", "Without a listen nothing is announced."),
    # --- prompts and completion
    _all("prompts-list", "server/prompts", "prompts/list names every prompt with its arguments."),
    _all("prompts-get", "server/prompts", "A prompt is filled with the arguments given."),
    _all("prompts-messages", "server/prompts", "Several messages keep their roles and contents."),
    _all("prompts-unknown", "server/prompts", "An unknown prompt, or a missing argument, is -32602."),
    _all("prompts-list-changed", "server/prompts", "A prompt that comes or goes is announced to who wants to know."),
    _all("completion-choices", "server/utilities/completion", "Arguments with known values are completed by prefix."),
    _all("completion-completer", "server/utilities/completion", "A completer of the author's is asked, with the context."),
    _all("completion-template", "server/utilities/completion", "A template's variables are completed."),
    _all("completion-unknown", "server/utilities/completion", "A reference to nothing is -32602."),
    # --- utilities
    _all("pagination", "server/utilities/pagination", "Long lists come in pages that join to the whole, each entry once."),
    _all("pagination-cursor", "server/utilities/pagination", "A cursor that is not the server's is -32602."),
    _all("cancel", "basic/utilities/cancellation", "After a cancel nothing more is sent for the request, and the function is told."),
    _all("cancel-waiting", "basic/utilities/cancellation", "A call that waits for its turn can be cancelled and is never run."),
    _all("cancel-late", "basic/utilities/cancellation", "A cancel of an unknown or finished request is ignored."),
    _legacy("cancel-initialize", "basic/utilities/cancellation", "initialize cannot be cancelled."),
    _all("progress", "basic/utilities/progress", "With a token, progress comes under it, increasing, and before the answer."),
    _all("progress-unasked", "basic/utilities/progress", "Without a token there is no progress."),
    _legacy("logging-level", "server/utilities/logging", "logging/setLevel decides which messages come."),
    _modern("logging-request", "server/utilities/logging", "Only a request that names a level gets log messages."),
    _all("logging-invalid-level", "server/utilities/logging", "An unknown level is -32602."),
    # --- what a call asks its client
    _all("elicit-form", "client/elicitation", "A tool asks the person by a form, and goes on with the checked value.", ELICITING),
    _all("elicit-actions", "client/elicitation", "Accept, decline and cancel are told apart.", ELICITING),
    _all("elicit-url", "client/elicitation", "A person is sent to a page, where the client declared this.", BY_URL),
    _all("elicit-misfit", "client/elicitation", "An answer that does not fit the form never reaches the tool.", ELICITING),
    _all("sampling", "client/sampling", "A tool asks the client's model."),
    _all("roots", "client/roots", "A tool asks for the client's roots."),
    _all("ask-undeclared", "basic/lifecycle", "What a client has not declared it is not asked; the tool may go on without."),
    _modern("ask-undeclared-code", "basic", "A call that needs an undeclared capability is -32021 with requiredCapabilities."),
    _legacy("ask-error", "client/sampling", "A client that answers with an error is an error of the tool, with its words."),
    _all("ask-cancel", "basic/utilities/cancellation", "A call that waits for its client is cancelled like any other."),
    _legacy("ask-taken-back", "basic/utilities/cancellation", "A question that nobody waits for any more is cancelled at the client."),
    _modern("mrtr-resumed", "basic/patterns/mrtr", "The retry goes on with the call where it stands; nothing runs twice."),
    _modern("mrtr-elsewhere", "basic/patterns/mrtr", "The retry may come on another connection, also after the first one ended."),
    _modern("mrtr-state", "basic/patterns/mrtr", "A state used again, changed, with other arguments or of another principal is -32602."),
    _modern("mrtr-late", "basic/patterns/mrtr", "A retry after the time is up is -32602, and the call has ended."),
    _modern("mrtr-missing", "basic/patterns/mrtr", "What a retry does not answer fittingly is asked again; extra answers are ignored."),
    _modern("mrtr-several", "basic/patterns/mrtr", "Several questions at once are one round."),
    _modern("mrtr-brought", "basic/patterns/mrtr", "The answer to a question with a key may come with the call itself."),
    _modern("mrtr-others", "basic/patterns/mrtr", "prompts/get and resources/read may need input too."),
    _modern("mrtr-progress", "basic/utilities/progress", "Progress goes to the request that is open now, under its token."),
    # --- jobs: what the specification leaves to the server, within its rules
    _all("job-early-answer", "server/tools", "A call that takes long is answered once, in time, with what to call for its result."),
    _all("job-silence", "basic/utilities/progress", "Progress stops with the answer, also where the function goes on."),
    _all("job-same", "server/tools", "A call that is repeated while it runs as a job is told of that job and not run again."),
    _all("job-cancel-late", "basic/utilities/cancellation", "A cancel after the early answer is ignored; the job goes on."),
    _all("job-cancel", "server/tools", "A job can be cancelled by a tool, which says whether code may still run."),
    _all("job-own", "server/tools", "A job belongs to its principal, whichever of its connections asks; to others it does not exist."),
    _all("job-wait", "server/tools", "Many may wait for a job at once, and hinder nothing else."),
    _all("job-stop", "server/tools", "Who waits for a job when the server stops is told that it stops."),
    _all("job-structure", "server/tools", "A tool that promises structure breaks the promise only in an error."),
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
