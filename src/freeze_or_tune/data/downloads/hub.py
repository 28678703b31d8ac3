"""Downloads from the Hugging Face Hub, by the library that timm itself uses.

`HF_ENDPOINT`, `HF_TOKEN` and `HF_HUB_OFFLINE` are that library's. It is imported late: it takes half a second, and
reads its settings when it is imported.
"""

import contextlib
import dataclasses
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from freeze_or_tune.data.downloads.partial import Partial
from freeze_or_tune.data.downloads.whole import Wanted
from freeze_or_tune.system.errors import SpoiltFile, UserError
from freeze_or_tune.system.files import write_text

SCHEME = "hub:"
_WORK = ".hub-"


def page(url: str) -> str:
    """Where a person finds the repository of an address."""
    from huggingface_hub import constants  # noqa: PLC0415

    return f"{constants.ENDPOINT}/{url.removeprefix(SCHEME)}"


def library() -> Any:
    """The library, imported with our settings."""
    # Plain HTTP, which proxies and tests know, no request that nobody asked for, and no bars in logs.
    settings = ["HF_HUB_DISABLE_XET", "HF_HUB_DISABLE_TELEMETRY"]
    for setting in settings if sys.stderr.isatty() else [*settings, "HF_HUB_DISABLE_PROGRESS_BARS"]:
        os.environ.setdefault(setting, "1")
    import huggingface_hub.constants  # noqa: PLC0415
    import huggingface_hub.errors  # noqa: PLC0415

    return huggingface_hub


def revision_of(destination: Path) -> str | None:
    """The revision (a commit's hash) that a file was first fetched in; None if it was not, or a person placed it."""
    record = record_of(destination)
    revision = record.read_text(encoding="utf-8").partition(" ")[0] if record.exists() else None
    if revision is not None and not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise SpoiltFile(f"{record} does not begin with a revision", "it, if you trust the file beside it,")
    return revision


def get(url: str, wanted: Wanted, destination: Path) -> None:
    """Put a verified file at `destination`, in the revision of its first download; UserError if it cannot be had."""
    repository, first = url.removeprefix(SCHEME), revision_of(destination)
    with Partial(destination).locked(), _folder(destination) as folder:
        came, revision, wanted = _download(repository, wanted, first, destination, folder)
        problem = wanted.problem(came)
        if problem:
            raise UserError(f"what came {problem}; none of it was kept")
        came.replace(destination)
        write_text(record_of(destination), f"{revision}  {repository}\n")


def ask(url: str, file: str) -> tuple[Literal["alive", "login", "dead", "silent"], str, int | None]:
    """Whether the Hub has a file, why not, and its bytes, without fetching it."""
    hub = library()
    errors = hub.errors
    repository = url.removeprefix(SCHEME)
    try:
        told = hub.get_hf_file_metadata(hub.hf_hub_url(repository, file), retry_on_errors=True)
    except errors.GatedRepoError:
        return "login", "it is gated: accept its terms on its page, and set HF_TOKEN", None
    except errors.LocalEntryNotFoundError:
        return "silent", "the Hub did not answer", None
    except (errors.EntryNotFoundError, errors.RepositoryNotFoundError):
        return "dead", f"the Hub has no {file} there, or HF_TOKEN gives no access to it", None
    except Exception as error:  # of one of three HTTP libraries, by the version of this one
        return "silent", " ".join(str(error).split()) or type(error).__name__, None
    return ("alive", "", told.size) if told.commit_hash else ("dead", "what answered is no Hub", None)


@contextlib.contextmanager
def _folder(destination: Path) -> Iterator[Path]:
    """A folder beside the destination for the library to work in; what a killed process left of one is removed."""
    for left in destination.parent.glob(f"{_WORK}*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=_WORK) as folder:
        yield Path(folder)


def record_of(destination: Path) -> Path:
    """The file that keeps a revision; it outlives what it stands beside."""
    return destination.with_name(f"{destination.name}.revision")


def _download(
    repository: str, wanted: Wanted, first: str | None, destination: Path, folder: Path
) -> tuple[Path, str, Wanted]:
    """The file in a folder, its revision, and what it must be by what the Hub says, too."""
    hub = library()
    errors = hub.errors

    try:
        told = hub.get_hf_file_metadata(hub.hf_hub_url(repository, wanted.file, revision=first), retry_on_errors=True)
        if not told.commit_hash:
            raise UserError("what answered is no Hub, perhaps a login page or a proxy: it names no revision")
        wanted = _completed(wanted, told.etag, told.size)
        came = hub.hf_hub_download(repository, wanted.file, revision=told.commit_hash, local_dir=folder)
    except UserError:
        raise
    except errors.LocalEntryNotFoundError as error:  # the library's word for no network
        return _cached(repository, wanted, first, folder, error)
    except errors.GatedRepoError:
        raise UserError(
            f"{repository} is gated: accept its terms on its page, and set HF_TOKEN to your token"
        ) from None
    except errors.RevisionNotFoundError:
        raise SpoiltFile(
            f"{repository} has no revision {first} any more, that of the first download",
            f"{record_of(destination)} and the {wanted.algorithm} beside it, if you trust what it has now,",
        ) from None
    except errors.EntryNotFoundError:
        raise UserError(f"{repository} has no {wanted.file}") from None
    except errors.RepositoryNotFoundError:
        raise UserError(f"there is no {repository}, or it is private, and HF_TOKEN gives no access to it") from None
    except Exception as error:  # of one of three HTTP libraries, by the version of this one
        return _cached(repository, wanted, first, folder, error)
    return Path(came), told.commit_hash, wanted


def _completed(wanted: Wanted, etag: str | None, size: int | None) -> Wanted:
    """What the Hub says of large files: their SHA-256; UserError if it is not the one that was recorded."""
    if etag is None or not re.fullmatch(r"[0-9a-f]{64}", etag):
        return dataclasses.replace(wanted, size=wanted.size or size)
    if wanted.digest not in (None, etag):
        raise UserError(
            f"the Hub's file has the sha256 {etag}, not {wanted.digest} of {wanted.source}; nothing was fetched"
        )
    return dataclasses.replace(wanted, size=wanted.size or size, digest=etag, source="the Hub")


def _cached(
    repository: str, wanted: Wanted, first: str | None, folder: Path, error: Exception
) -> tuple[Path, str, Wanted]:
    """What the library keeps of earlier downloads by timm or others; UserError with `error` if it has not this file."""
    import huggingface_hub as hub  # noqa: PLC0415

    kept = hub.try_to_load_from_cache(repository, wanted.file, revision=first)
    if not isinstance(kept, str):
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"the Hub could not be asked, or its answer broke off: {reason}") from None
    # .../snapshots/<revision>/<file>
    return Path(shutil.copy(kept, folder)), Path(kept).parent.name, wanted
