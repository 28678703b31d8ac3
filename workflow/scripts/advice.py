from pathlib import Path

from freeze_or_tune.system.job import logged
from freeze_or_tune.stages.advising import Written, advise
from freeze_or_tune.study.images import OwnImages
from freeze_or_tune.system.commands import front_command

asked = {key: snakemake.config.get(key) for key in ("network", "budget")}
images, name = snakemake.config.get("images"), snakemake.wildcards.dataset
own = OwnImages.model_validate(images) if images else None
given = asked | {"name": name, **own.said} if own else asked

with logged(snakemake.log[0]):
    advise(
        Path(snakemake.input.check),
        profiles=[Path(path) for path in snakemake.input.profiles],
        distances=[Path(path) for path in snakemake.input.distances],
        race=Path(snakemake.input.race) if snakemake.input.race else None,
        evidence=[Path(path) for path in snakemake.input.evidence],
        blocks=snakemake.params.blocks,
        store=Path(snakemake.input.store),
        split=Path(snakemake.input.split),
        written=Written(
            Path(snakemake.output.record),
            Path(snakemake.output.markdown),
            Path(snakemake.output.html),
            [Path(snakemake.output.pdf), Path(snakemake.output.png)],
        ),
        command=front_command("model", own.path if own else name, studies=snakemake.params.configfiles, **given),
    )
