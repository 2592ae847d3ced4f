"""Download one file: checked, resumable, whole or not at all. Standard library only."""

from __future__ import annotations

import hashlib
import http.client
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

from cytopress.errors import DatasetError, UsageError

BLOCK = 1 << 20
TIMEOUT_S = 60.0
ATTEMPTS = 3
# The waits double: 1 s, then 2 s.
WAIT_S = 1.0
Advance = Callable[[int], None]


def join_url(base: str, path: str) -> str:
    """Return the address of ``path`` (with forward slashes) under ``base``.

    Raises
    ------
    UsageError
        ``base`` is not an http or https address.
    """
    if urlsplit(base).scheme not in ("http", "https"):
        raise UsageError(f"{base!r} must be an address that begins with http:// or https://.")
    return f"{base.rstrip('/')}/{quote(path)}"


def digest(path: Path) -> str:
    """Return the hexadecimal sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def download(
    url: str, path: Path, *, sha256: str | None = None, advance: Advance | None = None
) -> None:
    """Download ``url`` to ``path``.

    What has come stays in ``PATH.part`` when the connection breaks, and the next call goes on from
    there, if the server can; if not, it begins again. A file that is already there is kept.

    Parameters
    ----------
    url : str
        An http or https address.
    path : Path
        Where to put it, in a folder that exists.
    sha256 : str, optional
        What the file's digest must be.
    advance : callable, optional
        Called with the number of bytes that came.

    Raises
    ------
    DatasetError
        The server is not reached, does not have the file, or what came is not the file that was
        expected (then it is deleted).
    """
    if path.exists():
        return
    part = path.with_name(f"{path.name}.part")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _go_on(url, part, advance or (lambda _: None))
            break
        except HTTPError as error:
            if error.code < 500 or attempt == ATTEMPTS:
                raise DatasetError(
                    f"{url}: the server answers {error.code} {error.reason}."
                ) from error
        except (URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            if attempt == ATTEMPTS:
                reason = getattr(error, "reason", None) or error
                raise DatasetError(
                    f"{url}: the connection failed ({reason}); try again: it goes on where it"
                    " stopped."
                ) from error
        except OSError as error:
            raise DatasetError(f"{part}: cannot be written ({error.strerror}).") from error
        time.sleep(WAIT_S * 2 ** (attempt - 1))
    if sha256 is not None and (found := digest(part)) != sha256:
        part.unlink()
        raise DatasetError(
            f"{url}: the file that came is not the one that was expected (sha256 {found}, not"
            f" {sha256}); it was deleted."
        )
    part.replace(path)


def _go_on(url: str, part: Path, advance: Advance) -> None:
    """Fetch what is missing of ``part``."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "cytopress"}
    if have:
        headers["Range"] = f"bytes={have}-"
    # join_url, or the table of recipes, has seen to the scheme.
    request = Request(url, headers=headers)  # noqa: S310
    try:
        response = urlopen(request, timeout=TIMEOUT_S)  # noqa: S310
    except HTTPError as error:
        if error.code != 416 or not have:
            raise
        # Nothing follows: either all is there, or another file's beginning. Ask for all of it.
        total = error.headers.get("Content-Range", "").rpartition("/")[2]
        error.close()
        if total == str(have):
            return
        part.unlink()
        _go_on(url, part, advance)
        return
    with response:
        resumed = response.status == 206 and response.headers.get("Content-Range", "").startswith(
            f"bytes {have}-"
        )
        expected = response.headers.get("Content-Length")
        came = 0
        with part.open("ab" if resumed else "wb") as stream:
            while block := response.read(BLOCK):
                stream.write(block)
                came += len(block)
                advance(len(block))
    if expected is not None and came != int(expected):
        raise http.client.IncompleteRead(b"", int(expected) - came)
