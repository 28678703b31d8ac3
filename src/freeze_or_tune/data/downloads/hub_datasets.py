"""Datasets of the Hugging Face Hub: the files that hold images and labels, whole, in the revision of the first time.

What has come of a download that broke off is kept, and not fetched again.
"""

import logging
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from freeze_or_tune.data.downloads import hub
from freeze_or_tune.data.downloads.partial import Partial
from freeze_or_tune.data.downloads.whole import Wanted
from freeze_or_tune.data.parts import PARTS
from freeze_or_tune.records.availability import State
from freeze_or_tune.study.hub import HubDataset, of_folder
from freeze_or_tune.system.errors import SpoiltFile, UserError
from freeze_or_tune.system.files import write_text

log = logging.getLogger(__name__)

NEEDED = (
    ".avif", ".bmp", ".csv", ".gif", ".heic", ".heif", ".jfif", ".jpe", ".jpeg", ".jpg", ".jsonl", ".ndjson", ".pbm",
    ".pgm", ".png", ".ppm", ".tar", ".tar.gz", ".tgz", ".tif", ".tiff", ".tsv", ".webp", ".zip",
)  # fmt: skip
"""What files of images and labels end with, where there is no parquet."""
_PARQUET = ".parquet"
_LISTS = ("classes.txt", "labels.txt")
_NO_SUBSETS = {"data", *PARTS}
"""Folders of parquet files that are no subsets."""
_AT_ONCE = 8
_SHOWN = 30


def fetch_dataset(destination: Path) -> None:
    """Fetch the dataset that the folder `destination` is named after; UserError, and no such folder, if it cannot be.

    Its revision is noted beside it (`hub.revision_of`), so that it is the same one when it is fetched again.
    """
    wanted, library = of_folder(destination.name), hub.library()
    partial = destination.with_name(f".{destination.name}.part")
    first = hub.revision_of(destination)
    with Partial(destination).locked(), _in_words(library, wanted, destination, first):
        told = library.HfApi().dataset_info(
            wanted.repository, revision=first or wanted.revision or None, files_metadata=True
        )
        files = _needed(wanted, told)
        size = sum(file.size or 0 for file in files)
        log.info(
            "%s, revision %s: %s files, %s bytes", wanted.address, told.sha, f"{len(files):,}", f"{size:,}"
        )  # fmt: skip
        _check_room(size, partial, destination)
        write_text(hub.record_of(destination), f"{told.sha}  {wanted.repository}\n")

        def fetch(file: Any) -> str:
            came = library.hf_hub_download(
                wanted.repository, file.rfilename, repo_type="dataset", revision=told.sha, local_dir=partial
            )
            digest = file.lfs.sha256 if file.lfs else None
            problem = Wanted(file.rfilename, file.size, "sha256", digest, "the Hub").problem(Path(came))
            if problem and file.size:
                Path(came).unlink()
            return f"{file.rfilename}: what came {problem}; it was removed" if problem and file.size else ""

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            problems = [problem for problem in pool.map(fetch, files) if problem]
        if problems:
            raise UserError(f"{wanted.address}: {problems[0]}")
        shutil.rmtree(partial / ".cache", ignore_errors=True)
        partial.replace(destination)


def ask(wanted: HubDataset) -> tuple[State, str, int | None]:
    """Whether the Hub has a dataset, why not, and the bytes of what would be fetched."""
    library = hub.library()
    errors = library.errors
    try:
        told = library.HfApi().dataset_info(wanted.repository, revision=wanted.revision or None, files_metadata=True)
        return "alive", "", sum(file.size or 0 for file in _needed(wanted, told)) or None
    except UserError as error:
        return "dead", str(error), None
    except errors.GatedRepoError:
        return "login", "it is gated: accept its terms on its page, and set HF_TOKEN", None
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError):
        return "dead", "the Hub has no such dataset or revision, or HF_TOKEN gives no access to it", None
    except Exception as error:  # of one of three HTTP libraries, by the version of this one
        return "silent", " ".join(str(error).split()) or type(error).__name__, None


def _needed(wanted: HubDataset, told: Any) -> list[Any]:
    """The files of the dataset that hold images or labels; UserError if it has none, or several subsets."""
    files = {file.rfilename: file for file in told.siblings or ()}
    strange = [name for name in files if name.startswith("/") or ".." in PurePosixPath(name).parts]
    if strange:
        raise UserError(f"{wanted.address} lists {strange[0]!r}, which leads out of it; nothing was fetched")
    names = [name for name in files if not any(part.startswith(".") for part in PurePosixPath(name).parts)]
    parquet = [name for name in names if name.lower().endswith(_PARQUET)]
    useful = parquet or [
        name for name in names if name.lower().endswith(NEEDED) or PurePosixPath(name).name in _LISTS
    ]  # fmt: skip
    if not useful:
        raise UserError(
            f"{wanted.address} holds no parquet files, images, tars or zips; the Hub may have made parquet files of "
            f"it: hf://{wanted.repository}@refs/convert/parquet"
        )
    return [files[name] for name in _subset(wanted, useful, _configs(told), folders=bool(parquet))]


def _subset(
    wanted: HubDataset, names: Sequence[str], configs: Sequence[Mapping[str, Any]], *, folders: bool
) -> list[str]:
    """The files of the subset that is asked for, or of the only one; UserError lists them."""
    subsets: dict[str, list[str]] = defaultdict(list)
    for config in configs:
        found = [name for name in names if any(fnmatchcase(name, pattern) for pattern in _patterns(config))]
        if found:
            subsets[str(config.get("config_name", "default"))] = found
    if not subsets and (folders or wanted.subset):
        for name in names:
            first = PurePosixPath(name).parts[0] if "/" in name else ""
            subsets["" if first in _NO_SUBSETS else first].append(name)
    if wanted.subset:
        if wanted.subset in subsets:
            return subsets[wanted.subset]
        raise UserError(f"{wanted.repository} has no subset {wanted.subset!r}; {_listed(wanted, subsets)}")
    if len(subsets) < 2:
        return next(iter(subsets.values()), list(names))
    chosen = [str(config.get("config_name")) for config in configs if config.get("default")] or ["default"]
    if chosen[0] in subsets:
        log.info("%s: of its subsets %s the default, %s", wanted.address, ", ".join(subsets), chosen[0])
        return subsets[chosen[0]]
    raise UserError(f"{wanted.repository} has several subsets; {_listed(wanted, subsets)}")


def _listed(wanted: HubDataset, subsets: Mapping[str, object]) -> str:
    names = sorted(filter(None, subsets))
    if not names:
        return "it has none"
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    example = HubDataset(wanted.repository, wanted.revision, names[0]).address
    return f"give one of {shown}, such as {example}"


def _configs(told: Any) -> list[Mapping[str, Any]]:
    """The subsets that the dataset's card names."""
    configs = told.card_data.to_dict().get("configs") if told.card_data else None
    return [config for config in configs if isinstance(config, dict)] if isinstance(configs, list) else []


def _patterns(config: Mapping[str, Any]) -> Iterator[str]:
    """Where the files of a subset lie, as its dataset's card has it: a pattern, several, or some for each split."""
    folder = str(config.get("data_dir") or "").strip("/")
    given = config.get("data_files") or ("*" if folder else [])
    entries = given if isinstance(given, list) else list(given.values()) if isinstance(given, dict) else [given]
    for entry in entries:
        paths = entry.get("path") if isinstance(entry, dict) else entry
        for path in paths if isinstance(paths, list) else [paths]:
            yield f"{folder}/{path}".lstrip("/").replace("**/", "*")


def _check_room(size: int, partial: Path, destination: Path) -> None:
    come = sum(file.stat().st_size for file in partial.rglob("*") if file.is_file()) if partial.exists() else 0
    free = shutil.disk_usage(destination.parent).free
    if size - come > free:
        raise UserError(
            f"{destination.name} takes {size:,} bytes, of which {come:,} have come, but {destination.parent} has room "
            f"for {free:,} more; make room, or link {destination.parent} to another disk"
        )


@contextmanager
def _in_words(library: Any, wanted: HubDataset, destination: Path, first: str | None) -> Iterator[None]:
    """What goes wrong with the Hub, as UserError that says what to do."""
    errors, name = library.errors, wanted.repository
    page = f"{library.constants.ENDPOINT}/datasets/{name}"
    try:
        yield
    except UserError:
        raise
    except errors.GatedRepoError:
        raise UserError(f"{name} is gated: accept its terms on {page}, and set HF_TOKEN to your token") from None
    except errors.RevisionNotFoundError:
        if first:
            raise SpoiltFile(
                f"{name} has no revision {first} any more, that of the first download",
                f"{hub.record_of(destination)}, if you trust what it has now,",
            ) from None
        raise UserError(f"{name} has no revision {wanted.revision!r}; {page}/tree/main lists them") from None
    except errors.EntryNotFoundError as error:
        raise UserError(f"{wanted.address}: {' '.join(str(error).split())}") from None
    except errors.RepositoryNotFoundError:
        raise UserError(
            f"there is no dataset {name} on {library.constants.ENDPOINT}, or it is private, and HF_TOKEN gives no "
            "access to it"
        ) from None
    except Exception as error:  # of one of three HTTP libraries, by the version of this one
        if isinstance(error, OSError) and error.errno:
            raise UserError(f"{wanted.address} cannot be written to {destination}: {error.strerror}") from None
        reason = " ".join(str(error).split()) or type(error).__name__
        at = f" --revision {first or wanted.revision}" if first or wanted.revision else ""
        raise UserError(
            f"the Hub could not be asked, or its answer broke off: {reason}. Run again to go on; or, where there is a "
            f"network, hf download {name} --repo-type dataset{at} --local-dir FOLDER, and give images=FOLDER"
        ) from None
