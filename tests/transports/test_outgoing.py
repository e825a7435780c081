from __future__ import annotations

import pytest

from mcp_workbench.secret import Secret
from mcp_workbench.transports.outgoing import is_loopback, outgoing_headers

TOKEN = Secret("t" * 40)


def sent(
    token: Secret | None = TOKEN, headers: dict[str, str] | None = None, *, host: str = "127.0.0.1", protected: bool = False
) -> dict[str, str]:
    values = {name: Secret(value) for name, value in (headers or {}).items()}
    return {
        name: value.reveal()
        for name, value in outgoing_headers(token, values, host=host, place=f"{host}:1", protected=protected, instead="wss://").items()
    }


def test_a_token_goes_into_one_header() -> None:
    assert sent(Secret(f"{'t' * 40}\n")) == {"Authorization": f"Bearer {'t' * 40}"}
    assert sent(None, {"Other": "x"}) == {"Other": "x"}


def test_a_credential_leaves_the_machine_only_protected() -> None:
    assert sent(host="far.example", protected=True)
    assert sent(None, {"Other": "x"}, host="far.example")
    credentials: tuple[dict[str, str], ...] = ({}, {"authorization": "Basic x"})
    for headers in credentials:
        with pytest.raises(ValueError, match=r"unencrypted to far\.example:1") as refusal:
            sent(None if headers else TOKEN, headers, host="far.example")
        assert "ttt" not in str(refusal.value)


@pytest.mark.parametrize("headers", [{"two words": "x"}, {"": "x"}, {"X": "a\r\nb"}, {"X": "é"}])
def test_what_could_end_a_header_is_not_sent(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        sent(None, headers)


def test_this_machine_has_several_names() -> None:
    assert [is_loopback(host) for host in ("localhost", "127.9.9.9", "::1", "example", "10.0.0.1", "")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
