"""`html`: a page with the video, the 3D view and plots in step, which opens without a server."""

from pathlib import Path
from urllib.parse import quote

from core.errors import InputError
from pipeline.export.base import Exporter
from pipeline.results.result import Result
from pipeline.viewer.content import clip_content
from pipeline.viewer.page import PageVideo, data_url, page_html
from pipeline.viewer.video import WebVideo, web_video


class HtmlPageExporter(Exporter):
    """One file, or, where the video is too large to be put into it, the page and its video."""

    name = "html"
    about = "a page to watch: video, 3D view and plots in step; one file, no server, no network"

    def write(self, result: Result, folder: Path) -> None:
        """See `Exporter.write`."""
        shown = None if self.options.private else self._video(result, folder)
        frames, height = (None, None) if shown is None else (shown.frames, shown.height)
        clip = clip_content(result, frames, height)
        video = None if shown is None else self._placed(shown)
        (folder / f"{result.stem}.html").write_text(page_html([clip], video), encoding="utf-8")

    def _video(self, result: Result, folder: Path) -> WebVideo | None:
        try:
            return web_video(result, folder / f"{result.stem}_page")
        except InputError as error:
            self.note(str(error))
            return None

    def _placed(self, shown: WebVideo) -> PageVideo:
        """The video in the page, or beside it."""
        if shown.path.stat().st_size > self.options.embed_mb * 1e6:
            self.note(f"the page shows {shown.path.name}, which must lie beside it")
            return PageVideo(quote(shown.path.name), shown.start_s, shown.is_picture)
        url = data_url(shown.path)
        shown.path.unlink()
        return PageVideo(url, shown.start_s, shown.is_picture)
