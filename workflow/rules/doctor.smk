# What a node can do for the study: <results>/doctor.json. No other rule needs it; `freeze-or-tune doctor
# --profile` asks for it.

from itertools import chain

from freeze_or_tune.planning.costs import bytes_on_disk


rule doctor:
    output:
        "<results>/doctor.json",
    log:
        "<logs>/doctor.log",
    benchmark:
        "<benchmarks>/doctor.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grown(8000),
        runtime=grown(15),
    params:
        needed=lambda wildcards: bytes_on_disk(study, chain.from_iterable(downloads.values())),
    script:
        "../scripts/doctor.py"
