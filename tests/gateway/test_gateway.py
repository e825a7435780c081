from __future__ import annotations

import subprocess
import sys

import mcp_workbench.gateway as gateway

DEAR = {"jupyter_server", "tornado", "traitlets", "pandas", "pydantic", "websockets"}
LOADED = "import sys, mcp_workbench.gateway; print(*{name.partition('.')[0] for name in sys.modules})"


def test_jupyter_finds_the_extension_where_it_is() -> None:
    assert gateway._jupyter_server_extension_points() == [{"module": gateway.__name__}]


def test_importing_the_extension_loads_nothing_of_jupyter() -> None:
    loaded = subprocess.run([sys.executable, "-c", LOADED], check=True, capture_output=True, text=True).stdout.split()
    assert "mcp_workbench" in loaded
    assert DEAR.isdisjoint(loaded)
