"""A local server that answers as the Hugging Face Hub does when a large file is asked for, or as it should not."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FILE = "model.safetensors"


@dataclass
class Repository:
    """One file and how it is served."""

    data: bytes
    revision: str = 40 * "a"
    gated: bool = False
    page: bytes = b""  # sent in the place of the file, as by a proxy that wants a login
    short: int = 0  # bytes that are missing at the end each time
    busy: int = 0  # answers 503 so often

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


class Hub(ThreadingHTTPServer):
    """Repositories by name, and what was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, Repository] = {}
        self.log: list[str] = []
        self.tokens: set[str | None] = set()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Say nothing: that clients leave is part of the tests."""


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.server.log.append(f"HEAD {self.path}")
        self.server.tokens.add(self.headers["Authorization"])
        name, _, rest = self.path.removeprefix("/").partition("/resolve/")
        revision, _, file = rest.partition("/")
        found = self.server.repositories.get(name)
        if found is None:
            self._answer(404, {"X-Error-Code": "RepoNotFound"})
        elif found.busy:
            found.busy -= 1
            self._answer(503)
        elif found.gated:
            self._answer(403, {"X-Error-Code": "GatedRepo"})
        elif revision not in ("main", found.revision):
            self._answer(404, {"X-Error-Code": "RevisionNotFound"})
        elif file != FILE:
            self._answer(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": found.revision})
        else:
            # The file itself lies on another host, under its digest.
            self._answer(
                302,
                {
                    "X-Repo-Commit": found.revision, "X-Linked-Size": str(len(found.data)),
                    "X-Linked-Etag": f'"{found.digest}"', "ETag": f'"{found.digest}"',
                    "Location": f"http://localhost:{self.server.server_port}/lfs/{found.digest}",
                },
            )  # fmt: skip

    def do_GET(self) -> None:
        self.server.log.append(f"GET {self.path}")
        assert self.headers["Authorization"] is None
        found = next(one for one in self.server.repositories.values() if self.path == f"/lfs/{one.digest}")
        body = found.page or found.data
        start = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        self._answer(206 if start else 200, {"ETag": f'"{found.digest}"', "Content-Length": str(len(body) - start)})
        self.wfile.write(body[start : len(body) - found.short])

    def _answer(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.close_connection = True
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def hubbing() -> Iterator[Hub]:
    with Hub() as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()
