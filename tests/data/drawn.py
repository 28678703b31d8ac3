"""What a split has drawn."""

from collections import Counter, defaultdict

from freeze_or_tune.data.splits import Row


def subset(rows: list[Row], name: str) -> set[str]:
    return {row.image for row in rows if row.subset == name}


def sizes(rows: list[Row]) -> dict[str, set[int]]:
    """The numbers of images a class of each subset."""
    counts = Counter((row.subset, row.class_name) for row in rows)
    result = defaultdict(set)
    for (name, _), count in counts.items():
        result[name].add(count)
    return dict(result)
