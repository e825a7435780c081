"""What the notebook offers, in MCP's words: tools, resources, prompts, completions. Functions in, descriptions out.

Pure: no event loop, no thread, no clock, no I/O, no pandas. A definition is made once, at decoration, with
everything compiled (`define_tool`, `define_resource`, `define_prompt`); `Registry` holds them; `Rendering` makes
content of what a function returned. DataFrames come in through `ArgumentBinder` and `Renderer`, which
`mcp_workbench.live` implements; `mcp_workbench.execution` runs the functions and `mcp_workbench.serving` answers.
"""

from __future__ import annotations

from mcp_workbench.primitives.binding import ArgumentBinder, ArgumentError, Arguments, Bound, BoundArguments
from mcp_workbench.primitives.completions import Completer, complete
from mcp_workbench.primitives.jsonable import JsonForms, UnsupportedResult, register, to_jsonable
from mcp_workbench.primitives.output import Output, output_of
from mcp_workbench.primitives.prompts import PromptDefinition, define_prompt, prompt_messages
from mcp_workbench.primitives.registry import Registry
from mcp_workbench.primitives.rendering import Rendered, Renderer, Rendering, RenderRequest
from mcp_workbench.primitives.resources import ResourceDefinition, define_resource, find_resource
from mcp_workbench.primitives.signature import MISSING
from mcp_workbench.primitives.tools import ToolDefinition, define_tool
from mcp_workbench.primitives.uri_templates import UriTemplate

__all__ = [
    "MISSING",
    "ArgumentBinder",
    "ArgumentError",
    "Arguments",
    "Bound",
    "BoundArguments",
    "Completer",
    "JsonForms",
    "Output",
    "PromptDefinition",
    "Registry",
    "RenderRequest",
    "Rendered",
    "Renderer",
    "Rendering",
    "ResourceDefinition",
    "ToolDefinition",
    "UnsupportedResult",
    "UriTemplate",
    "complete",
    "define_prompt",
    "define_resource",
    "define_tool",
    "find_resource",
    "output_of",
    "prompt_messages",
    "register",
    "to_jsonable",
]
