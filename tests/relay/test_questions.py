"""Whose answer is whose."""

from __future__ import annotations

from mcp_workbench.relay.questions import MAX_ABANDONED, Questions


def test_an_id_goes_to_the_host_as_it_is_and_comes_back_to_the_kernel() -> None:
    questions = Questions("own-")
    assert [questions.asked(number) for number in (0, "0")] == [0, "0"]
    assert (questions.answered("0"), questions.answered(0)) == ("0", 0)
    assert (questions.answered(0), questions.answered(None)) == (None, None)


def test_an_id_that_a_lost_kernel_used_is_replaced_until_the_host_has_answered() -> None:
    questions = Questions("own-")
    questions.asked(0)
    assert questions.abandon() == (0,)
    second = questions.asked(0)
    assert second == "own-question-1"
    assert questions.answered(0) is None
    assert questions.answered(second) == 0
    assert questions.asked(0) == 0


def test_a_withdrawn_question_is_named_as_the_host_knows_it() -> None:
    questions = Questions("own-")
    questions.asked(1)
    questions.abandon()
    host_id = questions.asked(1)
    assert questions.withdrawn(1) == host_id
    assert (questions.withdrawn(1), questions.withdrawn("1")) == (None, None)
    assert questions.answered(host_id) is None


def test_questions_that_are_never_answered_are_forgotten_in_the_end() -> None:
    questions = Questions("own-")
    for number in range(MAX_ABANDONED + 1):
        questions.asked(number)
        questions.abandon()
    assert questions.asked(0) == 0
    assert questions.asked(1) != 1
