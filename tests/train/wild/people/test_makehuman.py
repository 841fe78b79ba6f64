from pathlib import Path

import pytest

from core.errors import InputError
from train.wild.people.makehuman import MakeHuman


def test_a_folder_without_makehumans_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no data folder of MakeHuman.*base\.obj"):
        MakeHuman(tmp_path)
