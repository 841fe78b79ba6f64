import pytest

QUICK = ["-str", "S1", "-ste", "S9", "-b", "512", "-drop", "0.25", "--precision", "fp32"]


@pytest.fixture
def one_subject(small: list[str]) -> list[str]:
    """The flags of a run that trains on one subject and tests on another."""
    return [*small, *QUICK]


@pytest.fixture
def quick(one_subject: list[str]) -> list[str]:
    """The same with a network of 16 channels that sees 9 frames."""
    return [*one_subject, "-ch", "16", "-arc", "3,3"]
