"""How the files of a dataset are opened, as its study says. Pure Python, like `study.py`."""

from freeze_or_tune.study.strict import Strict


class Opening(Strict):
    """What all stages that read the images of a dataset must agree on; the paper's are opened as they are."""

    follow_links: bool = False


USUAL = Opening()
