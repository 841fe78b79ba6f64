from pathlib import Path

import numpy as np

from train.wild.people.meshes import read_garment


def test_a_garment_lies_on_the_body_it_is_given(tmp_path: Path) -> None:
    square = (
        "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nvt 0 0\nvt 1 0\nvt 0 1\nvt 1 1\nf 1/1 2/2 4/4 3/3\n"
    )
    (tmp_path / "cap.obj").write_text(square)
    (tmp_path / "cap.mhclo").write_text(
        "# a comment\nname cap\nobj_file cap.obj\n"
        "x_scale 0 1 2.0\ny_scale 0 2 2.0\nz_scale 0 3 2.0\nverts 0\n"
        "material cap.mhmat\n0\n1\n 0 1 2 0.5 0.5 0.0 0.0 0.0 1.0\n2\n\ndelete_verts\n3 - 5 8\n"
    )
    garment = read_garment(tmp_path / "cap.mhclo")
    assert garment.hides == {3, 4, 5, 8}
    assert len(garment.mesh.triangles) == 2  # the square, cut
    wide = np.array(
        [[0, 0, 0], [4, 0, 0], [0, 2, 0], [0, 0, 6]], float
    )  # two and three times the scales above
    np.testing.assert_allclose(garment.fit(wide), [[0, 0, 0], [4, 0, 0], [2, 0, 3], [0, 2, 0]])
