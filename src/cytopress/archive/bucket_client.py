"""obstore's client of a bucket: credentials, retries, and its errors as sentences."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cytopress.errors import NotAvailableError, StoreError

# How often a request is tried, with growing pauses.
RETRY: dict[str, Any] = {"max_retries": 8}


@contextmanager
def failures(url: str) -> Iterator[None]:
    """Raise errors of obstore as StoreError."""
    try:
        yield
    except obstore().exceptions.BaseError as error:
        raise StoreError(f"{url}: {_sentence(str(error))}") from error


def _sentence(text: str) -> str:
    """Return what the server says, or the innermost of the errors that follow one another."""
    said = re.search(r"<Code>(.*?)</Code>\s*<Message>(.*?)</Message>", text, re.DOTALL)
    if said is not None:
        return f"{said[2].strip().rstrip('.')} ({said[1]})."
    reason = text.split("Debug source", maxsplit=1)[0].strip().splitlines()[-1].strip()
    return f"cannot be reached ({reason[:200].rstrip('.')})."


def obstore() -> Any:
    """Return the library; NotAvailableError where the extra s3 is not installed."""
    try:
        import obstore
        import obstore.exceptions
        import obstore.store
    except ImportError:
        raise NotAvailableError("s3:// needs the extra s3: pip install 'cytopress[s3]'.") from None
    return obstore


@functools.lru_cache(maxsize=256)
def client_of(bucket: str, prefix: str) -> Any:
    """Return obstore's client of a folder; a server of the local network may speak plain HTTP."""
    return obstore().store.S3Store(
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
