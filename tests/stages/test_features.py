import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from freeze_or_tune.data.index import build_index
from freeze_or_tune.data.splits import Draw, Row, write_split
from freeze_or_tune.data.store import build_store
from freeze_or_tune.networks.caffenet import caffenet, initialise
from freeze_or_tune.networks.weights import Pretrained, load_pretrained, save_pretrained
from freeze_or_tune.records.distances import MeanFeatures
from freeze_or_tune.stages import features as module
from freeze_or_tune.stages.features import extract_features, source_network, write_features
from freeze_or_tune.study.backbones import CaffeNet
from freeze_or_tune.study.settings import Machine
from freeze_or_tune.system.csv_files import read_table
from freeze_or_tune.system.errors import UserError

SIZES = CaffeNet(channels=(4, 6, 6, 6, 4), features=16, image_size=48, crop=43, scale=1 / 64, filler="msra")
OFFSET = 2  # of the centre crop
RNG = np.random.default_rng(0)
PICTURES = {f"{name}/{i}.png": RNG.integers(0, 256, (48, 48, 3), np.uint8) for name in ("cat", "dog") for i in range(5)}
MEAN = RNG.uniform(90, 160, (48, 48, 3)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a store of ten pictures and a source network of seven classes."""
    for name, pixels in PICTURES.items():
        (tmp_path / "pets" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "pets" / name)
    build_index("folder", tmp_path / "pets", tmp_path / "index.csv", 5)
    build_store(
        tmp_path / "pets", tmp_path / "index.csv", [Draw(seed=0, n=3, val=1, test=1)],
        dataset="pets", size=48, destination=tmp_path / "store.npy", threads=1,
    )  # fmt: skip
    network = caffenet(SIZES, 7)
    initialise(network, SIZES.filler, 0)
    save_pretrained(
        Pretrained(dict(network.named_parameters()), torch.from_numpy(MEAN)), tmp_path / "source.safetensors"
    )
    return tmp_path


def extract(folder: Path, threads: int = 1, sample: Path | None = None) -> tuple[np.ndarray, list[str]]:
    files = [folder / "out" / f"pets.{suffix}" for suffix in ("npy", "csv", "json")]
    source, store, machine = folder / "source.safetensors", folder / "store.npy", Machine(device="cpu")
    extract_features(SIZES, source, store, *files, machine, threads, sample)
    return np.load(files[0]), [image for _, (image,) in read_table(files[1], ("image",))]


def inputs_of_the_classifier(folder: Path, pixels: np.ndarray) -> np.ndarray:
    """What reaches fc8 when the source network classifies one picture (RGB): Caffe's test phase, step by step."""
    network, seen = caffenet(SIZES, 7).eval(), []
    network.load_state_dict(load_pretrained(folder / "source.safetensors").parameters)
    network.fc8.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    crop = (pixels[:, :, ::-1].astype(np.float32) - MEAN)[OFFSET : OFFSET + 43, OFFSET : OFFSET + 43] / 64
    with torch.no_grad():
        network(torch.from_numpy(crop.transpose(2, 0, 1).copy())[None])
    return seen[0][0].numpy()


@pytest.mark.parametrize("chunk", [4, 250])
def test_features_are_the_inputs_of_the_sources_classifier(
    folder: Path, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "chunk_for", lambda *_: chunk)
    features, names = extract(folder)
    assert names == sorted(PICTURES)
    assert (features.shape, features.dtype) == ((10, 16), np.float32)
    for row, name in zip(features, names, strict=True):
        np.testing.assert_allclose(row, inputs_of_the_classifier(folder, PICTURES[name]), rtol=1e-4, atol=1e-5)
    assert features.min() == 0  # after the ReLU
    assert len(np.unique(features, axis=0)) == 10


def test_the_number_of_threads_changes_next_to_nothing(folder: Path) -> None:
    (one, names), (two, again) = extract(folder, 1), extract(folder, 2)
    assert names == again
    np.testing.assert_allclose(two, one, rtol=1e-4, atol=1e-5)


def test_the_source_network_is_whole_and_in_evaluation_mode(folder: Path) -> None:
    pretrained = load_pretrained(folder / "source.safetensors")
    network = source_network(SIZES, pretrained)
    assert not any(layer.training for layer in network.modules())
    assert all(torch.equal(p, pretrained.parameters[name]) for name, p in network.named_parameters())
    assert network.fc8.out_features == 7


def test_the_mean_is_kept_beside_the_features(folder: Path) -> None:
    features, _ = extract(folder)
    record = MeanFeatures.read(folder / "out" / "pets.json")
    assert record.images == 10
    np.testing.assert_allclose(record.mean, features.mean(0, dtype=np.float64), rtol=1e-12)


def test_only_the_training_images_of_a_sample(folder: Path) -> None:
    everything, names = extract(folder)
    subsets = ["train", "train", "train", "val", "test"] * 2
    rows = [Row(name, name.split("/")[0], int(name[0] == "d"), s) for name, s in zip(names, subsets, strict=True)]
    write_split(rows, folder / "n3.csv")
    features, sampled = extract(folder, sample=folder / "n3.csv")
    trained = [name for name, subset in zip(names, subsets, strict=True) if subset == "train"]
    assert sampled == trained
    np.testing.assert_allclose(features, everything[[names.index(name) for name in trained]], rtol=1e-4, atol=1e-5)
    assert MeanFeatures.read(folder / "out" / "pets.json").images == 6


def test_a_sample_of_nothing(folder: Path) -> None:
    write_split([Row("cat/0.png", "cat", 0, "test")], folder / "n0.csv")
    with pytest.raises(UserError, match="no training images"):
        extract(folder, sample=folder / "n0.csv")


def test_the_mean_of_many_features_is_exact(tmp_path: Path) -> None:
    # Summed in float32 these would stop at 2**24.
    chunk = np.full((2**18, 1), 16.5, np.float32)
    chunk[::2] += 1
    record = write_features([chunk] * 8, 2**21, tmp_path / "f.npy")
    assert (record.images, record.mean) == (2**21, (17.0,))
    written = np.load(tmp_path / "f.npy")
    assert (written.dtype, written.shape) == (np.float32, (2**21, 1))
    assert (written == np.concatenate([chunk] * 8)).all()


def test_features_that_are_no_numbers_leave_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has diverged"):
        write_features([np.full((2, 3), np.nan, np.float32)], 2, tmp_path / "f.npy")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    # What 50,000 images take on the way through, a tenth of their width: 82 MB in chunks of 0.4.
    program = f"""
import resource
import numpy as np
from pathlib import Path
from freeze_or_tune.stages.features import write_features

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

chunks = (np.full((250, 410), number, np.float32) for number in range(200))
write_features([np.ones((250, 410), np.float32)], 250, Path({str(tmp_path / "small.npy")!r}))
before = peak()
record = write_features(chunks, 50_000, Path({str(tmp_path / "f.npy")!r}))
assert set(record.mean) == {{99.5}}
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 10_000  # kB
    assert np.load(tmp_path / "f.npy", mmap_mode="r").shape == (50_000, 410)
