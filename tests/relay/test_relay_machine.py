"""Any interleaving of requests, cancels, drops, restarts and texts under way, and what must hold whatever happens.

Every request is answered exactly once with its own id; nothing is answered that was not asked, nor a second time; a
host that was shown a list which is no longer true has been told so; what the host watches is watched in the end.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from tests.relay.rig import OWN_TOOLS, Kernel, Rig, an_entry, several
from tests.support.talk import CLIENT

TOOLS = ("a", "b", "c")
KEPT = ("job_cancel", "job_wait", "notebook_call", "notebook_status")
"""Of the workbench's own tools: those that a kernel always offers, if any."""
URIS = ("df://x", "df://y")
CHANGED = "notifications/tools/list_changed"

own_lists = st.sampled_from(((), KEPT, tuple(OWN_TOOLS)))
tool_lists = st.builds(lambda own, functions: sorted({*own, *functions}), own_lists, st.lists(st.sampled_from(TOOLS), unique=True))
uri_lists = st.lists(st.sampled_from(URIS), unique=True)
seeds = st.integers(0, 1000)


class Owed:
    """A request of the host that waits."""

    def __init__(self, method: str, uri: str = "") -> None:
        self.method = method
        self.uri = uri
        self.cancelled = False


class RelayMachine(RuleBasedStateMachine):
    """A host, and whatever may happen to it."""

    version = LATEST_LEGACY

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig(self.version)
        self.owed: dict[RequestId, Owed] = {}
        self.listens: dict[RequestId, str] = {}
        """Modern: acknowledged, and not cancelled."""
        self.honoured: set[RequestId] = set()
        """Of those: the host was told that it will hear of its resource."""
        self.uris: set[str] = set()
        """Legacy: subscribed."""
        self.shown: list[str] | None = None
        """The tool list as the host was last shown it."""
        self.stale = False
        """Told since that it has changed."""
        self.questions: set[RequestId] = set()
        self.abandoned: set[RequestId] = set()
        self.pid = 1
        self.chooses = False

    @property
    def kernel(self) -> Kernel | None:
        return self.rig.kernel

    # --- the beginning ------------------------------------------------------------------------------------

    @initialize(kernel_first=st.booleans(), tools=tool_lists)
    def begin(self, kernel_first: bool, tools: list[str]) -> None:
        if kernel_first:
            self.rig.connect(tools=tools)
        if self.rig.modern:
            # A host hears of changed lists for as long as it has a listen for them.
            self.ask("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
        else:
            self.ask("initialize", {"protocolVersion": self.version, "capabilities": {}, "clientInfo": CLIENT})
            self.rig.notify("notifications/initialized")
        self.hear()

    # --- the host -----------------------------------------------------------------------------------------

    @rule(tool=st.sampled_from((*TOOLS, "df_read", "notebook_call", "notebook_status", "notebook_use")), wait_s=st.sampled_from((0, 50)))
    def call(self, tool: str, wait_s: int) -> None:
        self.ask("tools/call", {"name": tool, "arguments": {"name": "one", "wait_s": wait_s}})

    @rule(method=st.sampled_from(("resources/list", "prompts/list", "resources/templates/list")))
    def list_something(self, method: str) -> None:
        self.ask(method)

    @rule()
    def list_tools(self) -> None:
        self.ask("tools/list")

    @rule(uri=st.sampled_from(URIS))
    def read(self, uri: str) -> None:
        self.ask("resources/read", {"uri": uri})

    @rule(uri=st.sampled_from(URIS))
    def watch(self, uri: str) -> None:
        if self.rig.modern:
            self.ask("subscriptions/listen", {"notifications": {"resourceSubscriptions": [uri]}}, uri)
        else:
            self.ask("resources/subscribe", {"uri": uri}, uri)

    @precondition(lambda self: not self.rig.modern)
    @rule(uri=st.sampled_from(URIS))
    def unwatch(self, uri: str) -> None:
        self.ask("resources/unsubscribe", {"uri": uri}, uri)

    @precondition(lambda self: any(not owed.cancelled for owed in self.owed.values()))
    @rule(seed=seeds)
    def cancel(self, seed: int) -> None:
        may = [number for number, owed in self.owed.items() if not owed.cancelled and owed.method in ("tools/call", "resources/read")]
        if may:
            number = may[seed % len(may)]
            self.owed[number].cancelled = True
            self.rig.cancel(number)
            self.hear()

    @precondition(lambda self: len(self.listens) > 1)
    @rule(seed=seeds)
    def end_listen(self, seed: int) -> None:
        may = [number for number, uri in self.listens.items() if uri]
        if may:
            number = may[seed % len(may)]
            del self.listens[number]
            self.owed[number] = Owed("subscriptions/listen")
            self.owed[number].cancelled = True  # a server that stopped meanwhile may have ended it with a response
            self.rig.cancel(number)
            self.hear()

    @precondition(lambda self: self.questions or self.abandoned)
    @rule(seed=seeds)
    def answer_question(self, seed: int) -> None:
        may = sorted([*self.questions, *self.abandoned], key=str)
        number = may[seed % len(may)]
        expected = number in self.questions
        self.questions.discard(number)
        self.abandoned.discard(number)
        waiting = 0 if self.kernel is None else len(self.kernel.inbox)
        self.rig.say({"jsonrpc": "2.0", "id": number, "result": {"action": "accept"}})
        if self.kernel is not None:
            assert len(self.kernel.inbox) == waiting + expected, "an answer reaches the kernel that asked, and no other"

    # --- kernels ------------------------------------------------------------------------------------------

    @precondition(lambda self: self.kernel is None)
    @rule(tools=tool_lists, uris=uri_lists, restarted=st.booleans(), page_size=st.integers(1, 3))
    def kernel_joins(self, tools: list[str], uris: list[str], restarted: bool, page_size: int) -> None:
        self.pid += restarted
        kernel = self.rig.connect(an_entry(pid=self.pid), tools=tools, resources=uris)
        kernel.page_size = page_size
        self.hear()

    @precondition(lambda self: self.kernel is not None)
    @rule(politely=st.booleans())
    def kernel_goes(self, politely: bool) -> None:
        assert self.kernel is not None
        if politely:
            self.kernel.end_listens()
            while self.kernel.outbox:
                self.deliver()
        self.abandoned |= self.questions
        self.questions.clear()
        self.rig.drop()
        self.hear()

    @precondition(lambda self: self.kernel is not None and self.kernel.inbox)
    @rule()
    def kernel_reads(self) -> None:
        assert self.kernel is not None
        self.kernel.read()

    @precondition(lambda self: self.kernel is not None and self.kernel.outbox)
    @rule()
    def deliver(self) -> None:
        assert self.kernel is not None
        self.rig.relay.receive_from_kernel(self.kernel.outbox.popleft())
        self.hear()

    @precondition(lambda self: self.kernel is not None and self.kernel.calls)
    @rule(seed=seeds)
    def finish_a_call(self, seed: int) -> None:
        assert self.kernel is not None
        self.kernel.finish(list(self.kernel.calls)[seed % len(self.kernel.calls)])

    @precondition(lambda self: self.kernel is not None)
    @rule(tools=tool_lists)
    def define(self, tools: list[str]) -> None:
        assert self.kernel is not None
        if tools != self.kernel.tools:
            self.kernel.define(*tools)

    @precondition(lambda self: self.kernel is not None)
    @rule(uris=uri_lists)
    def publish(self, uris: list[str]) -> None:
        assert self.kernel is not None
        if uris != self.kernel.resources:
            self.kernel.publish(*uris)

    @precondition(lambda self: self.kernel is not None and self.kernel.initialized)
    @rule()
    def ask_host(self) -> None:
        assert self.kernel is not None
        self.kernel.ask_host(message="?")

    @rule()
    def something_to_choose(self) -> None:
        self.chooses = True
        self.rig.relay.know(several(an_entry(), an_entry("other.ipynb", pid=99)))
        self.hear()

    @rule(seconds=st.integers(0, 100))
    def time_passes(self, seconds: int) -> None:
        self.rig.now += seconds

    @precondition(lambda self: self.rig.uses)
    @rule()
    def answer_a_choice(self) -> None:
        number, name = self.rig.uses.pop(0)
        self.rig.relay.answer_use(number, f"Now using {name}.", is_error=False)
        self.hear()

    @precondition(lambda self: self.rig.waits)
    @rule()
    def a_wait_ends(self) -> None:
        number = next(iter(self.rig.waits))
        del self.rig.waits[number]
        self.rig.relay.wake(number)
        self.hear()

    # --- what holds -----------------------------------------------------------------------------------------

    def ask(self, method: str, params: dict[str, Any] | None = None, uri: str = "") -> None:
        number = self.rig._ids + 1
        self.owed[number] = Owed(method, uri)
        self.rig.ask(method, params)
        self.hear()

    def hear(self) -> None:
        """Hold what the host was sent against what is owed to it."""
        heard, self.rig.heard = self.rig.heard, []
        for message in heard:
            if "method" not in message:
                self.hear_answer(message["id"], message.get("result"))
            elif "id" in message:
                assert message["id"] not in self.questions | self.abandoned, "questions that wait have different ids"
                self.questions.add(message["id"])
            else:
                self.hear_notification(message["method"], message.get("params", {}))

    def hear_answer(self, number: RequestId, result: dict[str, Any] | None) -> None:
        assert number in self.owed, f"answered twice, or never asked: {number!r}"
        owed = self.owed.pop(number)
        if result is None:
            return
        if owed.method == "tools/list":
            names = sorted(tool["name"] for tool in result["tools"])
            assert len(set(names)) == len(names)
            self.shown, self.stale = names, False
            if "nextCursor" in result:
                self.shown = None  # this host reads no further, and so does not claim to know
        elif owed.method == "resources/subscribe":
            self.uris.add(owed.uri)
        elif owed.method == "resources/unsubscribe":
            self.uris.discard(owed.uri)

    def hear_notification(self, method: str, params: dict[str, Any]) -> None:
        if method == CHANGED:
            self.stale = True
        elif method == "notifications/subscriptions/acknowledged":
            number = params["_meta"][wire.META_SUBSCRIPTION]
            self.listens[number] = self.owed.pop(number).uri
            if self.listens[number] in params["notifications"].get("resourceSubscriptions", []):
                self.honoured.add(number)
        elif method == "notifications/cancelled":
            assert params["requestId"] in self.abandoned, "only questions of lost kernels are withdrawn"

    def teardown(self) -> None:
        """In the end a kernel is there and stays."""
        if self.kernel is None:
            self.kernel_joins(list(TOOLS), list(URIS), True, 100)
        assert self.kernel is not None
        self.publish(list(URIS))
        while self.kernel.inbox or self.kernel.outbox or self.kernel.calls:
            while self.kernel.calls:
                self.finish_a_call(0)
            if self.kernel.inbox:
                self.kernel_reads()
            if self.kernel.outbox:
                self.deliver()
        while self.rig.uses:
            self.answer_a_choice()
        assert not self.rig.relay.holding
        assert [owed.method for owed in self.owed.values() if not owed.cancelled] == []
        assert self.rig.relay.idle
        own = OWN_TOOLS if "notebook_status" in self.kernel.tools else []
        offered = {*self.kernel.tools, *own, *(["notebook_use"] if self.chooses else [])}
        assert self.shown is None or self.stale or self.shown == sorted(offered), "a list that is no longer true was not told of"
        wanted = {uri for number, uri in self.listens.items() if number in self.honoured} if self.rig.modern else self.uris
        # What a kernel did not honour, as it had no such resource, the next one may.
        assert wanted <= self.kernel.watched <= wanted | set(self.listens.values())
        assert self.rig.given_up == []


class ModernRelayMachine(RelayMachine):
    """The same for a host of 2026-07-28."""

    version = LATEST_MODERN


bounds = settings(max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TestLegacyHost = RelayMachine.TestCase
TestLegacyHost.settings = bounds
TestModernHost = ModernRelayMachine.TestCase
TestModernHost.settings = bounds
