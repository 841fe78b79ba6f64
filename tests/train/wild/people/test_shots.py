from pathlib import Path

import numpy as np

from train.wild.people.shots import Shots


def test_shots_come_back_as_they_were_kept(shots: Shots, tmp_path: Path) -> None:
    shots.save(tmp_path / "shots_00000.npz")
    shots.save(tmp_path / "shots_00001.npz")
    loaded = Shots.load(tmp_path, tmp_path)
    for name, value in vars(shots).items():
        np.testing.assert_allclose(vars(loaded)[name], np.concatenate([value] * 4), rtol=1e-6)
