import pytest

from train.__main__ import main


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (["h36m-cdf", "nowhere"], "nowhere: holds none of the folders S1"),
        (["2d-h36m", "nowhere", "--name", "cpn_x"], "nowhere: neither a folder nor an archive"),
        (["poses", "nowhere.npz", "--name", "x"], "nowhere.npz: no such file"),
    ],
)
def test_what_is_missing_is_said(tmp_path, monkeypatch, capsys, line, text):
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", *line]) == 1
    assert text in capsys.readouterr().err
