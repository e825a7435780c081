"""What both handlers have in common: they say no in JSON, and log no address.

Jupyter's request log hides a token in an address; tornado's own log of exceptions does not, and writes the whole request.
"""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError


class AnswersInJson(JupyterHandler):
    """A handler for programs."""

    auth_resource = "kernels"

    async def may(self, action: str, resource: str) -> bool:
        """Whether Jupyter's authorizer lets this user do so."""
        allowed = self.authorizer.is_authorized(self, self.current_user, action, resource)
        return bool(await ensure_async(allowed))

    def refuse(self, status: int, sentence: str) -> None:
        """Answer with a sentence instead of what was asked for."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"message": sentence}))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """What Jupyter or tornado refuse, in the same form."""
        self.refuse(status_code, self._reason)

    def log_exception(self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        """Log a fault of ours, without the request."""
        if value is not None and not isinstance(value, HTTPError):
            self.log.error("mcp-workbench: a fault of the gateway itself", exc_info=value)
