from pathlib import Path

from pipeline.app.pages import POSTER, make_page
from pipeline.batch.workers import in_process
from testkit.results import made_result


def test_the_process_that_makes_a_page_tells_how_far_it_is(tmp_path: Path) -> None:
    result, told = made_result(tmp_path), []
    page = tmp_path / "page"
    in_process(make_page, (result.folder, page), lambda: None, lambda *said: told.append(said))
    assert told[0] == ("page", 0, result.report.frames)
    assert {path.name for path in page.iterdir()} == {"video.mp4", "page.json", POSTER}
