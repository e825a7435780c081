from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.errors import RegistrationError
from mcp_workbench.primitives.argument_paths import parse_path, replace_at
from mcp_workbench.primitives.tools import define_tool


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("password", ("password",)),
        ("user.ssn", ("user", "ssn")),
        ("$.rows[*].mail", ("rows", None, "mail")),
        ("$rows[0]", ("rows", 0)),
        ("a b.c-d[12][*]", ("a b", "c-d", 12, None)),
    ],
)
def test_places_are_names_indices_and_stars(text: str, path: tuple[object, ...]) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize("text", ["", "$", ".", "..a", "a..b", "a.", "a[", "a[x]", "a[-1]", "a]b", "$."])
def test_what_is_no_place_says_what_one_looks_like(text: str) -> None:
    with pytest.raises(ValueError, match=r"user\.ssn"):
        parse_path(text)


@given(st.lists(st.text("ab c-_", min_size=1) | st.integers(0, 10**8) | st.none(), min_size=1, max_size=6))
def test_a_place_that_is_written_down_is_the_place_that_is_read(steps: list[str | int | None]) -> None:
    steps = ["first", *steps]
    text = "".join(f".{step}" if isinstance(step, str) else "[*]" if step is None else f"[{step}]" for step in steps)
    assert parse_path(text[1:]) == parse_path(f"${text}") == tuple(steps)


def test_what_is_there_is_replaced_and_what_is_not_is_left_alone() -> None:
    value: Any = {"rows": [{"mail": 1}, {"mail": 2}, {}], "pair": [1, 2]}
    for path in ("rows[*].mail", "pair[1]", "pair[7]", "rows.mail", "pair[*].x", "none.there"):
        replace_at(value, parse_path(path), lambda _: "gone")
    assert value == {"rows": [{"mail": "gone"}, {"mail": "gone"}, {}], "pair": [1, "gone"]}


def test_a_tool_says_which_of_its_arguments_are_withheld() -> None:
    def pay(name: str, pin: str, user: dict[str, str]) -> None: ...

    assert define_tool(pay).redact == ()
    assert define_tool(pay, redact="pin").redact == ("pin",)
    assert define_tool(pay, redact=["pin", "$.user.ssn"]).redact == ("pin", "$.user.ssn")
    assert define_tool(pay, redact=["pin"]).digest == define_tool(pay).digest, "clients are told nothing of it"
    for wrong, reason in ((["pinn"], 'nearest is "pin"'), ("a..b", "user.ssn"), ([1], "names of arguments"), (5, "names of arguments")):
        with pytest.raises(RegistrationError, match=reason):
            define_tool(pay, redact=wrong)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(RegistrationError, match="up to 100"):
        define_tool(pay, redact=itertools.repeat("pin"))  # type: ignore[arg-type]  # that is the point
