from __future__ import annotations

import json
import re
import string
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import Principal
from mcp_workbench.exploring.recording.known_secrets import MAX_REMEMBERED
from mcp_workbench.exploring.recording.redaction import TOO_DEEP, Redactor, Unreadable
from mcp_workbench.primitives.tools import define_tool
from mcp_workbench.secret import Secret
from mcp_workbench.transports.credentials import Credentials

MARK = "‹redacted:"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


def redacted(value: Any, redactor: Redactor | None = None) -> Any:
    redactor = Redactor() if redactor is None else redactor
    redactor.begin()
    return json.loads(redactor.message(json.dumps(value).encode()))


def call(tool: str, arguments: dict[str, Any], request_id: int = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


def result(text: str, request_id: int = 1, **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "result": {"content": [{"type": "text", "text": text}], **more}}


@pytest.mark.parametrize(
    "name", ["password", "apiKey", "X-Api-Key", "access_token", "Authorization", "client_secret", "DB_PASSWORD", "Set-Cookie", "privateKey"]
)
def test_what_stands_under_the_name_of_a_secret_is_withheld_whatever_it_is(name: str) -> None:
    for secret in ("hunter2 and more", 12345678, ["hunter2 and more"], {"user": "hunter2 and more"}):
        text = json.dumps(redacted({"a": {name: secret}}), ensure_ascii=False)
        assert MARK in text
        assert "hunter2" not in text
        assert "12345678" not in text


def test_equal_secrets_stay_equal_with_and_without_a_scheme_and_different_ones_different() -> None:
    redactor = Redactor()
    one = redacted({"token": "abcdef123456", "headers": {"Authorization": "Bearer abcdef123456"}, "text": "token=abcdef123456"}, redactor)
    mark = one["token"]
    assert one == {"token": mark, "headers": {"Authorization": f"Bearer {mark}"}, "text": f"token={mark}"}
    assert redacted({"token": "abcdef123457"}, redactor)["token"] != mark
    assert redacted({"token": "abcdef123456"}, redactor)["token"] == mark
    assert redacted({"token": "abcdef123456"})["token"] != mark, "another recording has another salt"


def test_what_was_a_secret_once_is_one_wherever_it_appears_again() -> None:
    redactor = Redactor()
    redacted(call("login", {"user": "ann", "password": 'cor"rect/horse'}), redactor)
    answer = redacted(result("ann may not enter with cor\"rect/horse, it's cor%22rect%2Fhorse in the log, 'cor\"rect/horse'"), redactor)
    assert "horse" not in json.dumps(answer)
    before = redacted({"text": "first 87654321xyz", "then": {"password": "87654321xyz"}})
    assert before["text"] == f"first {before['then']['password']}", "also where it stands before the place that gives it away"


def test_what_a_tools_author_names_is_withheld_in_arguments_and_results() -> None:
    rules = {"pay": ("tan", "user.ssn", "rows[*].mail")}
    redactor = Redactor(tools=lambda: rules)
    arguments = {"tan": "1234", "user": {"ssn": "99", "name": "Ann"}, "rows": [{"mail": "a@b"}, {"mail": "c@d"}]}
    asked = redacted(call("pay", arguments), redactor)["params"]["arguments"]
    assert asked["user"]["name"] == "Ann"
    assert [asked["tan"][:10], asked["user"]["ssn"][:10], asked["rows"][1]["mail"][:10]] == [MARK] * 3
    told = redacted(result('{"tan":"1234","user":{"ssn":"99"}}', structuredContent={"tan": "1234", "user": {"ssn": "99"}}), redactor)
    assert told["result"]["structuredContent"]["user"]["ssn"] == asked["user"]["ssn"]
    assert '"99"' not in told["result"]["content"][0]["text"]
    assert redacted(call("other", {"tan": "1234"}), redactor)["params"]["arguments"] == {"tan": "1234"}
    assert "1234" not in redactor.text("Traceback: pay(tan='1234', user.SSN: 99"), (
        "by its name, too short though it is to be known by value"
    )
    through = redacted(call("notebook_call", {"function": "pay", "arguments": {"user": {"ssn": "99"}}}), redactor)
    assert through["params"]["arguments"]["arguments"] == {"user": {"ssn": asked["user"]["ssn"]}}


def test_an_answer_to_such_a_tool_is_looked_at_even_when_it_has_nothing_suspicious() -> None:
    redactor = Redactor(tools=lambda: {"pay": ("tan",)})
    redactor.begin()
    redactor.message(json.dumps(call("pay", {"tan": "1234"}, 7)).encode())
    assert redactor.clean([json.dumps(result("x", 7, structuredContent={"tan": "1234"})).encode()]) == [False]


def test_what_tasks_and_retries_go_on_by_is_withheld_and_stays_equal() -> None:
    redactor = Redactor()
    task = redacted({"id": 1, "result": {"taskId": "t-123456", "requestState": "opaque"}}, redactor)["result"]
    assert redacted({"id": 2, "method": "tasks/get", "params": {"taskId": "t-123456"}}, redactor)["params"]["taskId"] == task["taskId"]
    assert redacted({"params": {"notifications": {"taskIds": ["t-123456"]}}}, redactor)["params"]["notifications"] == {
        "taskIds": [task["taskId"]]
    }
    assert task["requestState"].startswith(MARK)
    assert "hunter2" not in json.dumps(redacted({"taskId": {"password": "hunter2"}}))
    assert redactor.clean([b'{"a":1}', b'{"taskId":"x"}', b'{"requestState":"x"}']) == [True, False, False]


def test_schemas_keep_the_form_of_secrets_and_lose_their_values() -> None:
    def login(user: str, password: str = "hunter2default") -> None: ...

    import msgspec

    listed = msgspec.to_builtins(define_tool(login, description="Signs in.").listed)
    tools = redacted({"jsonrpc": "2.0", "id": 1, "result": {"tools": [listed]}})["result"]["tools"]
    assert tools[0]["inputSchema"]["properties"]["password"]["type"] == "string"
    assert "hunter2default" not in json.dumps(tools)
    disguised = redacted(call("x", {"inputSchema": {"password": {"description": "hunter2"}}}))
    assert "hunter2" not in json.dumps(disguised)


def test_this_workbenchs_own_tokens_and_tickets_are_known_by_value() -> None:
    credentials = Credentials()
    token, ticket = credentials.add("alice"), credentials.tickets.mint(Principal("alice"))
    redactor = Redactor(credentials=credentials)
    redactor.begin()
    raw = json.dumps({"a": f"x{token}y", "b": ticket, token: 1}).encode()
    assert redactor.clean([raw]) == [False]
    cleaned = redactor.message(raw).decode()
    assert token not in cleaned
    assert ticket not in cleaned


def test_names_of_ones_own_are_withheld_too_however_they_are_written() -> None:
    redactor = Redactor(["home_address", "ssn"])
    assert redactor.clean([b'{"homeAddress":"x"}', b'{"SSN":"x"}', b'{"a":"x"}']) == [False, False, True]
    done = redacted({"homeAddress": "Elm Street", "SSN": "1", "home": "x"}, redactor)
    assert (done["homeAddress"][:10], done["SSN"][:10], done["home"]) == (MARK, MARK, "x")
    assert "Elm" not in redactor.text("?home-address=Elm&x=1")


@pytest.mark.parametrize(("raw", "reason"), [(b"nope", "no JSON"), (b"[" * 100_000, "nested too deep"), (b'{"a":1e999}', "no JSON")])
def test_what_cannot_be_looked_into_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        Redactor().message(raw)


def test_deep_values_are_withheld_not_passed_on() -> None:
    deep: Any = "hunter2 is deep"
    for _ in range(150):
        deep = [deep]
    assert "hunter2" not in json.dumps(redacted({"a": deep}))
    text = json.dumps({"password": "hunter2 is deep"})
    for _ in range(4):
        text = json.dumps({"inner": text})
    assert "hunter2" not in json.dumps(redacted({"a": text}))


@pytest.mark.parametrize("depth", [100, 500, 885, 950, 990, 1_500])
@pytest.mark.parametrize("value", ['{"password":1,"a":%s}', '{"password":%s}', '{"a":%s,"b":"https://u:pw@host/"}'])
def test_however_deep_a_value_is_it_is_withheld_or_refused(value: str, depth: int) -> None:
    for inner in ("[" * depth + '"hunter2 is deep"' + "]" * depth, '{"a":' * depth + '"hunter2 is deep"' + "}" * depth):
        raw = (value % inner).encode()
        try:
            assert b"hunter2" not in Redactor().message(raw)
        except Unreadable as error:
            assert str(error) == TOO_DEEP  # noqa: PT017  # either will do
        assert Redactor().text(raw.decode())


def test_what_is_too_long_is_withheld_and_pictures_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_workbench.exploring.recording.redaction.MOST_TEXT", 10_000)
    monkeypatch.setattr("mcp_workbench.exploring.recording.redaction.LONGEST", 200_000)
    picture, words, redactor = "AKIAIOSFODNN7EXAMPLEpwd" * 4_000, "a key, and more words " * 600, Redactor()
    for value in (words, [words[:5_000]] * 3, ["x"] * 600, {words: 1}, [json.dumps([words])], picture + picture + picture):
        with pytest.raises(Unreadable, match="too long to be looked into"):
            redactor.message(json.dumps({"password": "hunter2", "b": value}).encode())
        assert re.fullmatch("‹redacted:[0-9a-f]{12}›", str(redactor.value({"b": value}))) or value == picture * 3
    assert redacted({"token": "hunter2 hunter2", "data": picture, "b": words[:4_000]}, redactor)["data"] == picture
    assert redactor.text(words) == redactor.text(words) != redactor.text(words + "x")
    secrets = [f"password=s{number}" for number in range(300)]
    assert len(redacted(secrets)) == 300, "marks are longer than what they stand for, and count no more for that"


def test_equal_values_have_equal_marks_also_where_they_cannot_be_written_again() -> None:
    def marked(value: str) -> Any:
        redactor = Redactor()
        redactor.mark_with(Secret("x"))
        return json.loads(redactor.message(b'{"password":%b}' % value.encode()))["password"]

    large = "9" * 60
    assert marked(f'{{"a":{large},"b":[1]}}') == marked(f'{{"b":[1],"a":{large}}}')
    assert marked(f'{{"a":[{large},1]}}') != marked(f'{{"a":[{large}],"b":1}}')


def test_what_a_person_was_asked_for_as_a_secret_is_withheld_in_the_answer_whatever_it_is_called() -> None:
    redactor = Redactor()
    form = {"type": "object", "properties": {"value": {"type": "string", "format": "password"}, "n": {"type": "integer"}}}
    asked = redacted({"id": 1, "method": "elicitation/create", "params": {"message": "?", "requestedSchema": form}}, redactor)
    assert asked["params"]["requestedSchema"] == form
    given = {"action": "accept", "content": {"value": "tiny", "n": 1}}
    assert redactor.clean([json.dumps({"id": 1, "result": given}).encode()]) == [False]
    for answer in ({"id": 1, "result": given}, {"id": 2, "params": {"name": "x", "inputResponses": {"k": given}}}):
        text = json.dumps(redacted(answer, redactor))
        assert "tiny" not in text
        assert '"n": 1' in text
    assert redacted({"value": "tiny"}, redactor) == {"value": "tiny"}


def test_a_long_column_of_secrets_pushes_none_out_that_was_remembered() -> None:
    redactor = Redactor()
    redacted({"password": "remembered one"}, redactor)
    rows = [[f"user {number}", f"cell number {number}"] for number in range(2 * MAX_REMEMBERED)]
    table = redacted({"columns": ["user", "password"], "data": rows}, redactor)
    assert all(cell.startswith(MARK) and user.startswith("user") for user, cell in table["data"])
    assert "remembered" not in redactor.text("remembered one")


def test_twice_the_same_member_hides_nothing() -> None:
    raw = f'{{"a":"{JWT}","a":"fine"}}'.encode()
    redactor = Redactor()
    assert redactor.clean([raw]) == [False]
    assert JWT.encode() not in redactor.message(raw)


def test_no_repr_tells_the_salt_or_what_is_hidden() -> None:
    redactor = Redactor()
    redactor.value({"password": "hunter2 and more"})
    assert redactor._known._salt.reveal() not in repr(vars(redactor)) + repr(vars(redactor._known))


# --- the property that matters ------------------------------------------------------------------------------------

SECRETS = st.text(string.ascii_letters + string.digits + "-_+/.", min_size=12, max_size=40).map(lambda text: f"Zq7{text}")
NAMES = st.sampled_from(
    [
        *("password", "apiKey", "api_key", "access_token", "secret", "X-Auth-Token", "clientSecret", "passphrase", "DB_PASS", "OPENAI_KEY"),
        *("pw", "passcode", "psk", "consumer_key", "Ocp-Apim-Subscription-Key", "sessionid", "mnemonic"),
    ]
)
FILLER = st.text(max_size=20)


@st.composite
def planted(draw: st.DrawFn) -> tuple[Any, str]:
    """A message with a secret somewhere: under a name, or in a text of some kind, as deep as you like."""
    secret = draw(SECRETS)
    name = draw(NAMES)
    before, after = draw(FILLER), draw(FILLER)
    text = draw(
        st.sampled_from(
            [
                f"{before} Authorization: Bearer {secret}",
                f"{before} https://user:{secret}@host/path {after}",
                f"https://host/?{name}={quote(secret, safe='')}&b=1 {name}={secret}",
                f'Traceback (most recent call last):\n  File "x.py", line 1\n    f({name}="{secret}")\nValueError: {after}',
                f"{name}: {secret}",
                json.dumps({name: secret, "x": before}),
                f"{before} --{name} {secret} --other {after}",
                f"<a><{name}>{secret}</{name}></a>{after}",
                f"[('{name}', '{secret}')]",
                f"login%3F{name}%3D{quote(secret, safe='')}",
                f"{name} -> {secret}",
                f"{name}: |\n  {secret}\n  {secret}\n",
                f"user,{name}\nbob,{secret}\nann,{secret}2\n\n{after}",
                f'"{name}";user\n"{secret}";"a\nb"\n"{secret}3";x\n',
                f"| user | {name} |\n|---|:-:|\n| bob | {secret} |\n",
                f"ALTER USER bob IDENTIFIED BY '{secret}'",
                f"curl -u bob:{secret} https://host",
                f"ALTER ROLE bob WITH PASSWORD '{secret}'; SET PASSWORD FOR bob = '{secret}'",
                f"{name}: !!str {secret}\n",
                f"\ufeff{name},user\n{secret},bob\n",
                f"user,{name}\rbob,{secret}\r",
                f"{name}\n{secret}\n",
                f"user  bob\n{name}  {secret}",
                f"0    {secret}\nName: {name}, dtype: str",
                f"<tr><th>user</th><th>{name}</th></tr><tr><td>bob</td><td>{secret}</td></tr>",
                json.dumps([json.dumps({"deep": json.dumps({name: [secret]})})]),
            ]
        )
    )
    value: Any = draw(
        st.sampled_from(
            [
                {name: secret},
                {name: {"v": [secret]}},
                {"t": text},
                {"headers": [{"name": name, "value": secret}]},
                {"field": name, "value": secret},
                {"Name": name, "Value": secret},
                {"column": name, "value": secret},
                {"name": name, "default": secret},
                {"headers": [[name, secret], ["Accept", "text/html"]]},
                {"args": ["run", f"--{name}", secret]},
                {"columns": ["user", name], "data": [["bob", secret], ["ann", 5]]},
                {"columns": [{"name": name}, {"name": "user"}], "rows": [[secret, "bob"]]},
            ]
        )
    )
    for _ in range(draw(st.integers(0, 5))):
        value = draw(st.sampled_from([[value], {"a": value, "n": 1}, {"t": json.dumps(value)}, [before, value]]))
    return {"jsonrpc": "2.0", "id": 1, "params": {"arguments": value, "note": before}}, secret


@given(planted(), st.booleans())
def test_no_planted_secret_survives(case: tuple[Any, str], ascii_only: bool) -> None:
    message, secret = case
    redactor = Redactor()
    raw = json.dumps(message, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        raw.decode()
    except UnicodeDecodeError:
        return
    assert redactor.clean([raw]) == [False]
    cleaned = redactor.message(raw).decode()
    assert secret not in cleaned
    again = redactor.message(json.dumps({"text": f"later {secret} again"}).encode()).decode()
    assert secret not in again


TEXTS = st.lists(
    NAMES
    | SECRETS
    | st.sampled_from(
        [
            *"-,|\n;:=<>()[]'\"\t@/&",
            "--",
            "</",
            " -u ",
            "://",
            "pin",
            "user",
            "identified by ",
            "->",
            "%3D",
            "eyJ",
            "sig=",
            "SG.",
            "  ",
            "<td>",
            "<th>",
            "<tr>",
            "</t",
        ]
    )
    | st.text(max_size=3)
).map("".join)
"""Texts in which much may be taken for a secret."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=30) | SECRETS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12) | NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_what_the_quick_way_lets_pass_the_thorough_way_leaves_as_it_is(value: Any) -> None:
    redactor = Redactor()
    raw = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    if redactor.clean([raw]) == [True]:
        assert json.loads(redactor.message(raw)) == json.loads(raw)


@given(JSON)
def test_redacting_what_was_redacted_changes_nothing(value: Any) -> None:
    redactor = Redactor()
    once = redactor.value(json.loads(json.dumps(value).encode()))
    assert redactor.value(once) == once


def test_a_text_that_was_fit_is_known_to_hold_what_was_found_to_be_a_secret_since() -> None:
    redactor = Redactor()
    fit = redactor.text("the word is correct-horse")
    assert not redactor.knows(fit)
    redactor.text("password=correct-horse")
    assert redactor.knows(fit)
    assert not redactor.knows(redactor.text(fit))
