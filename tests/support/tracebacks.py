"""A traceback as tools show it that show variables: Python's own, and IPython's `%xmode Verbose`, which shows attributes too."""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from types import TracebackType

from IPython.core.ultratb import VerboseTB

_TESTS = str(Path(__file__).parent.parent)


def with_variables(error: BaseException) -> str:
    """The traceback of an error from the first frame on that is not a test's."""
    kind, trace = type(error), _of_the_package(error.__traceback__)
    assert trace is not None, "no code of the package is in it"
    plain = "".join(traceback.TracebackException(kind, error, trace, capture_locals=True).format())
    return plain + re.sub(r"\x1b\[[0-9;]*m", "", VerboseTB(include_vars=True).text(kind, error, trace))


def _of_the_package(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_TESTS):
        trace = trace.tb_next
    return trace
