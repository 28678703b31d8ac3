from freeze_or_tune.records.findings import Finding


def test_one_finding_names_the_first_few_and_counts_all() -> None:
    (found,) = Finding.of("links", ["d", "b\n", "a", "c"], "Links; they are left out")
    assert str(found) == r"Links; they are left out: 4, such as 'a', 'b\n', 'c'"
    assert Finding.of("links", [], "Links; they are left out") == []
