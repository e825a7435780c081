"""Which sessions want to hear of a topic.

A topic is what changes (`df:flights`); a URI is how a client named it (`df://flights/rows?limit=5`).
Several URIs of several clients lead to one topic, and each client is told with the text it used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

S = TypeVar("S")


class TopicIndex(Generic[S]):
    """Topic -> session -> URIs. Written on the loop thread; `watched` may be asked from any thread."""

    def __init__(self) -> None:
        self._topics: dict[str, dict[S, dict[str, None]]] = {}
        self._of_session: dict[S, dict[str, str]] = {}

    def add(self, session: S, uri: str, topic: str) -> None:
        """This session named `topic` as `uri`; a URI leads to one topic, so one it had before is forgotten."""
        if self._of_session.get(session, {}).get(uri, topic) != topic:
            self.discard(session, uri)
        self._topics.setdefault(topic, {}).setdefault(session, {})[uri] = None
        self._of_session.setdefault(session, {})[uri] = topic

    def discard(self, session: S, uri: str) -> None:
        """It no longer does; unknown ones are ignored."""
        topic = self._of_session.get(session, {}).pop(uri, None)
        if topic is None:
            return
        sessions = self._topics[topic]
        sessions[session].pop(uri, None)
        if not sessions[session]:
            del sessions[session]
        if not sessions:
            del self._topics[topic]

    def drop(self, session: S) -> None:
        """The session is gone."""
        for uri in list(self._of_session.get(session, ())):
            self.discard(session, uri)
        self._of_session.pop(session, None)

    def watched(self, topic: str) -> bool:
        """Whether anybody wants this topic."""
        return topic in self._topics

    def watchers(self, topic: str) -> Iterator[tuple[S, list[str]]]:
        """Each session that wants it, with the URIs it used."""
        return ((session, list(uris)) for session, uris in list(self._topics.get(topic, {}).items()))

    def topic_counts(self) -> dict[str, int]:
        """Topic -> number of sessions, for people."""
        return {topic: len(sessions) for topic, sessions in self._topics.items()}
