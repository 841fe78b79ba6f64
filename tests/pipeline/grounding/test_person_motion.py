from pipeline.grounding.feet.soles import ANKLES
from tests.pipeline.grounding.made_people import filmed, ground, marching


def test_feet_that_are_not_seen_have_no_contacts() -> None:
    grounded = ground([filmed(marching())], feet_seen=False)
    assert not grounded.contacts[0].any()
    assert not len(grounded.skate)
    assert 0 < grounded.joints[0][:, ANKLES, 2].min() < 0.2
