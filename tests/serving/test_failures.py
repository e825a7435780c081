"""Exceptions of user code as sentences, the malicious ones included."""

from __future__ import annotations

import pytest

from mcp_workbench import Workbench
from mcp_workbench.errors import Cancelled, ToolError
from mcp_workbench.serving.failures import MAX_MESSAGE_CHARS, Failure, failure_of
from tests.support.stage import running, talking, within


def _raised_by(error: BaseException) -> Failure:
    def tool() -> None:
        raise error

    try:
        tool()
    except BaseException as caught:
        return failure_of(caught, tool)
    raise AssertionError


class _Silent(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class _Exiting(SystemExit):
    def __str__(self) -> str:
        raise _Exiting


class _Lying(str):
    __slots__ = ()

    def __len__(self) -> int:
        raise SystemExit


class _Speaking(Exception):
    def __str__(self) -> str:
        return _Lying("a lie")


class _Hostile(ToolError):
    def __str__(self) -> str:
        raise KeyboardInterrupt


def test_who_interrupted_a_tool_on_the_main_thread_is_told() -> None:
    def tool() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        tool()
    assert failure_of(caught.value, tool, on_main=True).sentence.startswith("KeyboardInterrupt: the person interrupted it (in tool, line ")
    assert failure_of(caught.value, tool).sentence.startswith("KeyboardInterrupt (in tool, line ")


def test_type_message_and_the_authors_line_are_told() -> None:
    failure = _raised_by(ValueError("no such month"))
    assert failure.sentence.startswith("ValueError: no such month (in tool, line ")
    assert failure.frozen is not None
    assert "no such month" in "".join(failure.frozen.format())


def test_an_exception_without_a_message_is_its_type() -> None:
    assert _raised_by(KeyboardInterrupt()).sentence.startswith("KeyboardInterrupt (in tool, line ")


def test_a_tool_error_is_the_authors_words_alone() -> None:
    assert _raised_by(ToolError("Ask for less.")).sentence == "Ask for less."


def test_cancelled_is_a_sentence_without_a_traceback() -> None:
    failure = _raised_by(Cancelled("because"))
    assert (failure.sentence, failure.frozen) == ("The call was cancelled.", None)


def test_a_failure_stays_what_it_is() -> None:
    failure = Failure("said before", None)
    assert failure_of(failure, len) is failure


def test_the_line_is_that_of_the_innermost_frame_of_the_authors_file() -> None:
    def inner() -> None:
        raise LookupError("deep")

    def tool() -> None:
        inner()

    with pytest.raises(LookupError) as caught:
        tool()
    assert failure_of(caught.value, tool).sentence.startswith("LookupError: deep (in inner, line ")


def test_a_function_without_code_has_no_line() -> None:
    with pytest.raises(TypeError) as caught:
        len(3)  # type: ignore[arg-type]  # that is the mistake
    assert failure_of(caught.value, len).sentence == "TypeError: object of type 'int' has no len()"


def test_long_messages_are_cut_and_counted() -> None:
    sentence = _raised_by(ValueError("x" * 10_000)).sentence
    assert len(sentence) < MAX_MESSAGE_CHARS + 200
    assert "(10,000 characters in all)" in sentence


@pytest.mark.parametrize("error", [_Silent(), _Exiting(), _Hostile()], ids=["raises", "exits", "interrupts"])
def test_a_message_that_cannot_be_read_is_said_to_be_so(error: BaseException) -> None:
    failure = _raised_by(error)
    assert "(its message could not be read)" in failure.sentence


def test_a_message_that_only_looks_like_text_becomes_plain_text() -> None:
    failure = _raised_by(_Speaking())
    assert failure.sentence.startswith("_Speaking: a lie (in tool")
    assert type(failure.sentence) is str


def test_lone_surrogates_do_not_get_into_a_sentence() -> None:
    _raised_by(ValueError("a\ud800b")).sentence.encode()


def test_arguments_that_do_not_fit_have_waited_for_nothing_and_what_the_function_refuses_has_run() -> None:
    workbench = Workbench("trips")

    @workbench.tool
    def picky(n: int) -> None:
        raise ToolError("n is 1 to 3")

    async def main() -> None:
        async with talking(workbench) as talk:
            for n in ("x", 9):
                await talk.answer(talk.call("picky", n=n))

    with running(workbench):
        within(main)
    unfit, refused = workbench.telemetry.calls(2)
    assert (unfit.wait_ns, unfit.run_ns, unfit.total_ns is None, unfit.is_authors) == (None, None, False, False)
    assert refused.wait_ns is not None
    assert refused.run_ns is not None
