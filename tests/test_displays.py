"""Displays of a call go to the sink, those of cells to the shell's publisher, whichever it is just now.

The shell is a stand-in with IPython's names; tests/kernel/test_output.py has the real one.
"""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from mcp_workbench.displays import route_displays
from mcp_workbench.patches import Patches


class Publisher:
    """As IPython's base class."""

    def __init__(self) -> None:
        self.published: list[Any] = []

    def publish(self, data: Any, metadata: Any = None, **options: Any) -> None:
        self.published.append((data, options))

    def clear_output(self, wait: bool = False) -> None:
        self.published.append("cleared")


class KernelPublisher(Publisher):
    """As the kernel's, which has methods of its own."""

    def publish(self, data: Any, metadata: Any = None, **options: Any) -> None:
        super().publish(data, metadata, **options)


class CapturingDisplayPublisher(Publisher):
    """As the one of `%%capture`."""


class DisplayHook:
    """As IPython's."""

    def __init__(self) -> None:
        self.shown: list[object] = []

    def __call__(self, value: object = None) -> None:
        self.shown.append(value)


class ShellHook(DisplayHook):
    """As the kernel's for cells, which inherits the call."""


class ZMQDisplayHook(DisplayHook):
    """As the kernel's between cells."""


class CapturingDisplayHook(DisplayHook):
    """As the one of `%%capture`."""


class Shell:
    """A shell, the modules it is found in, and what was sent elsewhere."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.elsewhere: list[str] | None = None
        self.told: list[str] = []
        self.display_pub: Publisher = KernelPublisher()
        self.display_pub_class = KernelPublisher
        self.displayhook = ShellHook()
        shell = self

        class capture_output:  # noqa: N801  # IPython's name
            def __enter__(self) -> str:
                self.before, shell.display_pub = shell.display_pub, CapturingDisplayPublisher()
                return "captured"

            def __exit__(self, *_: object) -> None:
                shell.display_pub = self.before

        self.capture_output = capture_output
        for name, names in (
            ("IPython", {"get_ipython": lambda: self}),
            ("IPython.core.displaypub", {"CapturingDisplayPublisher": CapturingDisplayPublisher}),
            ("IPython.core.displayhook", {"CapturingDisplayHook": CapturingDisplayHook}),
            ("ipykernel.displayhook", {"ZMQDisplayHook": ZMQDisplayHook}),
            ("IPython.utils.capture", {"capture_output": capture_output}),
        ):
            module = ModuleType(name)
            vars(module).update(names)
            patch.setitem(sys.modules, name, module)

    def divert(self) -> list[str]:
        """From now on the code is a call's."""
        self.elsewhere = []
        return self.elsewhere

    def sink_here(self) -> Any:
        return None if self.elsewhere is None else self.elsewhere.append

    def on_capture(self) -> None:
        self.told.append("captured")

    def display(self, data: Any) -> None:
        self.display_pub.publish(data=data, metadata={}, transient={})


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(monkeypatch)


def test_a_display_goes_to_the_sink_as_text_and_past_it_unchanged_where_there_is_none(shell: Shell) -> None:
    patches, published = Patches(), shell.display_pub.published
    route_displays(patches, shell.sink_here, shell.on_capture)
    shell.display({"text/plain": "cell"})
    shell.display_pub.clear_output()
    taken = shell.divert()
    shell.display({"text/plain": "call"})
    shell.display({"image/png": b"", "text/html": "<b>"})
    shell.display(3)
    shell.display_pub.clear_output(True)
    assert taken == ["call", "<image/png, text/html>", "<int>"]
    assert published == [({"text/plain": "cell"}, {"transient": {}}), "cleared"]
    patches.restore()
    shell.display({"text/plain": "nobody asks"})
    assert (len(taken), len(published)) == (3, 3)
    assert [name for kind in (KernelPublisher, CapturingDisplayPublisher) for name in vars(kind) if not name.startswith("_")] == ["publish"]


def test_the_value_that_a_call_gives_to_the_display_hook_goes_to_the_sink_in_cells_and_between_them(shell: Shell) -> None:
    patches, hooks = Patches(), (shell.displayhook, CapturingDisplayHook(), ZMQDisplayHook())
    route_displays(patches, shell.sink_here, shell.on_capture)
    for hook in hooks:
        hook("cell")
    taken = shell.divert()
    for hook in hooks:
        hook("call")
        hook(None)
    assert taken == ["'call'"] * 3
    patches.restore()
    for hook in hooks:
        hook("nobody asks")
    assert [hook.shown for hook in hooks] == [["cell", "nobody asks"]] * 3
    assert "__call__" not in vars(ShellHook)


def test_a_cell_that_captures_is_told_of_and_a_call_that_does_is_not(shell: Shell) -> None:
    patches = Patches()
    route_displays(patches, shell.sink_here, shell.on_capture)
    with shell.capture_output() as captured:
        capturing = shell.display_pub
        shell.display({"text/plain": "cell"})
        taken = shell.divert()
        shell.display({"text/plain": "call"})
        with shell.capture_output():
            pass
    assert (captured, shell.told, taken) == ("captured", ["captured"], ["call"])
    assert capturing.published == [({"text/plain": "cell"}, {"transient": {}})]
    patches.restore()


def test_a_server_that_starts_in_a_cell_that_captures_lends_the_shells_own_publisher_too(shell: Shell) -> None:
    patches = Patches()
    with shell.capture_output():
        route_displays(patches, shell.sink_here, shell.on_capture)
    taken = shell.divert()
    shell.display({"text/plain": "call"})
    assert (taken, shell.display_pub.published) == (["call"], [])
    patches.restore()


@pytest.mark.parametrize("missing", ["IPython", "IPython.core.displaypub", "a shell"])
def test_where_nobody_displays_nothing_is_lent(shell: Shell, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if missing == "a shell":
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    else:
        monkeypatch.delitem(sys.modules, missing)
    patches = Patches()
    route_displays(patches, shell.sink_here, shell.on_capture)
    shell.elsewhere = []
    shell.display({"text/plain": "as ever"})
    assert (shell.elsewhere, len(shell.display_pub.published)) == ([], 1)
