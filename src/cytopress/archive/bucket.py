"""Archive in a bucket (``s3://``): objects by obstore."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

from cytopress.archive.bucket_client import client_of, failures, obstore
from cytopress.archive.bucket_lock import BucketLock
from cytopress.archive.store_keys import FOLDER, LEDGERS
from cytopress.batch import ledger as ledgers

# Rows in one object of a ledger: an object cannot be appended to, so the last one is written again.
ROWS = 1000


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
        obstore()
        bucket, _, prefix = path.partition("/")
        return cls(bucket, prefix)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def read(self, key: str) -> bytes:
        """Return an object."""
        with self.failures():
            return bytes(obstore().get(self._client, key).bytes())

    def pieces(self, key: str) -> Iterator[bytes]:
        """Yield an object in pieces."""
        with self.failures():
            for piece in obstore().get(self._client, key).stream():
                yield bytes(piece)

    def write(self, key: str, data: bytes) -> None:
        """Write an object."""
        with self.failures():
            obstore().put(self._client, key, data)

    def size(self, key: str) -> int | None:
        """Return the bytes of an object."""
        with self.failures():
            try:
                return int(obstore().head(self._client, key)["size"])
            except FileNotFoundError:
                return None

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Yield objects with their sizes."""
        with self.failures():
            found = [
                (one["path"], int(one["size"]))
                for batch in obstore().list(self._client, prefix.rstrip("/") or None)
                for one in batch
            ]
        yield from sorted(found)

    def delete(self, key: str) -> None:
        """Delete an object."""
        with self.failures(), suppress(FileNotFoundError):
            obstore().delete(self._client, key)

    def keep(self, key: str) -> None:
        """Return at once: an object that was put stays."""

    def zarr(self, key: str) -> Any:
        """Return the store of a group or array."""
        from zarr.storage import ObjectStore

        return ObjectStore(client_of(self.bucket, "/".join(filter(None, (self.prefix, key)))))

    def failures(self) -> AbstractContextManager[None]:
        """Raise errors of obstore as StoreError."""
        return failures(str(self))

    @contextmanager
    def locked(self, name: str, doing: str) -> Iterator[None]:
        """Hold a lock: an object, written again every few seconds.

        One that has not changed for some time, or whose process on this machine has ended, is
        taken over.
        """
        lock = BucketLock(self.bucket, self.prefix, f"{FOLDER}/{name}", doing)
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
        return client_of(self.bucket, self.prefix)
