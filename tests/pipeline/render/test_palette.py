from pipeline.render.palette import track_colour


def test_tracks_keep_their_colours_apart() -> None:
    hues = [track_colour(number) for number in range(1, 9)]
    assert len(set(hues)) == 8
    assert track_colour(9) == track_colour(1)
