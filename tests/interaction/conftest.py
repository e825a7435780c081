"""Each interaction test runs for every transport and every revision it is marked for."""

from __future__ import annotations

import pytest

from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from tests.support.stage import TRANSPORTS, VERSIONS, Stage

OVER_HTTP = (LATEST_LEGACY, LATEST_MODERN)
"""Over HTTP the latest revision of each era: what differs between the others differs in no transport."""
NOT_OVER_HTTP = {
    # What no client over HTTP can say: its requests are told apart by headers, and what is no message is sent by none.
    "test_an_id_of_another_kind_is_refused",
    "test_text_that_is_no_json_is_answered_and_forgotten",
    "test_json_that_is_no_message_is_answered_and_forgotten",
    "test_params_of_a_wrong_shape_are_refused",
    "test_an_array_is_refused_where_there_are_no_batches",
    "test_a_request_without_its_own_facts_is_refused",
    "test_a_notification_is_never_answered",
    # A session has a name only once `initialize` is answered.
    "test_requests_behind_initialize_are_answered",
    "test_before_initialize_only_ping_is_served",
    # Both eras live side by side, and modern requests stand alone: no connection to be locked, ended or told of.
    "test_methods_of_the_legacy_era_are_gone",
    "test_after_initialize_nothing_modern_is_taken",
    "test_a_connection_knows_nothing_of_another",
    "test_an_id_in_flight_cannot_be_used_again",
    "test_without_a_listen_nothing_is_announced",
    "test_a_stream_the_server_ends_is_answered",
    "test_responses_nobody_waits_for_are_ignored",
    "test_a_cancel_of_nothing_is_ignored",
    "test_a_cancel_after_the_early_answer_is_ignored",
    # Each modern request has a connection, and their number is what bounds the calls of a client.
    "test_calls_past_those_that_may_run_wait_and_are_answered",
}
"""Tests of what HTTP has otherwise; `tests/transports/test_http_*.py` say how."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stage" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("versions")
        versions = VERSIONS if mark is None else mark.args
        cases = [(transport, version) for transport in TRANSPORTS for version in versions if _is_played(metafunc, transport, version)]
        metafunc.parametrize("stage", cases, indirect=True, ids=[f"{transport}-{version}" for transport, version in cases])


def _is_played(metafunc: pytest.Metafunc, transport: str, version: str) -> bool:
    return transport != "http" or (version in OVER_HTTP and metafunc.function.__name__ not in NOT_OVER_HTTP)


@pytest.fixture
def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A fresh Workbench; asyncio's debug mode watches both loops, which catches calls from a wrong thread."""
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    return Stage(*request.param)
