from collections.abc import Iterator

import pytest

from tests.gpu.emulated import emulated_gpu
from tests.gpu.tensors import Gpu
from tests.stages.files import Files, made


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return made(tmp_path_factory.mktemp("study"))


@pytest.fixture
def gpu() -> Iterator[Gpu]:
    with emulated_gpu() as found:
        yield found
