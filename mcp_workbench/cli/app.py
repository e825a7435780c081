"""The commands and their options. What a command does is imported when it is called."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mcp_workbench.version import __version__

app = typer.Typer(
    name="mcp-workbench",
    help="Your running notebook as an MCP server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # a local may be a token
)


class _Way(StrEnum):
    """`addresses.Transport`, as every typer takes it."""

    STDIO = "stdio"
    HTTP = "http"
    WS = "ws"


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mcp-workbench {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")] = False,
) -> None:
    """Your running notebook as an MCP server."""


@app.command()
def demo(
    *,
    as_json: AsJson = False,
    notebook: Annotated[Path | None, typer.Option(hidden=True, help="Another notebook with cells tagged `kernel` and `change`.")] = None,
) -> None:
    """See it work: a real kernel with 336,776 flights, two agents on its wire. Exit code 1: a step did not happen."""
    from mcp_workbench.cli.demo import run_demo

    raise typer.Exit(run_demo(as_json=as_json, notebook=notebook))


# Its options stand with it as well, and `main` calls it without coming here.
@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bridge(context: typer.Context) -> None:
    """What an agent's host starts: a stdio server that finds running notebooks by itself. Exit code 0: the host has ended."""
    from mcp_workbench.cli.bridge import run_bridge

    raise typer.Exit(run_bridge(context.args))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(
    context: typer.Context,
    *,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="JupyterLab's port; else the first free one from 8888.")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
) -> None:
    """Open JupyterLab on a copy of the tutorials, in ./mcp-workbench-tutorials; further options are JupyterLab's, as --allow-root.

    Exit code 1: it could not be started.
    """
    from mcp_workbench.cli.lab import run_lab

    raise typer.Exit(run_lab(port=port, browser=not no_browser, further=context.args))


@app.command("list")
def list_kernels(*, as_json: AsJson = False) -> None:
    """List running kernels that serve. Tokens are never shown."""
    from mcp_workbench.cli.listing import print_servers

    print_servers(as_json=as_json)


@app.command()
def panel(
    notebook: Annotated[
        str | None, typer.Argument(help="Name, its beginning, path or kernel id; may be left out when one kernel serves.")
    ] = None,
    *,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    as_json: AsJson = False,
) -> None:
    """Open the page of a running kernel in the browser. Exit code 1: no such kernel; 2: several, name one."""
    from mcp_workbench.cli.panel import open_panel

    raise typer.Exit(open_panel(notebook, browser=not no_browser, as_json=as_json))


@app.command()
def config(
    client: Annotated[
        str, typer.Argument(help="claude-code, claude-desktop, vscode, cursor, codex, gemini-cli, windsurf, or json for any other.")
    ] = "json",
    *,
    install: Annotated[bool, typer.Option("--install", help="Put it into the host's own settings; a dated copy of them is kept.")] = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Take it out of them again.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be changed.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Also where a server called notebook is not one of ours.")] = False,
    file: Annotated[
        Path | None, typer.Option("--file", help="Another file of the host, for instance .vscode/mcp.json of a workspace.")
    ] = None,
    transport: Annotated[
        _Way | None,
        typer.Option("--transport", help="stdio: the bridge, which --install takes unless told; http or ws: straight to a fixed port."),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="The port for http (8802) or ws (8801), as wb.start() is given it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what to paste into an agent's host, once per machine, or --install it. Holds no token.

    Exit codes: 1 nothing was changed, a sentence says why; 2 there is no such client.
    """
    if install and uninstall:
        raise typer.BadParameter("--install and --uninstall: choose one")
    if not (install or uninstall):
        if dry_run or replace or file is not None:
            raise typer.BadParameter("--dry-run, --replace and --file go with --install or --uninstall")
        from mcp_workbench.cli.configuring import print_config

        raise typer.Exit(print_config(client, as_json=as_json, transport=transport and transport.value, port=port))
    from mcp_workbench.cli.install.installing import Order, run_install

    order = Order(
        client=client,
        wish="install" if install else "uninstall",
        file=file,
        dry_run=dry_run,
        replace=replace,
        as_json=as_json,
        transport=(transport or _Way.STDIO).value,
        port=port,
    )
    raise typer.Exit(run_install(order))


@app.command(context_settings={"allow_interspersed_args": False})
def tap(
    upstream: Annotated[list[str], typer.Argument(help="ws://… or http://… address, or a command with its arguments.")],
    *,
    listen: Annotated[
        str | None, typer.Option(help="stdio, ws, http, or an address as ws://127.0.0.1:9000/mcp; for a command stdio, else as the server.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="Write what passes to this file, secrets taken out; NAME-2 where one is there already.")
    ] = None,
) -> None:
    """Listen between a client and a server of other people, and record what they say. Options come first.

    MCP_WORKBENCH_TOKEN is the token that clients show, MCP_TAP_TOKEN the one that the server is shown. Exit code 1: it could not start.
    """
    from mcp_workbench.cli.tapping import run_tap

    raise typer.Exit(run_tap(upstream, listen=listen, record=record))


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="What wb.record, CallList.save or tap --record has written.")],
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of 127.0.0.1; 0: any free one.")] = 0,
    speed: Annotated[
        float | None, typer.Option(help="1: answers take as long as they took; 10: a tenth of that; left out: no time.")
    ] = None,
    volatile: Annotated[
        list[str] | None, typer.Option(help="A place in params that is not compared, as arguments.now; may be given again.")
    ] = None,
    repeat: Annotated[bool, typer.Option("--repeat", help="Give the last of equal calls again when it is asked once more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Serve a recording over WebSocket: what was asked then is answered as it was then. Ends with Ctrl-C.

    MCP_WORKBENCH_TOKEN is the token that clients show. Exit code 1: it could not start.
    """
    from mcp_workbench.cli.replaying import run_replay

    raise typer.Exit(run_replay(file, port=port, speed=speed, volatile=volatile or (), repeat=repeat, as_json=as_json))


# Its options stand with it, in `bench`; reading them here would import it for every --help.
@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(context: typer.Context) -> None:
    """Measure latency and throughput beside a bare server, REST and the official SDKs."""
    from mcp_workbench.cli.bench import bench as measure

    measuring = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)
    measuring.command()(measure)
    measuring(args=context.args, prog_name="mcp-workbench bench")
