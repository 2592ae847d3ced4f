"""A local HTTP server that can be told to misbehave."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote


class Server:
    """Serves a folder and keeps account of requests; its attributes change what it does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ranges = True
        # Break the connection after so many bytes, once for each number here.
        self.breaks: list[int] = []
        # Answer with these codes first.
        self.codes: list[int] = []
        self.requests: list[tuple[str, str | None]] = []
        self.url = ""


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    state = Server(folder)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.requests.append((unquote(self.path), wanted))
            path = state.folder / unquote(self.path).lstrip("/")
            if state.codes:
                self.send_error(state.codes.pop(0))
                return
            if not path.is_file():
                self.send_error(404)
                return
            data = path.read_bytes()
            start = 0
            if wanted and state.ranges:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                if start >= len(data):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(data)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            stop = state.breaks.pop(0) if state.breaks else len(data)
            self.wfile.write(data[start : start + stop])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
