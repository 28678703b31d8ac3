import copy
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from freeze_or_tune.study.images import OwnImages
from freeze_or_tune.study.reading import load_study, read_study, schema
from freeze_or_tune.study.solver import Solver
from freeze_or_tune.study.study import Study
from freeze_or_tune.system.errors import UserError

ROOT = Path(__file__).parents[2]
Config = dict[str, Any]


@pytest.fixture(scope="module")
def embedded() -> Study:
    return read_study(ROOT / "config/config.yaml")


@pytest.fixture
def config() -> Config:
    return copy.deepcopy(yaml.safe_load((ROOT / "config/config.yaml").read_text()))


def test_the_embedded_study_is_84_experiments(embedded: Study) -> None:
    experiments = embedded.experiments()
    assert len(experiments) == len(set(experiments)) == 4 * 3 * 7
    assert ("digits", 10, "T1-7_R8") in experiments


def test_a_dataset_is_used_by_its_sources_and_targets(embedded: Study, config: Config) -> None:
    assert embedded.users_of("latin-a") == ["latin-a"]
    assert embedded.users_of("digits") == ["digits"]
    config["targets"]["letters"] = config["targets"]["greek"] | {"dataset": "latin-a", "n": [5], "val": 5, "test": 5}
    assert load_study(config).users_of("latin-a") == ["latin-a", "letters"]


def test_datasets_that_nothing_uses_are_left_out(config: Config) -> None:
    config["datasets"]["spare"] = {"reader": "folder", "path": "somewhere"}
    assert load_study(config).used_datasets() == ["latin-a", "latin-b", "greek", "digits", "solar-cells"]


def test_all_levels_of_data_occur(embedded: Study) -> None:
    counts = sorted({n for target in embedded.targets.values() for n in target.n})
    assert counts[0] <= 20
    assert any(20 < n < 100 for n in counts)
    assert counts[-1] >= 100


def test_the_exported_schema_has_not_drifted() -> None:
    assert (ROOT / "workflow/schemas/study.schema.json").read_text() == schema(), "run: make schema"


def test_every_key_is_documented() -> None:
    page = (ROOT / "docs/configuration.md").read_text()
    models = json.loads(schema())["$defs"].values()
    keys = {key for model in [json.loads(schema()), *models] for key in model.get("properties", {})}
    assert [key for key in sorted(keys) if f"`{key}`" not in page] == []


def _set(key: str, value: Any) -> Callable[[Config], None]:
    """Set what a dotted key names."""

    def change(config: Config) -> None:
        *path, last = key.split(".")
        for part in path:
            config = config[part]
        config[last] = value

    return change


WEIGHTS = {"file": "net.caffemodel", "mean": "mean.npy"}
IMPORTED = {"dataset": "latin-a", "network": "caffenet-small", "weights": WEIGHTS, "sample": 50}

MISTAKES: dict[str, tuple[Callable[[Config], Any], list[str]]] = {
    "a misspelt key": (_set("solver.lerning_rate", 1), ["solver", "'lerning_rate'", "learning_rate"]),
    "a misspelt key at the top": (_set("sead", 1), ["'sead'", "seed"]),
    "white below black": (
        _set("datasets.scans", {"reader": "folder", "path": "x", "range": [4095, 0]}),
        ["datasets.scans", "range", "the one that is black and then the larger one that is white"],
    ),
    "a misspelt option": (_set("datasets.digits.size", 3), ["datasets.digits", "'size'", "smallest_class"]),
    "an unknown reader": (_set("datasets.digits.reader", "mnist"), ["datasets.digits", "mnist", "'solar-cells'"]),
    "an unknown metric": (_set("distances.metrics", ["svm", "emd"]), ["distances.metrics.1", "'emd'", "'mmd'"]),
    "an unknown scheme": (_set("schemes", ["T1-6_R8"]), ["schemes.0", "T1-6_R8", "must follow"]),
    "blocks in another order": (
        _set("schemes", ["F5-7_T1-4_R8"]),
        ["'F5-7_T1-4_R8' is not a scheme", "near to it is F1-3_T4-7_R8"],
    ),
    "norms that are not there": (
        _set("schemes", ["F1-4_T5-7_R8bn"]),
        ["F1-4_T5-7_R8bn is for batch norms", "the network of target", "F1-4_T5-7_R8b is the same without them"],
    ),
    "a scheme of another network": (_set("schemes", ["T1-4_R5"]), ["T1-4_R5", "has 8 blocks"]),
    "an impossible split": (_set("targets.digits.n", [1, 150]), ["targets.digits.n", "150", "174", "114 at most"]),
    "an impossible pretraining": (_set("sources.latin-a.pretraining.n", 101), ["sources.latin-a", "100 at most"]),
    "a source of no network": (
        lambda config: config["sources"]["latin-a"].pop("pretraining"),
        ["either weights", "or"],
    ),
    "a source of two networks": (_set("sources.latin-a.weights", WEIGHTS), ["sources.latin-a", "either weights"]),
    "an import without a sample": (
        _set("sources.bvlc", IMPORTED | {"sample": None}),
        ["sources.bvlc", "sample is miss"],
    ),
    "a sample that is too large": (_set("sources.latin-a.sample", 101), ["sample 101", "the 100 images"]),
    "an impossible sample": (_set("sources.bvlc", IMPORTED | {"sample": 131}), ["sources.bvlc.sample", "130 at most"]),
    "an unknown source": (_set("targets.greek.source", "places"), ["targets.greek.source", "'places'", "latin-a"]),
    "an unknown dataset": (_set("targets.greek.dataset", "birds"), ["targets.greek.dataset", "'birds'", "digits"]),
    "a test set that is none": (_set("targets.digits.test", "all"), ["targets.digits.test", "'official'", "'rest'"]),
    "what is left of all": (
        lambda config: config["targets"]["digits"].update(test="rest", up_to=True),
        ["targets.digits", "up_to"],
    ),
    "a wrong type": (_set("solver.batch", "fifty"), ["solver.batch", "'fifty'", "integer"]),
    "a missing key": (lambda config: config["targets"]["greek"].pop("val"), ["targets.greek.val", "required"]),
    "a crop too large": (_set("networks.caffenet-small.crop", 65), ["caffenet-small", "65", "64"]),
    "odd groups": (_set("networks.caffenet-small.channels", [32, 63, 96, 96, 64]), ["caffenet-small", "63", "even"]),
    "rates that rise": (_set("solver.drops", [0.9, 0.7]), ["solver", "[0.9, 0.7]", "rise"]),
    "bounds that cross": (_set("solver.min_iterations", 999), ["min_iterations 999", "max_iterations"]),
}


@pytest.mark.parametrize(("change", "words"), list(MISTAKES.values()), ids=list(MISTAKES))
def test_a_mistake_is_named_with_its_value_and_what_is_allowed(
    config: Config, change: Callable[[Config], Any], words: list[str]
) -> None:
    change(config)
    with pytest.raises(UserError) as error:
        load_study(config)
    assert [word for word in words if word not in str(error.value)] == []


@pytest.mark.parametrize("name", ["latin-a", "a/b", "", "-a"])
def test_names_of_targets_must_fit_into_paths(config: Config, name: str) -> None:
    config["targets"][name] = config["targets"]["greek"]
    with pytest.raises(UserError, match=f"targets.{name}"):
        load_study(config)


def test_asking_for_what_the_study_has_not_lists_what_it_has(embedded: Study) -> None:
    with pytest.raises(UserError, match="latin-b, greek, digits, solar-cells"):
        embedded.experiment("digit", 10, "T1-7_R8")
    with pytest.raises(UserError, match="n = 1, 10, 100"):
        embedded.experiment("digits", 7, "T1-7_R8")
    with pytest.raises(UserError, match="T1-7_R8, F1-5_T6-7_R8, F1-7_R8"):
        embedded.experiment("digits", 10, "T1-2_R3-8")


def test_a_target_may_have_schemes_of_its_own(config: Config) -> None:
    config["targets"]["latin-b"]["schemes"] = ["T1_R2-8"]
    assert load_study(config).schemes_of("latin-b") == ("T1_R2-8",)
    assert len(load_study(config).experiments()) == 3 * 3 * 7 + 3


def test_the_digest_tells_settings_apart_and_nothing_else(embedded: Study, config: Config) -> None:
    settings = embedded.experiment("digits", 10, "T1-7_R8")
    config["machine"], config["results"] = {"device": "cpu"}, "elsewhere"
    assert load_study(config).experiment("digits", 10, "T1-7_R8").digest == settings.digest
    config["solver"]["copied_rate"] = 0.1
    assert load_study(config).experiment("digits", 10, "T1-7_R8").digest != settings.digest


def test_the_splits_of_a_dataset_are_the_largest_of_its_targets(config: Config) -> None:
    config["targets"]["digits-again"] = {**config["targets"]["digits"], "n": [2, 50], "test": 40}
    splits = load_study(config).splits_of_dataset("digits")
    assert [(split.n, split.test) for split in splits] == [(100, 50), (50, 40)]


def test_what_a_split_needs_at_least(config: Config) -> None:
    digits = config["targets"]["digits"]
    for change, works in (
        ({"n": [114]}, True), ({"n": [115]}, False), ({"n": [115], "up_to": True}, True),
        ({"n": [115], "classes": "enough"}, True), ({"test": "rest", "n": [1, 163]}, True),
        ({"test": "rest", "n": [1, 164]}, False), ({"test": "official", "n": [164]}, False),
    ):  # fmt: skip
        config["targets"]["digits"] = {**digits, **change}
        if works:
            load_study(config)
        else:
            with pytest.raises(UserError, match=r"more than the 174 of the smallest class of 'digits'"):
                load_study(config)


def test_how_a_target_is_tested_is_part_of_its_splits(config: Config) -> None:
    config["targets"]["digits"] |= {"n": [1, 30], "test": "rest", "classes": "enough"}
    split = load_study(config).split("digits", 1)
    assert (split.pool, split.n, split.test, split.largest, split.enough) == ("rest", 1, 0, 30, 40)
    config["targets"]["digits"] |= {"test": "official", "classes": "all", "up_to": True}
    split = load_study(config).split("digits", 1)
    assert (split.pool, split.test, split.largest, split.enough, split.up_to) == ("official", 0, 0, 0, True)


def test_an_imported_source_has_one_split_that_only_trains(config: Config) -> None:
    config["sources"]["bvlc"] = IMPORTED
    study = load_study(config)
    assert list(study.imported()) == ["imagenet", "bvlc"]
    split = study.split("bvlc", 50)
    assert (split.dataset, split.n, split.val, split.test) == ("latin-a", 50, 0, 0)
    assert [s.n for s in study.splits_of_dataset("latin-a")] == [100, 50]
    with pytest.raises(UserError, match="weights are imported"):
        study.pretraining("bvlc")


def test_the_sample_of_a_pretrained_source_lies_in_its_pretraining_split(config: Config) -> None:
    config["sources"]["latin-a"]["sample"] = 20
    study = load_study(config)
    whole, sample = study.split("latin-a", 100), study.split("latin-a", 20)
    # Splits with the same validation and test sets are nested.
    assert sample == whole.model_copy(update={"n": 20})
    assert study.pretraining("latin-a").split == whole
    assert [split.n for split in study.splits_of_dataset("latin-a")] == [100]
    with pytest.raises(UserError, match="n = 20, 100"):
        study.split("latin-a", 30)


@given(images=st.integers(1, 100_000), batch=st.integers(1, 512), epochs=st.integers(1, 100))
def test_a_run_has_its_epochs_within_the_bounds(images: int, batch: int, epochs: int) -> None:
    solver = Solver(batch=batch, epochs=epochs, min_iterations=50, max_iterations=5000)
    iterations = solver.iterations(images)
    assert 50 <= iterations <= 5000
    if 50 < iterations < 5000:
        assert (iterations - 1) * batch < images * epochs <= iterations * batch


def test_settings_survive_the_journey_through_snakemakes_params(embedded: Study) -> None:
    settings = embedded.experiment("greek", 100, "F1-3_R4-8")
    again = type(settings).model_validate(json.loads(json.dumps(settings.model_dump(mode="json"))))
    assert again == settings
    assert again.digest == settings.digest


def test_ones_own_images_go_by_any_name_that_no_dataset_has(config: Config, tmp_path: Path) -> None:
    (tmp_path / "list.csv").touch()
    given = load_study(config | {"images": str(tmp_path)})
    birds = given.dataset("birds")
    assert (birds.reader, birds.files, birds.follow_links) == ("auto", (str(tmp_path),), False)
    more = load_study(config | {"images": {"path": str(tmp_path), "follow_links": True, "range": [0, 4095]}})
    assert (more.dataset("birds").follow_links, more.dataset("birds").range) == (True, (0, 4095))
    assert given.dataset("digits").reader == "digits"
    listed = load_study(config | {"images": f"{tmp_path}//list.csv"}).dataset("birds")
    assert (listed.reader, listed.files) == ("auto", (str(tmp_path / "list.csv"),))


def test_columns_of_a_table_reach_all_who_open_it_and_null_is_something_said(config: Config, tmp_path: Path) -> None:
    (tmp_path / "list.csv").touch()
    for columns in ({"path": 3, "split": None}, {"path": "3", "split": "null"}):  # as YAML has it, and as --config
        images = {"path": str(tmp_path / "list.csv"), "columns": columns}
        opening = load_study(config | {"images": images}).dataset("birds").opening
        assert opening.said == {"path": 3, "split": None}
    again = type(opening)(**json.loads(json.dumps(opening.model_dump(exclude_unset=True))))
    assert again.said == opening.said


def test_a_tilde_is_ones_home_where_no_shell_has_seen_it(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    for images in ("~/photos", {"path": "~/photos"}):
        assert load_study(config | {"images": images}).dataset("birds").files == (str(tmp_path / "photos"),)
    own = {"reader": "folder", "path": "~/photos"}
    study = load_study(config | {"datasets": config["datasets"] | {"birds": own}})
    assert study.dataset("birds").files == (str(tmp_path / "photos"),)


def test_what_is_said_of_ones_own_images_can_be_said_again(tmp_path: Path) -> None:
    assert OwnImages.model_validate("photos").said == {}
    said = {"follow_links": True, "orientation": "stored", "range": (0, 1)}
    assert OwnImages.model_validate({"path": "photos", "smallest_class": 3, **said}).said == said


def test_images_that_are_not_there_or_have_no_name_are_refused(config: Config, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="images: nowhere does not exist"):
        load_study(config | {"images": "nowhere"}).dataset("birds")
    with pytest.raises(UserError, match="'my birds' cannot name your images"):
        load_study(config | {"images": str(tmp_path)}).dataset("my birds")


def test_what_may_be_trained_for_ones_own_images(embedded: Study) -> None:
    found = embedded.adaptations("birds")
    assert {one.source for one in found} == {"imagenet"}
    assert [one.scheme for one in found] == [
        "T1-9_R10", "F1_T2-9_R10", *(f"F1-{n}_T{n + 1}-9_R10" for n in range(2, 8)), "F1-8_T9_R10", "F1-9_R10"
    ]  # fmt: skip
    tuned = found[0]
    assert (tuned.target, tuned.runs, tuned.split.pool) == ("birds", 1, "shares")
    assert (tuned.solver.method, embedded.solver.method) == ("adamw", "sgd")


def test_advice_weighs_the_sources_that_it_is_told_and_trains_as_the_study_unless_told(config: Config) -> None:
    config["advice"] = {}
    study = load_study(config)
    sources = Counter(one.source for one in study.adaptations("birds"))
    assert sources == {"latin-a": 8, "imagenet": 10}
    assert study.adaptations("birds")[0].solver == study.solver
    config["advice"] = {"sources": ["imagenet", "places"]}
    with pytest.raises(UserError, match=r"advice\.sources: 'places' is not one of latin-a, imagenet"):
        load_study(config)


def test_a_source_that_no_target_starts_from_needs_no_distance(config: Config) -> None:
    """Only a metric of a target needs the source's images, its mean features, or a network that tells of them."""
    config["networks"]["resnet"] = {"architecture": "timm", "name": "resnet50", "image_size": 40, "crop": 32}
    config["sources"]["far"] = {"network": "resnet", "weights": {"file": "resnet.pth"}}
    config["advice"]["sources"] = None
    assert load_study(config).advised_sources() == ("latin-a", "imagenet", "far")
    config["targets"]["greek"] |= {"source": "far", "schemes": ["T1-5_R6"]}
    with pytest.raises(
        UserError, match="cosine, mmd, svm, cnn cannot be measured from the source 'far', which has no "
    ):
        load_study(config)
    config["distances"] = {"metrics": ["cosine", "mmd"]}
    with pytest.raises(UserError, match=r"no dataset and no mean_features; ask for \[\], no distances, or say where"):
        load_study(config)
    config["sources"]["far"]["mean_features"] = "mean.json"
    assert load_study(config).distances.metrics == ("cosine", "mmd")
    config["sources"]["latin-a"]["mean_features"] = "mean.json"
    with pytest.raises(UserError, match=r"sources\.latin-a: mean_features are measured here where there is a dataset"):
        load_study(config)


def test_shares_leave_some_to_train_on(config: Config) -> None:
    with pytest.raises(UserError, match=r"advice.test: Input should be less than or equal to 0.4 \(it is 0.5\)"):
        load_study(config | {"advice": {"test": 0.5}})
