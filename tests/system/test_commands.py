import shlex

from freeze_or_tune.system.commands import front_command, snakemake_command


def test_a_command_can_be_pasted() -> None:
    command = front_command("model", "my photos", name="birds", network=None, budget=0.0, studies=["a b.yaml"])
    assert command == "freeze-or-tune model 'my photos' --name birds --budget 0 --study 'a b.yaml'"
    read = front_command("model", "a", follow_links=True, orientation="stored", range=(0.0, 4095.0))
    assert read == "freeze-or-tune model a --follow-links --orientation stored --range 0,4095"
    assert front_command("model", "a", follow_links=False, range="auto") == "freeze-or-tune model a --range auto"
    assert shlex.split(front_command("predict", "it's", "x")) == ["freeze-or-tune", "predict", "it's", "x"]


def test_snakemake_of_a_study() -> None:
    assert snakemake_command() == "snakemake"
    assert snakemake_command(["a b.yaml"]) == "snakemake --configfile 'a b.yaml'"
