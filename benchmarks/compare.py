"""Our experiments against the same ones written by hand with torchvision: `make bench`.

Each measurement is a process of its own; the two sides take turns, so that what else the machine does meets both.
Writes results/benchmarks/compare.csv and compare.png, and prints tables for docs/performance.md.
"""

import argparse
import csv
import subprocess
import sys
from pathlib import Path
from statistics import mean, median

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from benchmarks.ceiling import ceiling_rows
from benchmarks.measured import Measured
from benchmarks.planning import rows as planning_rows
from benchmarks.prepare import ROOT, Prepared
from freeze_or_tune.study.settings import TrainingSettings
from freeze_or_tune.system.files import replacing

SCHEMES = ("F1-7_R8", "F1-5_R6-8", "T1-7_R8")
# Full CaffeNet: 40 photographs, 60 iterations of 20 are 30 epochs.
FEW = {"batch": 20, "min_iterations": 60, "max_iterations": 60, "evaluations": 3}
LONGER = {"min_iterations": 600, "max_iterations": 600}
# As long as the paper's study trains at least.
LONG = {"min_iterations": 2000, "max_iterations": 2000}
CASES = {
    "letters, 64 px": ("greek", 10, {}, SCHEMES),
    "letters, 64 px, 2,000 iterations": ("greek", 10, LONG, SCHEMES[:1]),
    "photographs, 64 px": ("cells", 25, {}, SCHEMES),
    "photographs, 64 px, 2,000 iterations": ("cells", 25, LONG, SCHEMES[:1]),
    "photographs, CaffeNet at 227 px": ("caffenet", 10, FEW, SCHEMES),
    "photographs, CaffeNet at 227 px, 600 iterations": ("caffenet", 10, FEW | LONGER, SCHEMES[:2]),
    "photographs, CaffeNet at 227 px, 2,000 iterations": ("caffenet", 10, FEW | LONG, SCHEMES[:1]),
}
COLUMNS = (
    "case", "ours_seconds", "peer_seconds", "ratio", "ours_accuracy", "peer_accuracy", "ours_peak_mb", "peer_peak_mb",
    "ours_images_per_second", "peer_images_per_second", "ours_first_step_seconds", "peer_first_step_seconds",
)  # fmt: skip


def process(module: str, *arguments: object) -> Measured:
    """Run a module of the benchmarks in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return Measured.read(done.stdout)


def ours(prepared: Prepared, settings: TrainingSettings) -> Measured:
    """Our side."""
    scratch = prepared.results / "scratch"
    scratch.mkdir(exist_ok=True)
    (scratch / "settings.json").write_text(settings.model_dump_json())
    target, n = settings.target, settings.split.n
    files = prepared.store(target), prepared.split(target, n), prepared.weights(settings.source)
    return process("ours", scratch / "settings.json", *files, scratch / "record.json")


def peer(prepared: Prepared, settings: TrainingSettings) -> Measured:
    """The other side."""
    folder = prepared.folder(settings.target, settings.split.n)
    path = prepared.results / "scratch" / "settings.json"
    path.write_text(settings.model_dump_json())
    return process("peer", path, folder, prepared.weights(settings.source), settings.seed)


def compare(prepared: Prepared, repeats: int) -> list[dict[str, str | float]]:
    """A row a case: medians of `repeats` measurements of both sides (means of accuracies)."""
    measured: dict[str, list[tuple[Measured, Measured]]] = {}
    for seed in range(repeats):
        for name, (target, n, solver, schemes) in CASES.items():
            for scheme in schemes:
                settings = prepared.settings(target, n, scheme, **solver).model_copy(update={"seed": seed})
                pair = ours(prepared, settings), peer(prepared, settings)
                measured.setdefault(f"{scheme}, {name}", []).append(pair)
                print(f"{scheme}, {name}: {pair[0].seconds:.1f} s, {pair[1].seconds:.1f} s", file=sys.stderr)
    return [_row(case, pairs) for case, pairs in measured.items()]


def _row(case: str, pairs: list[tuple[Measured, Measured]]) -> dict[str, str | float]:
    row: dict[str, str | float] = {"case": case, "ratio": median(b.seconds / a.seconds for a, b in pairs)}
    for side, runs in zip(("ours", "peer"), zip(*pairs, strict=True), strict=True):
        row[f"{side}_seconds"] = median(run.seconds for run in runs)
        row[f"{side}_accuracy"] = mean(run.accuracy for run in runs)
        row[f"{side}_peak_mb"] = median(run.peak_mb for run in runs)
        row[f"{side}_images_per_second"] = median(run.images_per_second for run in runs)
        row[f"{side}_first_step_seconds"] = median(run.first_step for run in runs)
    return row


def growth(prepared: Prepared) -> list[tuple[object, ...]]:
    """Seconds of our process by scheme and images a class, 20 passes over the images."""
    sizes = prepared.study.target("greek").n
    return [
        (scheme, *(ours(prepared, prepared.settings("greek", n, scheme, epochs=20, min_iterations=1)).seconds
                   for n in sizes))
        for scheme in SCHEMES
    ]  # fmt: skip


def draw(rows: list[dict[str, str | float]], path: Path) -> None:
    """Bars of the ratios."""
    figure, axes = plt.subplots(figsize=(7, 0.4 * len(rows) + 1), layout="constrained")
    bars = axes.barh([str(row["case"]) for row in rows], [float(row["ratio"]) for row in rows])
    axes.bar_label(bars, fmt="%.1f×", padding=3)
    axes.set(xscale="log", xlabel="times as fast as torchvision by hand")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)


def table(header: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """Print Markdown."""
    print("\n| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(f"{value:.3g}" if isinstance(value, float) else str(value) for value in row) + " |")


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1, help="measurements of each case")
    prepared = Prepared()
    rows = compare(prepared, parser.parse_args().repeats)
    out = ROOT / "results/benchmarks"
    with replacing(out / "compare.csv") as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    draw(rows, out / "compare.png")
    table(COLUMNS, [tuple(row[column] for column in COLUMNS) for row in rows])
    stores = {prepared.store(target).stem: prepared.store_seconds(target) for target, *_ in CASES.values()}
    table(("store", "seconds to build, once"), list(stores.items()))
    table(("network", "products GFLOP/s", "MFLOP an image", "ceiling images/s", "images/s", "share", "of synthetic"),
          ceiling_rows(prepared))  # fmt: skip
    table(("scheme", *(f"greek, n = {n}: s" for n in prepared.study.target("greek").n)), growth(prepared))
    table(("experiments", "seconds to plan", "MB"), list(planning_rows()))


if __name__ == "__main__":
    main()
