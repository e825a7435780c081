"""How many characters of a result each host shows its model, by the name its client gives itself.

The name is a label, never identity: it makes one result longer or shorter and nothing else, and `max_chars=` of the tool's
author goes before it. What is cut is kept and linked for everybody. A budget leaves room for the lines that
stand beside a result, and counts two characters a token: tables of numbers have no more.

What the hosts do, and where they say so:

=============  ====================================================================================================
Claude Code    warns from 10,000 tokens, takes 25,000 (`MAX_MCP_OUTPUT_TOKENS`), puts more than 50,000 characters into a
               file: https://code.claude.com/docs/en/mcp, "MCP output limits and warnings"
Codex          keeps beginning and end of 10,000 tokens: https://github.com/openai/codex, `truncation_policy` of its
               models
Cline          keeps 8,000 characters: https://github.com/cline/cline
Qwen Code      keeps beginning and end of 25,000 characters: https://github.com/QwenLM/qwen-code/issues/2439; it calls
               itself `qwen-cli-mcp-client-` and the server's name
=============  ====================================================================================================
"""

from __future__ import annotations

import functools

from mcp_workbench.limits import KIB
from mcp_workbench.protocol.wire import Implementation

DEFAULT_CHARS = 8_000
"""For every other client: what the thriftiest hosts show."""
BY_NAME = (
    ("claude-code", 20_000),
    ("codex", 20_000),
    ("cline", 7_500),
    ("qwen", 24_000),
)
"""How the names begin, in lower case, and characters."""
_ENVELOPE_BYTES = 8 * KIB
"""What a message holds beside its content: ids, `_meta`, links, which versions were read."""


def chars_for(client: Implementation | None) -> int:
    """Characters of text in one result.

    Args:
        client: Who asks, as it says itself; None: it does not.
    """
    return DEFAULT_CHARS if client is None else _chars_for(client.name)


@functools.lru_cache(maxsize=256)
def _chars_for(name: str) -> int:
    return next((chars for beginning, chars in BY_NAME if name.lower().startswith(beginning)), DEFAULT_CHARS)


def content_bytes(message_bytes: int) -> int:
    """Bytes of content in a message.

    Args:
        message_bytes: Of the longest message the connection takes.
    """
    return message_bytes - min(_ENVELOPE_BYTES, message_bytes // 4)
