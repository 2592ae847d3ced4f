"""Progress callback of everything that takes minutes."""

from __future__ import annotations

from collections.abc import Callable

# Takes what is done, of how much, and a text for what is being done now.
Progress = Callable[[int, int, str], None]


def no_progress(done: int, total: int, now: str) -> None:
    """Take a progress report and do nothing."""
