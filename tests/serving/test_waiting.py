"""Calls that wait: told once, in time, and never twice."""

from __future__ import annotations

import asyncio

from mcp_workbench.primitives.tools import Waiting
from mcp_workbench.serving.waiting import News


class Waited:
    def __init__(self) -> None:
        self.is_ready = False
        self.resumed = 0
        self.done = asyncio.Event()

    def ready(self) -> bool:
        return self.is_ready

    def resume(self) -> None:
        self.resumed += 1
        self.done.set()

    def fail(self) -> bool:
        raise RuntimeError("no luck")


def test_a_waiting_call_goes_on_when_there_is_news_for_it_and_only_once() -> None:
    async def main() -> None:
        news, waited = News(asyncio.get_running_loop()), Waited()
        news.wait(Waiting(waited.ready, 60), waited.resume)
        news.tell()
        assert (waited.resumed, len(news)) == (0, 1)
        waited.is_ready = True
        news.tell()
        news.tell()
        news.close()
        assert (waited.resumed, len(news)) == (1, 0)

    asyncio.run(main())


def test_without_news_it_goes_on_when_its_time_is_up() -> None:
    async def main() -> None:
        news, waited = News(asyncio.get_running_loop()), Waited()
        news.wait(Waiting(waited.ready, 0.001), waited.resume)
        async with asyncio.timeout(5):
            await waited.done.wait()
        assert len(news) == 0

    asyncio.run(main())


def test_what_was_taken_back_is_never_resumed() -> None:
    async def main() -> None:
        news, waited = News(asyncio.get_running_loop()), Waited()
        leave = news.wait(Waiting(waited.ready, 60), waited.resume)
        leave()
        leave()
        waited.is_ready = True
        news.tell()
        news.close()
        assert waited.resumed == 0

    asyncio.run(main())


def test_when_the_server_stops_all_go_on_and_nobody_waits_any_more() -> None:
    async def main() -> None:
        news, waited = News(asyncio.get_running_loop()), Waited()
        news.wait(Waiting(waited.ready, 60), waited.resume)
        news.close()
        news.wait(Waiting(waited.ready, 60), waited.resume)
        assert (waited.resumed, len(news)) == (2, 0)

    asyncio.run(main())


def test_one_that_cannot_say_whether_it_is_ready_goes_on_and_does_not_stop_the_others() -> None:
    async def main() -> None:
        news, broken, waited = News(asyncio.get_running_loop()), Waited(), Waited()
        waited.is_ready = True
        news.wait(Waiting(broken.fail, 60), broken.resume)
        news.wait(Waiting(waited.ready, 60), waited.resume)
        news.tell()
        assert (broken.resumed, waited.resumed) == (1, 1)

    asyncio.run(main())
