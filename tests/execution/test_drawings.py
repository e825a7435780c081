"""pyplot in a call: figures and settings of its own, on whichever thread; those of cells as they were."""

from __future__ import annotations

import ast
import copy
import inspect
import pickle
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, TypeVar

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib._pylab_helpers import Gcf
from matplotlib.backends.backend_agg import FigureCanvasAgg

from mcp_workbench.errors import ToolError
from mcp_workbench.execution import drawings
from mcp_workbench.execution.calls import Call
from mcp_workbench.execution.drawings import GATES, drawings_here, route_pyplot
from mcp_workbench.patches import Patches
from tests.support.calls import a_call, inside

T = TypeVar("T")
Run = Callable[..., Any]


@contextmanager
def routed() -> Iterator[None]:
    patches = Patches()
    route_pyplot(patches)
    try:
        yield
    finally:
        patches.restore()


@pytest.fixture(autouse=True)
def a_notebook_that_draws() -> Iterator[None]:
    """pyplot as the cells use it, and as it was afterwards."""
    plt.switch_backend("agg")
    with mpl.rc_context():
        yield
        plt.close("all")
    assert type(Gcf.figs) is OrderedDict
    assert type(mpl.rcParams) is mpl.RcParams


def on_thread(call: Call, function: Callable[..., T], *args: object) -> T:
    """As code of the call, on a thread beside this one."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(inside(call, function, *args))
        except BaseException as error:  # raised where it is waited for
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    if errors:
        raise errors[0]
    return results[0]


@pytest.fixture(params=[inside, on_thread], ids=["main thread", "tool thread"])
def run(request: pytest.FixtureRequest) -> Run:
    runs: Run = request.param
    return runs


def drawn(call: Call) -> list[Any]:
    return [] if call.drawings is None else call.drawings.all()


# --- figures -------------------------------------------------------------------------------------------------


def test_a_call_has_figures_of_its_own_from_number_one_and_the_cells_current_one_stays(run: Run) -> None:
    def draw() -> tuple[Any, ...]:
        assert plt.get_fignums() == []
        first = plt.figure()
        plt.plot([1, 2])
        second, _ = plt.subplots(1, 2)
        assert plt.gcf() is second
        plt.figure(1)
        assert (plt.gcf(), len(first.axes), plt.get_fignums(), plt.fignum_exists(3)) == (first, 1, [1, 2], False)
        return first, second

    of_cells = [plt.figure(), plt.figure(), plt.figure()]
    plt.figure(2)
    call, other = a_call(), a_call()
    with routed():
        first, second = run(call, draw)
        run(other, draw)
        assert (plt.gcf(), plt.get_fignums(), [len(figure.axes) for figure in of_cells]) == (of_cells[1], [1, 2, 3], [0, 0, 0])
        assert drawn(call) == [second, first]
        assert not set(map(id, drawn(call))) & set(map(id, drawn(other)))
        run(call, plt.close, "all")
        assert (drawn(call), plt.get_fignums()) == ([], [1, 2, 3])
        plt.close("all")
        assert len(drawn(other)) == 2
    assert plt.get_fignums() == []


def test_figures_that_are_shown_are_put_aside_and_closed_ones_are_gone(run: Run) -> None:
    def draw() -> list[Any]:
        figures = [plt.figure(), plt.figure()]
        figures[0].show()
        plt.show(block=True)
        assert plt.get_fignums() == []
        figures += [plt.figure(), plt.figure()]
        plt.close(figures[3])
        with plt.ioff():
            plt.pause(0.001)
        return figures

    call = a_call()
    with routed():
        figures = run(call, draw)
    assert drawn(call) == figures[:3]


def test_a_call_draws_in_memory_whatever_the_backend_of_the_notebook_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Untouchable:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"the notebook's backend was asked for {name}")

    def draw() -> tuple[Any, ...]:
        mpl.use("pdf")
        plt.switch_backend("svg")
        plt.ion()
        plt.plot([1, 2])
        plt.draw()
        plt.show()
        return plt.isinteractive(), type(drawings_here().all()[0].canvas)  # type: ignore[union-attr]  # in a call

    monkeypatch.setattr(plt, "_backend_mod", Untouchable())
    before = plt.get_backend(), plt.isinteractive(), plt._REPL_DISPLAYHOOK
    call = a_call()
    with routed():
        assert run(call, draw) == (True, FigureCanvasAgg)
        assert run(a_call(), lambda: (plt.get_backend(), plt.isinteractive())) == ("agg", False)
        assert (plt.get_backend(), plt.isinteractive(), plt._REPL_DISPLAYHOOK) == before


def test_the_registry_is_pyplots_own_to_cells(run: Run) -> None:
    figures = [plt.figure(), plt.figure()]
    with routed():
        registry: Any = Gcf.figs
        plain = OrderedDict(registry)
        assert registry == plain
        assert (repr(registry), list(reversed(registry)), list(registry.items())) == (
            repr(plain),
            list(reversed(plain)),
            list(plain.items()),
        )
        assert (registry.copy(), list(registry.keys())) == (plain, [1, 2])
        with pytest.raises(TypeError):
            hash(registry)
        assert run(a_call(), lambda: (len(registry), list(registry), bool(registry), repr(registry))) == (0, [], False, "OrderedDict()")
        later = plt.figure()
    assert [manager.canvas.figure for manager in Gcf.figs.values()] == [*figures, later]


def test_a_figure_of_a_cell_that_a_call_makes_current_is_current_there_alone(run: Run) -> None:
    first, second = plt.figure(), plt.figure()
    call = a_call()
    with routed():
        run(call, plt.figure, first)
        assert drawn(call) == [first]
        assert plt.gcf() is second


def test_a_figure_with_a_window_is_the_main_threads() -> None:
    class Window(FigureCanvasAgg):
        required_interactive_framework = "tk"

    figure = plt.figure()
    figure.canvas.__class__ = Window
    with routed():
        with pytest.raises(ToolError, match=r'window \(tk\).*matplotlib\.figure\.Figure\(\).*run_on="main"'):
            on_thread(a_call(), plt.figure, figure)
        inside(a_call(), plt.figure, figure)
        plt.figure(figure)


@pytest.mark.parametrize("broken", ["registry", "backend", "hooks"])
def test_where_pyplot_is_built_otherwise_calls_beside_the_main_thread_are_refused(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if broken == "registry":
        monkeypatch.setattr(Gcf, "figs", type("Registry", (OrderedDict,), {})())
    else:
        monkeypatch.delattr(plt, "_get_backend_mod" if broken == "backend" else "install_repl_displayhook")
        monkeypatch.setattr(plt, "figure", lambda *_: "a figure")
        monkeypatch.setattr(plt, "gcf", lambda: "current")
        monkeypatch.setattr(plt, "close", lambda *_: None)
    before = {name: getattr(plt, name) for name in GATES}
    with routed():
        for draw in (plt.figure, plt.gcf, plt.gca, lambda: plt.plot([1]), plt.show, lambda: plt.close("all"), plt.subplots, plt.ion):
            with pytest.raises(ToolError, match=r'matplotlib\.figure\.Figure\(\).*run_on="main"'):
                on_thread(a_call(), draw)
        inside(a_call(), plt.figure)
        plt.figure()
        on_thread(a_call(), mpl.figure.Figure)
    assert {name: getattr(plt, name) for name in GATES} == before


def test_every_function_of_pyplot_that_reaches_the_registry_passes_a_gate() -> None:
    functions = {node.name: node for node in ast.parse(inspect.getsource(plt)).body if isinstance(node, ast.FunctionDef)}
    reaching = {name for name, node in functions.items() if "Gcf" in ast.unparse(node)}
    through = {name for name in reaching if any(isinstance(node, ast.Name) and node.id in GATES for node in ast.walk(functions[name]))}
    assert reaching - through - set(GATES) <= {"_auto_draw_if_interactive"}


def settings() -> dict[str, Any]:
    """All of them, as the code that asks sees them."""
    shared: Any = mpl.rcParams
    return dict(shared)


# --- settings ------------------------------------------------------------------------------------------------


def test_settings_of_a_call_are_its_own_for_its_duration(run: Run) -> None:
    def restyle() -> dict[str, Any]:
        assert mpl.rcParams["lines.linewidth"] == 7
        plt.style.use("dark_background")
        mpl.rcParams["lines.linewidth"] = 9
        mpl.rc("font", size=33)
        with mpl.rc_context({"lines.linewidth": 1}):
            assert mpl.rcParams["lines.linewidth"] == 1
        return settings()

    mpl.rcParams["lines.linewidth"] = 7
    before = settings()
    call = a_call()
    with routed():
        seen = run(call, restyle)
        assert (seen["lines.linewidth"], seen["axes.facecolor"], seen["font.size"]) == (9, "black", 33)
        assert run(call, lambda: mpl.rcParams["lines.linewidth"]) == 9  # still, when its figures are drawn for the result
        assert run(a_call(), lambda: mpl.rcParams["lines.linewidth"]) == 7
        assert settings() == before
        mpl.rcParams["lines.linewidth"] = 2
        assert run(a_call(), lambda: mpl.rcParams["lines.linewidth"]) == 2
    assert mpl.rcParams["lines.linewidth"] == 2


def test_a_call_can_reset_the_settings_for_itself_and_nobody_can_delete_one(run: Run) -> None:
    def reset() -> Any:
        mpl.rcdefaults()
        with pytest.raises(KeyError):  # as ever: matplotlib does not allow it
            del mpl.rcParams["lines.linewidth"]
        return mpl.rcParams["lines.linewidth"]

    mpl.rcParams["lines.linewidth"] = 7
    with routed():
        assert run(a_call(), reset) == mpl.rcParamsDefault["lines.linewidth"]
        assert mpl.rcParams["lines.linewidth"] == 7


def test_copies_of_the_settings_are_matplotlibs_and_hold_what_is_seen(run: Run) -> None:
    def copies() -> list[Any]:
        mpl.rcParams["lines.linewidth"] = 9
        return [mpl.rcParams.copy(), copy.copy(mpl.rcParams), copy.deepcopy(mpl.rcParams), pickle.loads(pickle.dumps(mpl.rcParams))]

    with routed():
        made = [*run(a_call(), copies), mpl.rcParams.copy()]
        assert repr(mpl.rcParams).startswith("RcParams({")
        assert isinstance(mpl.rcParams, mpl.RcParams)
    assert [(type(one), one["lines.linewidth"]) for one in made] == [(mpl.RcParams, width) for width in (9, 9, 9, 9, 1.5)]


def test_settings_kept_otherwise_than_expected_are_left_alone() -> None:
    before_38 = ModuleType("matplotlib")
    before_38.rcParams = {"lines.linewidth": 1}  # type: ignore[attr-defined]  # as a version without `_get` and `_set`
    drawings._route_parameters(before_38, Patches())
    assert type(before_38.rcParams) is dict


# --- formulas and imports ------------------------------------------------------------------------------------


def test_formulas_are_parsed_one_at_a_time() -> None:
    inside_parse, go_on, order = threading.Event(), threading.Event(), []

    class Parser:
        def parse(self, formula: str) -> str:
            order.append(f"begin {formula}")
            if formula == "first":
                inside_parse.set()
                go_on.wait(10)
            order.append(f"end {formula}")
            return formula

    mathtext, patches, parse = ModuleType("matplotlib._mathtext"), Patches(), Parser.parse
    mathtext.Parser = Parser  # type: ignore[attr-defined]
    drawings._take_turns(mathtext, patches)
    drawings._take_turns(ModuleType("another"), patches)
    first, second = [threading.Thread(target=Parser().parse, args=(name,)) for name in ("first", "second")]
    first.start()
    assert inside_parse.wait(10)
    second.start()
    go_on.set()
    first.join(10)
    second.join(10)
    patches.restore()
    assert order == ["begin first", "end first", "begin second", "end second"]
    assert Parser.parse is parse


IMPORTING = """
import sys, threading
from mcp_workbench.execution.drawings import route_pyplot
from mcp_workbench.patches import Patches
from tests.support.calls import a_call, inside

assert "matplotlib" not in sys.modules
patches, finders = Patches(), list(sys.meta_path)
route_pyplot(patches)
route_pyplot(left := Patches())
left.restore()
call, together = a_call(), threading.Barrier(3)

def draw():
    together.wait(20)
    import matplotlib.pyplot as plt
    plt.plot([1, 2])
    return plt.get_backend(), plt.get_fignums()

results = []
threads = [threading.Thread(target=lambda: results.append(inside(a_call(), draw))) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join(60)
assert results == [("agg", [1])] * 3, results

import matplotlib, matplotlib.pyplot as plt
from matplotlib._pylab_helpers import Gcf
assert plt.get_fignums() == []
assert type(Gcf.figs).__name__ == "_FiguresByCall" and matplotlib._mathtext.Parser.parse.__name__ == "parse_in_turn"
patches.restore()
assert type(Gcf.figs).__name__ == "OrderedDict" and type(matplotlib.rcParams) is matplotlib.RcParams
assert sys.meta_path == finders
assert matplotlib.__spec__.loader.get_source("matplotlib")
print("well")
"""


def test_who_imports_matplotlib_first_be_it_three_calls_at_once_has_figures_of_its_own() -> None:
    ran = subprocess.run([sys.executable, "-W", "error", "-c", IMPORTING], capture_output=True, text=True, check=False, timeout=120)
    assert (ran.stdout, ran.stderr) == ("well\n", "")
