from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.exploring.recording.written import Written, plain_part


@given(st.text(min_size=1), st.text(max_size=3))
def test_a_secret_is_found_in_every_way_of_writing_it(secret: str, around: str) -> None:
    written = Written(secret)
    for way in (secret, json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1], quote(secret, safe=""), quote_plus(secret)):
        assert written.part in way
        if way not in around:
            assert "‹›" in written.replaced_in(f"{around}{way}{around}", "‹›")


def test_what_no_encoding_can_carry_is_no_fault() -> None:
    assert Written("\ud800 abc").part == "abc"
    assert plain_part("-ab-abc-") == "abc"
    assert "abc" not in repr(Written("abc"))
