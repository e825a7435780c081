from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mcp_workbench.exploring.exports.har import har_of
from mcp_workbench.exploring.recording import read
from tests.exploring.recording.rig import message_line, written


def _object(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """An object with these members; others only if their names begin with an underscore, as HAR 1.2 has it for custom fields."""
    return {
        "type": "object",
        "required": sorted(required),
        "properties": required | optional | {"comment": {"type": "string"}},
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


TEXT, WHOLE = {"type": "string"}, {"type": "integer", "minimum": -1}
DURATION = {"type": "number", "minimum": -1}
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)$"}
PAIRS = {"type": "array", "items": _object({"name": TEXT, "value": TEXT})}
COMMON = {"httpVersion": TEXT, "cookies": PAIRS, "headers": PAIRS, "headersSize": WHOLE, "bodySize": WHOLE}
REQUEST = _object({"method": TEXT, "url": {"type": "string", "pattern": r"^[a-z]+://\S+$"}, "queryString": PAIRS, **COMMON})
CONTENT = _object({"size": WHOLE, "mimeType": TEXT}, text=TEXT, encoding=TEXT)
RESPONSE = _object({"status": WHOLE, "statusText": TEXT, "content": CONTENT, "redirectURL": TEXT, **COMMON})
ENTRY = _object(
    {
        "startedDateTime": MOMENT,
        "time": {"type": "number", "minimum": 0},
        "request": REQUEST,
        "response": RESPONSE,
        "cache": {"type": "object", "maxProperties": 0},
        "timings": _object({"send": DURATION, "wait": DURATION, "receive": DURATION}),
    },
    connection=TEXT,
)
CREATOR = _object({"name": TEXT, "version": TEXT})
HAR_1_2 = _object({"log": _object({"version": {"const": "1.2"}, "creator": CREATOR, "entries": {"type": "array", "items": ENTRY}})})
"""The members of HAR 1.2 that we write (http://www.softwareishard.com/blog/har-12-spec/)."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    def begins(name: str, side: str, remote: str) -> dict[str, object]:
        return {"k": "session", "id": name, "side": side, "transport": "websocket", "remote": remote, "principal": "p", "since": 1.5}

    return written(
        tmp_path / "x.jsonl",
        begins("s1", "server", "127.0.0.1:5"),
        begins("out1", "client", "ws://there:1/mcp?a=b c"),
        message_line(1, {"id": 1, "method": "ping"}),
        message_line(2, {"id": 1, "result": {}}, "out"),
        message_line(3, {"id": 1, "method": "ping"}, "out", session="out1"),
        {"k": "message", "seq": 4, "at": 3.0, "at_ns": 9, "session": "s1", "side": "server", "dir": "in", "size": 7, "withheld": "no JSON"},
        {"k": "end", "id": "s1", "until": 4.0, "code": 1000},
    )


def test_sessions_are_entries_with_their_messages_as_the_client_saw_them(file: Path) -> None:
    har = har_of(read(file))
    jsonschema.validate(har, HAR_1_2)
    server, client = har["log"]["entries"]
    assert [(each["type"], each["opcode"], json.loads(each["data"] or "null")) for each in server["_webSocketMessages"]] == [
        ("send", 1, {"id": 1, "method": "ping"}),
        ("receive", 1, {"id": 1, "result": {}}),
        ("send", 1, None),
    ]
    assert server["_webSocketMessages"][2]["_withheld"] == 7
    assert (server["time"], server["request"]["url"]) == (2500.0, "ws://mcp-workbench/s1")
    assert client["_webSocketMessages"][0]["type"] == "send"
    assert client["request"]["url"] == "ws://there:1/mcp?a=b%20c"


def test_the_file_is_new_and_its_owners_alone(file: Path, tmp_path: Path) -> None:
    har = read(file).to_har(tmp_path / "x.har")
    jsonschema.validate(json.loads(har.read_bytes()), HAR_1_2)
    assert stat.S_IMODE(har.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        read(file).to_har(har)
