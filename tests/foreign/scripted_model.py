"""A model that is a list: what Claude Code talks to instead of one, so that it calls tools without an account.

Speaks as much of the Messages API as that takes, on loopback. Each answer of the script is given once, in order.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Block = dict[str, Any]


def says(text: str) -> Block:
    """Something for the person."""
    return {"type": "text", "text": text}


def uses(tool: str, **arguments: Any) -> Block:
    """A call of a tool, by the name its host gives it."""
    return {"type": "tool_use", "name": tool, "input": arguments}


@contextmanager
def scripted_model(script: Sequence[Sequence[Block]]) -> Iterator[str]:
    """The address of a model that gives these answers, and nothing more to say after them."""
    server = _Server(("127.0.0.1", 0), _handler(script))
    thread = threading.Thread(target=server.serve_forever, name="scripted-model")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for them


def _handler(script: Sequence[Sequence[Block]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
            given = sum(message["role"] == "assistant" for message in asked.get("messages", []))
            at_work = bool(asked.get("tools")) and given < len(script)  # hosts ask for titles and the like, too, without tools
            message = _message(script[given] if at_work else [says("Done.")], given, asked.get("model", ""))
            if asked.get("stream"):
                self._answer("text/event-stream", "".join(map(_event, _stream(message))))
            else:
                self._answer("application/json", json.dumps(message))

        def do_GET(self) -> None:
            self._answer("application/json", '{"data": []}')

        def _answer(self, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """It is nobody's business."""

    return Handler


def _message(blocks: Sequence[Block], number: int, model: str) -> dict[str, Any]:
    content = [block | {"id": f"toolu_{number}_{at}"} if block["type"] == "tool_use" else block for at, block in enumerate(blocks)]
    stopped = "tool_use" if any(block["type"] == "tool_use" for block in content) else "end_turn"
    usage = {"input_tokens": 1, "output_tokens": 1}
    head = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": model}
    return head | {"content": content, "stop_reason": stopped, "stop_sequence": None, "usage": usage}


def _stream(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"type": "message_start", "message": message | {"content": [], "stop_reason": None}}
    for index, block in enumerate(message["content"]):
        begin: Block
        if block["type"] == "text":
            begin, delta = {"text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            begin, delta = {"input": {}}, {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield {"type": "content_block_start", "index": index, "content_block": block | begin}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ended = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": message["usage"]}
    yield {"type": "message_stop"}


def _event(event: dict[str, Any]) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
