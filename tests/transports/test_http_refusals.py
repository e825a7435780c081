"""The sentences that a refusal becomes; `test_http_client` shows them on the way."""

from __future__ import annotations

import pytest

from mcp_workbench.secret import Secret
from mcp_workbench.transports.http_connection import ResponseHead
from mcp_workbench.transports.http_refusals import MAX_WORDS, Asker

TOKEN = "t" * 40
BARE = Asker("host:1", usual_path=True, has_token=False)
KNOWN = Asker("host:1", usual_path=False, has_token=True, secrets=(Secret(f"Bearer {TOKEN}"),))


def head(status: int, kind: str = "text/plain", **headers: str) -> ResponseHead:
    return ResponseHead(status, {"content-type": kind} | {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("asker", "answer", "body", "sentence"),
    [
        (BARE, head(401), b"Who are you?", "host:1 wants a credential, and none was sent (HTTP 401): Who are you? Give it as token=."),
        (
            KNOWN,
            head(401),
            f"{TOKEN} is wrong\n".encode(),
            (
                "host:1 did not accept the credential (HTTP 401): … is wrong. "
                "Is it still the right one? A restarted server may have another: give it as token=."
            ),
        ),
        (
            BARE,
            head(401, www_authenticate='Bearer resource_metadata="https://host/x"'),
            b"",
            (
                "host:1 wants a credential, and none was sent (HTTP 401). "
                "It offers OAuth, which this client does not do: get an access token from it by other means, and give it as token=."
            ),
        ),
        (
            BARE,
            head(403, "application/json"),
            b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid Host"}}',
            (
                "host:1 refused (HTTP 403): Invalid Host. "
                "Look at the name in the address, and at what the token may do: something of it is not allowed there."
            ),
        ),
        (
            KNOWN,
            head(404, "text/html"),
            b"<html><body>Not found</body></html>",
            (
                "host:1 has no MCP server at this path (HTTP 404). The address of a workbench ends in /mcp. "
                "A server that speaks only the HTTP+SSE of 2024-11-05 is not spoken to."
            ),
        ),
        (
            BARE,
            head(405),
            b"",
            "host:1 has no MCP server at this path (HTTP 405). A server that speaks only the HTTP+SSE of 2024-11-05 is not spoken to.",
        ),
    ],
)
def test_a_refusal_says_what_the_server_said_and_what_to_do(asker: Asker, answer: ResponseHead, body: bytes, sentence: str) -> None:
    refusal = asker.refused_for_good(answer, body, in_session=False, opening=True)
    assert refusal is not None
    assert (refusal.status, refusal.code, refusal.sentence) == (answer.status, 1008, sentence)


def test_a_session_that_has_ended_is_told_apart_from_a_path_that_is_not_there() -> None:
    ended = BARE.refused_for_good(head(404), b"", in_session=True, opening=False)
    assert ended is not None
    assert (ended.code, ended.sentence) == (
        1001,
        "host:1 has ended this session (HTTP 404): it was idle for long, or the server was started anew. connect() begins another one.",
    )
    assert BARE.refused_for_good(head(404), b"", in_session=False, opening=False) is None, "an unknown method of 2026-07-28"


@pytest.mark.parametrize("status", [200, 202, 302, 400, 406, 409, 413, 429, 500, 503])
def test_other_answers_are_the_error_of_one_request(status: int) -> None:
    assert BARE.refused_for_good(head(status), b"", in_session=True, opening=True) is None
    assert BARE.sentence(head(status), b"busy") == f"host:1 answered with HTTP {status}: busy."


def test_a_redirect_is_named_and_not_followed() -> None:
    told = KNOWN.sentence(head(302, location=f"https://elsewhere/?key={TOKEN}"), b"")
    assert told == "host:1 answered with HTTP 302: redirects, which are not followed, to https://elsewhere/?key=…."


def test_no_more_is_repeated_than_a_line_and_nothing_that_moves_a_cursor() -> None:
    told = BARE.sentence(head(500), b"\x1b[31m" + b"x" * 10_000 + b"\n\xff")
    assert told.isprintable()
    assert len(told) < MAX_WORDS + 100


def test_a_secret_that_is_repeated_many_times_is_not_cut_into_what_is_told() -> None:
    for count in range(40):
        told = KNOWN.said(head(500), b"x" * count + TOKEN.encode() * 40)
        assert "ttt" not in told


@pytest.mark.parametrize("status", [401, 403, 404, 503])
def test_a_refusal_before_any_request_was_read_is_one_sentence_for_a_handshake_and_for_an_opening(status: int) -> None:
    over_http = BARE.refused_for_good(
        head(status, "application/json"),
        b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Nobody serves here"}}',
        in_session=False,
        opening=True,
    )
    by_websocket = Asker("host:1", usual_path=True, has_token=False, over_http=False)
    assert over_http is not None
    assert by_websocket.at_the_handshake(head(status, "application/json"), b'{"message":"Nobody serves here"}') == over_http.sentence
    assert f"(HTTP {status}): Nobody serves here." in over_http.sentence or f"HTTP {status}: Nobody serves here." in over_http.sentence


def test_an_error_of_json_rpc_that_names_its_request_is_the_error_of_that() -> None:
    body = b'{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}'
    assert BARE.refused_for_good(head(404, "application/json"), body, in_session=False, opening=True) is None


@pytest.mark.parametrize("body", [b'{"message":3}', b'["x"]', b"{", b"[" * 5000])
def test_json_without_a_message_is_told_as_it_is(body: bytes) -> None:
    assert BARE.sentence(head(500, "application/json"), body).startswith(f"host:1 answered with HTTP 500: {body.decode()[:50]}")
