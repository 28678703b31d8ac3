"""The paper's files in miniature: real names and layouts, a few small noisy images a class, and their downloads.csv."""

import gzip
import hashlib
import io
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.io
from PIL import Image

from ..data.conftest import tarred, zipped

ROOT = Path(__file__).parents[2]
WNIDS = [f"n{1440764 + 7 * i:08d}" for i in range(1000)]
RICH = [0, 1, 2, 3, 4, 6]
"""Classes of ImageNet with several images: the first three of 500A and of 500B."""

_random = np.random.default_rng(0)


def picture(colour: int, kind: str = "JPEG", size: tuple[int, int] = (48, 40), mode: str = "RGB") -> bytes:
    """A noisy picture whose hue tells its class."""
    hue = np.array([colour * 37 % 200, colour * 91 % 200, colour * 53 % 200])
    pixels = hue + _random.integers(0, 56, (size[1], size[0], 3))
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).convert(mode).save(buffer, kind)
    return buffer.getvalue()


def lines(values: Iterable[str]) -> bytes:
    """A list, one value a line."""
    return "".join(f"{value}\n" for value in values).encode()


def caltech(path: Path) -> None:
    """Three classes, clutter, and what the dog's folder is known for."""
    root = "256_ObjectCategories"
    names = ["001.ak47", "056.dog", "198.spider", "257.clutter"]
    files = {f"{root}/{name}/{name[:3]}_{i:04d}.jpg": picture(int(name[:3])) for name in names for i in range(1, 7)}
    files |= {f"{root}/056.dog/greg/056_0009.jpg": picture(1), f"{root}/198.spider/RENAME2": b"mv"}
    tarred(path, files)


def sun_files() -> dict[str, bytes]:
    """Three scenes, one of them nested; a PNG and a GIF called .jpg; the two corrupt files."""
    files = {"SUN397/ClassName.txt": lines(["/a/abbey"])}
    for colour, name in enumerate(["a/abbey", "c/church/outdoor", "t/track/outdoor"]):
        for i, kind in enumerate(["JPEG", "PNG", "GIF", "JPEG", "JPEG", "JPEG"]):
            files[f"SUN397/{name}/sun_{name[0]}{i}.jpg"] = picture(colour, kind)
    files["SUN397/c/church/outdoor/sun_bhenjvsvrtumjuri.jpg"] = b"cut off"
    files["SUN397/t/track/outdoor/sun_aophkoiosslinihb.jpg"] = b"cut off"
    return files


def sun(path: Path, files: Mapping[str, bytes] | None = None) -> None:
    """Those files as they are published: a gzipped tar."""
    files = files or sun_files()
    path.write_bytes(gzip.compress(tarred(path.with_suffix(".uncompressed"), files).read_bytes(), 1))
    path.with_suffix(".uncompressed").unlink()


def mit_indoor(folder: Path) -> None:
    """Three scenes with spaces in their files' names, official lists, and images on neither."""
    scenes = ["airport_inside", "artstudio", "wine cellar"]
    names = [f"{scene}/a photo {i}.jpg" for scene in scenes for i in range(8)]
    files = {f"Images/{name}": picture(scenes.index(name.split("/")[0])) for name in names}
    tarred(folder / "indoorCVPR_09.tar", files)
    (folder / "TrainImages.txt").write_bytes(lines(name for name in names if int(name[-5]) < 4))
    (folder / "TestImages.txt").write_bytes(lines(name for name in names if 4 <= int(name[-5]) < 6))


def cub(path: Path) -> None:
    """Three birds: five training images each but four of the last, two tests; one greyscale file."""
    birds = ["001.Black_footed_Albatross", "002.Laysan_Albatross", "003.Sooty_Albatross"]
    rows = [(bird, f"{bird}/{bird[4:]}_{i:04d}.jpg", i < 5) for bird in birds for i in range(7)]
    rows.remove((birds[2], f"{birds[2]}/Sooty_Albatross_0000.jpg", True))
    root = "CUB_200_2011"
    files = {
        f"{root}/classes.txt": lines(f"{i} {bird}" for i, bird in enumerate(birds, 1)),
        f"{root}/images.txt": lines(f"{i} {image}" for i, (_, image, _) in enumerate(rows, 1)),
        f"{root}/image_class_labels.txt": lines(f"{i} {birds.index(b) + 1}" for i, (b, _, _) in enumerate(rows, 1)),
        f"{root}/train_test_split.txt": lines(f"{i} {int(train)}" for i, (_, _, train) in enumerate(rows, 1)),
    }
    for i, (bird, image, _) in enumerate(rows):
        files[f"{root}/images/{image}"] = picture(birds.index(bird), mode="L" if i == 3 else "RGB")
    path.write_bytes(gzip.compress(tarred(path.with_suffix(".uncompressed"), files).read_bytes(), 1))
    path.with_suffix(".uncompressed").unlink()


def coral(folder: Path) -> None:
    """Three years of the same quadrats; labels whose case changes; a rare label, one that is none, a lost photo."""
    for year, label in ((2008, "Porit"), (2009, "PORIT"), (2010, "porit")):
        files = {f"{year}/lost_qu9_{year}0401.jpg.txt": lines(["# Row; Col; Label", "1; 1; Sand"])}
        for quadrat in range(8):
            photo = f"{year}/mcr_lter1_fringingreef_pole1-2_qu{quadrat}_{year}0401.jpg"
            points = [f"{10 * i}; {7 * i}; {name}" for i, name in enumerate([label, "Sand", "Turf", "Off"] * 2)]
            points += ["99; 99; Monti"] * (quadrat == 0)
            files[photo] = picture(quadrat, size=(120, 90))
            files[f"{photo}.txt"] = lines(["# Row; Col; Label", *points])
        date = {2008: "20120521", 2009: "20120523", 2010: "20120521"}[year]
        zipped(folder / f"MCR_LTER_ComputerVision_LabeledCorals_{year}_{date}.zip", files)


def plankton(folder: Path) -> None:
    """Nine years, of which each has one greyscale image of three classes; one class is rare; Thumbs.db."""
    for year in range(2006, 2015):
        files = {f"{year}/{name}/IFCB1_{year}.png": picture(i, "PNG", (30 + 4 * i, 25), "L")
                 for i, name in enumerate(["mix", "Ceratium", "detritus"])}  # fmt: skip
        files |= {f"{year}/mix/Thumbs.db": b"", f"{year}/Thumbs.db": b""}
        if year == 2006:
            files["2006/zooplankton/IFCB1_1.png"] = picture(9, "PNG", mode="L")
        zipped(folder / f"{year}.zip", files)


def ilsvrc(folder: Path) -> None:
    """1,000 classes of one image, six of ten; CMYK and PNG files; validation images and the devkit's own ids."""
    inner = {}
    for i, wnid in enumerate(WNIDS):
        images = {f"{wnid}_{j}.JPEG": picture(i, size=(24, 20)) for j in range(10 if i in RICH else 1)}
        if i == RICH[0]:
            images[f"{wnid}_3.JPEG"] = picture(i, "PNG")
            images[f"{wnid}_4.JPEG"] = picture(i, mode="CMYK")
        inner[f"{wnid}.tar"] = tarred(folder / "inner", images).read_bytes()
    (folder / "inner").unlink()
    tarred(folder / "ILSVRC2012_img_train.tar", inner)
    truth = [index for index in RICH for _ in range(2)]
    val = {f"ILSVRC2012_val_{number:08d}.JPEG": picture(index) for number, index in enumerate(truth, 1)}
    tarred(folder / "ILSVRC2012_img_val.tar", val)
    kit = {
        "ILSVRC2012_devkit_t12/data/meta.mat": _synsets(),
        "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt": lines(str(1000 - i) for i in truth),
    }
    path = folder / "ILSVRC2012_devkit_t12.tar.gz"
    path.write_bytes(gzip.compress(tarred(folder / "kit", kit).read_bytes(), 1))
    (folder / "kit").unlink()


def _synsets() -> bytes:
    """meta.mat, whose ids count down where WordNet's go up."""
    columns = ["ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height"]
    rows = [(1000 - i, wnid, "words", "gloss", 0, np.zeros(0), 0) for i, wnid in enumerate(WNIDS)]
    rows.append((1001, "n00001930", "words", "gloss", 2, np.ones(2), 1))
    table = np.empty((len(rows), 1), dtype=[(name, object) for name in columns])
    for i, row in enumerate(rows):
        table[i, 0] = row
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {"synsets": table})
    return buffer.getvalue()


def place_all(folder: Path) -> None:
    """Put everything but CaffeNet's files where a person would: `folder`/resources/manual/<dataset>/<file>."""
    makers = {
        "caltech256": lambda to: caltech(to / "256_ObjectCategories.tar"),
        "sun397": lambda to: sun(to / "SUN397.tar.gz"),
        "mit-indoor": mit_indoor,
        "cub200": lambda to: cub(to / "CUB_200_2011.tgz"),
        "coral": coral,
        "plankton": plankton,
        "ilsvrc2012": ilsvrc,
    }
    for name, make in makers.items():
        to = folder / "resources/manual" / name
        to.mkdir(parents=True)
        make(to)


def copy_workflow(folder: Path) -> Path:
    """The workflow as it is, but its table of downloads holds size and digest of what is placed; its Snakefile."""
    for name in ("workflow", "config", "profiles"):
        shutil.copytree(ROOT / name, folder / name)
    table = pd.read_csv(folder / "config/downloads.csv", dtype=str, keep_default_na=False)
    for row, file in _placed(folder, table):
        data = file.read_bytes()
        table.loc[row, ["bytes", "algorithm", "digest"]] = [str(len(data)), "md5", hashlib.md5(data).hexdigest()]
    table.to_csv(folder / "config/downloads.csv", index=False, lineterminator="\n")
    return Path(shutil.copy(ROOT / "Snakefile", folder))


def _placed(folder: Path, table: pd.DataFrame) -> Iterator[tuple[int, Path]]:
    for row, (dataset, file) in enumerate(zip(table["dataset"], table["file"], strict=True)):
        path = folder / "resources/manual" / dataset / file
        if path.exists():
            yield row, path


def overlaid(config: Mapping, changes: Mapping) -> dict:  # type: ignore[type-arg]
    """A config with changes, key by key and as deep as they go; None removes a key."""
    merged = dict(config)
    for key, value in changes.items():
        if value is None:
            del merged[key]
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = overlaid(merged[key], value)
        else:
            merged[key] = value
    return merged
