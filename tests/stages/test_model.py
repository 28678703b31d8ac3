"""Images of any kind into a model, and what comes out."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from freeze_or_tune import Model, Prediction, Predictions, UserError
from freeze_or_tune.data.decoding import decode
from freeze_or_tune.networks.weights import load_pretrained, read_about, save_pretrained
from freeze_or_tune.records.answers import as_json, as_lines
from freeze_or_tune.records.decoding import CAFFE, Decoding
from freeze_or_tune.stages.deployed import Deployed

from .toy import LABELS
from .toy import model as toy_model


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def model(path: Path) -> Model:
    return Model.load(path)


def noise(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(len(shape)).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


COLOURS = Image.fromarray(noise(40, 70, 3))


def saved(folder: Path, image: Image.Image, name: str, **options: object) -> Path:
    image.save(folder / name, **options)
    return folder / name


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


KINDS = {
    "PNG": ("a.png", COLOURS, {}),
    "JPEG": ("a.jpg", COLOURS, {}),
    "grey": ("a.png", COLOURS.convert("L"), {}),
    "one bit": ("a.png", COLOURS.convert("1"), {}),
    "palette": ("a.png", COLOURS.convert("P"), {}),
    "palette with a transparent colour": ("a.png", COLOURS.convert("P"), {"transparency": 3}),
    "GIF": ("a.gif", COLOURS, {}),
    "alpha": ("a.png", Image.fromarray(noise(40, 70, 4)), {}),
    "grey with alpha": ("a.png", Image.fromarray(noise(40, 70, 4)).convert("LA"), {}),
    "a transparent colour": ("a.png", COLOURS, {"transparency": COLOURS.getpixel((3, 4))}),
    "CMYK": ("a.jpg", COLOURS.convert("CMYK"), {}),
    "CMYK, TIFF": ("a.tif", COLOURS.convert("CMYK"), {}),
    "16 bits": ("a.png", Image.fromarray(noise(40, 70, dtype=np.uint16)), {}),
    "16 bits, TIFF": ("a.tif", Image.fromarray(noise(40, 70, dtype=np.uint16)), {}),
    "WebP": ("a.webp", COLOURS, {}),
    "turned by its camera": ("a.jpg", COLOURS, {"exif": turned()}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_of_pillow_is_what_its_file_is_bit_for_bit(
    kind: str, model: Model, path: Path, tmp_path: Path
) -> None:
    name, image, options = KINDS[kind]
    file = saved(tmp_path, image, name, **options)
    as_trained = np.array(decode(file.read_bytes(), 48))[None]
    expected = Deployed.load(path)[0].classify(as_trained)[0].tolist()
    loaded = Image.open(file)
    loaded.load()
    for given in (file, str(file), Image.open(file), loaded, loaded.copy(), Image.open(io.BytesIO(file.read_bytes()))):
        (found,) = model.predict(given)
        assert list(found.probabilities) == list(LABELS)
        assert list(found.probabilities.values()) == expected
        assert (found.probability, found.label) == (max(expected), LABELS[int(np.argmax(expected))])


@pytest.mark.parametrize(
    "pixels",
    [
        noise(40, 70, 3),
        noise(40, 70),
        noise(40, 70, 4),
        noise(40, 70, dtype=np.uint16),
        noise(40, 70, 3)[::-2, :, ::-1],
    ],
    ids=["RGB", "grey", "opacity", "16 bits", "a view"],
)
def test_an_array_is_what_its_file_is_bit_for_bit(pixels: np.ndarray, model: Model, tmp_path: Path) -> None:
    file = saved(tmp_path, Image.fromarray(pixels), "a.png")
    for given in (pixels, [pixels]):
        (found,) = model.predict(given)
        assert found.probabilities == model.predict(file)[0].probabilities


AS_SEEN = Decoding(orientation="exif", integers=(0, 4095), reals=(0, 1))
SCAN = noise(40, 70, dtype=np.uint16) >> 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_ones_own_images_decodes_as_its_training_did(kind: str, tmp_path: Path) -> None:
    model = Model.load(toy_model(tmp_path, AS_SEEN))
    name, image, options = KINDS[kind]
    file = saved(tmp_path, image, name, **options)
    (found,) = model.predict(np.array(decode(file.read_bytes(), 48, AS_SEEN)))
    for given in (file, Image.open(file)):
        assert model.predict(given)[0].probabilities == found.probabilities


@pytest.mark.parametrize("pixels", [SCAN, np.dstack([SCAN] * 3), SCAN / 4095, (SCAN / 4095).astype(np.float32)])
def test_arrays_of_more_than_eight_bits_are_as_the_images_trained_with(pixels: np.ndarray, tmp_path: Path) -> None:
    expected = np.rint(SCAN * (255 / 4095)).astype(np.uint8)
    found = Model.load(toy_model(tmp_path, AS_SEEN)).predict([pixels, expected])
    assert found[0].probabilities == pytest.approx(found[1].probabilities, abs=1e-4)


def test_a_model_without_a_word_of_it_decodes_as_models_did(path: Path, tmp_path: Path) -> None:
    about = json.loads(read_about(path))
    del about["decoding"]
    weights = load_pretrained(path)
    save_pretrained(weights, tmp_path / "old.safetensors", json.dumps(about))
    old = Model.load(tmp_path / "old.safetensors")
    assert old.use.decoding == CAFFE
    file = saved(tmp_path, COLOURS, "a.jpg", exif=turned())
    assert old.predict(file)[0].probabilities == Model.load(path).predict(file)[0].probabilities


def test_several_images_of_any_kind_in_their_order(model: Model, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    files = [saved(tmp_path / "folder", Image.fromarray(noise(9 + i, 20, 3)), f"{i}.png") for i in (1, 0)]
    image = Image.open(files[0])
    made = Image.fromarray(noise(5, 6, 3))
    batch = np.stack([noise(8, 9, 3), noise(8, 9, 3)[::-1]])
    found = model.predict([image, files[0], tmp_path / "folder", made, batch[0]])
    names = [str(path) for path in (files[0], files[0], files[1], files[0])]
    assert [one.image for one in found] == [*names, "image 4", "image 5"]
    assert found[0].probabilities == pytest.approx(found[3].probabilities, abs=1e-6)
    assert [one.image for one in model.predict(batch)] == ["image 0", "image 1"]
    assert model.predict(batch)[1].probabilities == pytest.approx(model.predict(batch[1])[0].probabilities, abs=1e-6)
    assert [one.image for one in model.predict(tmp_path)] == names[2:]
    assert (len(found), found[-1], found[1:3].labels) == (6, list(found)[-1], LABELS)
    assert len(model.predict([])) == 0


def test_any_number_of_images_takes_no_more_memory(model: Model) -> None:
    """Of an iterator no more is taken than is answered next."""
    taken = 0

    def endless() -> Iterator[np.ndarray]:
        nonlocal taken
        while True:
            taken += 1
            yield noise(9, 9, 3)

    answers = model.stream(endless())
    assert taken == 0
    for _ in range(33):
        next(answers)
    assert taken == 64
    assert len(model.predict(noise(9, 9, 3) for _ in range(70))) == 70


def test_what_cannot_be_read_is_an_error_or_kept(model: Model, tmp_path: Path) -> None:
    torn = tmp_path / "torn.png"
    torn.write_bytes(b"\x89PNG")
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(1 << 29)
    cut = saved(tmp_path, COLOURS, "cut.png")
    cut.write_bytes(cut.read_bytes()[:900])
    lazy = Image.open(cut)
    images = [COLOURS, torn, tmp_path / "gone.png", large, lazy, noise(9, 9, 3) / 255, COLOURS]
    for image, words in {
        1: "torn.png: not an image of a known format",
        2: "gone.png: No such file or directory",
        3: "has 536870912 bytes, more than the 268435456 of any image",
        4: "cannot read .*cut.png: ",
        5: r"cannot read image 0: an array \[9, 9, 3\] of float64; .* make \(255 \* array\)",
    }.items():
        with pytest.raises(UserError, match=words):
            model.predict(images[image])
    found = model.predict(images, errors="keep")
    assert [bool(one.error) for one in found] == [False, True, True, True, True, True, False]
    assert [one.image for one in found.unreadable][-1] == "image 5"
    assert found.unreadable[0] == found[1]
    assert (found[1].label, found[1].probabilities) == ("", {})
    assert found[6].probabilities == pytest.approx(model.predict(COLOURS)[0].probabilities, abs=1e-6)
    assert [one.error for one in model.predict(torn, errors="keep")] == [found[1].error]


@pytest.mark.parametrize(
    "pixels",
    [noise(3, 9, 9), noise(9, 9, 2), noise(9), np.zeros((0, 5, 3), np.uint8), np.zeros((9, 9), np.int64),
     noise(9, 9, 3, dtype=np.uint16), np.zeros((9, 9), bool)],
    ids=lambda pixels: f"{list(pixels.shape)} {pixels.dtype}",
)  # fmt: skip
def test_an_array_of_which_it_is_not_sure_what_it_shows_is_refused(pixels: np.ndarray, model: Model) -> None:
    with pytest.raises(UserError, match=r"cannot read image 0: an array \[.*; give uint8 \[height, width\]"):
        model.predict([pixels])


def test_an_image_without_pixels_is_refused(model: Model) -> None:
    with pytest.raises(UserError, match="cannot read image 0"):
        model.predict(Image.new("RGB", (0, 9)))


def test_an_image_of_pillow_stays_open_and_stands_where_it_stood(model: Model, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (48, 48), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    moving = Image.open(tmp_path / "a.gif")
    moving.seek(1)
    (second,) = model.predict(moving)
    assert moving.tell() == 1
    assert second.probabilities == model.predict(frames[1])[0].probabilities
    moving.seek(0)
    assert model.predict(moving)[0].probabilities == model.predict(tmp_path / "a.gif")[0].probabilities


@pytest.mark.parametrize("thing", [None, 3, [None], torch.zeros(2, 9, 9, 3), b"bytes"])
def test_what_is_no_image_is_an_error_of_types(thing: object, model: Model) -> None:
    with pytest.raises(TypeError, match=r"image 0 is of type \w+; give paths, images of Pillow or arrays"):
        model.predict(thing, errors="keep")


def test_another_way_to_treat_errors_is_refused(model: Model) -> None:
    with pytest.raises(ValueError, match="errors is 'ignore'; say 'raise' or 'keep'"):
        model.predict(COLOURS, errors="ignore")


def test_a_table(model: Model, tmp_path: Path) -> None:
    found = model.predict([COLOURS, tmp_path / "gone.png"], errors="keep")
    table = found.to_frame()
    assert list(table) == ["image", "label", "probability", *(f"p_{label}" for label in LABELS), "error"]
    assert table.loc[0, "label"] == found[0].label
    assert table.loc[0, [f"p_{label}" for label in LABELS]].to_list() == list(found[0].probabilities.values())
    assert table["error"].isna().to_list() == [True, False]
    assert table.loc[1].isna().to_list() == [False, *[True] * 5, False]
    assert all(pd.api.types.is_float_dtype(table[name]) for name in ("probability", f"p_{LABELS[0]}"))
    assert list(model.predict([]).to_frame()) == list(table)


def test_predictions_are_seen_at_a_glance(model: Model) -> None:
    found = Predictions(
        [Prediction("a.png", "owl", 0.7512), Prediction("b.png", error="why"), *[Prediction("c")] * 9], ()
    )
    assert repr(found).splitlines()[:3] == ["<Predictions of 11 images>", "'a.png': 'owl' 0.751", "'b.png': why"]
    assert repr(found).splitlines()[-1] == "and 1 more"
    assert repr(model) == "<Model of birds: 3 labels, T1-7_R8 of letters, on cpu>"


def test_answers_as_text_hold_any_name_and_any_number() -> None:
    odd = Prediction("b\udce9\n.jpg", "owl\n", 0.75, {"owl\n": 0.75, "wren": 0.25})
    assert list(as_lines([odd, Prediction("c", error="why")], 2)) == [
        "'b\\udce9\\n.jpg': 'owl\\n' 75.0 %, wren 25.0 %\n"
    ]
    for some in ([], [odd], [odd, Prediction("c", error="why"), odd]):
        assert len(json.loads("".join(as_json(some, 1)))) == len(some)


def test_a_model_is_read_from_its_folder_with_its_card(path: Path, model: Model, tmp_path: Path) -> None:
    assert model.card == ""
    (tmp_path / "model.safetensors").write_bytes(path.read_bytes())
    (tmp_path / "model.md").write_text("# A model 🐦", encoding="utf-8")
    read = Model.load(tmp_path)
    assert (read.card, read.labels, read.device, read.use.source) == ("# A model 🐦", LABELS, "cpu", "letters")
    assert read.predict(COLOURS)[0] == model.predict(COLOURS)[0]
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match=r"none/model.safetensors does not exist"):
        Model.load(str(tmp_path / "none"))


@pytest.mark.parametrize("device", ["tpu", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(device: str, path: Path) -> None:
    with pytest.raises(UserError, match=rf"cannot compute on the device '{device}': .*; leave it out"):
        Model.load(path, device=device)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu(path: Path, model: Model) -> None:
    there = Model.load(path, device="cuda")
    assert there.device.startswith("cuda")
    assert there.predict(COLOURS)[0].probabilities == pytest.approx(model.predict(COLOURS)[0].probabilities, abs=1e-2)
