"""Whether a text is a filter: how it is understood, or where it goes wrong."""

from __future__ import annotations

from typing import cast

import pytest

from mcp_workbench.views.actions.filters import check_filter
from mcp_workbench.views.messages import CheckFilter, FilterChecked
from tests.views.rig import answer_of, no_server


def checked(text: str, panel: str = "calls") -> FilterChecked:
    return cast(FilterChecked, answer_of(check_filter, CheckFilter(id=3, panel=panel, text=text), no_server()))


def test_a_filter_is_answered_as_it_is_understood() -> None:
    answer = checked("  tool:sum   dur:>5ms ")
    assert (answer.re, answer.ok, answer.canonical) == (3, True, "tool:sum dur:>5ms")


def test_what_is_wrong_is_said_with_its_place_and_what_is_near() -> None:
    answer = checked("tool:sum sesion:s3")
    assert (answer.ok, answer.position, answer.nearest) == (False, 9, "session")
    assert "sesion" in answer.sentence


@pytest.mark.parametrize(("panel", "ok"), [("calls", True), ("timeline", True), ("messages", False)])
def test_a_key_that_one_panel_knows_another_may_not(panel: str, ok: bool) -> None:
    assert checked("dur:>5ms", panel).ok is ok


def test_clients_can_be_asked_for() -> None:
    assert checked("client:claude").ok
