"""Downloads of one file: checked, resumed after an interruption, whole or not at all."""

from __future__ import annotations

import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from cytopress.digests import digest_file
from cytopress.errors import DatasetError, UsageError

if TYPE_CHECKING:
    import requests

# What a broken connection may lose of what came: the library hands on whole blocks only.
BLOCK = 1 << 16
TIMEOUT_S = 60.0
ATTEMPTS = 3
# The waits double: 1 s, then 2 s.
WAIT_S = 1.0


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


def download(url: str, path: Path, *, sha256: str | None = None) -> None:
    """Download ``url`` to ``path``; a file that is already there is kept.

    After a broken connection, what has come stays in ``PATH.part``, and the next call resumes
    there if the server supports ranges; if not, it begins again.

    Parameters
    ----------
    url : str
        An http or https address.
    path : Path
        Where to put it, in a folder that exists.
    sha256 : str, optional
        The expected digest of the file, hexadecimal.

    Raises
    ------
    DatasetError
        The server cannot be reached, does not have the file, or sent another file than expected
        (which is deleted).
    """
    if path.exists():
        return
    part = path.with_name(f"{path.name}.part")
    _try_several_times(url, part)
    if sha256 is not None and (found := digest_file(part)) != sha256:
        part.unlink()
        raise DatasetError(
            f"{url}: the server sent another file than expected (sha256 {found}, not {sha256});"
            " it was deleted."
        )
    part.replace(path)


def _try_several_times(url: str, part: Path) -> None:
    import requests

    for attempt in range(1, ATTEMPTS + 1):
        try:
            _resume(url, part)
            return
        except requests.HTTPError as error:
            answer = _answer(error)
            if answer.status_code < 500 or attempt == ATTEMPTS:
                raise DatasetError(
                    f"{url}: the server answers {answer.status_code} {answer.reason}."
                ) from error
        except requests.RequestException as error:
            if attempt == ATTEMPTS:
                raise DatasetError(
                    f"{url}: the connection failed ({_cause(error)}); try again to resume the"
                    " download where it stopped."
                ) from error
        except OSError as error:
            raise DatasetError(f"{part}: cannot be written ({error.strerror}).") from error
        time.sleep(WAIT_S * 2 ** (attempt - 1))


def _answer(error: requests.HTTPError) -> requests.Response:
    assert error.response is not None
    return error.response


def _cause(error: BaseException) -> BaseException:
    # requests and urllib3 each wrap what the operating system said.
    return error if error.__context__ is None else _cause(error.__context__)


def _resume(url: str, part: Path) -> None:
    """Download what ``part`` lacks, or all of it from a server without ranges."""
    import requests

    with part.open("ab") as stream:
        have = stream.tell()
        try:
            _append(url, stream, have)
        except requests.HTTPError as error:
            answer = _answer(error)
            if answer.status_code != 416 or not have:
                raise
            # No bytes follow: the file is whole, or this is no part of it.
            if answer.headers.get("Content-Range") != f"bytes */{have}":
                stream.truncate(0)
                _append(url, stream, 0)


def _append(url: str, stream: IO[bytes], have: int) -> None:
    import pooch

    # Of a compressed answer, a range would not be one of the file's bytes.
    headers = {"User-Agent": "cytopress", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"

    def begin_again_unless_resumed(response: requests.Response, **_: Any) -> None:
        resumed = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if response.status_code in (200, 206) and not resumed:
            stream.truncate(0)

    transfer = pooch.HTTPDownloader(
        chunk_size=BLOCK,
        timeout=TIMEOUT_S,
        headers=headers,
        hooks={"response": begin_again_unless_resumed},
    )
    transfer(url, stream, None)
