"""Fitting results to the revision a client speaks: older clients fail on content types they do not know."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from mcp_workbench.protocol import wire
from mcp_workbench.protocol.versions import V2025_03_26, V2025_06_18, V2026_07_28


def fit_result(result: wire.Result, version: str) -> wire.Result:
    """The result as a client of `version` can read it; the same object when nothing needs fitting."""
    if isinstance(result, wire.CallToolResult):
        return _fit_call(result, version)
    if isinstance(result, wire.GetPromptResult) and version < V2025_06_18:
        messages = [msgspec.structs.replace(message, content=_fit_content(message.content, version)) for message in result.messages]
        return msgspec.structs.replace(result, messages=messages)
    if isinstance(result, wire.ListToolsResult) and version < V2025_06_18:
        result = _fit_tools(result)
    if isinstance(result, wire.CacheableResult) and version < V2026_07_28 and not (result.ttl_ms is UNSET and result.cache_scope is UNSET):
        return msgspec.structs.replace(result, ttl_ms=UNSET, cache_scope=UNSET)
    return result


def takes_structured_content(version: str) -> bool:
    """Whether results of a client's version may have structured content, and tools an output schema."""
    return version >= V2025_06_18


def _fit_tools(result: wire.ListToolsResult) -> wire.ListToolsResult:
    """Without output schemas: an SDK that knows them waits for structured content, which those versions do not have."""
    if all(tool.output_schema is UNSET for tool in result.tools):
        return result
    tools = [msgspec.structs.replace(tool, output_schema=UNSET) for tool in result.tools]
    return msgspec.structs.replace(result, tools=tools)


def _fit_call(result: wire.CallToolResult, version: str) -> wire.CallToolResult:
    if version >= V2026_07_28:
        return result
    if result.structured_content is not UNSET and (
        not takes_structured_content(version) or not isinstance(result.structured_content, dict)
    ):
        # Before 2025-06-18 there is none; up to 2025-11-25 it must be an object. The text content says the same.
        result = msgspec.structs.replace(result, structured_content=UNSET)
    if version < V2025_06_18 and any(isinstance(item, wire.ResourceLink | wire.AudioContent) for item in result.content):
        result = msgspec.structs.replace(result, content=[_fit_content(item, version) for item in result.content])
    return result


def _fit_content(content: wire.Content, version: str) -> wire.Content:
    if isinstance(content, wire.ResourceLink) and version < V2025_06_18:
        described = f" ({content.description})" if content.description else ""
        return wire.TextContent(text=f"Resource {content.uri}{described}")
    if isinstance(content, wire.AudioContent) and version < V2025_03_26:
        return wire.TextContent(text=f"[audio, {content.mime_type}: clients of {version} cannot take it]")
    return content
