from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close

from mcp_workbench.gateway import sentences
from mcp_workbench.gateway.closing import told_to_client, told_to_kernel

CODES = st.one_of(st.integers(0, 65535), st.sampled_from([1000, 1001, 1005, 1006, 1011, 1012, 1015, 3000, 4999]))


@given(CODES, st.text())
def test_what_is_told_can_be_put_into_a_close_frame_and_shown(code: int, reason: str) -> None:
    for told in (told_to_client(code, reason), told_to_kernel(code, reason)):
        frame = Close(*told).serialize()  # raises on a code that must not be sent
        assert len(frame) <= 125
        assert told[1].isprintable()


def test_a_kernel_that_is_gone_for_whatever_reason_is_worth_another_try() -> None:
    assert told_to_client(1001, "the server is stopping") == told_to_client(1006, "") == (1012, sentences.GONE)


def test_other_ends_are_passed_on() -> None:
    assert told_to_client(1008, "revoked") == told_to_kernel(1008, "revoked") == (1008, "revoked")
    assert told_to_client(1005, "") == (1000, "")
    assert told_to_kernel(None, None) == (1001, "the client has gone")


def test_the_reasons_that_pages_see_fit_into_a_close_frame() -> None:
    for reason in (sentences.GONE, sentences.ELSEWHERE):
        assert len(reason.encode()) <= 123
