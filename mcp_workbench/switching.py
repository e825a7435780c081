"""How often the interpreter changes threads while clients are connected.

With a pure-Python cell running, the protocol loop waits up to one switch interval each time it wants to
run: 5 ms by default. While clients are connected the interval is lowered; afterwards it is restored,
unless somebody else has set it meanwhile. It costs the cell only while there is traffic. Nothing else of
the user's process is changed.
"""

from __future__ import annotations

import sys

BUSY_INTERVAL_S = 0.0005


class SwitchInterval:
    """The interpreter's switch interval, lowered while `busy`.

    Args:
        busy_s: Interval in seconds while clients are connected; None leaves it alone.
    """

    def __init__(self, busy_s: float | None = BUSY_INTERVAL_S) -> None:
        self._busy_s = busy_s
        self._before: float | None = None

    def follow(self, clients: int) -> None:
        """Lower it with the first client, restore it with the last."""
        if clients and self._before is None and self._busy_s is not None and sys.getswitchinterval() > self._busy_s:
            self._before = sys.getswitchinterval()
            sys.setswitchinterval(self._busy_s)
        elif not clients:
            self.restore()

    def restore(self) -> None:
        """Put back what was there, if what is there now is still ours."""
        if self._before is not None and self._busy_s is not None and abs(sys.getswitchinterval() - self._busy_s) < 1e-6:
            sys.setswitchinterval(self._before)
        self._before = None
