"""Lock in a bucket: an object that exists while a process works, by conditional writes."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from contextlib import suppress
from typing import Any

from cytopress.archive.bucket_client import client_of, failures, obstore
from cytopress.errors import StoreError

# Seconds after which whoever holds a lock writes it again, and for which a lock that does not
# change is watched before it is taken for that of a process that has died.
BEAT, PATIENCE, POLL = 15.0, 50.0, 1.0


class BucketLock:
    """An object that exists while a process works, and changes while it lives."""

    def __init__(self, bucket: str, prefix: str, key: str, doing: str) -> None:
        self._client = client_of(bucket, prefix)
        self._url, self._key, self._doing = f"s3://{bucket}/{prefix}", key, doing
        self._tag: Any = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def take(self) -> None:
        """Take the lock; StoreError if another process has it."""
        already = obstore().exceptions.AlreadyExistsError
        while self._tag is None:
            with failures(self._url):
                try:
                    self._put("create")
                except already:
                    self._take_over()
        self._thread.start()

    def release(self) -> None:
        """Give the lock back."""
        self._ended.set()
        self._thread.join()
        with suppress(obstore().exceptions.BaseError, FileNotFoundError):
            obstore().delete(self._client, self._key)

    def _take_over(self) -> None:
        """Take the lock of a process that has died; StoreError where it lives."""
        changed = obstore().exceptions.PreconditionError
        with suppress(FileNotFoundError):
            tag, holder = self._holder()
            begin = time.monotonic()
            while not _has_died(holder) and time.monotonic() - begin < PATIENCE:
                if _is_here(holder) or self._holder()[0] != tag:
                    raise StoreError(
                        f"{self._url}: another process ({holder.get('pid')} on"
                        f" {holder.get('host')}) is {self._doing} here; wait for it, or choose"
                        " another folder."
                    )
                time.sleep(POLL)
            with suppress(changed):
                self._put({"e_tag": tag})

    def _holder(self) -> tuple[str, dict[str, Any]]:
        got = obstore().get(self._client, self._key)
        try:
            holder = json.loads(bytes(got.bytes()))
        except ValueError:
            holder = {}
        return got.meta["e_tag"], holder

    def _put(self, mode: Any) -> None:
        mine = {"host": socket.gethostname(), "pid": os.getpid(), "beat": uuid.uuid4().hex}
        put = obstore().put(self._client, self._key, json.dumps(mine).encode(), mode=mode)
        self._tag = put["e_tag"]

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            # What a lost lock could cost is work done twice, with the same bytes.
            with suppress(obstore().exceptions.BaseError):
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
