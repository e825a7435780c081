"""The official SDKs as judges of our server: each tours it in every version it speaks, and checks what it gets.

The SDKs validate what they receive against their own schemas, structured content against the tools' output
schemas; what they refuse stands in the testimony as a failed step or a complaint.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.foreign.judging import SCRIPTS, Evidence, Itinerary, judge
from tests.foreign.node import NodeSdk
from tests.foreign.notebook import PNG

pytest_plugins = ["tests.foreign.fixtures"]
# Making an environment takes minutes, once; each line of a script has a bound of its own.
pytestmark = [pytest.mark.foreign, pytest.mark.timeout(900)]

AUTO, MODERN = "auto", "2026-07-28"
LATEST_LEGACY = "2025-11-25"
LEGACY = (LATEST_LEGACY, "2025-06-18", "2025-03-26", "2024-11-05")
UNHEARD_OF = "1999-01-01"
TOO_LARGE = "df://wide/rows?limit=10000"
"""More than one message may carry."""
EXPECTED_FAILURES = {"unknown tool", "read df://nowhere"}
ITINERARY = Itinerary(
    calls={
        "text": ("greet", {"name": "Zoë 🛫"}),
        "number": ("add", {"a": 2}),
        "dict": ("averages", {}),
        "dataclass": ("station", {"code": "JFK"}),
        "list": ("counts", {}),
        "DataFrame": ("worst", {"n": 2}),
        "DataFrame of a named one": ("worst", {"flights": "df://flights", "n": 1}),
        "image": ("picture", {}),
        "None": ("nothing", {}),
        "exception": ("fail", {}),
        "ToolError": ("fail_politely", {}),
        "wrong argument": ("add", {"a": "many"}),
        "too large": ("everything", {}),
        "early": ("report", {}),
        "early, structure promised": ("forecast", {}),
        "waited": ("job_wait", {"job": "j1", "wait_s": 0}),
        "taken back": ("job_cancel", {"job": "j1"}),
        "fetched": ("job_wait", {"job": "j1"}),
    },
    reads=[
        "df://flights",
        "df://flights/rows?limit=2",
        "df://flights/schema",
        "notes://today",
        "logo://small",
        "weather://SFO",
        TOO_LARGE,
        "df://nowhere",
    ],
)


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit that is over: what was asked for, and what is known of it."""

    asked: str
    evidence: Evidence

    @property
    def saw(self) -> dict[str, Any]:
        return self.evidence.saw

    @property
    def version(self) -> str:
        """The version that should have been negotiated."""
        return {AUTO: MODERN, UNHEARD_OF: LATEST_LEGACY}.get(self.asked, self.asked)

    @property
    def is_modern(self) -> bool:
        return self.version == MODERN

    @property
    def has_structured_content(self) -> bool:
        return self.version >= "2025-06-18"

    def called(self, name: str) -> dict[str, Any]:
        """A call's result, without what the modern era adds to every result."""
        return {key: value for key, value in self.saw[f"call {name}"].items() if key not in ("_meta", "resultType")}


@pytest.fixture(scope="module")
def mcp1(mcp1_python: Path) -> dict[str, Evidence]:
    """It cannot send a header."""
    return judge([str(mcp1_python), str(SCRIPTS / "mcp1_client.py")], [*LEGACY, UNHEARD_OF], ITINERARY, with_ticket=True)


@pytest.fixture(scope="module")
def mcp2(mcp2_python: Path) -> dict[str, Evidence]:
    return judge([str(mcp2_python), str(SCRIPTS / "mcp2_client.py")], [AUTO, MODERN, *LEGACY], ITINERARY, with_ticket=False)


@pytest.fixture(scope="module")
def mcp1_http(mcp1_python: Path) -> dict[str, Evidence]:
    return judge([str(mcp1_python), str(SCRIPTS / "mcp1_client.py")], [LATEST_LEGACY], ITINERARY, over_http=True)


@pytest.fixture(scope="module")
def mcp2_http(mcp2_python: Path) -> dict[str, Evidence]:
    return judge([str(mcp2_python), str(SCRIPTS / "mcp2_client.py")], [AUTO, LATEST_LEGACY], ITINERARY, over_http=True)


@pytest.fixture(scope="module")
def mcp1_bridge(mcp1_python: Path) -> dict[str, Evidence]:
    """As most hosts do it: over stdio."""
    return judge([str(mcp1_python), str(SCRIPTS / "mcp1_client.py")], [LATEST_LEGACY], ITINERARY, through_bridge=True)


@pytest.fixture(scope="module")
def mcp2_bridge(mcp2_python: Path) -> dict[str, Evidence]:
    return judge([str(mcp2_python), str(SCRIPTS / "mcp2_client.py")], [AUTO, LATEST_LEGACY], ITINERARY, through_bridge=True)


@pytest.fixture(scope="module")
def typescript1(typescript_sdk: NodeSdk) -> dict[str, Evidence]:
    """It cannot send a header, nor be made to ask for another version than its latest."""
    command = [typescript_sdk.node, str(SCRIPTS / "typescript1_client.mjs"), str(typescript_sdk.folder)]
    return judge(command, [LATEST_LEGACY], ITINERARY, with_ticket=True)


@pytest.fixture(scope="module")
def typescript1_http(typescript_sdk: NodeSdk) -> dict[str, Evidence]:
    command = [typescript_sdk.node, str(SCRIPTS / "typescript1_client.mjs"), str(typescript_sdk.folder)]
    return judge(command, [LATEST_LEGACY], ITINERARY, over_http=True)


MODERN_VISITS = [("mcp2", AUTO), ("mcp2", MODERN), ("mcp2_bridge", AUTO), ("mcp2_http", AUTO)]
LEGACY_VISITS = [
    *(("mcp1", version) for version in (*LEGACY, UNHEARD_OF)),
    *(("mcp2", version) for version in LEGACY),
    ("mcp1_bridge", LATEST_LEGACY),
    ("mcp2_bridge", LATEST_LEGACY),
    ("mcp1_http", LATEST_LEGACY),
    ("mcp2_http", LATEST_LEGACY),
    ("typescript1", LATEST_LEGACY),
    ("typescript1_http", LATEST_LEGACY),
]


@pytest.fixture(params=[*MODERN_VISITS, *LEGACY_VISITS], ids=" ".join)
def visit(request: pytest.FixtureRequest) -> Visit:
    client, version = request.param
    return Visit(version, request.getfixturevalue(client)[version])


def test_nothing_the_server_sent_was_refused(visit: Visit) -> None:
    failed = {step: seen["failed"] for step, seen in visit.saw.items() if isinstance(seen, dict) and "failed" in seen}
    assert {step: why for step, why in failed.items() if step not in EXPECTED_FAILURES} == {}
    assert visit.saw["complaints"] == []


def test_the_version_that_was_asked_for_is_spoken_an_unknown_one_answered_with_the_latest(visit: Visit) -> None:
    assert visit.saw["opened"]["protocolVersion"] == visit.version
    assert visit.evidence.session.protocol_version == visit.version


# A client that was told the modern version asks nothing.
@pytest.mark.parametrize("visit", [("mcp2", AUTO), ("mcp2_bridge", AUTO), ("mcp2_http", AUTO), *LEGACY_VISITS], ids=" ".join, indirect=True)
def test_the_server_says_who_it_is_and_what_it_can(visit: Visit) -> None:
    opened = visit.saw["opened"]
    info = opened["_meta"]["io.modelcontextprotocol/serverInfo"] if visit.is_modern else opened["serverInfo"]
    assert info["name"] == "mcp-workbench"
    assert info["title"] == "Program judged"
    assert opened["capabilities"]["resources"] == {"subscribe": True, "listChanged": True}
    extensions = {"extensions"} if visit.is_modern else set()
    assert set(opened["capabilities"]) == {"tools", "resources", "prompts", "logging", "completions"} | extensions
    assert "df_describe" in opened["instructions"]


def test_the_tools_are_listed_with_their_schemas(visit: Visit) -> None:
    tools = {tool["name"]: tool for tool in visit.saw["tools"]}
    assert list(tools) == sorted(tools)
    assert tools["greet"]["title"] == "Greeting"
    assert tools["greet"]["annotations"]["readOnlyHint"] is True
    assert tools["greet"]["inputSchema"]["properties"]["name"]["description"] == "Whom to greet."
    assert tools["add"]["inputSchema"]["required"] == ["a"]
    assert {name for name, tool in tools.items() if "outputSchema" in tool} == (
        {"averages", "counts", "everything", "forecast", "station"} if visit.has_structured_content else set()
    )


def test_resources_templates_and_prompts_are_listed(visit: Visit) -> None:
    listed = {resource.get("uri", resource.get("uriTemplate")): resource for resource in visit.saw["resources"]}
    assert {"df://flights", "df://planes", "df://wide", "notes://today", "logo://small", "weather://{station}"} <= set(listed)
    assert listed["df://flights"]["description"] == "Departures of one day."
    assert listed["notes://today"]["mimeType"] == "text/markdown"
    (prompt,) = visit.saw["prompts"]
    assert [(argument["name"], argument["required"]) for argument in prompt["arguments"]] == [("topic", True), ("tone", False)]


def test_text_numbers_and_nothing_come_as_text(visit: Visit) -> None:
    assert [visit.called(name)["content"] for name in ("text", "number", "None")] == [
        [{"type": "text", "text": "Hello, Zoë 🛫!"}],
        [{"type": "text", "text": "3"}],
        [{"type": "text", "text": "Done, no result."}],
    ]


@pytest.mark.parametrize(
    ("name", "structured"),
    [
        ("dict", {"ATL": 28.5, "BOS": None}),
        ("dataclass", {"code": "JFK", "elevation_m": None, "neighbours": ["LGA"]}),
        ("list", {"result": [1, 2, 3]}),
    ],
)
def test_objects_come_as_text_and_where_the_version_has_it_as_structured_content(
    visit: Visit, name: str, structured: dict[str, Any]
) -> None:
    result = visit.called(name)
    assert json.loads(result["content"][0]["text"]) == structured.get("result", structured)
    assert ("structuredContent" in result) == visit.has_structured_content
    assert result.get("structuredContent", structured) == structured


def test_a_dataframe_comes_as_a_preview_and_a_link_to_the_whole(visit: Visit) -> None:
    preview, link, read = visit.called("DataFrame")["content"]
    assert "59,SFO,59" in preview["text"]
    assert read["text"] == "Read: flights v1"
    if visit.has_structured_content:
        assert (link["type"], link["uri"]) == ("resource_link", "df://_r1")
    else:
        assert link == {"type": "text", "text": "Resource df://_r1 (2 rows x 2 columns)"}
    assert "SFO,59" in visit.called("DataFrame of a named one")["content"][0]["text"]


def test_an_image_comes_as_an_image(visit: Visit) -> None:
    (image,) = visit.called("image")["content"]
    assert (image["type"], image["mimeType"], base64.b64decode(image["data"])) == ("image", "image/png", PNG)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("exception", "ZeroDivisionError: by the author's own hand"),
        ("ToolError", "Ask again tomorrow."),
        ("wrong argument", "a: expected a valid integer"),
    ],
)
def test_what_a_model_can_act_on_is_a_result_that_says_so(visit: Visit, name: str, sentence: str) -> None:
    result = visit.called(name)
    assert result["isError"] is True
    assert result["content"][0]["text"].startswith(sentence)


def test_a_result_that_would_burst_the_clients_bound_is_a_sentence_and_the_connection_goes_on(visit: Visit) -> None:
    result = visit.called("too large")
    # Structured content is whole or not at all; versions without it get the text, cut.
    assert result.get("isError", False) == visit.has_structured_content
    assert len(result["content"][0]["text"]) <= 8000
    assert ("this connection takes" in result["content"][0]["text"]) == visit.has_structured_content


def test_an_unknown_tool_and_an_unknown_resource_are_errors_of_the_protocol(visit: Visit) -> None:
    assert visit.saw["unknown tool"]["code"] == -32602
    assert visit.saw["read df://nowhere"]["code"] == (-32602 if visit.is_modern else -32002)
    assert "flights, planes, wide" in visit.saw["read df://nowhere"]["failed"]


@pytest.mark.parametrize(
    "visit", [each for each in (*MODERN_VISITS, *LEGACY_VISITS) if not each[0].startswith("typescript1")], ids=" ".join, indirect=True
)
def test_a_tool_asks_the_person_the_model_and_the_client_itself(visit: Visit) -> None:
    asked = visit.saw["asked"]
    (content,) = asked["content"]
    if visit.version < "2025-06-18":
        assert asked["isError"], "there is no elicitation"
        assert "cannot be asked" in content["text"]
    else:
        assert content["text"] == "accept {'seats': 2}, Fly, ['file:///work']"


def test_progress_reaches_the_caller_and_only_grows(visit: Visit) -> None:
    reports = visit.saw["progress"]
    assert reports[-1] == [3, 3, "number 3"]
    assert reports == sorted(reports)


def test_log_messages_come_from_the_level_that_was_asked_for(visit: Visit) -> None:
    assert visit.saw["logs"] == [{"level": "info", "logger": "judged", "data": {"rows": 60}}, {"level": "warning", "data": "careful"}]


def test_resources_are_read_as_text_json_csv_and_bytes(visit: Visit) -> None:
    contents = {uri: visit.saw[f"read {uri}"][0] for uri in ITINERARY.reads if uri != "df://nowhere"}
    assert all(content["uri"] == uri for uri, content in contents.items())
    assert contents["notes://today"]["text"] == "# Today\nSunny."
    assert base64.b64decode(contents["logo://small"]["blob"]) == PNG
    assert json.loads(contents["weather://SFO"]["text"]) == {"station": "SFO", "sky": "clear"}
    assert json.loads(contents["df://flights/schema"]["text"])["rows"] == 60
    assert contents["df://flights/rows?limit=2"]["text"].startswith("dest,delay\nATL,0\nBOS,1\n")
    assert contents["df://flights"]["mimeType"] == "text/markdown"


def test_rows_that_would_burst_the_clients_bound_are_cut_and_say_where_they_go_on(visit: Visit) -> None:
    (content,) = visit.saw[f"read {TOO_LARGE}"]
    returned = content["_meta"]["mcp-workbench/returned"]
    assert 0 < returned < 10_000
    assert content["_meta"]["mcp-workbench/next"].startswith(f"df://wide/rows?offset={returned}&")


def test_a_prompt_is_filled_in_and_arguments_are_completed(visit: Visit) -> None:
    messages = visit.saw["prompt"]["messages"]
    assert [message["content"]["text"] for message in messages] == ["Explain delays.", "Be plain."]
    assert visit.saw["completions"] == [["weather"], ["SFO"]]


def test_a_subscriber_is_told_of_a_change_and_reads_what_is_new(visit: Visit) -> None:
    uri, contents = visit.saw["updated"]
    assert uri == "df://flights"
    assert contents[0]["text"].startswith("dest,delay\nATL,999\n")


def test_who_unsubscribed_is_told_no_more(visit: Visit) -> None:
    # Two resources changed, the one that is no longer subscribed first: the first to be told of is the other.
    assert visit.saw["unsubscribed"] == "notes://today"


@pytest.mark.parametrize("visit", MODERN_VISITS, ids=" ".join, indirect=True)
def test_a_listener_learns_which_of_its_wishes_are_honoured(visit: Visit) -> None:
    assert visit.saw["honoured"] == {"resourceSubscriptions": ["df://flights"]}


def test_a_cancelled_call_ends_in_the_kernel_and_the_connection_goes_on(visit: Visit) -> None:
    assert visit.evidence.slow_call_ended
    assert visit.saw["cancelled"] == "42"


def test_a_tool_defined_meanwhile_is_announced_and_listed(visit: Visit) -> None:
    assert visit.saw["list changed"] == ["late"]


def test_the_connection_lived_to_the_end_and_was_closed_in_good_order(visit: Visit) -> None:
    session = visit.evidence.session
    assert visit.saw["ping"] == {}
    if session.transport == "http" and visit.is_modern:
        # Nobody ends what stands alone: it was the server that stopped.
        assert session.close_code == 1001
    else:
        # The TypeScript SDK closes without a code.
        assert session.close_code in (1000, 1005)
    assert (session.crash, session.ignored) == (None, {})


def test_a_call_that_takes_long_is_answered_early_and_its_job_waited_for_and_cancelled(visit: Visit) -> None:
    early, promised, waited, cancelled, fetched = (
        visit.called(name) for name in ("early", "early, structure promised", "waited", "taken back", "fetched")
    )
    assert early["content"][0]["text"].endswith("so far.")
    assert 'as job j1: call job_wait("j1") for its result' in early["content"][0]["text"]
    # An ordinary result without its structure is what these clients would raise on.
    assert (promised["isError"], "as job j2: " in promised["content"][0]["text"]) == (True, True)
    assert [result.get("isError", False) for result in (early, waited, cancelled, fetched)] == [False, False, False, True]
    assert waited["content"][0]["text"].startswith("j1: still ")
    assert cancelled["content"][0]["text"].startswith("j1 is cancelled. ")
    assert fetched["content"][0]["text"].startswith("Job j1 (report) was cancelled: ")
