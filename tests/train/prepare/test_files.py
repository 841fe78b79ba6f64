from pathlib import Path

import numpy as np

from train.prepare.files import fill_gaps


def test_gaps_are_bridged_and_ends_stand_still():
    keypoints = np.full((5, 1, 2), np.nan, np.float32)
    keypoints[1], keypoints[3] = 1, 3
    assert fill_gaps(keypoints, Path())[:, 0, 0].tolist() == [1, 1, 2, 3, 3]
