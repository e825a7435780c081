"""The objects of the process are lent while a server runs, whichever and however many, and given back after the last."""

from __future__ import annotations

import logging
import sys

import pytest

from mcp_workbench import apart
from mcp_workbench.apart import Apart
from tests.support.calls import a_call, inside, said


def is_lent() -> bool:
    call = a_call()
    inside(call, print, "x")
    return said(call) == "x\n"


def test_what_is_lent_is_given_back_when_the_last_server_stops() -> None:
    call_handlers, finders, lending = vars(logging.Logger)["callHandlers"], list(sys.meta_path), Apart()
    lending.begin()
    lending.begin()
    assert is_lent()
    lending.end()
    assert is_lent()
    lending.end()
    assert not is_lent()
    assert (vars(logging.Logger)["callHandlers"], sys.meta_path) == (call_handlers, finders)
    lending.begin()
    assert is_lent()
    lending.end()


def test_it_stays_lent_for_code_that_outlives_its_server_until_the_next_stop() -> None:
    lending = Apart()
    lending.begin()
    lending.end(still_running=True)
    assert is_lent()
    lending.begin()
    lending.end()
    assert not is_lent()


def test_where_one_thing_cannot_be_lent_none_is_and_the_next_server_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    lending = Apart()
    with monkeypatch.context() as broken:
        broken.setattr(apart, "route_displays", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            lending.begin()
    assert not is_lent()
    lending.begin()
    assert is_lent()
    lending.end()
    assert not is_lent()
