"""pyplot in a call: figures of its own, on no backend of the notebook's, with style settings of its own.

pyplot is one set of global variables: a thread that draws would move the cell's current figure, and its figures would
be shown in whichever cell ends next. While a server runs, those variables answer by call (`current_call`):

* the registry of figures (`Gcf.figs`): a call sees only its own, from number 1 on;
* the backend: a call draws in memory, whatever the notebook uses, so no window and no kernel loop is touched; `plt.show()`
  puts its figures aside for the result;
* `rcParams`: what a call sets (`plt.style.use`, `plt.ion`, `matplotlib.use`) it alone sees, and only for its duration.

Cells go past all this to what was there before. One thing is the same for both: the parser of formulas (`$10^3$`, on
every logarithmic axis) is one object for all threads, so one at a time may use it.

matplotlib is not imported here: what it needs is done when somebody imports it, which may be the first call of a tool.
Where it is not built as expected, pyplot is refused in calls beside the main thread.
What is shared all the same: fonts, colour maps and unit converters that are registered, and matplotlib's own caches.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, ItemsView, Iterator, KeysView, MutableMapping, ValuesView
from types import ModuleType
from typing import Any

from mcp_workbench.errors import ToolError
from mcp_workbench.execution.calls import current_call
from mcp_workbench.execution.on_import import do_on_import
from mcp_workbench.patches import Patches

INSTEAD = 'Draw on a matplotlib.figure.Figure() and return it, or register the tool with run_on="main".'
GATES = ("figure", "gcf", "gca", "close", "show", "pause", "draw_all", "get_fignums", "get_figlabels", "switch_backend", "ion", "ioff")
"""Functions of pyplot of which every other one that reads or changes its state calls one."""
BACKEND = ("switch_backend", "install_repl_displayhook", "uninstall_repl_displayhook")
"""Functions of pyplot that have nothing to do in a call."""
_making = threading.RLock()
"""Reentrant: an object that is collected meanwhile may draw or set parameters too."""


class Drawings:
    """What one call has drawn with pyplot."""

    __slots__ = ("figures", "parameters", "shown")

    def __init__(self) -> None:
        self.figures: OrderedDict[Any, Any] = OrderedDict()
        """Number -> manager, the current figure last: as pyplot's own registry."""
        self.shown: list[Any] = []
        """Figures that `plt.show()` was called for."""
        self.parameters: dict[str, Any] = dict(_OFF_SCREEN)
        """The `rcParams` that the call sees otherwise than the cells."""

    def show(self) -> None:
        """Put the figures aside; the next one drawn on is a new one, as in a notebook."""
        self.shown.extend(manager.canvas.figure for manager in self.figures.values())
        self.figures.clear()

    def all(self) -> list[Any]:
        """Every figure that was not closed by the call itself, in order."""
        return [*self.shown, *(manager.canvas.figure for manager in self.figures.values())]


_OFF_SCREEN: dict[str, Any] = {"backend": "agg", "interactive": False}


def drawings_here() -> Drawings | None:
    """The drawings of the call this code belongs to, made when first asked for; None outside of calls."""
    call = current_call.get()
    if call is None:
        return None
    drawings = call.drawings
    if drawings is None:
        with _making:
            drawings = call.drawings
            if drawings is None:
                drawings = call.drawings = Drawings()
    return drawings


def route_pyplot(patches: Patches) -> None:
    """Begin: now, or as soon as somebody imports matplotlib.

    Args:
        patches: Take everything back.
    """
    steps = {"matplotlib": _route_parameters, "matplotlib._mathtext": _take_turns, "matplotlib.pyplot": _route_figures}
    do_on_import(steps, patches)


# --- figures -----------------------------------------------------------------------------------------------


def _route_figures(pyplot: ModuleType, patches: Patches) -> None:
    registry = getattr(getattr(pyplot, "_pylab_helpers", None), "Gcf", None)
    figures = getattr(registry, "figs", None)
    if type(figures) is not OrderedDict or not all(callable(getattr(pyplot, name, None)) for name in ("_get_backend_mod", *BACKEND)):
        _refuse_figures(pyplot, patches)
        return
    patches.replace(registry, "figs", _FiguresByCall(figures))
    patches.replace(pyplot, "_get_backend_mod", _in_calls(pyplot._get_backend_mod, _off_screen_backend))  # noqa: SLF001  # pyplot's only door
    for name in BACKEND:
        patches.replace(pyplot, name, _in_calls(getattr(pyplot, name), _nothing))


def _in_calls(function: Callable[..., Any], instead: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def by_call(*args: Any, **kwargs: Any) -> Any:
        return (function if current_call.get() is None else instead)(*args, **kwargs)

    return by_call


def _nothing(*_args: Any, **_kwargs: Any) -> None:
    """In a call there is no backend to switch and no prompt to draw at."""


def _refuse_figures(pyplot: ModuleType, patches: Patches) -> None:
    for name in GATES:
        if (function := getattr(pyplot, name, None)) is not None:
            patches.replace(pyplot, name, _or_sentence(function))


def _or_sentence(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def function_or_sentence(*args: Any, **kwargs: Any) -> Any:
        if current_call.get() is not None and threading.current_thread() is not threading.main_thread():
            raise ToolError(f"This version of matplotlib cannot keep pyplot's figures of a tool apart from those of the cells. {INSTEAD}")
        return function(*args, **kwargs)

    return function_or_sentence


class _FiguresByCall(MutableMapping[Any, Any]):
    """pyplot's registry: the cells', or the call's. Has whatever else an `OrderedDict` has, too."""

    def __init__(self, of_cells: OrderedDict[Any, Any]) -> None:
        self._of_cells = of_cells

    @property
    def _here(self) -> OrderedDict[Any, Any]:
        drawings = drawings_here()
        return self._of_cells if drawings is None else drawings.figures

    def __setitem__(self, number: Any, manager: Any) -> None:
        if current_call.get() is not None:
            _refuse_window(manager)
        self._here[number] = manager

    def __getitem__(self, number: Any) -> Any:
        return self._here[number]

    def __delitem__(self, number: Any) -> None:
        del self._here[number]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._here)

    def __reversed__(self) -> Iterator[Any]:
        return iter(reversed(self._here))

    def __len__(self) -> int:
        return len(self._here)

    def __eq__(self, other: object) -> bool:
        return self._here == other

    __hash__ = None  # type: ignore[assignment]  # as every dict

    def __repr__(self) -> str:
        return repr(self._here)

    def keys(self) -> KeysView[Any]:
        return self._here.keys()

    def values(self) -> ValuesView[Any]:
        return self._here.values()

    def items(self) -> ItemsView[Any, Any]:
        return self._here.items()

    def copy(self) -> OrderedDict[Any, Any]:
        return self._here.copy()

    def move_to_end(self, number: Any, last: bool = True) -> None:
        self._here.move_to_end(number, last)


def _refuse_window(manager: Any) -> None:
    """A cell's figure that has a window belongs to the main thread.

    Raises:
        ToolError: It is used elsewhere.
    """
    framework = getattr(type(manager.canvas), "required_interactive_framework", None)
    if framework is not None and threading.current_thread() is not threading.main_thread():
        raise ToolError(f"The figure belongs to a window ({framework}) of the notebook, which only the main thread may touch. {INSTEAD}")


@functools.cache
def _off_screen_backend() -> Any:
    """What pyplot takes for its backend in a call."""
    from matplotlib.backend_bases import FigureManagerBase
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    class Manager(FigureManagerBase):
        def show(self) -> None:
            """The figure is in the result."""

    class OffScreen:
        FigureCanvas = FigureCanvasAgg

        @staticmethod
        def new_figure_manager(num: Any, *args: Any, FigureClass: Any = Figure, **kwargs: Any) -> Any:  # noqa: N803  # pyplot's word
            return Manager(FigureCanvasAgg(FigureClass(*args, **kwargs)), num)

        @staticmethod
        def new_figure_manager_given_figure(num: Any, figure: Any) -> Any:
            return Manager(FigureCanvasAgg(figure), num)

        draw_if_interactive = staticmethod(_nothing)

        @staticmethod
        def show(*_args: Any, **_kwargs: Any) -> None:
            if (drawings := drawings_here()) is not None:
                drawings.show()

    return OffScreen


def _take_turns(mathtext: ModuleType, patches: Patches) -> None:
    """Its parser keeps its state in itself, and is one for all: two figures drawn at a time broke each other's labels."""
    parser = getattr(mathtext, "Parser", None)
    if parser is None:
        return
    turn, parse = threading.RLock(), parser.parse

    def parse_in_turn(self: Any, *args: Any, **kwargs: Any) -> Any:
        with turn:
            return parse(self, *args, **kwargs)

    patches.replace(parser, "parse", parse_in_turn)


# --- style settings ----------------------------------------------------------------------------------------


def _route_parameters(matplotlib: ModuleType, patches: Patches) -> None:
    shared: Any = getattr(matplotlib, "rcParams", None)
    plain: Any = type(shared)
    if not (isinstance(shared, dict) and hasattr(plain, "_get") and hasattr(plain, "_set")):
        return  # before matplotlib 3.8: settings of a call are everybody's

    class RcParams(plain):  # type: ignore[misc]
        """matplotlib's, and the settings of the call at hand."""

        def _get(self, key: str) -> Any:
            if self is shared and (call := current_call.get()) is not None:
                own = _OFF_SCREEN if call.drawings is None else call.drawings.parameters
                if key in own:
                    return own[key]
            return dict.__getitem__(self, key)

        def _set(self, key: str, value: Any) -> None:
            own = _own_parameters(self, shared)
            dict.__setitem__(self if own is None else own, key, value)

        def _update_raw(self, others: Any) -> None:
            own = _own_parameters(self, shared)
            dict.update(self if own is None else own, dict.items(others))

        def copy(self) -> Any:
            copied = plain()
            for key in self:
                copied._set(key, self._get(key))  # noqa: SLF001  # of its own class
            return copied

        def __reduce_ex__(self, protocol: Any) -> Any:
            return plain, (), None, None, iter([(key, self._get(key)) for key in self])

    def back() -> None:
        if type(shared) is RcParams:
            shared.__class__ = plain

    RcParams.__name__ = RcParams.__qualname__ = plain.__name__  # its repr begins with it
    RcParams.__module__ = plain.__module__
    shared.__class__ = RcParams
    patches.on_restore(back)


def _own_parameters(parameters: object, shared: object) -> dict[str, Any] | None:
    drawings = drawings_here() if parameters is shared else None
    return None if drawings is None else drawings.parameters
