"""What the official conformance suite looks for on a server: tools, resources and prompts under the names it knows.

Written as a notebook's author would write them, with what the package offers everybody; what the suite wants of each is
said in its own descriptions (`conformance server --scenario NAME`).
"""

from __future__ import annotations

import asyncio
import base64
import itertools
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

import mcp_workbench as wb
from mcp_workbench.protocol.wire import EmbeddedResource, ResourceContents, TextContent

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
WAV = base64.b64decode("UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=")
HELD_S = 0.5
"""How long the server holds a connection for one answer (`Limits.http_stream_s`), so that one tool takes longer."""
CONTACT: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
"""Rules across fields, which no annotation says."""


class Defaults(BaseModel):
    """A form with a default of every kind (SEP-1034)."""

    name: str = "John Doe"
    age: int = 30
    score: float = 95.5
    status: Literal["active", "inactive", "pending"] = "active"
    verified: bool = True


CHOICES: dict[str, Any] = {
    "type": "object",
    "properties": {
        "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
        "titledSingle": {
            "type": "string",
            "oneOf": [
                {"const": f"value{number}", "title": f"{word} Option"} for number, word in enumerate(("First", "Second", "Third"), 1)
            ],
        },
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2", "option3"]}},
        "titledMulti": {
            "type": "array",
            "items": {
                "anyOf": [
                    {"const": f"value{number}", "title": f"{word} Choice"} for number, word in enumerate(("First", "Second", "Third"), 1)
                ]
            },
        },
    },
}
"""A form with every kind of choice (SEP-1330)."""


def offer(workbench: wb.Workbench) -> None:
    """Offer it all."""
    _offer_content(workbench)
    _offer_talk(workbench)
    _offer_questions(workbench)
    _offer_rounds(workbench)
    _offer_changes(workbench)
    _offer_resources(workbench)
    _offer_prompts(workbench)


def _offer_content(workbench: wb.Workbench) -> None:
    @workbench.tool
    def test_simple_text() -> str:
        """A text."""
        return "This is a simple text response for testing."

    @workbench.tool
    def test_image_content() -> bytes:
        """An image."""
        return PNG

    @workbench.tool
    def test_audio_content() -> bytes:
        """A sound."""
        return WAV

    @workbench.tool
    def test_embedded_resource() -> Any:
        """A resource carried along."""
        return _embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")

    @workbench.tool
    def test_multiple_content_types() -> Any:
        """Text, image and resource."""
        resource = _embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
        return [TextContent(text="Multiple content types test:"), PNG, resource]

    @workbench.tool
    def test_error_handling() -> str:
        """Fail."""
        raise wb.ToolError("This tool intentionally returns an error for testing")

    @workbench.tool(input_schema=CONTACT)
    def json_schema_2020_12_tool(
        name: str = "",
        address: dict[str, str] | None = None,
        contactMethod: Literal["phone", "email"] = "email",  # noqa: N803  # the suite's name
        phone: str = "",
        email: str = "",
    ) -> str:
        """A contact."""
        return f"{name}: {phone if contactMethod == 'phone' else email}"

    @workbench.tool
    def test_x_mcp_header(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> str:
        """An argument that is repeated in a header."""
        return f"region={region}"


def _offer_talk(workbench: wb.Workbench) -> None:
    @workbench.tool
    async def test_tool_with_logging(ctx: wb.AsyncContext) -> str:
        """Log three times."""
        for said in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            ctx.log(said)
            await asyncio.sleep(0.05)
        return "Tool with logging executed successfully"

    @workbench.tool
    def test_logging_tool(ctx: wb.Context) -> str:
        """Log once."""
        ctx.log("A message that only those hear who asked for it")
        return "logged"

    @workbench.tool
    async def test_reconnection(ctx: wb.AsyncContext) -> str:
        """Take longer than a connection is held."""
        ctx.log("Before")
        await asyncio.sleep(2 * HELD_S)
        return "Reconnection test completed"

    @workbench.tool
    async def test_tool_with_progress(ctx: wb.AsyncContext) -> str:
        """Report progress three times."""
        for done in (0, 50, 100):
            ctx.report_progress(done, 100, f"Completed step {done} of 100")
            await asyncio.sleep(0.05)
        return "Tool with progress executed successfully"


def _offer_questions(workbench: wb.Workbench) -> None:
    @workbench.tool
    def test_sampling(prompt: str, ctx: wb.Context) -> str:
        """Ask the client's model."""
        return f"LLM response: {ctx.sample(prompt, max_tokens=100).text}"

    @workbench.tool
    def test_elicitation(message: str, ctx: wb.Context) -> str:
        """Ask the person."""
        answer = ctx.elicit(message, {"username": str, "email": str})
        return f"User response: action={answer.action}, content={answer.data}"

    @workbench.tool
    def test_elicitation_sep1034_defaults(ctx: wb.Context) -> str:
        """Ask with defaults."""
        answer = ctx.elicit("Please review and update the form fields with defaults", Defaults)
        return f"Elicitation completed: action={answer.action}, content={answer.data}"

    @workbench.tool
    def test_elicitation_sep1330_enums(ctx: wb.Context) -> str:
        """Ask for choices."""
        answer = ctx.elicit("Please select options from the enum fields", CHOICES)
        return f"Elicitation completed: action={answer.action}, content={answer.data}"

    @workbench.tool
    def test_missing_capability(ctx: wb.Context) -> str:
        """Ask the client's model, also of a client that has none."""
        return ctx.sample("Say hello").text

    @workbench.tool
    def test_streaming_elicitation(ctx: wb.Context) -> str:
        """Report progress, then ask the person."""
        ctx.report_progress(1)
        return ctx.elicit("Go on?").action


def _offer_rounds(workbench: wb.Workbench) -> None:
    """What the suite calls InputRequiredResult: the same code as for clients of every other revision."""

    @workbench.tool
    def test_input_required_result_elicitation(ctx: wb.Context) -> str:
        """Ask for a name."""
        answer = ctx.elicit("What is your name?", {"name": str}, key="user_name")
        return f"Hello, {answer.data['name']}!" if answer.accepted else "Hello!"

    @workbench.tool
    def test_input_required_result_sampling(ctx: wb.Context) -> str:
        """Ask the model."""
        return f"Model said: {ctx.sample('What is the capital of France?', max_tokens=100, key='capital_question').text}"

    @workbench.tool
    def test_input_required_result_list_roots(ctx: wb.Context) -> str:
        """Ask for roots."""
        return f"Client exposed {len(ctx.roots(key='client_roots'))} root(s)."

    @workbench.tool
    def test_input_required_result_request_state(ctx: wb.Context) -> str:
        """Ask for a yes."""
        return f"state-ok: {ctx.elicit('Please confirm', {'ok': bool}, key='confirm').action}"

    @workbench.tool
    def test_input_required_result_tampered_state(ctx: wb.Context) -> str:
        """Ask for a yes."""
        return f"state-ok: {ctx.elicit('Please confirm', {'ok': bool}, key='confirm').action}"

    @workbench.tool
    async def test_input_required_result_multiple_inputs(ctx: wb.AsyncContext) -> str:
        """Ask three things at once."""
        name, greeting, roots = await asyncio.gather(
            ctx.elicit("What is your name?", {"name": str}, key="user_name"),
            ctx.sample("Generate a greeting", max_tokens=50, key="greeting"),
            ctx.roots(key="client_roots"),
        )
        return f"{greeting.text} {name.action}, {len(roots)} root(s)"

    @workbench.tool
    def test_input_required_result_multi_round(ctx: wb.Context) -> str:
        """Ask twice."""
        name = ctx.elicit("Step 1: What is your name?", {"name": str}, key="step1")
        color = ctx.elicit("Step 2: What is your favorite color?", {"color": str}, key="step2")
        return f"{name.data} likes {color.data}."

    @workbench.tool
    async def test_input_required_result_capabilities(ctx: wb.AsyncContext) -> str:
        """Ask whatever the client can be asked."""
        questions = (
            ctx.sample("Say hello", max_tokens=50, key="sample"),
            ctx.elicit("What is your name?", {"name": str}, key="ask"),
        )
        answers = await asyncio.gather(*questions, return_exceptions=True)
        return f"{len(answers) - sum(isinstance(answer, wb.NotAnswered) for answer in answers)} answers"


def _offer_changes(workbench: wb.Workbench) -> None:
    count = itertools.count(1)

    @workbench.tool
    def test_trigger_tool_change() -> str:
        """Change the list of tools."""
        workbench.tool(name="test_dynamic_tool", description=f"Edition {next(count)}.")(_edition)
        return "tool list changed"

    @workbench.tool
    def test_trigger_prompt_change() -> str:
        """Change the list of prompts."""
        workbench.prompt(name="test_dynamic_prompt", description=f"Edition {next(count)}.")(_edition)
        return "prompt list changed"


def _edition() -> str:
    return "the latest"


def _offer_resources(workbench: wb.Workbench) -> None:
    @workbench.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:
        """A text."""
        return "This is the content of the static text resource."

    @workbench.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        """An image."""
        return PNG

    @workbench.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> dict[str, Any]:  # noqa: A002  # the variable of the suite's template
        """Something for every id."""
        return {"id": id, "templateTest": True, "data": f"Data for ID: {id}"}

    @workbench.resource("test://watched-resource", mime_type="text/plain")
    def watched() -> str:
        """A text to subscribe to."""
        return "Watched resource content"


def _offer_prompts(workbench: wb.Workbench) -> None:
    @workbench.prompt
    def test_simple_prompt() -> str:
        """A text."""
        return "This is a simple prompt for testing."

    @workbench.prompt
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        """A text with arguments."""
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @workbench.prompt
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[Any]:  # noqa: N803  # the suite's name
        """A resource carried along."""
        return [
            _embedded(resourceUri, "text/plain", "Embedded resource content for testing."),
            "Please process the embedded resource above.",
        ]

    @workbench.prompt
    def test_prompt_with_image() -> list[Any]:
        """An image."""
        image = {"type": "image", "data": base64.b64encode(PNG).decode(), "mimeType": "image/png"}
        return [("user", image), "Please analyze the image above."]

    @workbench.prompt
    def test_input_required_result_prompt(ctx: wb.Context) -> str:
        """Ask first."""
        answer = ctx.elicit("What context should the prompt use?", {"context": str}, key="user_context")
        return f"Use the following context: {answer.data}"


def _embedded(uri: str, mime_type: str, text: str) -> EmbeddedResource:
    return EmbeddedResource(resource=ResourceContents(uri=uri, mime_type=mime_type, text=text))
