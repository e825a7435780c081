"""A notebook that is run without a front end ends well, holds the last state, and holds no data unless it was asked to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import nbconvert
import pytest

import mcp_workbench
from mcp_workbench.views.words import LEFT_OUT

pytestmark = pytest.mark.kernel

SECRETS = {name: f"s3cr3t-{name}-4711" for name in ("argument", "result", "progress", "printed", "logged", "error", "client", "job", "uri")}
"""What crosses the wire; the cells put each together, so that their code does not hold it."""
KEPT = ("progress", "error", "client", "job", "uri")
"""What `keep_data=True` keeps of them; of results and arguments it shows none, nor what code has printed."""
TOKEN = "t0ken-" + "0123456789abcdef" * 4

CELLS = (
    """
    import asyncio, contextlib, threading
    import mcp_workbench as wb
    from mcp_workbench.protocol.wire import Implementation
    from mcp_workbench.views import widget as widgets
    from pathlib import Path

    widgets.STATIC = Path({folder!r})
    secret = lambda name: "-".join(("s3cr3t", name, "4711"))
    go_on = threading.Event()

    @wb.tool
    def look(text: str, ctx: wb.Context) -> str:
        print(secret("printed"))
        ctx.log(secret("logged"))
        return secret("result")

    @wb.tool
    def fail(text: str) -> None:
        raise ValueError(secret("error"))

    @wb.tool
    def wait(ctx: wb.Context) -> None:
        ctx.report_progress(1, 2, secret("progress"))
        go_on.wait(60)

    @wb.tool(background_after_s=0.01)
    def work(ctx: wb.Context) -> None:
        ctx.report_progress(1, 2, secret("job"))
        go_on.wait(60)

    @wb.resource("weather://{{station}}")
    def weather(station: str) -> str:
        return station
    """,
    "wb.show({options})",
    """
    client = Implementation(name=secret("client"), version="1")
    session = await wb.connect(wb.start().url, token=wb.start().token, client_info=client, tasks=False)
    await session.call_tool("look", text=secret("argument"))
    await session.call_tool("fail", text=secret("argument"))
    with contextlib.suppress(wb.PeerError):
        await session.call_tool(secret("argument"))  # no tool is called so
    await session.read_resource("weather://" + secret("uri"))
    await session.call_tool("work")
    waits = asyncio.create_task(session.call_tool("wait"))
    while str(wb.status()).count("running now: ") < 2:
        await asyncio.sleep(0.05)
    """,
    "last = wb.status()",
)


RUN = """
import sys
from pathlib import Path

import nbclient, nbconvert, nbformat

path = Path(sys.argv[1])
notebook = nbclient.execute(nbformat.read(path, as_version=4), kernel_name="python3", timeout=90)
nbformat.write(notebook, path)
path.with_suffix(".html").write_text(nbconvert.HTMLExporter().from_notebook_node(notebook)[0], encoding="utf-8")
"""
"""In a process of its own, as for whoever types `jupyter execute`."""


def run(folder: Path, options: str) -> tuple[str, str]:
    """Run the notebook; returns the file that is saved, and the page it is exported to."""
    (folder / "widget.js").write_text("export default {}", encoding="utf-8")
    (folder / "widget.css").write_text("", encoding="utf-8")
    codes = [code.format(folder=str(folder), options=options) if number < 2 else code for number, code in enumerate(CELLS)]
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": textwrap.dedent(code).strip(),
        }
        for n, code in enumerate(codes)
    ]
    path = folder / "notebook.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    home = Path(mcp_workbench.__file__).parent.parent
    templates = next(folder / "share" / "jupyter" for folder in Path(nbconvert.__file__).parents if (folder / "share" / "jupyter").is_dir())
    ours = {"MCP_WORKBENCH_TOKEN": TOKEN, "PYTHONPATH": str(home), "IPYTHONDIR": str(folder), "JUPYTER_PATH": str(templates)}
    environment = os.environ | ours
    ran = subprocess.run([sys.executable, "-c", RUN, str(path)], env=environment, cwd=folder, capture_output=True, text=True, timeout=110)
    assert ran.returncode == 0, ran.stderr
    return path.read_text(encoding="utf-8"), path.with_suffix(".html").read_text(encoding="utf-8")


def test_no_text_of_others_is_in_the_saved_notebook_or_its_export(tmp_path: Path) -> None:
    saved, page = run(tmp_path, "")
    for name, secret in SECRETS.items():
        assert secret not in saved, name
        assert secret not in page, name
    assert TOKEN not in saved + page
    for shown in ("agent 1", "not offered now", "weather://{station}", "look  ok", "runs, 50 %", LEFT_OUT):
        assert shown in saved, "the last state, newer than the first"


def test_with_keep_data_the_texts_of_the_display_are_in_it_and_never_the_token(tmp_path: Path) -> None:
    saved, page = run(tmp_path, "keep_data=True")
    for name, secret in SECRETS.items():
        assert (secret in saved) is (name in KEPT or name == "argument"), name  # an argument where a tool's name should stand
    assert TOKEN not in saved + page
    assert LEFT_OUT not in saved
