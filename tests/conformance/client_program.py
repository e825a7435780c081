"""The client that the conformance suite judges: connects to the address in the last argument, then does what the scenario is about.

`connect` is what `wb.connect(url)` calls; taken from where it stands, it brings no pandas along, and this starts twenty times.
The suite names the scenario in MCP_CONFORMANCE_SCENARIO, what it wants to be called with in MCP_CONFORMANCE_CONTEXT. The
revision is never read from it: our client finds out by itself what its server speaks.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from mcp_workbench.client.connect import connect
from mcp_workbench.client.handlers import ElicitRequest
from mcp_workbench.client.session import ClientSession
from mcp_workbench.protocol.wire import Tool

SAMPLES: dict[str, Any] = {"string": "x", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
"""An argument of each type."""


async def main() -> None:
    """Do what the scenario is about."""
    scenario, url = os.environ["MCP_CONFORMANCE_SCENARIO"], sys.argv[-1]
    async with connect(url, on_elicit=accept, on_sample=lambda request: "a sample", on_roots=list) as session:
        await CONDUCT.get(scenario, call_every_tool)(session)


def accept(request: ElicitRequest) -> dict[str, Any]:
    """Accept, with what a person would fill in: nothing where the form has a default."""
    properties: dict[str, Any] = request.schema.get("properties", {})
    return {name: SAMPLES[schema["type"]] for name, schema in properties.items() if "default" not in schema}


async def call_every_tool(session: ClientSession) -> None:
    """Call each tool with arguments that fit its schema."""
    for tool in await session.list_tools():
        await session.call_tool(tool.name, fitting(tool))


async def call_as_told(session: ClientSession) -> None:
    """Make the calls that the scenario names."""
    offered = {tool.name for tool in await session.list_tools()}
    for call in json.loads(os.environ["MCP_CONFORMANCE_CONTEXT"])["toolCalls"]:
        if call["name"] in offered:
            await session.call_tool(call["name"], call["arguments"])


async def list_only(session: ClientSession) -> None:
    """Look at the tools."""
    await session.list_tools()


async def echo_schema(session: ClientSession) -> None:
    """Send back what was read of a schema."""
    schemas = {tool.name: tool.input_schema for tool in await session.list_tools()}
    await session.call_tool("json_schema_echo", {"schema": schemas["json_schema_2020_12_tool"]})


async def visit_everything(session: ClientSession) -> None:
    """Look at everything that is offered, and use it."""
    await call_every_tool(session)
    for resource in await session.list_resources():
        await session.read_resource(resource.uri)
    for prompt in await session.list_prompts():
        await session.get_prompt(prompt.name)


def fitting(tool: Tool) -> dict[str, Any]:
    """The arguments that a tool requires."""
    properties: dict[str, Any] = tool.input_schema.get("properties", {})
    return {name: SAMPLES[properties[name]["type"]] for name in tool.input_schema.get("required", [])}


CONDUCT = {
    "http-standard-headers": visit_everything,
    "http-custom-headers": call_as_told,
    "json-schema-ref-no-deref": list_only,
    "json-schema-2020-12-preservation": echo_schema,
}
"""Scenario -> what is done, where it is not to call every tool."""


if __name__ == "__main__":
    asyncio.run(main())
