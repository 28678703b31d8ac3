"""Stage: a source network that others have trained, from their files to where pretraining would have left ours."""

from pathlib import Path

from freeze_or_tune.data.downloads import hub
from freeze_or_tune.data.downloads.catalogue import Download, read_downloads, recognise
from freeze_or_tune.data.downloads.fetching import page_of
from freeze_or_tune.networks.imported import read_imported
from freeze_or_tune.networks.weights import save_pretrained
from freeze_or_tune.records.imported import ImportedNetwork, Origin
from freeze_or_tune.study.backbones import Network
from freeze_or_tune.study.settings import Weights
from freeze_or_tune.system.hashing import digest_of


def import_network(
    source: str, sizes: Network, weights: Weights, downloads: Path, destination: Path, record: Path
) -> None:
    """Write the network with its mean image to `destination` (.safetensors), and where it is from to `record`.

    `downloads` is the table of files of others, which knows the address and the licence of those that are in it.
    """
    pretrained = read_imported(sizes, weights)
    save_pretrained(pretrained, destination)
    table = read_downloads(downloads)
    ImportedNetwork(
        source=source, format=Path(weights.file).suffix.removeprefix("."), classes=pretrained.classes,
        parameters=sum(parameter.numel() for parameter in pretrained.parameters.values()),
        weights=_origin(table, Path(weights.file)), mean=weights.mean and _origin(table, Path(weights.mean)),
    ).write(record)  # fmt: skip


def _origin(table: dict[str, list[Download]], path: Path) -> Origin:
    row = recognise(table, path)
    address = page_of(row) if row and row.url and row.url.startswith(hub.SCHEME) else row and (row.url or row.page)
    return Origin(
        file=path.name, sha256=digest_of(path), address=address, revision=hub.revision_of(path),
        licence=row and row.licence,
    )  # fmt: skip
