"""Slots for learned codecs: how many of them work at once in one process.

Readers decode many chunks at once, and each needs memory for its networks. Processes do not wait
for one another: workers of an archive share nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cytopress.codecs.base import StreamCodec

AT_ONCE = 2
_slots = threading.BoundedSemaphore(AT_ONCE)


@contextmanager
def learned_slot(codec: StreamCodec) -> Iterator[None]:
    """Wait until fewer learned codecs are at work in this process; others need not wait."""
    if not codec.packages():
        yield
        return
    with _slots:
        yield
