"""`tools/list`: however long the descriptions are, every page fits a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest

from mcp_workbench.limits import Limits
from mcp_workbench.primitives import Registry, define_prompt, define_tool
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.serving.catalog import Catalog
from mcp_workbench.serving.prompts import Prompts
from mcp_workbench.serving.tools import Tools

NOBODY: Any = None


def nothing() -> None: ...


class Asked:
    """Stands for an exchange: its params are all a list looks at."""

    def __init__(self, cursor: str | None) -> None:
        self.params = wire.ListParams(cursor=cursor)


def pages(answer: Callable[[Exchange], wire.Result]) -> list[Any]:
    found: list[Any] = [answer(cast(Exchange, Asked(None)))]
    while isinstance(cursor := found[-1].next_cursor, str):
        found.append(answer(cast(Exchange, Asked(cursor))))
    return found


def tools_of(registry: Registry[Any]) -> list[Any]:
    service = Tools(Catalog(registry), NOBODY, NOBODY, NOBODY, nothing, NOBODY, NOBODY)
    return pages(lambda exchange: service.list(NOBODY, exchange, NOBODY))


def prompts_of(registry: Registry[Any]) -> list[Any]:
    service = Prompts(registry, Registry(), NOBODY, NOBODY)
    return pages(lambda exchange: service.list(NOBODY, exchange, NOBODY))


@pytest.mark.parametrize(
    ("define", "listed", "member"), [(define_tool, tools_of, "tools"), (define_prompt, prompts_of, "prompts")], ids=["tools", "prompts"]
)
def test_long_descriptions_make_more_pages_of_which_each_fits(define: Any, listed: Any, member: str) -> None:
    registry: Registry[Any] = Registry()
    names = [f"f{number:03}" for number in range(300)]
    for name in names:
        registry.add(define(nothing, name=name, description=name + "\u20ac" * 1667))
    found = listed(registry)
    assert [entry.name for page in found for entry in getattr(page, member)] == names
    assert all(len(msgspec.json.encode(page)) < Limits().max_result_bytes // 2 for page in found)
    assert 5 < len(found) < 8


def test_the_largest_tool_that_is_taken_still_fits_a_message() -> None:
    registry: Registry[Any] = Registry()
    for name in ("a", "b"):
        registry.add(define_tool(nothing, name=name, description="\x00" * 43_000))
    found = tools_of(registry)
    assert [len(page.tools) for page in found] == [1, 1]
    assert all(len(msgspec.json.encode(page)) < Limits().max_result_bytes // 2 for page in found)
