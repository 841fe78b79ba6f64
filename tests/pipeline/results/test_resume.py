from pipeline.config import PipelineConfig
from pipeline.results.resume import comparable


def test_reports_of_before_there_were_ways_to_draw_still_say_that_a_clip_is_done() -> None:
    for drawn in (True, False):
        now = PipelineConfig.from_flat(render=drawn).as_dict()
        assert comparable({**now, "render": drawn}) == comparable(now)
    assert comparable({"render": False}) != comparable({"render": True})
