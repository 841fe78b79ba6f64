import pytest

from core.errors import UsageError
from train.wild.synthesis.recipe import Recipe, with_changes


def test_numbers_are_changed_by_name() -> None:
    assert with_changes(Recipe(mix=1.0), ["noise=2", "bent=0.5"]) == Recipe(
        mix=1.0, noise=2.0, bent=0.5
    )


@pytest.mark.parametrize("text", ["noise", "loudness=1", "level_deg=1", "noise=nan"])
def test_other_changes_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f"--recipe {text}: expected FIELD=NUMBER"):
        with_changes(Recipe(), [text])
