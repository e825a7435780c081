"""The seam of transports that have a stream for each request: which text goes where.

Apart from `channel`, because who only carries texts through knows nothing of requests.
"""

from __future__ import annotations

from typing import Protocol

from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.transports.channel import Channel


class Streams(Protocol):
    """What a channel has beside `send` where each request has a stream of its own: HTTP, where an answer goes to whom it answers."""

    def send_for(self, text: bytes, owner: RequestId | None, settles: int | None) -> None:
        """Hand over one text; like `Channel.send`.

        Args:
            text: The text.
            owner: Id of the request it belongs to; None: to no request.
            settles: It is the last one for that request: 0 its result, else the code of its error. None: it is not.
        """


class StreamingChannel(Channel, Streams, Protocol):
    """A channel with a stream for each request."""
