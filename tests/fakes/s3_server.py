"""S3 on this machine: moto's server, and the variables by which clients find it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def s3_server() -> Iterator[str]:
    """Run a server and give its address; the test is skipped without moto."""
    server = pytest.importorskip("moto.server")
    started = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    started.start()
    host, port = started.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        started.stop()


def make_bucket(endpoint: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a bucket on a server, and point the clients of this process there."""
    import requests

    for variable, value in {
        "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(variable, value)
    assert requests.put(f"{endpoint}/{name}", timeout=10).status_code == 200
