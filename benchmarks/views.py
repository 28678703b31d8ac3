"""What the number of cached views, half precision of the cache and dropout in frozen blocks do to accuracy and time.

Prints a table for docs/performance.md: `python -m benchmarks.views`.
"""

import argparse
from statistics import mean, stdev

from benchmarks.compare import ours, table
from benchmarks.prepare import Prepared

VARIANTS = {
    "1 view": {"views": 1},
    "2 views": {"views": 2},
    "4 views": {"views": 4},
    "4 views, half precision": {"views": 4, "half_cache": True},
    "4 views, no dropout in frozen blocks": {"views": 4, "frozen_dropout": False},
    "8 views": {"views": 8},
}


def main() -> None:
    """Measure F1-7_R8 on letters, 10 a class, with several seeds, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="runs of each variant")
    parser.add_argument("--epochs", type=int, default=60, help="passes, and views of the exact variant")
    arguments = parser.parse_args()
    seeds, epochs = arguments.seeds, arguments.epochs
    prepared, rows = Prepared(), []
    for name, solver in (VARIANTS | {f"{epochs} views: exact": {"views": epochs}}).items():
        settings = prepared.settings("greek", 10, "F1-7_R8", epochs=epochs, max_iterations=10**6, **solver)
        runs = [ours(prepared, settings.model_copy(update={"seed": seed})) for seed in range(seeds)]
        accuracies = [run.accuracy for run in runs]
        spread = stdev(accuracies) if seeds > 1 else float("nan")
        rows.append((name, mean(accuracies), spread, min(run.seconds for run in runs)))
    table(("cache", "accuracy", "spread", "seconds"), rows)


if __name__ == "__main__":
    main()
