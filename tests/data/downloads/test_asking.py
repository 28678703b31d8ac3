"""Whether addresses answer, asked of a local server that does what bad servers do: no more than a few bytes come."""

import http.server
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from freeze_or_tune.data.downloads.asking import ask, ask_all
from freeze_or_tune.data.downloads.catalogue import Download
from freeze_or_tune.data.downloads.http import Patience

from .fetched import DATA, PAGE
from .hub import FILE, Dataset, Repository, hubbing
from .server import Served, Server, serving

QUICK = Patience(pauses=(0.001,), timeout=0.5)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def row(url: str, size: int | None = len(DATA), file: str = "f.tar") -> Download:
    return Download(
        dataset="d", file=file, url=url, page="https://page.org", bytes=size, algorithm="md5", digest=None, licence="-"
    )


def asked(server: Server, served: Served, size: int | None = len(DATA)) -> tuple[str, str, int | None]:
    server.served["/f"] = served
    answer = ask(row(server.url("/f"), size), server.url("/f"), QUICK)
    return answer.state, answer.words, answer.bytes


def test_a_head_is_enough_where_it_tells_the_size(server: Server) -> None:
    assert asked(server, Served(DATA)) == ("alive", "", len(DATA))
    assert [request.method for request in server.log] == ["HEAD"]


@pytest.mark.parametrize("status", [403, 404, 405, 501])
def test_one_byte_is_asked_for_where_a_head_is_refused(server: Server, status: int) -> None:
    assert asked(server, Served(DATA, head=status)) == ("alive", "", len(DATA))
    assert server.ranges("/f") == ["bytes=0-0"]


def test_a_server_without_ranges_is_left_after_the_first_bytes(server: Server) -> None:
    hold = threading.Event()
    large = Served(DATA, head=405, ranges=False, hold=hold, hold_after=1000)
    began = time.monotonic()
    assert asked(server, large) == ("alive", "", len(DATA))
    hold.set()
    assert time.monotonic() - began < 5


def test_an_unknown_size_is_taken_from_the_server_or_left_unknown(server: Server) -> None:
    assert asked(server, Served(DATA), None) == ("alive", "", len(DATA))
    assert asked(server, Served(DATA, lie=None)) == ("alive", "", None)


def test_another_size_is_another_file(server: Server) -> None:
    state, words, size = asked(server, Served(DATA[:-1]))
    assert (state, words, size) == ("size", "its file has 99,999 bytes, not 100,000", 99_999)


def test_a_web_page_in_the_place_of_an_archive(server: Server) -> None:
    state, words, _ = asked(server, Served(PAGE, kind="text/html"))
    assert state == "page"
    assert words.startswith("a web page comes in its place")
    # One that says it is an archive is known by its first bytes.
    assert asked(server, Served(PAGE, head=405, ranges=False), None)[0] == "page"


def test_a_redirect_is_followed_to_what_is_there(server: Server) -> None:
    server.served |= {"/gone": Served(PAGE, kind="text/html"), "/moved": Served(DATA)}
    state, words, _ = asked(server, Served(location=server.url("/gone")))
    assert (state, words.endswith("from " + server.url("/gone"))) == ("page", True)
    assert asked(server, Served(location=server.url("/moved"))) == ("alive", "", len(DATA))
    assert asked(server, Served(location=server.url("/nowhere")))[:2] == ("dead", "the server answered 404 Not Found")
    assert asked(server, Served(location=server.url("/f")))[0] == "dead"  # without end


@pytest.mark.parametrize(("status", "state"), [(401, "login"), (403, "login"), (404, "dead"), (410, "dead")])
def test_what_is_refused(server: Server, status: int, state: str) -> None:
    found, words, _ = asked(server, Served(statuses=[status] * 4))
    assert (found, f"the server answered {status}" in words) == (state, True)


def test_a_busy_server_is_asked_again(server: Server) -> None:
    assert asked(server, Served(DATA, head=503, statuses=[503])) == ("alive", "", len(DATA))
    assert asked(server, Served(DATA, head=503, statuses=[503] * 9))[1] == "the server answered 503 Service Unavailable"


def test_nobody_answers(server: Server) -> None:
    server.served["/f"] = Served(DATA, hold=threading.Event())
    assert ask(row("http://nowhere.invalid/f"), "http://nowhere.invalid/f", QUICK).state == "silent"
    closed = "http://127.0.0.1:9/f"
    found = ask(row(closed), closed, QUICK)
    assert (found.state, found.words.startswith("no connection: ")) == ("silent", True)


def test_a_server_that_takes_too_long(server: Server) -> None:
    class Slow(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            time.sleep(1)

        do_GET = do_HEAD

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow) as slow:
        threading.Thread(target=slow.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{slow.server_port}/f"
        assert ask(row(url), url, Patience(pauses=(), timeout=0.2)).state == "silent"
        slow.shutdown()


def test_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    pair = [str(tmp_path / name) for name in ("key.pem", "cert.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", pair[0],
         "-out", pair[1]], check=True, capture_output=True,
    )  # fmt: skip
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair[1], pair[0])
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"https://localhost:{server.server_port}/f"
        found = ask(row(url), url, QUICK)
        assert (found.state, "certificate" in found.words.lower()) == ("dead", True)
        server.shutdown()


def test_all_addresses_are_asked_and_stay_in_order(server: Server) -> None:
    server.served |= {"/a": Served(DATA), "/b": Served(DATA[:5]), "/c": Served(DATA)}
    first = row(server.url("/a")).model_copy(update={"mirrors": (server.url("/none"),)})
    rows = [first, row(server.url("/b")), row(server.url("/c")), row(server.url("/c")).model_copy(update={"url": None})]
    found = [(one.url, answer.address, answer.state) for one, answer in ask_all(rows, QUICK)]
    assert found == [
        (first.url, first.url, "alive"), (first.url, first.mirrors[0], "dead"), (rows[1].url, rows[1].url, "size"),
        (rows[2].url, rows[2].url, "alive"),
    ]  # fmt: skip


def test_pip_is_asked_for_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "there": (0, "there (2)\nAvailable versions: 2, 1\n", ""),
        "gone": (1, "", "ERROR: No matching distribution"),
    }

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command[:5] == [sys.executable, "-m", "pip", "index", "versions"]
        return subprocess.CompletedProcess(command, *said[command[-1]])

    monkeypatch.setattr(subprocess, "run", run)
    wheel = "there-1-py3-none-any.whl"
    found = [ask(row(url, None, wheel), url) for url in ("pypi:there==1", "pypi:there==3", "pypi:gone==1")]
    assert [(one.state, one.words) for one in found] == [
        ("alive", ""), ("dead", "the index has no version 3 of it"), ("dead", "No matching distribution"),
    ]  # fmt: skip


HUB = f"""
import sys
from freeze_or_tune.data.downloads.hub import ask
for name in sys.argv[1:]:
    print(*ask(name, {FILE!r})[::2])
"""


def test_the_hub_is_asked_for_a_header_alone() -> None:
    with hubbing() as hub:
        hub.repositories |= {"timm/a": Repository(DATA), "timm/b": Repository(DATA, gated=True)}
        done = subprocess.run(
            [sys.executable, "-c", HUB, "hub:timm/a", "hub:timm/b", "hub:timm/c"],
            env={"HF_ENDPOINT": hub.endpoint, "PATH": "", "PYTHONPATH": ":".join(sys.path), "HF_HUB_OFFLINE": "0"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.stdout.splitlines() == ["alive 100000", "login None", "dead None"], done.stderr
    assert not [line for line in hub.log if line.startswith("GET")]


HUB_DATASETS = """
import sys
from freeze_or_tune.data.downloads.asking import ask
from freeze_or_tune.study.hub import parse
for address in sys.argv[1:]:
    print(*(ask(parse(address), address).model_dump()[key] for key in ("state", "bytes")))
"""


def test_a_dataset_of_the_hub_is_asked_for_its_list_of_files_alone() -> None:
    with hubbing() as hub:
        shards = {f"data/train-0000{i}-of-00002.parquet": bytes(100 + i) for i in range(2)}
        hub.datasets |= {
            "1aurent/SUN397": Dataset(shards | {"README.md": b"a card"}), "me/gated": Dataset(shards, gated=True),
            "me/code": Dataset({"load.py": b"import this"}),
        }  # fmt: skip
        asked = [f"hf://{name}" for name in ("1aurent/SUN397", "me/gated", "me/code", "me/nothing")]
        done = subprocess.run(
            [sys.executable, "-c", HUB_DATASETS, *asked],
            env={"HF_ENDPOINT": hub.endpoint, "PATH": "", "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.stdout.splitlines() == ["alive 201", "login None", "dead None", "dead None"], done.stderr
    assert not [line for line in hub.log if "resolve" in line or "/lfs/" in line]
