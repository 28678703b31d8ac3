from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from statsmodels.stats.proportion import proportion_confint

from freeze_or_tune.data.index import read_index
from freeze_or_tune.data.splits import Row, read_split
from freeze_or_tune.networks.build import build
from freeze_or_tune.networks.weights import load_pretrained
from freeze_or_tune.records.distances import MeanFeatures
from freeze_or_tune.records.probes import Profile, most_telling
from freeze_or_tune.stages import probing
from freeze_or_tune.stages.probing import probe
from freeze_or_tune.stages.work import suited
from freeze_or_tune.system.csv_files import write_table
from freeze_or_tune.system.hashing import stable_digest
from tests.analysis.advice.own import profile
from tests.stages.files import CPU, PICTURES, SIZES, Files, settings


@pytest.fixture(scope="module")
def rooms(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The profile of two classes that a source of three others tells apart, and their mean features."""
    folder = tmp_path_factory.mktemp("probes")
    probed(files, folder)
    return folder


def probed(files: Files, folder: Path, index: Path | None = None) -> Profile:
    store, split = files.inputs("digits")
    probe(
        SIZES, "letters", files.weights, store, split, index or files.folder / "digits-index.csv",
        folder / "p.json", folder / "m.json", CPU, 1, seed=0,
    )  # fmt: skip
    return Profile.read(folder / "p.json")


def by_hand(files: Files, mirrored: bool = False) -> tuple[list[np.ndarray], np.ndarray, list[str]]:
    """Pooled outputs of each block, from the pictures themselves, in the order of the probe."""
    rows = [row for row in read_split(files.inputs("digits")[1], 6, 3, 4) if row.subset != "test"]
    rows.sort(key=lambda row: stable_digest(0, row.image))
    pretrained, network = load_pretrained(files.weights), build(SIZES, 3, 0).eval()
    pretrained.copy_to(network, range(1, 9))
    pixels = np.array([PICTURES["digits"][row.image] for row in rows])[..., ::-1].astype(np.float32)
    views = ((pixels - pretrained.mean.numpy()) / 64)[:, 2:45, 2:45]
    x = torch.from_numpy((views[:, :, ::-1] if mirrored else views).transpose(0, 3, 1, 2).copy())
    found = []
    with torch.no_grad():
        for block in range(1, 8):
            outputs = network(x.clone(), stop=network.first_layer(block + 1))
            found.append((outputs.flatten(2).mean(2) if outputs.ndim == 4 else outputs).numpy())
    return found, np.array([row.label for row in rows]), [row.image for row in rows]


def test_each_block_is_probed_as_scikit_learn_would(files: Files, rooms: Path) -> None:
    profile = Profile.read(rooms / "p.json")
    blocks, labels, _ = by_hand(files)
    assert (profile.source, profile.images, profile.classes, profile.folds) == ("letters", 18, 2, 5)
    assert [one.block for one in profile.blocks] == list(range(1, 8))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    for one, features in zip(profile.blocks, blocks, strict=True):
        assert one.width == features.shape[1]
        logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
        right = int((cross_val_predict(logistic, features, labels, cv=folds) == labels).sum())
        assert one.logistic == pytest.approx(right / 18)
        assert (one.low, one.high) == pytest.approx(proportion_confint(right, 18, method="wilson"))
        neighbours = KNeighborsClassifier(5, metric="cosine")
        assert one.neighbours == pytest.approx(
            (cross_val_predict(neighbours, features, labels, cv=folds) == labels).mean()
        )


def test_mirrored_images_are_asked_of_who_learnt_from_the_others_as_they_are(files: Files, rooms: Path) -> None:
    profile = Profile.read(rooms / "p.json")
    (blocks, labels, _), (turned, _, _) = by_hand(files), by_hand(files, mirrored=True)
    place, right = profile.best.block - 1, 0
    for learn, tell in StratifiedKFold(5, shuffle=True, random_state=0).split(labels, labels):
        logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
        logistic.fit(blocks[place][learn], labels[learn])
        right += int((logistic.predict(turned[place][tell]) == labels[tell]).sum())
    assert profile.mirrored == pytest.approx(right / 18)


@pytest.mark.parametrize(("mirrored", "symmetric"), [(0.86, True), (0.74, False), (0.9, True)])
def test_images_are_symmetric_where_mirrored_ones_are_told_apart_nearly_as_well(
    mirrored: float, symmetric: bool
) -> None:
    """Beside 0.8, of the best block."""
    found = profile("a", 0.8, 0.6).model_copy(update={"mirrored": mirrored})
    assert found.symmetric == symmetric
    for mirror in (True, False):
        given = settings("digits", "F1-7_R8", mirror=mirror)
        assert suited(given, found) == settings("digits", "F1-7_R8", mirror=mirror and symmetric)


def test_the_mean_is_that_of_the_features_and_no_test_image_takes_part(files: Files, rooms: Path) -> None:
    blocks, _, names = by_hand(files)
    mean = MeanFeatures.read(rooms / "m.json")
    np.testing.assert_allclose(mean.mean, blocks[-1].mean(0), rtol=1e-4)
    assert mean.images == len(names) == 18


def test_images_of_a_group_are_on_one_side_of_a_fold(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings = read_index(files.folder / "digits-index.csv")
    grouped = [(one.image, one.class_name, "", str(int(one.image[-6:-4]) // 2)) for one in listings]
    write_table(tmp_path / "index.csv", ("image", "class", "subset", "group"), grouped)
    seen: list[probing.Folds] = []
    folds = probing._folds
    monkeypatch.setattr(probing, "_folds", lambda *given: seen.append(folds(*given)) or seen[-1])
    probed(files, tmp_path, tmp_path / "index.csv")
    _, _, names = by_hand(files)
    groups = np.array([int(name[-6:-4]) // 2 for name in names])
    assert all(not set(groups[learn]) & set(groups[tell]) for learn, tell in seen[0])


def parted(folder: Path, groups: dict[str, list[str]]) -> tuple[list[Row], Path]:
    """Rows of classes by the groups of their images, and an index that knows of none."""
    rows = [
        Row(f"{name}/{place}", name, label, "train", group)
        for label, (name, held) in enumerate(groups.items())
        for place, group in enumerate(held)
    ]
    listed = sorted((row.image, row.class_name, "", "") for row in rows)
    write_table(folder / "index.csv", ("image", "class", "subset", "group"), listed)
    return rows, folder / "index.csv"


def test_groups_that_the_check_has_found_are_on_one_side_of_a_fold(tmp_path: Path) -> None:
    rows, index = parted(tmp_path, {"a": [*"ppqqrrss"], "b": [*"ttuuvvww"], "c": [*"xxx"]})
    folds = probing._folds(rows, index)
    assert len(folds) == 4  # as many as the smallest class that can be parted has groups; c is on one side of all
    for learn, tell in folds:
        assert not {rows[place].group for place in learn} & {rows[place].group for place in tell}
    assert sorted(np.concatenate([tell for _, tell in folds])) == list(range(len(rows)))


def test_where_groups_leave_nothing_to_learn_images_are_told_apart_without_them(tmp_path: Path) -> None:
    """One patient a class: whoever tells the classes apart has seen only one of them."""
    rows, index = parted(tmp_path, {"a": [*"pppp"], "b": [*"qqqq"]})
    folds = probing._folds(rows, index)
    assert all(len({rows[place].label for place in learn}) == 2 for learn, _ in folds)
    assert sorted(np.concatenate([tell for _, tell in folds])) == list(range(len(rows)))


def test_a_mistake_is_of_a_classifier_that_had_not_learnt_from_the_image(files: Files, tmp_path: Path) -> None:
    """With labels that mean nothing there are mistakes; each names an image, its label, and another."""
    store, split = files.inputs("digits")
    shuffled = tmp_path / "split.csv"
    lines = split.read_text().splitlines()
    swap = {"one,0": "two,1", "two,1": "one,0"}
    mixed = [
        line.replace(old, swap[old])
        if number % 3 == 0 and (old := next((o for o in swap if f",{o}," in line), ""))
        else line
        for number, line in enumerate(lines)
    ]
    shuffled.write_text("\n".join(mixed) + "\n")
    index = files.folder / "digits-index.csv"
    probe(SIZES, "x", files.weights, store, shuffled, index, tmp_path / "p.json", tmp_path / "m.json", CPU, 1, seed=0)
    profile = Profile.read(tmp_path / "p.json")
    assert profile.last.logistic < 0.95
    assert len(profile.mistakes) == min(12, round((1 - profile.last.logistic) * profile.images))
    sure = [one.probability for one in profile.mistakes]
    assert sure == sorted(sure, reverse=True)
    labels = {row.image: row.class_name for row in read_split(shuffled, 6, 3, 4, pool="shares")}
    assert all(labels[one.image] == one.label != one.answer for one in profile.mistakes)


def test_the_most_telling_source_has_the_best_features_not_the_best_block() -> None:
    found = most_telling([profile("a", 0.9, 0.5), profile("b", 0.1, 0.6), profile("c", 0.1, 0.6)])
    assert (found.source, found.last.block, found.best.block) == ("b", 2, 2)
    assert profile("a", 0.7, 0.7, 0.1).best.block == 2
