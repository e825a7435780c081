"""Which interaction tests run over which transport and for which revisions, and what a transport cannot have.

Over memory and WebSocket every revision is played; over stdio and HTTP the latest of each era that a test is for, since
what differs between the others differs in no transport. `EXCEPTIONS` is all that is left out, with the reason; the
row of such a test must be shown by another one, for instance in `tests/transports`, or stand in `IMPOSSIBLE`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mcp_workbench.protocol.versions import LEGACY_VERSIONS, MODERN_VERSIONS

TRANSPORTS = ("memory", "websocket", "stdio", "http")
BY_ERA = ("stdio", "http")
"""Transports over which one revision of each era is played."""

_NO_SUCH_TEXT = "the client tells its requests apart by headers, and sends what is no message to nobody"
_NO_PIPELINE = "a session has a name only once `initialize` is answered"
_ALONE = "both eras live side by side and modern requests stand alone: there is no connection to be locked, ended or told of"
_NO_ID = "each request has a stream of its own, on which nothing else can be meant"
_ONE_EACH = "each modern request has a connection of its own, and their number is what bounds a client"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A test that is not played over a transport."""

    reason: str
    revisions: tuple[str, ...] = (*LEGACY_VERSIONS, *MODERN_VERSIONS)


EXCEPTIONS: dict[str, dict[str, LeftOut]] = {
    "http": {
        "test_an_id_of_another_kind_is_refused": LeftOut(_NO_SUCH_TEXT),
        "test_text_that_is_no_json_is_answered_and_forgotten": LeftOut(_NO_SUCH_TEXT),
        "test_json_that_is_no_message_is_answered_and_forgotten": LeftOut(_NO_SUCH_TEXT),
        "test_params_of_a_wrong_shape_are_refused": LeftOut(_NO_SUCH_TEXT),
        "test_an_array_is_refused_where_there_are_no_batches": LeftOut(_NO_SUCH_TEXT),
        "test_a_batch_is_answered_by_one_array": LeftOut(_NO_SUCH_TEXT),
        "test_initialize_in_a_batch_is_refused": LeftOut(_NO_SUCH_TEXT),
        "test_a_request_without_its_own_facts_is_refused": LeftOut(_NO_SUCH_TEXT),
        "test_a_notification_is_never_answered": LeftOut(_NO_SUCH_TEXT),
        "test_requests_behind_initialize_are_answered": LeftOut(_NO_PIPELINE),
        "test_before_initialize_only_ping_is_served": LeftOut(_NO_PIPELINE),
        "test_methods_of_the_legacy_era_are_gone": LeftOut(_ALONE),
        "test_after_initialize_nothing_modern_is_taken": LeftOut(_ALONE),
        "test_without_a_listen_nothing_is_announced": LeftOut(_ALONE),
        "test_a_stream_the_server_ends_is_answered": LeftOut(_ALONE),
        "test_an_id_in_flight_cannot_be_used_again": LeftOut(_NO_ID, MODERN_VERSIONS),
        "test_responses_nobody_waits_for_are_ignored": LeftOut(_NO_ID, MODERN_VERSIONS),
        "test_a_cancel_of_nothing_is_ignored": LeftOut(_NO_ID, MODERN_VERSIONS),
        "test_a_cancel_after_the_early_answer_is_ignored": LeftOut(_NO_ID, MODERN_VERSIONS),
        "test_calls_past_those_that_may_run_wait_and_are_answered": LeftOut(_ONE_EACH, MODERN_VERSIONS),
    },
}
"""Transport -> test -> why, and for which revisions, it is not played there."""


def revisions_over(transport: str, test: str, versions: Iterable[str]) -> tuple[str, ...]:
    """For which of a test's revisions it is played over a transport."""
    left_out = EXCEPTIONS.get(transport, {}).get(test)
    versions = [version for version in versions if left_out is None or version not in left_out.revisions]
    if transport not in BY_ERA:
        return tuple(versions)
    eras = ([version for version in versions if version in era] for era in (LEGACY_VERSIONS, MODERN_VERSIONS))
    return tuple(max(era) for era in eras if era)


IMPOSSIBLE: dict[tuple[str, str], tuple[tuple[str, ...], str]] = {
    ("initialize-first", "http"): (LEGACY_VERSIONS, "before initialize there is no session, and without one every request is 400"),
    ("initialize-pipelined", "http"): (LEGACY_VERSIONS, _NO_PIPELINE),
    ("id-unique", "http"): (MODERN_VERSIONS, _NO_ID),
    ("listen-nothing-unasked", "http"): (MODERN_VERSIONS, "without a listen there is no stream on which anything could be announced"),
    ("tools-backlog", "http"): (MODERN_VERSIONS, _ONE_EACH),
    ("job-cancel-late", "http"): (MODERN_VERSIONS, "a client cancels by closing the stream, which the early answer has ended"),
}
"""Row and transport -> for which revisions, and why, there is nothing to show."""
