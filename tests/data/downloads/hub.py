"""A local server that answers as the Hub does when it is asked for files and datasets, or as it should not."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

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


@dataclass
class Dataset:
    """The files of a dataset's repository: those that end with a suffix of large files lie elsewhere."""

    files: dict[str, bytes]
    revision: str = 40 * "d"
    gated: bool = False
    card: dict[str, object] = field(default_factory=dict)
    short: dict[str, int] = field(default_factory=dict)  # bytes that are missing at the end of a file, once

    def listed(self) -> dict[str, object]:
        """What the API says of it."""
        return {
            "id": "", "sha": self.revision, "private": False, "cardData": self.card,
            "siblings": [
                {"rfilename": name, "size": len(data), "blobId": blob(data)}
                | ({"lfs": {"sha256": sha256(data), "size": len(data), "pointerSize": 134}} if large(name) else {})
                for name, data in self.files.items()
            ],
        }  # fmt: skip


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def blob(data: bytes) -> str:
    """The digest that git gives a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def large(name: str) -> bool:
    return not name.endswith((".csv", ".jsonl", ".md", ".py", ".txt"))


class Hub(ThreadingHTTPServer):
    """Repositories by name, and what was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, Repository] = {}
        self.datasets: dict[str, Dataset] = {}
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
        if self.path.startswith("/datasets/"):
            return self._dataset_file()
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
        if self.path.startswith("/api/datasets/"):
            return self._dataset()
        if self.path.startswith("/datasets/"):
            return self._dataset_file()
        if self.path.startswith("/dataset-lfs/"):
            return self._large()
        assert self.headers["Authorization"] is None
        found = next(one for one in self.server.repositories.values() if self.path == f"/lfs/{one.digest}")
        body = found.page or found.data
        start = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        self._answer(206 if start else 200, {"ETag": f'"{found.digest}"', "Content-Length": str(len(body) - start)})
        self.wfile.write(body[start : len(body) - found.short])

    def _dataset(self) -> None:
        self.server.tokens.add(self.headers["Authorization"])
        path, _, _ = self.path.removeprefix("/api/datasets/").partition("?")
        name, _, revision = path.partition("/revision/")
        if found := self._found(name, revision or "main"):
            body = json.dumps(found.listed() | {"id": name}).encode()
            self._answer(200, {"Content-Type": "application/json", "Content-Length": str(len(body))})
            self.wfile.write(body)

    def _dataset_file(self) -> None:
        name, _, rest = self.path.removeprefix("/datasets/").partition("/resolve/")
        revision, _, file = rest.partition("/")
        found = self._found(name, revision)
        if not found:
            return
        data = found.files.get(unquote(file))
        if data is None:
            return self._answer(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": found.revision})
        headers = {"X-Repo-Commit": found.revision, "ETag": f'"{blob(data)}"', "Content-Length": str(len(data))}
        if large(file):
            place = f"http://localhost:{self.server.server_port}/dataset-lfs/{name}/{file}"  # another host
            linked = {"X-Linked-Size": str(len(data)), "X-Linked-Etag": f'"{sha256(data)}"', "Location": place}
            return self._answer(302, headers | linked | {"Content-Length": "0"})
        self._answer(200, headers)
        if self.command == "GET":
            self.wfile.write(data)

    def _large(self) -> None:
        assert self.headers["Authorization"] is None
        owner, name, file = self.path.removeprefix("/dataset-lfs/").split("/", 2)
        found = self.server.datasets[f"{owner}/{name}"]
        data = found.files[unquote(file)]
        start = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        headers = {"Content-Length": str(len(data) - start)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._answer(206 if start else 200, headers)
        self.wfile.write(data[start : len(data) - found.short.pop(unquote(file), 0)])

    def _found(self, name: str, revision: str) -> Dataset | None:
        found = self.server.datasets.get(name)
        if found is None:
            self._answer(404, {"X-Error-Code": "RepoNotFound"})
        elif found.gated:
            self._answer(403, {"X-Error-Code": "GatedRepo"})
        elif unquote(revision) not in ("main", "v1", "refs/convert/parquet", found.revision):
            self._answer(404, {"X-Error-Code": "RevisionNotFound"})
        else:
            return found
        return None

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
