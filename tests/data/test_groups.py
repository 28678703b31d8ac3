from freeze_or_tune.data.groups import contents_of, hold_out
from freeze_or_tune.data.layouts import Listing


def listings(*groups: str) -> list[Listing]:
    return [Listing(f"{place}.png", "a", "", group) for place, group in enumerate(groups)]


def test_a_group_of_several_classes_is_held_out_whole() -> None:
    images = [Listing(f"{name}{i}", name, "", f"patient {i}") for name in "ab" for i in range(5)]
    contents = contents_of(images, 0)
    dealt = hold_out(contents, {"test": {"a": 1, "b": 1}, "val": {"a": 1, "b": 1}})
    assert sorted(dealt.values()) == ["test", "train", "train", "train", "val"]
    assert all(content == {"a": 1, "b": 1} for content in contents.values())


def test_the_last_group_of_a_class_trains_whatever_else_it_holds() -> None:
    images = [*listings("p", "q", "r"), Listing("rare.png", "rare", "", "p")]
    for seed in range(20):
        dealt = hold_out(contents_of(images, seed), {"test": {"a": 1, "rare": 1}})
        assert dealt["p"] == "train"
        assert sorted(dealt.values()) == ["test", "train", "train"]
