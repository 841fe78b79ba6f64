import pytest

from core.skeletons import BY_NAME, COCO_17, H36M_17, Skeleton


@pytest.mark.parametrize("skeleton", BY_NAME.values(), ids=BY_NAME)
def test_flipping_twice_gives_the_person_back(skeleton: Skeleton) -> None:
    order = skeleton.flip_order
    assert [order[j] for j in order] == list(range(len(skeleton)))
    for j, other in enumerate(order):
        assert skeleton.joints[other] == skeleton.joints[j].replace("left", "*").replace(
            "right", "left"
        ).replace("*", "right") or skeleton.joints[j][:2] in ("l_", "r_"), (
            "a joint is paired with its own name on the other side"
        )


@pytest.mark.parametrize("skeleton", BY_NAME.values(), ids=BY_NAME)
def test_every_joint_hangs_on_the_root_and_sides_on_their_own(skeleton: Skeleton) -> None:
    for joint in range(len(skeleton)):
        way = [joint]
        while skeleton.parents[way[-1]] >= 0:
            way.append(skeleton.parents[way[-1]])
            assert len(way) <= len(skeleton), "a circle"
        sides = {skeleton.joints[one][0] for one in way if one in skeleton.left + skeleton.right}
        assert len(sides) <= 1, f"{skeleton.joints[joint]} hangs on the other side"
    assert skeleton.parents.count(-1) == 1


def test_h36m_sides_are_those_of_videopose3d() -> None:
    assert H36M_17.left == (4, 5, 6, 11, 12, 13)
    assert H36M_17.right == (1, 2, 3, 14, 15, 16)


def test_a_left_joint_without_a_right_one_is_refused() -> None:
    with pytest.raises(ValueError, match="no joint 'r_hand'"):
        Skeleton("one-armed", ("pelvis", "l_hand"), (-1, 0))


def test_an_unknown_joint_is_named() -> None:
    with pytest.raises(ValueError, match="coco_17 has no joint 'tail'"):
        COCO_17.index("tail")
