from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_workbench.secret import Secret
from mcp_workbench.transports import http_pool
from mcp_workbench.transports.http_connection import HttpAddress
from mcp_workbench.transports.http_pool import ConnectionPool
from tests.support.http_house import HttpHouse, http_house, run


def pool_of(here: HttpHouse) -> ConnectionPool:
    return ConnectionPool(HttpAddress.parse(Secret(str(here.workbench.http_url))), None, 5)


async def arrived(here: HttpHouse, count: int) -> None:
    """Wait until the server has taken them: asyncio loses a connection that it takes while it stops."""
    running: Any = here.workbench._running
    await here.until(lambda: running.http_server.connections >= count)


async def used(pool: ConnectionPool) -> object:
    """A connection on which one request was answered, given back."""
    connection = await pool.take()
    head = await connection.ask("POST", {"Content-Type": "application/json"}, b"{}")
    assert head.status == 401
    assert await connection.body(1000)
    pool.give_back(connection)
    return connection


def test_what_the_server_has_closed_or_was_not_read_to_its_end_is_not_used_again() -> None:
    async def main() -> None:
        async with http_house() as here:
            pool = pool_of(here)
            first = await used(pool)  # a refusal ends the connection
            second = await pool.take()
            assert second is not first
            await second.ask("POST", {"Authorization": Secret("x")}, b"")
            pool.give_back(second)
            third = await pool.take()
            await third.ask("GET", {})
            assert third is not second
            third.close()
            pool.close()

    run(main)


def test_a_free_connection_is_used_again_unless_it_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with http_house() as here:
            pool = pool_of(here)
            fresh = await pool.dial()
            await arrived(here, 1)
            pool.give_back(fresh)
            assert await pool.take() is fresh
            pool.give_back(fresh)
            monkeypatch.setattr(http_pool, "KEPT_S", -1.0)
            other = await pool.take()
            await other.ask("GET", {})
            assert other is not fresh
            pool.close()
            pool.give_back(other)
            assert not other.reusable

    run(main)


def test_a_bounded_number_waits() -> None:
    async def main() -> None:
        async with http_house() as here:
            pool = pool_of(here)
            connections = await asyncio.gather(*(pool.dial() for _ in range(http_pool.KEPT_CONNECTIONS + 1)))
            await arrived(here, len(connections))
            for connection in connections:
                pool.give_back(connection)
            assert [each.reusable for each in connections].count(False) == 1
            pool.close()
            assert not any(each.reusable for each in connections)

    run(main)
