"""freeze-or-tune: copy how many layers of a pre-trained network, and freeze or fine-tune them?"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freeze_or_tune.analysis.advice.answer import Advice
    from freeze_or_tune.records.prediction import Prediction, Predictions
    from freeze_or_tune.running.calls import advise, train
    from freeze_or_tune.stages.model import Model
    from freeze_or_tune.system.errors import UserError

__all__ = ["Advice", "Model", "Prediction", "Predictions", "UserError", "__version__", "advise", "train"]

__version__ = "0.1.0"

_HOMES = {
    "Advice": "analysis.advice.answer",
    "Model": "stages.model",
    "Prediction": "records.prediction",
    "Predictions": "records.prediction",
    "UserError": "system.errors",
    "advise": "running.calls",
    "train": "running.calls",
}
"""Where the public names are from: imported when they are asked for, for torch and pandas take seconds."""

if not TYPE_CHECKING:  # else a name that is misspelt would pass

    def __getattr__(name):
        """A public name, from its module."""
        from importlib import import_module  # noqa: PLC0415 - for nobody else

        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import_module(f"{__name__}.system.process").refuse()
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

    def __dir__():
        """What there is, the public names too."""
        return sorted({*globals(), *_HOMES})
