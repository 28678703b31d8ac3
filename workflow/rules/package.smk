# What the workflow runs on: Snakemake, and in the same Python the package of the workflow's own version.
from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.14")

VERSION = "0.1.0"

try:
    from freeze_or_tune import __version__ as installed
except ModuleNotFoundError:
    installed = "missing"

if installed != VERSION:
    raise WorkflowError(
        f"this workflow needs freeze-or-tune {VERSION} in the Python that runs snakemake, where it is {installed}: "
        f"pip install freeze-or-tune=={VERSION}, or pip install . in its repository"
    )
