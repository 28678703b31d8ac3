import hashlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.system.hashing import digest_of, stable_digest, stable_seed


def test_the_digest_is_sha256_of_compact_json() -> None:
    assert stable_digest(0, "digits", "3") == hashlib.sha256(b'[0,"digits","3"]').hexdigest()


def test_a_seed_never_changes() -> None:
    # Computed once with another SHA-256: splits and results everywhere depend on it.
    assert stable_seed(0, "digits") == int(hashlib.sha256(b'[0,"digits"]').hexdigest()[:16], 16) // 2


def test_the_order_of_keys_does_not_count() -> None:
    assert stable_digest({"a": 1, "b": 2}) == stable_digest({"b": 2, "a": 1})


@given(st.lists(st.text() | st.integers()))
def test_seeds_fit_every_generator(parts: list[str | int]) -> None:
    assert 0 <= stable_seed(*parts) < 2**63


def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1; RFC 1321, appendix A.5.
    assert digest_of(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest_of(tmp_path / "file", "md5") == "900150983cd24fb0d6963f7d28e17f72"
