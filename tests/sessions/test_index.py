from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mcp_workbench.sessions.index import TopicIndex

sessions = st.sampled_from(["s1", "s2", "s3"])
uris = st.sampled_from(["df://a", "df://a/rows", "df://%61", "df://b"])
topics = st.sampled_from(["df:a", "df:b"])


def test_several_uris_of_several_sessions_lead_to_one_topic() -> None:
    index: TopicIndex[str] = TopicIndex()
    index.add("s1", "df://a", "df:a")
    index.add("s1", "df://a/rows", "df:a")
    index.add("s2", "df://a", "df:a")
    assert list(index.watchers("df:a")) == [("s1", ["df://a", "df://a/rows"]), ("s2", ["df://a"])]
    assert index.topic_counts() == {"df:a": 2}
    assert index.watched("df:a")
    assert not index.watched("df:b")


def test_a_watcher_may_leave_while_the_others_are_being_told() -> None:
    index: TopicIndex[str] = TopicIndex()
    for session in ("s1", "s2", "s3"):
        index.add(session, "df://a", "df:a")
    told = []
    for session, _ in index.watchers("df:a"):
        told.append(session)
        index.drop("s1")
        index.drop("s3")
    assert told[:2] == ["s1", "s2"]
    assert [session for session, _ in index.watchers("df:a")] == ["s2"]


class IndexMachine(RuleBasedStateMachine):
    """Against a plain dictionary of (session, uri) -> topic."""

    def __init__(self) -> None:
        super().__init__()
        self.index: TopicIndex[str] = TopicIndex()
        self.model: dict[tuple[str, str], str] = {}

    @rule(session=sessions, uri=uris, topic=topics)
    def add(self, session: str, uri: str, topic: str) -> None:
        self.index.add(session, uri, topic)
        self.model[session, uri] = topic

    @rule(session=sessions, uri=uris)
    def discard(self, session: str, uri: str) -> None:
        self.index.discard(session, uri)
        self.model.pop((session, uri), None)

    @rule(session=sessions)
    def drop(self, session: str) -> None:
        self.index.drop(session)
        self.model = {key: topic for key, topic in self.model.items() if key[0] != session}

    @invariant()
    def same(self) -> None:
        for topic in ("df:a", "df:b"):
            wanted: dict[str, set[str]] = {}
            for (session, uri), about in self.model.items():
                if about == topic:
                    wanted.setdefault(session, set()).add(uri)
            assert {session: set(named) for session, named in self.index.watchers(topic)} == wanted
            assert self.index.watched(topic) == bool(wanted)
            assert self.index.topic_counts().get(topic, 0) == len(wanted)

    @invariant()
    def nothing_is_kept_of_who_wants_nothing(self) -> None:
        if not self.model:
            assert self.index.topic_counts() == {}


TestIndex = IndexMachine.TestCase
TestIndex.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
