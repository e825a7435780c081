"""Files that are there already are left alone by exports, which have nothing to replace them by."""

from __future__ import annotations

import os
from pathlib import Path


def check_new(path: Path, other: str) -> None:
    """Refuse what is there, be it a link to nothing.

    Args:
        path: To be written.
        other: What to choose another of: `name`, `folder`.

    Raises:
        FileExistsError: Something is there.
    """
    if os.path.lexists(path):
        raise FileExistsError(f"{path} exists: choose another {other}, or delete it")
