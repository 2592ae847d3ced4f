"""Limits on decoded bytes: a few coded bytes must not take a machine's memory."""

from __future__ import annotations

from cytopress.codecs.container.container import Form
from cytopress.errors import LimitError
from cytopress.machine import memory_bytes

# Of bytes that are not trusted, unless another limit is given.
UNTRUSTED = 2**30
# Of a machine that does not say its memory.
UNKNOWN = 2**32
# Images of more bytes than LARGE are refused where each coded byte claims more than DENSE of them.
LARGE, DENSE = 2**28, 10_000
OPTION = "give a larger limit (--max-bytes, Settings.max_bytes) if you trust the file"


def check_size(form: Form, coded_bytes: int, max_bytes: int | None, *, trusted: bool) -> int:
    """Return the limit on decoded bytes that applies; nothing is decoded before.

    Parameters
    ----------
    form : Form
        What the container promises.
    coded_bytes : int
        Size of the container.
    max_bytes : int or None
        The limit that was given, if any.
    trusted : bool
        Whether the limit that is not given is half of the memory, or 1 GiB.

    Raises
    ------
    LimitError
        The image is larger than the limit; or no limit was given, and the image is large and much
        larger than what is coded.
    """
    raw = form.raw_bytes
    most = max_bytes or _default(trusted=trusted)
    shape = " x ".join(map(str, form.shape))
    promise = f"This cytopress file promises {shape} {form.dtype} pixels, {raw} bytes"
    if raw > most:
        raise LimitError(f"{promise}, and the limit is {most}; {OPTION}.")
    if max_bytes is None and raw > LARGE and raw > DENSE * coded_bytes:
        raise LimitError(
            f"{promise}, in {coded_bytes} bytes, more than {DENSE} for each; {OPTION}."
        )
    return most


def check_total(
    raw: int, coded_bytes: int, max_bytes: int | None, *, trusted: bool, streamed: bool
) -> None:
    """Check the size of all images of a file together; nothing is decoded before.

    Parameters
    ----------
    raw : int
        Bytes that the containers promise together.
    coded_bytes : int
        Size of the containers.
    max_bytes : int or None
        The limit that was given, if any.
    trusted, streamed : bool
        Whether the file is trusted; whether one image at a time is in memory, so that the memory
        limits each of them, and not all.

    Raises
    ------
    LimitError
        As `check_size`.
    """
    promise = f"This cytopress file promises {raw} bytes of pixels"
    if max_bytes is not None or not (trusted and streamed):
        most = max_bytes or _default(trusted=trusted)
        if raw > most:
            raise LimitError(f"{promise}, and the limit is {most}; {OPTION}.")
    if max_bytes is None and raw > LARGE and raw > DENSE * coded_bytes:
        raise LimitError(f"{promise} in {coded_bytes} bytes, more than {DENSE} for each; {OPTION}.")


def _default(*, trusted: bool) -> int:
    return (memory_bytes() or UNKNOWN) // 2 if trusted else UNTRUSTED
