"""When the front end is built, what a package then holds, and that all versions are one."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mcp_workbench.version import __version__

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Sources, and nothing built."""
    for name, text in {"src/index.ts": "1", "package.json": "{}", "yarn.lock": "", "node_modules/x/x.js": "not ours"}.items():
        _write(tmp_path / "labextension" / name, text)
    return tmp_path


@pytest.fixture
def made(checkout: Path, hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often it was built; a build writes the files that are needed."""
    builds: list[str] = []

    def run(command: list[str], **_: Any) -> None:
        builds.append(" ".join(command[1:]))
        if command[1] == "build:prod":
            for name in hook.NEEDED:
                _write(checkout / name, "made")

    monkeypatch.setattr(hook.subprocess, "run", run)
    monkeypatch.setattr(hook.shutil, "which", lambda name: name)
    return builds


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _hook(hook: ModuleType, root: Path) -> Any:
    class App:
        def display_info(self, message: str) -> None:
            pass

    return hook.FrontEndHook(str(root), {}, None, None, "", "wheel", App())


BUILD = ["install --immutable", "build:prod"]


def test_it_is_built_once_and_asks_for_its_tools_only_then(checkout: Path, hook: ModuleType, made: list[str]) -> None:
    assert _hook(hook, checkout).dependencies() == hook.TOOLS
    _hook(hook, checkout).initialize("standard", {})
    assert made == BUILD
    assert _hook(hook, checkout).dependencies() == []
    _hook(hook, checkout).initialize("editable", {})
    assert made == BUILD


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda root: _write(root / "labextension/src/index.ts", "2"), id="a source changed"),
        pytest.param(lambda root: _write(root / "labextension/src/view/new.ts", "1"), id="a source is new"),
        pytest.param(lambda root: (root / "labextension/yarn.lock").unlink(), id="a source is gone"),
        pytest.param(lambda root: _write(root / "mcp_workbench/static/widget.js", "by hand"), id="a built file is another"),
        pytest.param(lambda root: (root / "mcp_workbench/static/page.js").unlink(), id="a built file is gone"),
    ],
)
def test_it_is_built_anew_after_any_change(checkout: Path, hook: ModuleType, made: list[str], change: Callable[[Path], object]) -> None:
    _hook(hook, checkout).initialize("standard", {})
    change(checkout)
    assert _hook(hook, checkout).dependencies() == hook.TOOLS
    _hook(hook, checkout).initialize("standard", {})
    assert made == BUILD * 2


def test_what_is_no_source_makes_nothing_old(checkout: Path, hook: ModuleType, made: list[str]) -> None:
    _hook(hook, checkout).initialize("standard", {})
    _write(checkout / "labextension/node_modules/x/x.js", "another")
    _write(checkout / "labextension/lib/index.js", "between")
    assert _hook(hook, checkout).dependencies() == []


def test_old_files_are_not_left_among_the_new(checkout: Path, hook: ModuleType, made: list[str]) -> None:
    _write(checkout / "mcp_workbench/labextension/static/old.js", "yesterday")
    _hook(hook, checkout).initialize("standard", {})
    assert not (checkout / "mcp_workbench/labextension/static/old.js").exists()


def test_a_build_that_makes_too_little_or_finds_no_tools_fails_and_says_so(
    checkout: Path, hook: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook.shutil, "which", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"jlpm is missing: .* jupyter-builder"):
        _hook(hook, checkout).initialize("standard", {})
    monkeypatch.setattr(hook.shutil, "which", lambda name: name)
    monkeypatch.setattr(hook.subprocess, "run", lambda command, **_: None)
    with pytest.raises(FileNotFoundError, match=r"without .*widget\.js"):
        _hook(hook, checkout).initialize("standard", {})
    assert not hook.is_fresh(checkout)


def test_a_wheel_holds_the_front_end_where_jupyter_looks_for_it(hook: ModuleType, tmp_path: Path) -> None:
    if not hook.is_fresh(ROOT):
        assert os.environ.get("MCP_WORKBENCH_NO_SKIP") != "1", "the front end is old although this is CI"
        pytest.skip("the front end is not built of the sources that are here: pip install -e .")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=ROOT, check=True, capture_output=True)
    wheel = zipfile.ZipFile(next(tmp_path.glob("*.whl")))
    names = set(wheel.namelist())
    data = f"mcp_workbench-{__version__}.data/data"
    assert {"mcp_workbench/static/widget.js", "mcp_workbench/static/page.js"} <= names
    extension = f"{data}/share/jupyter/labextensions/mcp-workbench"
    described = json.loads(wheel.read(f"{extension}/package.json"))
    assert {f"{extension}/{described['jupyterlab']['_build']['load']}", f"{extension}/install.json"} <= names
    assert f"{extension}/schemas/mcp-workbench/plugin.json" in names
    switched_on = json.loads(wheel.read(f"{data}/etc/jupyter/jupyter_server_config.d/mcp_workbench.json"))
    assert switched_on == {"ServerApp": {"jpserver_extensions": {"mcp_workbench.gateway": True}}}
    assert {f"mcp_workbench/cli/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")} <= names
    assert not any(name.startswith("mcp_workbench/labextension") or "node_modules" in name or "built-of" in name for name in names)


def test_all_versions_are_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "mcp_workbench/version.py"
    package = json.loads((ROOT / "labextension" / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == __version__
    # That of `messages.ts` is written by its generator, whose output a test compares.


def test_the_lock_file_names_no_host() -> None:
    assert "://" not in (ROOT / "labextension" / "yarn.lock").read_text(encoding="utf-8")
