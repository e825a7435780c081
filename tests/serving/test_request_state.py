"""The token by which a retry finds its call: whatever is changed in or around it, it is void."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mcp_workbench.protocol import wire
from mcp_workbench.serving.request_state import RequestState, request_digest, seal, unseal

states = st.builds(
    RequestState,
    call_id=st.integers(1, 10**17).map(lambda number: f"c{number}"),
    round=st.integers(1, 10**8),
    until_ms=st.integers(0, 10**17),
)
secrets = st.binary(min_size=32, max_size=32)
names = st.text(min_size=1, max_size=20)
digests = st.binary(min_size=32, max_size=32)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(secrets, states, names, digests)
def test_a_state_is_found_again_by_who_brings_the_same(secret: bytes, state: RequestState, principal: str, digest: bytes) -> None:
    assert unseal(secret, seal(secret, state, principal, digest), principal, digest) == state


@given(secrets, states, names, digests, st.data())
def test_it_is_void_when_any_fact_is_another(
    secret: bytes, state: RequestState, principal: str, digest: bytes, data: st.DataObject
) -> None:
    token = seal(secret, state, principal, digest)
    other_secret, other_principal, other_digest = data.draw(secrets), data.draw(names), data.draw(digests)
    assume(other_secret != secret)
    assume(other_principal != principal)
    assume(other_digest != digest)
    assert unseal(other_secret, token, principal, digest) is None, "a kernel that was restarted"
    assert unseal(secret, token, other_principal, digest) is None
    assert unseal(secret, token, principal, other_digest) is None
    code = token.rpartition(".")[2]
    other = data.draw(states)
    for changed in (replace(state, call_id=other.call_id), replace(state, round=other.round), replace(state, until_ms=other.until_ms)):
        if changed != state:
            assert unseal(secret, f"{changed.call_id}.{changed.round}.{changed.until_ms}.{code}", principal, digest) is None


@given(secrets, states, names, digests, st.data())
def test_it_is_void_when_any_character_is_another(
    secret: bytes, state: RequestState, principal: str, digest: bytes, data: st.DataObject
) -> None:
    token = seal(secret, state, principal, digest)
    at = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.characters())
    changed = token[:at] + character + token[at + 1 :]
    if changed != token:
        assert unseal(secret, changed, principal, digest) is None
    assert unseal(secret, token[:at], principal, digest) is None
    assert unseal(secret, token + character, principal, digest) is None


@given(secrets, names, digests, st.text())
def test_nonsense_is_void(secret: bytes, principal: str, digest: bytes, text: str) -> None:
    assert unseal(secret, text, principal, digest) is None


@given(st.dictionaries(st.text(), json_values, max_size=4), st.dictionaries(st.text(), json_values, max_size=4))
def test_requests_mean_the_same_when_method_target_and_arguments_are_equal(
    arguments: dict[str, wire.Json], others: dict[str, wire.Json]
) -> None:
    digest = request_digest("tools/call", wire.CallToolParams(name="a", arguments=arguments))
    backwards = dict(reversed(arguments.items()))
    assert request_digest("tools/call", wire.CallToolParams(name="a", arguments=backwards, request_state="x", input_responses={})) == digest
    assert request_digest("tools/call", wire.CallToolParams(name="b", arguments=arguments)) != digest
    assert request_digest("prompts/get", wire.CallToolParams(name="a", arguments=arguments)) != digest
    if repr(arguments) != repr(others) and arguments != others:
        assert request_digest("tools/call", wire.CallToolParams(name="a", arguments=others)) != digest


@pytest.mark.parametrize("uri", ["note://a", "note://b"])
def test_a_resource_is_meant_by_its_uri(uri: str) -> None:
    digest = request_digest("resources/read", wire.UriParams(uri="note://a"))
    assert (request_digest("resources/read", wire.UriParams(uri=uri)) == digest) is (uri == "note://a")
    assert request_digest("tools/call", wire.CallToolParams(name="a")) == request_digest(
        "tools/call", wire.CallToolParams(name="a", arguments={})
    )
