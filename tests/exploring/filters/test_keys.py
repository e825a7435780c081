from __future__ import annotations

import re
from pathlib import Path

import pytest

from mcp_workbench.events import Era
from mcp_workbench.exploring.columns import calls_columns, messages_columns
from mcp_workbench.exploring.filters import FilterError, parse, parsing, scanning
from mcp_workbench.exploring.filters.keys import KEYS, Surroundings, understand
from mcp_workbench.exploring.filters.scanning import Words, Written
from mcp_workbench.exploring.filters.values import NANOSECONDS
from mcp_workbench.exploring.reading import Kind
from mcp_workbench.telemetry import Direction, Outcome, Side
from tests.exploring.filters.rig import filter_of

PAGE = (Path(__file__).parents[3] / "docs" / "traffic.md").read_text(encoding="utf-8")


def between(name: str) -> str:
    return PAGE.partition(f"<!-- {name}: begin -->")[2].partition(f"<!-- {name}: end -->")[0].strip()


def row(name: str) -> str:
    key = KEYS[name]
    known = "calls" if key.messages is None else "both"
    return f"| `{name}` | {known} | {key.reads} | {key.says} |"


def test_the_page_shows_the_keys_as_they_are() -> None:
    assert between("keys").splitlines() == ["| key | known of | reads | compares |", "|---|---|---|---|", *map(row, KEYS)]


def test_what_the_keys_read_stands_in_the_grammar() -> None:
    rules = dict(re.findall(r"^(\w+) +=(.*?);(?= |\n)", between("grammar"), re.MULTILINE | re.DOTALL))
    assert {key.reads for key in KEYS.values()} <= set(rules)
    used = {name for rule in rules.values() for name in re.findall(r"[a-z]{3,}", re.sub(r"\"[^\"]*\"|'[^']*'|\(\*.*?\*\)", "", rule))}
    assert used - set(rules) == {"name", "character", "visible", "digit", "unit"}


def test_the_page_names_the_words_there_are_to_choose_from() -> None:
    for name, kinds in (("outcome", Outcome), ("kind", Kind), ("era", Era), ("side", Side), ("dir", Direction)):
        assert {f"`{kind}`" for kind in kinds} <= set(re.findall(r"`\w+`", KEYS[name].says))


def test_the_page_names_the_bounds_and_units() -> None:
    assert f"{scanning.MAX_TEXT:,} characters, {parsing.MAX_TERMS} values and {parsing.MAX_DEPTH} parentheses" in PAGE
    units = re.search(r"^duration .*units: (.*?) \*\)", between("grammar"), re.MULTILINE)
    assert units is not None
    assert {unit.replace("μ", "µ") for unit in NANOSECONDS} == set(units[1].split(", "))


@pytest.mark.parametrize("name", KEYS)
def test_every_key_compares_columns_that_there_are(name: str) -> None:
    key = KEYS[name]
    assert key.calls is not None
    assert set(key.calls.columns) <= set(calls_columns())
    assert key.messages is None or set(key.messages.columns) <= set(messages_columns())


def test_every_failure_and_nothing_else_is_an_error() -> None:
    error = understand(next(scanning.scan("outcome:error"))[0], Surroundings(lambda: 0.0, None, None))  # type: ignore[arg-type]
    failed = {Outcome.TOOL_ERROR, Outcome.RPC_ERROR, Outcome.TIMEOUT, Outcome.REJECTED, Outcome.DROPPED}
    assert {outcome for outcome in Outcome if error.value.matches(outcome.value)} == failed


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("outcome:timout", 'expected one of pending, ok, .*, got "timout"; nearest is timeout'),
        ("tol:sum", 'no key "tol", nearest is tool; there are method, tool, prompt, '),
        ("zzz:1", 'no key "zzz"; there are method'),
        ("tool.x:1", "only args and result have members"),
        ("args:EMEA", "as in args.region:EMEA"),
        ("args.n:>x", "a text that begins with < or > stands in quotes"),
        ("dur:5ms", "write <=5ms or >5ms"),
        ("size:9..1", r"the smaller end first: 1\.\.9"),
        ("at:-5m", r"-5m\.\. is since then, \.\.-5m until then"),
        ("dur>5ms", "as in dur:>5ms, got dur>5ms"),
        ("dur > 5ms", "got >; what is searched for stands in quotes"),
        ("a tool==sum", r"as in tool:sum, got tool==sum.* \(character 3"),
        ("args.n>=5", "as in args.n:>=5"),
        ("a OR b", r"write \| instead"),
    ],
)
def test_a_mistake_is_told_with_what_to_write_instead(text: str, sentence: str) -> None:
    with pytest.raises(FilterError, match=sentence):
        filter_of(text)


def test_the_page_shows_filters_that_can_be_read() -> None:
    block = PAGE.partition("## Filters\n")[2].partition("```\n")[2].partition("```")[0]
    for line in block.splitlines():
        parse(re.split(r" {3,}", line)[0])
    for text in re.findall(r"`((?:\w+(?:\.\w+)*):[^`]+)`", PAGE.partition("### What is refused")[0]):
        filter_of(text)


def test_a_long_word_is_read_in_time_linear_in_it() -> None:
    long = Words("", (), (Written("a" * 400_000, False, 0),), 0)
    assert understand(long, Surroundings(lambda: 0.0, None, None)).key == "text", "in quadratic time this takes minutes"
