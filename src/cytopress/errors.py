"""The exceptions of cytopress: one root, and each kind also a standard error.

A message is one sentence that says what was expected, what came and what to do. ``exit_code`` is
what the command line returns: 2 where the command was wrong, 1 where the work failed.
"""

from __future__ import annotations


class CytopressError(Exception):
    """Root of every error that cytopress raises on purpose."""

    exit_code = 1

    def __str__(self) -> str:
        # KeyError would print the repr of its message.
        return " ".join(str(part) for part in self.args)


class UsageError(CytopressError, ValueError):
    """The request itself was wrong: an unknown option, two targets, a file that is not there."""

    exit_code = 2


class UnknownNameError(UsageError, KeyError):
    """No codec, metric, task, dataset or model bears this name."""

    def __init__(self, kind: str, name: str, known: list[str], place: str = "") -> None:
        import difflib

        near = difflib.get_close_matches(name.lower(), known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        listed = ", ".join(known) or "none"
        super().__init__(f"There is no {kind} named {name!r}{place}.{hint} Known: {listed}.")
        self._parts = (kind, name, known, place)

    def __reduce__(self) -> tuple[type[UnknownNameError], tuple[str, str, list[str], str]]:
        # It must reach whoever waits for a worker in another process.
        return type(self), self._parts


class ImageError(CytopressError, ValueError):
    """Pixels that cannot form an Image, or a file that cannot be read as images."""


class DatasetError(CytopressError, ValueError):
    """A dataset that is incomplete, inconsistent or damaged."""


class CodecError(CytopressError, ValueError):
    """A codec could not do what was asked. In a study it is a stored result, not a crash."""


class UnsupportedImageError(CodecError):
    """The codec cannot code this image: wrong dimensions, dtype or bit depth."""


class UnreachableTargetError(CodecError):
    """No setting of the codec meets the target on this image."""


class CorruptDataError(CytopressError, ValueError):
    """Bytes that are not whole, not intact or not cytopress's."""


class PackageError(CytopressError, ValueError):
    """A model package that is missing, damaged or of another format version."""


class TaskError(CytopressError, ValueError):
    """A task could not predict or score. In a study it is a stored result, not a crash."""


class StoreError(CytopressError, RuntimeError):
    """A study's store that cannot be used."""


class NotAvailableError(CytopressError, RuntimeError):
    """Something optional is not on this machine: an extra, a weight file, an encoder."""


class CytopressWarning(UserWarning):
    """Something was done as asked, but with a result that one should know of."""
