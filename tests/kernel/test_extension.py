"""`%load_ext mcp_workbench` in a real kernel."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mcp_workbench.cli.kernels import TemporaryKernel
from mcp_workbench.face import load_ipython_extension, unload_ipython_extension
from mcp_workbench.kernel import extension
from mcp_workbench.workbench import Workbench

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryKernel]:
    with TemporaryKernel(tmp_path_factory.mktemp("kernel")) as kernel:
        yield kernel


def test_the_magic_is_there_after_loading_and_gone_after_unloading(kernel: TemporaryKernel) -> None:
    run = kernel.run("%load_ext mcp_workbench\nimport sys\n'pandas' in sys.modules")
    assert (run.error, run.stderr, run.result) == (None, "", "False")  # loading an extension must not slow every start of IPython
    assert kernel.run("%mcp").stdout.startswith("There are: %mcp start, ")
    assert kernel.run("%unload_ext mcp_workbench").error is None
    assert "%mcp` not found" in (gone := kernel.run("%mcp")).stderr + str(gone.error)
    assert "%mcp_call` not found" in (gone := kernel.run("%mcp_call add")).stderr + str(gone.error)
    assert "%%mcp_tool` not found" in (gone := kernel.run("%%mcp_tool\n1")).stderr + str(gone.error)
    assert kernel.run("%load_ext mcp_workbench").error is None


def test_what_the_display_names_is_there_without_loading_anything(tmp_path: Path) -> None:
    with TemporaryKernel(tmp_path) as fresh:
        assert "%mcp` not found" in (none := fresh.run("import mcp_workbench as wb\n%mcp")).stderr + str(none.error)
        assert fresh.run("wb.show()").error is None
        run = fresh.run("%mcp config claude-code")
        assert (run.error, run.stderr) == (None, "")
        assert "claude mcp add" in run.stdout
        assert fresh.run("%unload_ext mcp_workbench\n%load_ext mcp_workbench\n%load_ext mcp_workbench").error is None
        assert "serves at" in fresh.run("%mcp status").stdout


def test_a_session_of_work_by_magics_alone(kernel: TemporaryKernel) -> None:
    def said(code: str) -> str:
        run = kernel.run(code)
        assert (run.error, run.stderr) == (None, ""), run
        return run.stdout

    said("%reload_ext mcp_workbench")
    assert "is not running" in said("%mcp stop")
    assert "is not running" in said("%mcp status")
    assert said("%mcp tools").startswith("No tools yet")
    assert said("%mcp resources").startswith("No resources yet")
    assert said("%mcp sessions") == "No client is connected.\n"
    said(
        """
import pandas as pd
import mcp_workbench as wb

@wb.tool
def add(a: int, b: int) -> int:
    "Add two numbers.\\n\\nMore of it."
    return a + b

@wb.tool
def wordless() -> None: ...

@wb.resource("weather://{station}")
def weather(station: str) -> str:
    "The weather there."
    return "sun"

flights = pd.DataFrame({"a": [1, 2]})
wb.publish(flights=flights)
"""
    )
    assert "serves at ws://127.0.0.1:" in said("%mcp start")
    assert re.sub(r"cell \[\d+\]", "cell [n]", said("%mcp tools")) == (
        "add  (cell [n] line 4)  Add two numbers.\nwordless  (cell [n] line 9)\n"
        "A tool stays when its cell is deleted: wb.unpublish(name) withdraws it.\n"
    )
    assert said("%mcp resources") == "df://flights v1, 2 x 1\nweather://{station}  The weather there.\n"
    run = kernel.run(
        """
from mcp_workbench.protocol.wire import Implementation
async with wb.connect(era="legacy", client_info=Implementation(name="\\x1b[31mred <b>", version="1\\n2")) as session:
    await session.call_tool("add", a=1, b=2)
    get_ipython().run_line_magic("mcp", "sessions")
"""
    )
    assert run.error is None
    assert r"\x1b[31mred <b> 1\n2, 2025-11-25, as notebook: 1 call, 0 running, connected " in run.stdout
    token = kernel.run("print(wb.start().token)").stdout.strip()
    assert len(token) > 20
    assert not any(token in said(f"%mcp {word}") for word in ("start", "status", "tools", "resources", "sessions"))
    assert "The server is stopped" in said("%mcp stop")
    assert "is not running" in said("%mcp status")


def test_what_it_does_not_know_is_one_sentence_and_no_traceback(kernel: TemporaryKernel) -> None:
    kernel.run("%reload_ext mcp_workbench")
    run = kernel.run("%mcp nonsense")
    assert run.stderr.startswith("UsageError: %mcp has no 'nonsense'. There are: %mcp start, ")
    assert (run.stdout, run.error) == ("", None)


def test_the_package_offers_the_extension_without_importing_ipython_or_pandas() -> None:
    code = """
import sys, mcp_workbench
assert callable(mcp_workbench.load_ipython_extension) and callable(mcp_workbench.unload_ipython_extension)
assert not {"IPython", "pandas", "pydantic"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def a_shell() -> tuple[Any, dict[str, dict[str, Any]]]:
    magics: dict[str, dict[str, Any]] = {"line": {}, "cell": {}}

    def register(function: object, magic_kind: str, magic_name: str) -> None:
        magics[magic_kind][magic_name] = function

    shell = SimpleNamespace(
        register_magic_function=register,
        magics_manager=SimpleNamespace(magics=magics),
        Completer=SimpleNamespace(custom_matchers=[]),
    )
    return shell, magics


def test_what_comes_by_itself_takes_nobodys_name(monkeypatch: pytest.MonkeyPatch) -> None:
    shell, magics = a_shell()
    magics["line"]["mcp"] = theirs = object()
    monkeypatch.setattr(extension, "current_shell", lambda: shell)
    extension.add_magics_here(Workbench)
    assert magics["line"]["mcp"] is theirs
    assert {kind: set(named) for kind, named in magics.items()} == {"line": {"mcp", "mcp_call"}, "cell": {"mcp_tool"}}
    load_ipython_extension(shell)
    assert magics["line"]["mcp"] is not theirs, "asked for by name, it is wanted"
    monkeypatch.setattr(extension, "current_shell", lambda: None)
    extension.add_magics_here(Workbench)


def test_unloading_twice_is_fine() -> None:
    shell, magics = a_shell()
    load_ipython_extension(shell)
    assert {kind: set(named) for kind, named in magics.items()} == {"line": {"mcp", "mcp_call"}, "cell": {"mcp_tool"}}
    unload_ipython_extension(shell)
    unload_ipython_extension(shell)
    assert magics == {"line": {}, "cell": {}}
