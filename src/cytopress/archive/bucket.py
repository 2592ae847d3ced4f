"""Archive in a bucket (``s3://``): objects by obstore, a lock by conditional writes."""

from __future__ import annotations

import functools
import json
import os
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

from cytopress.archive.stores import FOLDER, LEDGERS
from cytopress.batch import ledger as ledgers
from cytopress.errors import NotAvailableError, StoreError

# Rows in one object of a ledger: an object cannot be appended to, so the last one is written again.
ROWS = 1000
# Seconds after which whoever holds a lock writes it again, and for which a lock that does not
# change is watched before it is taken for that of a process that has died.
BEAT, PATIENCE, POLL = 15.0, 50.0, 1.0
# How often a request is tried, with growing pauses.
RETRY: dict[str, Any] = {"max_retries": 8}


@dataclass(frozen=True)
class Bucket:
    """A folder of a bucket.

    Credentials, region and endpoint come from where AWS's own tools look for them: environment
    variables such as ``AWS_ENDPOINT_URL``, and the files in ``~/.aws``.
    """

    bucket: str
    prefix: str

    @classmethod
    def at(cls, path: str) -> Self:
        """Return the folder of a path ``bucket/prefix``.

        Raises
        ------
        NotAvailableError
            The extra s3 is not installed.
        """
        _obstore()
        bucket, _, prefix = path.partition("/")
        return cls(bucket, prefix)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def read(self, key: str) -> bytes:
        """Return an object."""
        with self.failures():
            return bytes(_obstore().get(self._client, key).bytes())

    def pieces(self, key: str) -> Iterator[bytes]:
        """Yield an object in pieces."""
        with self.failures():
            for piece in _obstore().get(self._client, key).stream():
                yield bytes(piece)

    def write(self, key: str, data: bytes) -> None:
        """Write an object."""
        with self.failures():
            _obstore().put(self._client, key, data)

    def size(self, key: str) -> int | None:
        """Return the bytes of an object."""
        with self.failures():
            try:
                return int(_obstore().head(self._client, key)["size"])
            except FileNotFoundError:
                return None

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Yield objects with their sizes."""
        with self.failures():
            found = [
                (one["path"], int(one["size"]))
                for batch in _obstore().list(self._client, prefix.rstrip("/") or None)
                for one in batch
            ]
        yield from sorted(found)

    def delete(self, key: str) -> None:
        """Delete an object."""
        with self.failures(), suppress(FileNotFoundError):
            _obstore().delete(self._client, key)

    def keep(self, key: str) -> None:
        """Return at once: an object that was put stays."""

    def zarr(self, key: str) -> Any:
        """Return the store of a group or array."""
        from zarr.storage import ObjectStore

        return ObjectStore(_client(self.bucket, "/".join(filter(None, (self.prefix, key)))))

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Raise errors of obstore as StoreError."""
        try:
            yield
        except _obstore().exceptions.BaseError as error:
            raise StoreError(f"{self}: {_sentence(str(error))}") from error

    @contextmanager
    def locked(self, name: str, doing: str) -> Iterator[None]:
        """Hold a lock: an object, written again every few seconds.

        One that has not changed for some time, or whose process on this machine has ended, is
        taken over.
        """
        lock = _Lock(self, f"{FOLDER}/{name}", doing)
        lock.take()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def ledger(self, name: str, plan: ledgers.Row) -> Iterator[ledgers.Ledger]:
        """Open a ledger: objects of a thousand rows, each written again until it is full."""
        parts = [key for key, _ in self.list(LEDGERS) if key.startswith(f"{LEDGERS}/{name}.")]
        begun: dict[str, Any] | None = None
        rows: dict[str, dict[str, Any]] = {}
        lines: list[bytes] = []
        for key in parts:
            data = self.read(key)
            found = ledgers.parsed(data, f"{self}/{key}")
            begun, lines = begun or found.plan, data.splitlines(keepends=True)
            for one, row in found.rows.items():
                rows.setdefault(one, {}).update(row)
        first = ledgers.line(plan if begun is None else begun)
        number = max(len(parts) - 1, 0)

        def append(data: bytes) -> None:
            nonlocal lines, number
            if len(lines) > ROWS:
                lines, number = [], number + 1
            lines = [*(lines or [first]), *data.splitlines(keepends=True)]
            self.write(f"{LEDGERS}/{name}.{number:04}.jsonl", b"".join(lines))

        yield ledgers.Ledger(dict(begun or plan), rows, append, f"{self}/{LEDGERS}/{name}")

    @property
    def _client(self) -> Any:
        return _client(self.bucket, self.prefix)


class _Lock:
    """An object that exists while a process works, and changes while it lives."""

    def __init__(self, store: Bucket, key: str, doing: str) -> None:
        self._client = _client(store.bucket, store.prefix)
        self._store, self._key, self._doing = store, key, doing
        self._tag: Any = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def take(self) -> None:
        """Take the lock; StoreError if another process has it."""
        already = _obstore().exceptions.AlreadyExistsError
        while self._tag is None:
            with self._store.failures():
                try:
                    self._put("create")
                except already:
                    self._take_over()
        self._thread.start()

    def release(self) -> None:
        """Give the lock back."""
        self._ended.set()
        self._thread.join()
        with suppress(StoreError):
            self._store.delete(self._key)

    def _take_over(self) -> None:
        """Take the lock of a process that has died; StoreError where it lives."""
        changed = _obstore().exceptions.PreconditionError
        with suppress(FileNotFoundError):
            tag, holder = self._holder()
            begin = time.monotonic()
            while not _has_died(holder) and time.monotonic() - begin < PATIENCE:
                if _is_here(holder) or self._holder()[0] != tag:
                    raise StoreError(
                        f"{self._store}: another process ({holder.get('pid')} on"
                        f" {holder.get('host')}) is {self._doing} here; wait for it, or choose"
                        " another folder."
                    )
                time.sleep(POLL)
            with suppress(changed):
                self._put({"e_tag": tag})

    def _holder(self) -> tuple[str, dict[str, Any]]:
        got = _obstore().get(self._client, self._key)
        try:
            holder = json.loads(bytes(got.bytes()))
        except ValueError:
            holder = {}
        return got.meta["e_tag"], holder

    def _put(self, mode: Any) -> None:
        mine = {"host": socket.gethostname(), "pid": os.getpid(), "beat": uuid.uuid4().hex}
        put = _obstore().put(self._client, self._key, json.dumps(mine).encode(), mode=mode)
        self._tag = put["e_tag"]

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            # What a lost lock could cost is work done twice, with the same bytes.
            with suppress(_obstore().exceptions.BaseError):
                self._put({"e_tag": self._tag})


def _is_here(holder: dict[str, Any]) -> bool:
    return holder.get("host") == socket.gethostname()


def _has_died(holder: dict[str, Any]) -> bool:
    """Whether a process of this machine has ended; False for those of others."""
    if not _is_here(holder):
        return False
    try:
        os.kill(int(holder["pid"]), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _sentence(text: str) -> str:
    """Return what the server says, or the innermost of the errors that follow one another."""
    said = re.search(r"<Code>(.*?)</Code>\s*<Message>(.*?)</Message>", text, re.DOTALL)
    if said is not None:
        return f"{said[2].strip().rstrip('.')} ({said[1]})."
    reason = text.split("Debug source", maxsplit=1)[0].strip().splitlines()[-1].strip()
    return f"cannot be reached ({reason[:200].rstrip('.')})."


def _obstore() -> Any:
    try:
        import obstore
        import obstore.exceptions
        import obstore.store
    except ImportError:
        raise NotAvailableError("s3:// needs the extra s3: pip install 'cytopress[s3]'.") from None
    return obstore


@functools.lru_cache(maxsize=256)
def _client(bucket: str, prefix: str) -> Any:
    """Return obstore's client of a folder; a server of the local network may speak plain HTTP."""
    return _obstore().store.S3Store(
        bucket,
        prefix=prefix or None,
        client_options={"allow_http": True},
        retry_config=RETRY,
        **_credentials(),
    )


def _credentials() -> dict[str, Any]:
    """Return what obstore does not read by itself: the files in ``~/.aws``."""
    if "AWS_ACCESS_KEY_ID" in os.environ:
        return {}
    try:
        from botocore.session import Session
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        return {}
    session = Session()
    if session.get_credentials() is None:
        return {}
    return {"credential_provider": Boto3CredentialProvider(session)}
