"""A local HTTP server that can do what bad servers do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Served:
    """One address, and how it behaves; the lists are used up, one item a request."""

    data: bytes = b""
    etag: str = '"1"'
    ranges: bool = True
    statuses: list[int] = field(default_factory=list)  # errors before the first good answer
    drops: list[int] = field(default_factory=list)  # the connection is closed after so many bytes
    lie: int | None = 0  # added to the true Content-Length; None: no length is sent
    kind: str = "application/octet-stream"
    head: int = 0  # what a HEAD is answered; 0: as a GET is
    location: str = ""
    shift: int = 0  # added to the start of each range that is asked for
    hold: threading.Event | None = None  # waited for after `hold_after` bytes
    hold_after: int = 0


@dataclass
class Request:
    path: str
    method: str
    range: str | None
    condition: str | None
    host: str | None
    encoding: str | None


class Server(ThreadingHTTPServer):
    """Addresses by their path, and what was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.served: dict[str, Served] = {}
        self.log: list[Request] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def handle_error(self, *_: object) -> None:
        """Say nothing: that clients leave is part of the tests."""

    def ranges(self, path: str) -> list[str | None]:
        return [request.range for request in self.log if request.path == path]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        answer = self.server.served.get(urlsplit(self.path).path, Served(statuses=[404]))
        if answer.head:
            self.close_connection = True
            self.send_response(answer.head)
            self.end_headers()
        else:
            self.do_GET()

    def do_GET(self) -> None:
        self.close_connection = True
        path = urlsplit(self.path).path  # a proxy is asked for whole addresses
        asked, condition = self.headers["Range"], self.headers["If-Range"]
        self.server.log.append(
            Request(path, self.command, asked, condition, self.headers["Host"], self.headers["Accept-Encoding"])
        )
        answer = self.server.served.get(path, Served(statuses=[404]))
        status = answer.statuses.pop(0) if answer.statuses else 302 if answer.location else 200
        start = 0
        if status == 200 and asked and answer.ranges and condition in (None, answer.etag):
            start = int(asked.removeprefix("bytes=").partition("-")[0]) + answer.shift
            status = 206 if start < len(answer.data) else 416
        body = answer.data[start:] if status in (200, 206) else b"<html>an error</html>" if status >= 400 else b""
        self.send_response(status)
        self.send_header("Content-Type", answer.kind if status in (200, 206) else "text/html")
        if answer.etag:
            self.send_header("ETag", answer.etag)
        if answer.location:
            self.send_header("Location", answer.location)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(answer.data) - 1}/{len(answer.data)}")
        if status == 416:
            self.send_header("Content-Range", f"bytes */{len(answer.data)}")
        if answer.lie is not None:
            self.send_header("Content-Length", str(len(body) + (answer.lie if status in (200, 206) else 0)))
        self.end_headers()
        self._send(answer, body)

    def _send(self, answer: Served, body: bytes) -> None:
        if self.command == "HEAD":
            body = b""
        if answer.drops:
            body = body[: answer.drops.pop(0)]
        if answer.hold:
            self.wfile.write(body[: answer.hold_after])
            self.wfile.flush()
            answer.hold.wait(10)
            body = body[answer.hold_after :]
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
