from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.stages.deployed import export_onnx

with logged(snakemake.log[0]):
    export_onnx(Path(snakemake.input[0]), Path(snakemake.output[0]))
