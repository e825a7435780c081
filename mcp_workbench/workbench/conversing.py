"""A Workbench among others: as a client of them, and as a tap between strangers."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from mcp_workbench.client.connect import Connecting, connect
from mcp_workbench.errors import WorkbenchError
from mcp_workbench.exploring.overheard_channel import OverheardChannel
from mcp_workbench.secret import Secret, hidden, hidden_values

if TYPE_CHECKING:
    import os
    import ssl as tls
    from collections.abc import Mapping, Sequence

    from mcp_workbench.tapping.tap import Tap
    from mcp_workbench.transports.channel import Channel

from mcp_workbench.workbench.serving import Serving

logger = logging.getLogger("mcp_workbench")


class Conversing(Serving):
    """Connecting and tapping."""

    def connect(
        self,
        url: str | Secret | Sequence[str] | None = None,
        *,
        token: str | Secret | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        env: Mapping[str, str | Secret] | None = None,
        **options: Any,
    ) -> Connecting:
        """Connect as a client: `async with wb.connect(url, token=token) as session:`.

        Args:
            url: `ws://…/mcp` or `http://…/mcp`, or a ticket's address; or a command, `["npx", "-y",
                "@modelcontextprotocol/server-everything"]`, which is started and spoken with over its stdin and stdout; None: this
                Workbench's own server, over the wire, as the principal `notebook`.
            token: Sent as `Authorization: Bearer`; None without a url: this Workbench's own.
            headers: Further headers of the WebSocket handshake, or of each HTTP request.
            env: A command's variables, beside PATH, HOME and the like; `env=os.environ`: all of this process.
            options: `era`: "auto" (probe), "legacy" or "modern"; `timeout_s` (60): longest wait for an answer;
                `on_log`, `on_elicit`, `on_sample`, `on_roots`: functions or coroutine functions that take what the server sends or
                asks; `on_message`: a plain function that sees each message as it crosses, `("sent", text)` or `("received", text)`;
                `tasks` (True): whether it may answer a call that takes long with a task, which is followed until it has ended;
                `sample_tools` (False): whether `on_sample` takes tools; `client_info`; `ssl`; `allow_remote` (False): send a token
                over plain ws:// to other machines; `cwd`: the folder a command is started in.

        Returns:
            Something to await, or to enter with `async with`: a session with `list_tools`, `call_tool(name, on_progress=…, **arguments)`,
            `read_resource`, `subscribe`, `list_changes`, `get_prompt`, `complete`, `ping` and `close`.

        Raises:
            WorkbenchError: No url, and this process serves nothing.
        """
        # Before anything fails, for a traceback may show our variables.
        url, token = hidden(url) if isinstance(url, str) else url, hidden(token)
        headers, env = hidden_values(headers), hidden_values(env)
        if url is None and self._running is None:
            raise WorkbenchError(
                "the server of this process is not running: call start() first, or connect to another with url= and token="
            )
        if url is None and token is None:
            token = self._token_here()
        self._offer.given.note(url, token=token, headers=headers, env=env)
        # What passes between ourselves is written down once, by the server.
        hear = None if url is None or self._is_ours(url) else self._hear
        return connect(self.url if url is None else url, token=token, headers=headers, env=env, hear=hear, **options)

    def _is_ours(self, url: Secret | Sequence[str]) -> bool:
        ours = () if self._running is None else (self._running.url, self._running.http_url)
        return isinstance(url, Secret) and any(own is not None and url.reveal().startswith(own) for own in ours)

    def tap(
        self,
        upstream: str | Secret | Sequence[str],
        *,
        listen: str | None = None,
        token: str | Secret | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        env: Mapping[str, str | Secret] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        ssl: tls.SSLContext | None = None,
        allow_remote: bool = False,
    ) -> Tap:
        """Listen between a client and another server, and see in `traffic` what they say: `with wb.tap(url) as tap:`.

        Clients connect to `tap.url` with this Workbench's token; the server need not be running. Messages pass unchanged, unless a
        function given to `@tap.on_request` or `@tap.on_response` delays, changes or drops them.

        Args:
            upstream: The server: `ws://…`, `http://…`, or a command, `["npx", "-y", "@modelcontextprotocol/server-everything"]`,
                which is started anew for each client.
            listen: `ws`, `http`, or an address of this machine as `ws://127.0.0.1:9000/mcp`; None: as the server is spoken with,
                and for a command over WebSocket.
            token: The server's, sent to it as `Authorization: Bearer`; clients of the tap never see it.
            headers: Further headers for the server.
            env: A command's variables, beside PATH, HOME and the like.
            cwd: The folder a command is started in.
            ssl: TLS settings for `wss://` and `https://`.
            allow_remote: Send the token over plain `ws://` or `http://` to other machines.

        Returns:
            The running tap; close it with `close()` or as a context manager.

        Raises:
            ValueError: An address cannot be read, or the two kinds cannot be joined.
            OSError: It cannot listen there.
        """
        from mcp_workbench.tapping.tap import Tap, door_of
        from mcp_workbench.tapping.upstream import upstream_of

        where, token = hidden(upstream) if isinstance(upstream, str) else upstream, hidden(token)
        headers, env = hidden_values(headers), hidden_values(env)
        self._offer.given.note(where, token=token, headers=headers, env=env)
        server = upstream_of(where, token=token, headers=headers, env=env, cwd=cwd, ssl=ssl, allow_remote=allow_remote)
        offer, settings = self._offer, self._settings
        return Tap(
            server,
            door_of(listen, server),
            offer.overhearing,
            offer.credentials,
            offer.tickets,
            settings.limits,
            allowed_hosts=settings.allowed_hosts,
            allowed_origins=settings.allowed_origins,
        )

    def _hear(self, channel: Channel) -> Channel:
        return OverheardChannel(channel, self._offer.overhearing)

    def _token_here(self) -> Secret:
        # Code of the main thread may wait for its client's calls, and they for the main thread: they are told apart.
        on_main = threading.current_thread() is threading.main_thread()
        return self._offer.credentials.own_token(on_main=on_main)
