"""Each dataset's reader on archives of its real layout, with the oddities that are known of it."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from freeze_or_tune.data.layouts import Listing
from freeze_or_tune.data.layouts.corals import quadrat
from freeze_or_tune.system.errors import UserError

from ..conftest import empty, read, tarred, zipped


def text(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def changed(files: Mapping[str, bytes], name: str, old: bytes, new: bytes) -> dict[str, bytes]:
    assert old in files[name]
    return {**files, name: files[name].replace(old, new)}


@pytest.mark.parametrize("reader", ["caltech-256", "sun397", "plankton", "corals", "ilsvrc2012"])
def test_another_archive_is_named_as_such(tmp_path: Path, reader: str) -> None:
    path = zipped(tmp_path / "other.zip", empty("readme.txt", "1.png"))
    with pytest.raises(UserError, match=r"other\.zip holds no images laid out as .*; it is not "):
        read(reader, path)


def test_caltech(tmp_path: Path) -> None:
    root = "256_ObjectCategories"
    path = tarred(
        tmp_path / "256_ObjectCategories.tar",
        empty(
            f"{root}/001.ak47/001_0001.jpg",
            f"{root}/056.dog/056_0001.jpg",
            f"{root}/056.dog/greg/vision309/056_0008.jpg",
            f"{root}/056.dog/greg/056_0002.jpg",
            f"{root}/198.spider/198_0001.jpg",
            f"{root}/198.spider/RENAME2",
            f"{root}/056.dog/.DS_Store",
            f"{root}/257.clutter/257_0001.jpg",
        ),
    )
    assert read("caltech-256", path) == [
        Listing(f"{root}/001.ak47/001_0001.jpg", "001.ak47"),
        Listing(f"{root}/056.dog/056_0001.jpg", "056.dog"),
        Listing(f"{root}/198.spider/198_0001.jpg", "198.spider"),
    ]


SUN = empty(
    "SUN397/a/abbey/sun_a.jpg",
    "SUN397/c/church/outdoor/sun_b.jpg",
    "SUN397/c/church/outdoor/sun_bhenjvsvrtumjuri.jpg",
    "SUN397/t/track/outdoor/sun_aophkoiosslinihb.jpg",
    "SUN397/t/track/outdoor/sun_c.jpg",
    "SUN397/ClassName.txt",
    "SUN397/README.txt",
)


def test_sun(tmp_path: Path) -> None:
    assert read("sun397", tarred(tmp_path / "SUN397.tar", SUN)) == [
        Listing("SUN397/a/abbey/sun_a.jpg", "abbey"),
        Listing("SUN397/c/church/outdoor/sun_b.jpg", "church/outdoor"),
        Listing("SUN397/t/track/outdoor/sun_c.jpg", "track/outdoor"),
    ]


def test_sun_with_its_partitions(tmp_path: Path) -> None:
    lists = {
        "Training_01.txt": text("/a/abbey/sun_a.jpg"),
        "Testing_01.txt": text("/t/track/outdoor/sun_c.jpg"),
        "Training_02.txt": text("/t/track/outdoor/sun_c.jpg"),
    }
    paths = tarred(tmp_path / "SUN397.tar", SUN), zipped(tmp_path / "Partitions.zip", lists)
    assert [(listing.image[:20], listing.subset) for listing in read("sun397", *paths)] == [
        ("SUN397/SUN397/a/abbe", "train"),
        ("SUN397/SUN397/c/chur", ""),
        ("SUN397/SUN397/t/trac", "test"),
    ]


def mit(folder: Path, train: Iterable[str], test: Iterable[str]) -> tuple[Path, ...]:
    images = empty("Images/bar/a b.jpg", "Images/bar/c.jpg", "Images/inside bus/d.jpg", "Images/inside bus/._d.jpg")
    (folder / "TrainImages.txt").write_bytes("\r\n".join(train).encode())
    (folder / "TestImages.txt").write_bytes(text(*test))
    return tarred(folder / "indoorCVPR_09.tar", images), folder / "TrainImages.txt", folder / "TestImages.txt"


def test_mit_indoor(tmp_path: Path) -> None:
    assert read("mit-indoor", *mit(tmp_path, ["bar/a b.jpg"], ["inside bus/d.jpg", ""])) == [
        Listing("indoorCVPR_09/Images/bar/a b.jpg", "bar", "train"),
        Listing("indoorCVPR_09/Images/bar/c.jpg", "bar"),
        Listing("indoorCVPR_09/Images/inside bus/d.jpg", "inside bus", "test"),
    ]


def test_mit_indoor_lacks_an_image_or_a_list(tmp_path: Path) -> None:
    paths = mit(tmp_path, ["bar/a b.jpg", "bar/none.jpg"], ["bar/c.jpg"])
    with pytest.raises(UserError, match=r"lacks 1 images of TrainImages\.txt, such as 'bar/none\.jpg'"):
        read("mit-indoor", *paths)
    with pytest.raises(UserError, match=r"has no TestImages\.txt, which MIT Indoor 67 needs"):
        read("mit-indoor", *mit(tmp_path, ["bar/a b.jpg"], [])[:2])


BIRDS = "001.Black_footed_Albatross", "002.Laysan_Albatross"
CUB = {
    "attributes.txt": b"",
    "CUB_200_2011/classes.txt": text(f"1 {BIRDS[0]}", f"2 {BIRDS[1]}"),
    "CUB_200_2011/images.txt": text(f"1 {BIRDS[0]}/B_0046_18.jpg", f"2 {BIRDS[1]}/L_1.jpg", f"3 {BIRDS[1]}/L_2.jpg"),
    "CUB_200_2011/image_class_labels.txt": text("1 1", "2 2", "3 2"),
    "CUB_200_2011/train_test_split.txt": text("1 0", "2 1", "3 0"),
    "CUB_200_2011/parts/parts.txt": text("1 back"),
    **empty(f"CUB_200_2011/images/{BIRDS[0]}/B_0046_18.jpg", f"CUB_200_2011/images/{BIRDS[1]}/L_1.jpg"),
    **empty(f"CUB_200_2011/images/{BIRDS[1]}/L_2.jpg", f"CUB_200_2011/images/{BIRDS[1]}/stray.jpg"),
}


def test_cub(tmp_path: Path) -> None:
    assert read("cub-200", tarred(tmp_path / "CUB_200_2011.tar", CUB)) == [
        Listing(f"CUB_200_2011/images/{BIRDS[0]}/B_0046_18.jpg", BIRDS[0], "test"),
        Listing(f"CUB_200_2011/images/{BIRDS[1]}/L_1.jpg", BIRDS[1], "train"),
        Listing(f"CUB_200_2011/images/{BIRDS[1]}/L_2.jpg", BIRDS[1], "test"),
    ]


@pytest.mark.parametrize(
    ("table", "old", "new", "message"),
    [
        ("image_class_labels", b"3 2\n", b"", "do not name the same images"),
        ("image_class_labels", b"3 2\n", b"3 9\n", "do not name the same images"),
        ("image_class_labels", b"3 2\n", b"1 2\n", r"line 3: '1 2' is not a new number and its value"),
        ("train_test_split", b"3 0", b"3", "line 3: '3' is not a new number and its value"),
        ("train_test_split", b"3 0", b"3 2", r"train_test_split\.txt holds '2', not 0 or 1"),
        ("images", b"L_2", b"L_3", r"lacks 1 images of images\.txt, such as .*L_3"),
    ],
)
def test_damaged_cub(tmp_path: Path, table: str, old: bytes, new: bytes, message: str) -> None:
    files = changed(CUB, f"CUB_200_2011/{table}.txt", old, new)
    with pytest.raises(UserError, match=message):
        read("cub-200", tarred(tmp_path / "CUB.tar", files))


REEF = "mcr_lter1_fringingreef_pole1-2_qu3"
CORALS_2008 = {
    f"2008/{REEF}_20080415.jpg": b"",
    f"2008/{REEF}_20080415.jpg.txt": text(
        "# Row; Col; Label", "1035; 1321; CCA", "7; 8; turf ", "9;10;Off", "11; 12; Astreo", "13; 14; POCILL",
        "20; 20; Sand", "20; 20; Macro", "21; 21; Sand", "21; 21; sand",
    ),
    "2008/Readme.txt": text("These are corals."),
    "2008/Thumbs.db": b"",
}  # fmt: skip
CORALS_2010 = {
    f"2010/{REEF}_20100415.JPG": b"",
    f"2010/{REEF}_20100415.txt": text("#row;column;label", "1; 2; Porit"),
    "2010/mcr_lter2_lost_qu1_20100415.jpg.txt": text("# Row; Col; Label", "1; 2; Porit"),
}


def test_corals(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "freeze_or_tune")
    paths = zipped(tmp_path / "c2008.zip", CORALS_2008), zipped(tmp_path / "c2010.zip", CORALS_2010)
    first, second = f"c2008/2008/{REEF}_20080415.jpg", f"c2010/2010/{REEF}_20100415.JPG"
    assert read("corals", *paths) == [
        Listing(f"{first}@1035,1321", "CCA", "", REEF),
        Listing(f"{first}@13,14", "Pocill", "", REEF),
        Listing(f"{first}@21,21", "Sand", "", REEF),
        Listing(f"{first}@7,8", "Turf", "", REEF),
        Listing(f"{second}@1,2", "Porit", "", REEF),
    ]
    assert "left out 1 annotations without a photo, such as c2010/2010/mcr_lter2_lost" in caplog.text
    assert "{'Off': 1, 'Astreo': 1}" in caplog.text


def test_a_damaged_line_of_an_annotation_costs_that_point_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = zipped(tmp_path / "c.zip", CORALS_2008)
    whole = read("corals", path)
    files = changed(CORALS_2008, f"2008/{REEF}_20080415.jpg.txt", b"7; 8; turf", b"7; turf")
    left = read("corals", zipped(path, files))
    assert [listing for listing in whole if listing not in left] == [whole[-1]]
    assert whole[-1].class_name == "Turf"
    assert (
        f"left out 1 lines that name no point, such as 2008/{REEF}_20080415.jpg.txt, line 3: '7; turf '" in caplog.text
    )


def test_the_photos_of_2010_are_png(tmp_path: Path) -> None:
    photo = f"2010/{REEF}_20100410.png"
    files = {photo: b"", f"{photo}.txt": text("# Row; Col; Label", "1; 2; Porit")}
    assert read("corals", zipped(tmp_path / "c.zip", files)) == [Listing(f"{photo}@1,2", "Porit", "", REEF)]


def test_a_quadrat_is_one_group_in_all_years() -> None:
    assert quadrat(f"a/{REEF}_20080415.jpg") == quadrat(f"b/{REEF.upper()}_20091231_2.JPG") == REEF
    assert quadrat(f"a/{REEF}_20080415.jpg") != quadrat("a/mcr_lter1_fringingreef_pole1-2_qu30_20080415.jpg")
    assert quadrat("2008/undated.jpg") == "undated"


def test_plankton(tmp_path: Path) -> None:
    years = [
        zipped(tmp_path / "2006.zip", empty("2006/mix/IFCB1_1.png", "2006/mix/Thumbs.db", "2006/Thumbs.db")),
        zipped(tmp_path / "2007.zip", empty("2007/mix/IFCB1_2.png", "2007/Ceratium/IFCB1_3.png", "2007/cover.png")),
    ]
    assert read("plankton", *years) == [
        Listing("2006/2006/mix/IFCB1_1.png", "mix"),
        Listing("2007/2007/Ceratium/IFCB1_3.png", "Ceratium"),
        Listing("2007/2007/mix/IFCB1_2.png", "mix"),
    ]
