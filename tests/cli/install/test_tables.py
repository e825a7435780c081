"""One entry into TOML, and out again; every other byte stays."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.cli.install import Refused
from mcp_workbench.cli.install.tables import drop_entry, put_entry, read_entry

ENTRY = {"command": "C:\\py\\python.exe", "args": ["-m", "mcp_workbench", "bridge"]}
SECTION = "mcp_servers"
TABLE = """\
[mcp_servers.notebook]
command = "C:\\\\py\\\\python.exe"
args = ["-m", "mcp_workbench", "bridge"]
"""
OTHERS = """\
# mine
model = "x" # and why

[mcp_servers.github] # first
command = "npx"
args = [
  "a",
  ["b"],
]

[mcp_servers.github.env]
KEY = "v"

# the next one
[tui]
theme = '''
[dark]
'''
"""


def put(text: str) -> str:
    return put_entry(text, SECTION, "notebook", ENTRY)


def drop(text: str) -> str:
    return drop_entry(text, SECTION, "notebook")


def test_it_stands_at_the_end_behind_an_empty_line() -> None:
    assert put(OTHERS) == f"{OTHERS}\n{TABLE}"
    assert put("") == TABLE
    assert put("a = 1") == f"a = 1\n\n{TABLE}"
    assert put("a = 1\r\n") == f"a = 1\r\n\r\n{TABLE}".replace("\r\n", "\n").replace("\n", "\r\n")


def test_what_people_wrote_around_it_stays() -> None:
    below = '\n[mcp_servers.notebook.tools.df_read]\napproval_mode = "approve"\n'
    assert drop(f"{OTHERS}\n{TABLE}{below}\n# the end\n") == f"{OTHERS}\n# the end\n"
    assert drop(f"{TABLE}\n# of the next\n[tui]\na = 1\n") == "\n# of the next\n[tui]\na = 1\n"
    assert drop("[ mcp_servers . 'notebook' ] # mine\ncommand = 'x'\n\n[tui]\na = 1\n") == "\n[tui]\na = 1\n"


def test_an_entry_of_that_name_is_replaced_with_all_below_it() -> None:
    old = '[mcp_servers."notebook"]\nurl = "x"\n\n[mcp_servers.notebook.env]\nA = "b"\n'
    assert put(f"{OTHERS}\n{old}") == f"{OTHERS}\n{TABLE}"


LIKE_OURS = "[mcp_servers.notebook]\ncommand = 'not this'\n\n[mcp_servers.notebook.env]\n"


@pytest.mark.parametrize("quotes", ["'''", '"""'])
def test_a_text_that_looks_like_our_header_is_none(quotes: str) -> None:
    theirs = f"[tui]\nhelp = {quotes}\n{LIKE_OURS}{quotes}\n"
    ours = f"[mcp_servers.notebook]\nurl = {quotes}\n{LIKE_OURS}[tui]\n{quotes}\nargs = [\n  ['a'],\n]\n"
    assert put(theirs) == f"{theirs}\n{TABLE}"
    assert drop(theirs) == theirs
    assert put(f"{theirs}\n{ours}") == f"{theirs}\n{TABLE}"
    assert drop(f"{ours}\n{theirs}") == f"\n{theirs}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('key = "secret" oops', "(at line 1, column 16)"),
        ("mcp_servers = 3", "'mcp_servers' in it is no table"),
        ("mcp_servers = { github = { command = 'x' } }", "could not be edited safely"),
        ("[mcp_servers]\nnotebook = { command = 'x' }", "could not be edited safely"),
    ],
)
def test_what_is_not_understood_is_refused_and_never_shown(text: str, sentence: str) -> None:
    with pytest.raises(Refused) as refusal:
        put(text)
    assert sentence in str(refusal.value)
    assert "secret" not in str(refusal.value)


PIECES = st.sampled_from(
    [
        *(
            "# a comment\n",
            "\n",
            "   \n",
            "[tui]\nx = 1\n",
            "[mcp_servers.a]\ncommand = 'x'\n\n",
            '[mcp_servers."b c"]\nargs = [\n [1],\n ]\n',
        ),
        *('[help]\na = """\n[mcp_servers.notebook]\nb = 1\n"""\n',),
        *("[[rules]]\nmcp_servers = 1\n", "[mcp_servers.a.env]\nK = '''\n[mcp_servers.x]\n'''\n", "[other.notebook]\ny = '\u2028'\n"),
    ]
)


@given(pieces=st.lists(PIECES, max_size=6, unique=True), ended=st.booleans(), windows=st.booleans())
def test_whatever_else_is_in_it_only_the_table_is_put_in_and_taken_out(pieces: list[str], ended: bool, windows: bool) -> None:
    text = "".join(pieces)
    text = (text if ended else text.rstrip("\n")).replace("\n", "\r\n" if windows else "\n")
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    after = put(text)
    assert after.startswith(text)
    assert read_entry(after, SECTION, "notebook") == ENTRY
    assert put(after) == after
    gone = drop(after)
    assert gone == text or (not text.endswith("\n") and gone == text + ("\r\n" if "\r\n" in text else "\n"))
