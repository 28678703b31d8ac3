"""Downloads from a server that does what bad servers do: each ends in the right file or in a clear error."""

import dataclasses
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freeze_or_tune.data.downloads.http import Patience, get
from freeze_or_tune.data.downloads.partial import Partial
from freeze_or_tune.data.downloads.whole import Wanted
from freeze_or_tune.system.errors import UserError

from .fetched import DATA, PAGE, QUICK, UNKNOWN, assert_fails, assert_gets, names, wanted
from .server import Served, Server, serving


@pytest.fixture(scope="module")
def started() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def server(started: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    started.served.clear()
    started.log.clear()
    return started


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "new" / "f.tar"


@pytest.mark.parametrize("what", [wanted(), wanted(size=None), wanted(digest=None), UNKNOWN])
@pytest.mark.parametrize("lie", [0, None])
def test_a_good_server(server: Server, there: Path, what: Wanted, lie: int | None) -> None:
    assert assert_gets(server, there, Served(DATA, lie=lie), what) == [None]
    assert server.log[0].encoding == "identity"


@pytest.mark.parametrize("what", [wanted(), UNKNOWN])
def test_each_broken_connection_is_resumed_where_it_broke(server: Server, there: Path, what: Wanted) -> None:
    # More breaks than attempts: they count anew whenever bytes have come.
    ranges = assert_gets(server, there, Served(DATA, drops=[7, 20_000, 0, 1, 60_000, 10]), what)
    assert ranges == [None, *(f"bytes={n}-" for n in (7, 20_007, 20_007, 20_008, 80_008, 80_018))]
    assert {request.condition for request in server.log[1:]} == {'"1"'}


# No example begins like a web page: hypothesis finds that out.
ANY = st.binary(max_size=5000).map(b"PK".__add__)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 3000), max_size=5), ANY)
def test_resumed_at_any_byte(server: Server, there: Path, drops: list[int], data: bytes) -> None:
    server.served["/any"] = Served(data, drops=list(drops))
    get(server.url("/any"), wanted(data), there, QUICK)
    assert there.read_bytes() == data
    assert names(there) == ["f.tar"]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, len(DATA) - 1), st.sampled_from([wanted(), UNKNOWN]))
def test_a_later_call_resumes_at_any_byte(server: Server, there: Path, size: int, what: Wanted) -> None:
    server.served["/f"] = Served(DATA, drops=[size])
    with pytest.raises(UserError, match="broken"):
        get(server.url("/f"), what, there, Patience(pauses=()))
    server.log.clear()
    get(server.url("/f"), what, there, QUICK)
    assert there.read_bytes() == DATA
    assert server.ranges("/f") == [f"bytes={size}-"]


def test_a_server_that_always_breaks_is_given_up_and_its_bytes_are_kept(server: Server, there: Path) -> None:
    assert (
        assert_fails(server, there, Served(DATA, drops=[500] + [0] * 9), "Connection broken: .*attempt 4, the last")
        == 4
    )
    assert there.with_name("f.tar.part").read_bytes() == DATA[:500]
    server.log.clear()
    assert assert_gets(server, there, Served(DATA)) == ["bytes=500-"]


def test_no_ranges_means_from_the_beginning(server: Server, there: Path) -> None:
    assert assert_gets(server, there, Served(DATA, ranges=False, drops=[50_000])) == [None, "bytes=50000-"]


@pytest.mark.parametrize("what", [wanted(), UNKNOWN])
def test_a_file_that_changed_in_between_is_fetched_anew(server: Server, there: Path, what: Wanted) -> None:
    assert_fails(server, there, Served(DATA[::-1], '"old"', drops=[500] + [0] * 9), "broke", what)
    server.log.clear()
    assert assert_gets(server, there, Served(DATA, '"new"'), what) == ["bytes=500-"]
    assert server.log[0].condition == '"old"'


@pytest.mark.parametrize("etag", ["", 'W/"1"'])
def test_without_an_etag_pieces_are_joined_only_if_a_digest_will_tell(server: Server, there: Path, etag: str) -> None:
    assert assert_gets(server, there, Served(DATA, etag, drops=[500])) == [None, "bytes=500-"]
    there.unlink()
    server.log.clear()
    assert assert_gets(server, there, Served(DATA, etag, drops=[500]), UNKNOWN) == [None, None]


def test_another_mirror_goes_on_only_if_a_digest_will_tell(server: Server, there: Path) -> None:
    for what, asked in [(wanted(), "bytes=500-"), (UNKNOWN, None)]:
        assert_fails(server, there, Served(DATA, drops=[500] + [0] * 9), "broke", what)
        server.served["/g"] = Served(DATA)
        server.log.clear()
        get(server.url("/g"), what, there, QUICK)
        assert server.ranges("/g") == [asked]
        assert server.log[0].condition is None
        assert there.read_bytes() == DATA
        there.unlink()


def test_wrong_bytes_before_a_resume_are_found_and_fetched_anew(server: Server, there: Path) -> None:
    there.parent.mkdir()
    there.with_name("f.tar.part").write_bytes(b"x" * 500)
    assert assert_gets(server, there, Served(DATA)) == ["bytes=500-", None]


@pytest.mark.parametrize("extra", [0, 1, 5000])
def test_a_part_that_is_complete_or_too_long(server: Server, there: Path, extra: int) -> None:
    there.parent.mkdir()
    there.with_name("f.tar.part").write_bytes(DATA + b"x" * extra)
    assert assert_gets(server, there, Served(DATA)) == ([None] if extra else [])


@pytest.mark.parametrize(("extra", "requests"), [(0, 1), (5, 2)])
def test_a_part_that_is_complete_or_too_long_where_no_size_is_known(
    server: Server, there: Path, extra: int, requests: int
) -> None:
    partial = Partial(there)
    there.parent.mkdir()
    partial.begin(server.url("/f"), '"1"')
    partial.path.write_bytes(DATA + b"x" * extra)
    assert len(assert_gets(server, there, Served(DATA), UNKNOWN)) == requests


def test_a_mirror_with_less_does_not_cost_what_came_before(server: Server, there: Path) -> None:
    there.parent.mkdir()
    there.with_name("f.tar.part").write_bytes(DATA[:500])
    assert assert_fails(server, there, Served(DATA[:400]), "the server's file has fewer than 100000 bytes") == 1
    assert assert_gets(server, there, Served(DATA)) == ["bytes=500-", "bytes=500-"]


def test_another_range_than_asked_for_is_not_joined(server: Server, there: Path) -> None:
    assert assert_gets(server, there, Served(DATA, shift=1, drops=[500])) == [None, "bytes=500-", None]


@pytest.mark.parametrize("lie", [-5000, 5000])
def test_a_wrong_length_is_refused_before_anything_is_fetched(server: Server, there: Path, lie: int) -> None:
    assert (
        assert_fails(server, there, Served(DATA, lie=lie), f"the server's file has {len(DATA) + lie} bytes, not 100000")
        == 1
    )
    assert names(there) == []


def test_a_length_too_long_where_no_size_is_known(server: Server, there: Path) -> None:
    # What came is the whole file, and the server says so when it is asked for the rest.
    assert assert_gets(server, there, Served(DATA, lie=5000), UNKNOWN) == [None, "bytes=100000-"]


def test_a_length_too_short_where_no_size_is_known(server: Server, there: Path) -> None:
    assert assert_fails(server, there, Served(DATA, lie=-5000), "what came has the sha256", wanted(size=None)) == 2
    assert names(there) == []


def test_an_early_end_without_any_length_is_found_by_the_size(server: Server, there: Path) -> None:
    assert assert_gets(server, there, Served(DATA, lie=None, drops=[500])) == [None, "bytes=500-"]


def test_a_file_without_end_is_cut_off(server: Server, there: Path) -> None:
    endless = Served(DATA * 50, lie=None)
    assert assert_fails(server, there, endless, r"what came has [1-3]\d{5} bytes, not 100000; it was removed") == 2
    assert names(there) == []


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/octet-stream"])
@pytest.mark.parametrize("what", [wanted(), UNKNOWN])
def test_a_web_page_is_recognised(server: Server, there: Path, kind: str, what: Wanted) -> None:
    assert assert_fails(server, there, Served(PAGE, kind=kind), "the server sent a web page, often a login", what) == 1
    assert names(there) == []


def test_a_web_page_may_begin_with_a_mark_and_space(server: Server, there: Path) -> None:
    assert_fails(server, there, Served(b"\xef\xbb\xbf \r\n<HTML lang=en>"), "a web page", UNKNOWN)


def test_a_web_page_inside_a_file_is_none(server: Server, there: Path) -> None:
    data = DATA[:500] + PAGE
    server.served["/f"] = Served(data, drops=[500])
    get(server.url("/f"), wanted(data), there, QUICK)
    assert there.read_bytes() == data


def test_a_web_page_does_not_cost_what_came_before(server: Server, there: Path) -> None:
    assert_fails(server, there, Served(DATA, drops=[500] + [0] * 9), "broke")
    assert_fails(server, there, Served(PAGE, ranges=False), "web page")
    assert there.with_name("f.tar.part").read_bytes() == DATA[:500]


def test_a_web_page_that_came_in_pieces(server: Server, there: Path) -> None:
    assert_fails(server, there, Served(PAGE, drops=[3]), "a web page", UNKNOWN)


def test_a_web_page_that_is_wanted(server: Server, there: Path) -> None:
    server.served["/f"] = Served(PAGE, kind="text/html")
    get(server.url("/f"), wanted(PAGE, file="f.html"), there, QUICK)
    assert there.read_bytes() == PAGE


def test_an_empty_file_is_none(server: Server, there: Path) -> None:
    assert_fails(server, there, Served(b""), "what came is empty", UNKNOWN)


def test_a_wrong_digest_is_fetched_anew_once(server: Server, there: Path) -> None:
    assert assert_fails(server, there, Served(DATA[::-1]), r"has the sha256 \w+, not \w+ of config/downloads.csv") == 2
    assert names(there) == []


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_what_is_not_there_is_asked_for_once(server: Server, there: Path, status: int) -> None:
    assert assert_fails(server, there, Served(DATA, statuses=[status]), f"the server answered {status} ") == 1
    assert names(there) == []


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_server_is_asked_again(server: Server, there: Path, status: int) -> None:
    assert assert_gets(server, there, Served(DATA, statuses=[status] * 3)) == [None] * 4
    there.unlink()
    server.log.clear()
    assert (
        assert_fails(server, there, Served(DATA, statuses=[status] * 4), f"answered {status} .*attempt 4, the last")
        == 4
    )


def test_redirects_are_followed_with_the_range(server: Server, there: Path) -> None:
    server.served["/g"] = Served(DATA, drops=[500])
    assert len(assert_gets(server, there, Served(location=server.url("/g")))) == 2
    assert server.ranges("/g") == [None, "bytes=500-"]
    there.unlink()
    assert_fails(server, there, Served(location=server.url("/f")), "Exceeded 30 redirects")


def test_a_silent_server_is_left(server: Server, there: Path) -> None:
    release = threading.Event()
    server.served["/f"] = Served(DATA, hold=release, hold_after=500)
    with pytest.raises(UserError, match="Read timed out"):
        get(server.url("/f"), wanted(), there, Patience(pauses=(), timeout=0.05))
    release.set()
    assert there.with_name("f.tar.part").read_bytes() == DATA[:500]


def test_no_server_at_all(there: Path) -> None:
    with pytest.raises(UserError, match=r"no connection: .*refused.*attempt 4, the last"):
        get("http://127.0.0.1:9/f", wanted(), there, QUICK)
    assert names(there) == []


def test_a_proxy_of_the_environment_is_used(server: Server, there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url(""))
    monkeypatch.setenv("no_proxy", "")
    server.served["/f"] = Served(DATA)
    get("http://archive.invalid/f", wanted(), there, QUICK)
    assert there.read_bytes() == DATA
    assert server.log[0].host == "archive.invalid"


def test_a_full_disk_is_no_broken_connection(server: Server, there: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        requests = assert_fails(server, there, Served(DATA), r"cannot write .*f\.tar\.part: File too large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert requests == 1


def test_two_processes_do_not_mix_their_bytes(server: Server, there: Path) -> None:
    with Partial(there).locked(), pytest.raises(UserError, match="another process is downloading"):
        get(server.url("/f"), wanted(), there, QUICK)
    assert server.log == []


def test_progress_goes_to_the_log(server: Server, there: Path, caplog: pytest.LogCaptureFixture) -> None:
    server.served["/f"] = Served(DATA, drops=[500])
    with caplog.at_level(logging.INFO):
        get(server.url("/f"), wanted(), there, dataclasses.replace(QUICK, log_every=0))
    assert "f.tar: 500 of 100000 bytes" in caplog.messages
    assert any("trying again in 0.001 s" in message for message in caplog.messages)
    assert "f.tar: 100000 of 100000 bytes" in caplog.messages


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_is_drawn_on_a_terminal_only(
    server: Server, there: Path, terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert_gets(server, there, Served(DATA))
    assert ("f.tar:   0%" in capsys.readouterr().err) == terminal


def test_a_killed_process_is_resumed(server: Server, there: Path) -> None:
    release = threading.Event()
    server.served["/f"] = Served(DATA, hold=release, hold_after=50_000)
    code = (
        "import sys; from pathlib import Path; from freeze_or_tune.data.downloads import http, whole; "
        "http.get(sys.argv[1], whole.Wanted('f.tar', 100000, 'sha256', sys.argv[2]), Path(sys.argv[3]))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, server.url("/f"), wanted().digest or "", there])
    part = there.with_name("f.tar.part")
    end = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size) and time.monotonic() < end:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    release.set()
    size = part.stat().st_size
    assert 0 < size <= 50_000
    server.log.clear()
    assert assert_gets(server, there, Served(DATA)) == [f"bytes={size}-"]
    assert server.log[0].condition == '"1"'
