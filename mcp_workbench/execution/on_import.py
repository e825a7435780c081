"""Something is done with other people's modules as soon as somebody imports them, and nothing is imported for it.

The import itself is everybody's usual one: a finder at the front of `sys.meta_path` asks the others for the module and
adds a step after its loader has run, under the lock that importers of the module wait for. So nobody, on whichever
thread, gets to use the module before. Knows nothing of what is done.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from mcp_workbench.patches import Patches

Step = Callable[[ModuleType, Patches], None]
"""What is done with a module once it is imported."""


def do_on_import(steps: Mapping[str, Step], patches: Patches) -> None:
    """Begin: now with what is imported already, later with the rest.

    Args:
        steps: Module -> what is done with it, once.
        patches: Given to the steps; also ends the waiting for imports.
    """
    finder = _OnImport(dict(steps), patches)
    sys.meta_path.insert(0, finder)
    patches.on_restore(finder.leave)
    finder.see_what_is_there()


class _OnImport(MetaPathFinder):
    """Does something right after a module was imported, once, and nothing else. Any thread.

    Args:
        steps: Module -> what is done with it.
        patches: Take it back; they are used under a lock of this object, as imports may end on several threads.
    """

    def __init__(self, steps: dict[str, Step], patches: Patches) -> None:
        self._steps = steps
        self._patches = patches
        self._lock = threading.RLock()
        self._looking = threading.local()
        self._left = False

    def see_what_is_there(self) -> None:
        """Do it with the modules that were imported before."""
        for name in tuple(self._steps):
            if sys.modules.get(name) is not None:
                self._imported(importlib.import_module(name))  # waits for another thread that is still importing it

    def leave(self) -> None:
        """Do nothing any more; a step that is being done is waited for."""
        with self._lock:
            self._left = True
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def _imported(self, module: ModuleType) -> None:
        with self._lock:
            step = None if self._left else self._steps.pop(module.__name__, None)
            if step is not None:
                step(module, self._patches)

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec the others find, with a loader that calls us when it is done."""
        if fullname not in self._steps or self._left or getattr(self._looking, "now", False):
            return None
        self._looking.now = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._looking.now = False
        if spec is not None and spec.loader is not None:
            self._call_after(spec.loader, fullname)
        return spec

    def _call_after(self, loader: Loader, name: str) -> None:
        execute = loader.exec_module

        def execute_then_route(module: ModuleType) -> None:
            execute(module)
            if module.__name__ == name:
                self._imported(module)

        loader.exec_module = execute_then_route  # type: ignore[method-assign]  # of this one loader; most are made for one import
