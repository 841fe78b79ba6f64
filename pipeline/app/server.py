"""The page's addresses: what the browser asks for, and what it gets."""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
)  # fmt: skip
from starlette.routing import Route

from core.errors import Video3DError, one_line, refusal
from pipeline.app.camera import parse_camera
from pipeline.app.forms import described, make_config
from pipeline.app.guard import Guard
from pipeline.app.pages import LIVE_PICTURE, POSTER, content_of, page_of
from pipeline.app.store import UNFINISHED, Clip, Store, safe_name
from pipeline.corrections.edits import CORRECTIONS, MAX_BYTES, Corrections, parse_corrections
from pipeline.export.base import exporter_names, exporters, write_exports
from pipeline.results.result import load_result
from pipeline.results.staging import REPORT

_WEB = Path(__file__).parent / "web"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_SPARE_BYTES = 1 << 30
"""What an upload must leave free on the disk."""
_FRAMES = "frames.zip"
"""What the pictures of `--render frames` are taken along as."""
_WRITTEN_BYTES = 1 << 20  # of an upload at once


def make_server(store: Store, token: str, port: int, upload_bytes: int) -> Guard:
    """The ASGI application.

    Args:
        store: The clips.
        token: The secret that a browser needs.
        port: Of 127.0.0.1, which the application is served at.
        upload_bytes: The largest clip that is taken.
    """
    pages = _Pages(store, upload_bytes)
    routes = [
        Route("/", pages.index),
        Route("/static/{name}", pages.static),
        Route("/api/options", pages.options),
        Route("/api/clips", pages.clips),
        Route("/api/clips", pages.upload, methods=["POST"]),
        Route("/api/cameras", pages.film, methods=["POST"]),
        Route("/api/clips/{id}", pages.delete, methods=["DELETE"]),
        Route("/api/clips/{id}/stop", pages.stop, methods=["POST"]),
        Route("/api/clips/{id}/cancel", pages.cancel, methods=["POST"]),
        Route("/api/clips/{id}/again", pages.again, methods=["POST"]),
        Route("/api/clips/{id}/corrections", pages.corrections),
        Route("/api/clips/{id}/corrections", pages.correct, methods=["PUT"]),
        Route("/clips/{id}/", pages.viewer),
        Route("/clips/{id}/original", pages.viewer),
        Route("/clips/{id}/content", pages.content),
        Route("/clips/{id}/export/{format}", pages.export),
        Route("/clips/{id}/files/{name}", pages.file),
        Route("/clips/{id}/{name}", pages.page_file),
    ]
    handlers = {Video3DError: _refused, OSError: _refused_by_system}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return Guard(app, token, port)


async def _refused(request: Request, error: Exception) -> Response:
    """An error for a person, as text."""
    return PlainTextResponse(f"{error}\n", 400)


async def _refused_by_system(request: Request, error: Exception) -> Response:
    """What the disk refuses, as text."""
    return PlainTextResponse(f"{refusal(error) or one_line(error)}\n", 500)


class _Pages:
    """The handlers of all addresses."""

    def __init__(self, store: Store, upload_bytes: int) -> None:
        self._store, self._upload_bytes = store, upload_bytes

    async def index(self, request: Request) -> Response:
        return FileResponse(_WEB / "index.html", headers={"Content-Security-Policy": _POLICY})

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ("app.js", "app.css"):
            raise HTTPException(404)
        return FileResponse(_WEB / name, headers={"Cache-Control": "no-cache"})

    async def options(self, request: Request) -> Response:
        formats = [{"name": name, "about": one.about} for name, one in exporters().items()]
        return JSONResponse(
            {"options": described(), "formats": formats, "upload_bytes": self._upload_bytes}
        )

    async def clips(self, request: Request) -> Response:
        return JSONResponse([self._described(clip) for clip in self._store.clips()])

    async def upload(self, request: Request) -> Response:
        """Take a clip, as it comes, onto the disk; the form's options are in the address."""
        name = safe_name(request.query_params.get("name", ""))
        options = _json_object(request.query_params.get("options", "{}"))
        make_config(options, self._store.folder)  # refuses what is wrong before anything is sent
        size = request.headers.get("content-length", "0")
        self._require_room(int(size) if size.isdecimal() else 0)
        folder = self._store.new_folder()
        try:
            await self._receive(request.stream(), folder / "source" / name)
        except BaseException:
            self._store.discard(folder)
            raise
        return JSONResponse(self._described(self._store.add(folder, name, options)), 201)

    async def film(self, request: Request) -> Response:
        """Start a camera: the body names it and the options."""
        told = _json_object((await _body(request)).decode("utf-8", "replace"))
        source = parse_camera(str(told.get("camera", "")))
        options = told.get("options", {})
        if not isinstance(options, dict):
            raise HTTPException(400, "the options are no object")
        make_config(options, self._store.folder).require_live()
        self._require_room(0)
        name = f"{source.name} {datetime.now():%Y-%m-%d %H:%M}"
        clip = self._store.add(self._store.new_folder(), name, options, source.address)
        return JSONResponse(self._described(clip), 201)

    async def stop(self, request: Request) -> Response:
        self._store.stop(self._clip(request).id)
        return Response(status_code=204)

    async def _receive(self, chunks: AsyncIterator[bytes], path: Path) -> None:
        received, held = 0, bytearray()
        with path.open("xb") as file:
            try:
                async for chunk in chunks:
                    received += len(chunk)
                    self._require_room(received, 0)
                    held += chunk
                    if len(held) >= _WRITTEN_BYTES:
                        await run_in_threadpool(file.write, held)
                        held = bytearray()
            except ClientDisconnect as error:
                raise HTTPException(400, "the upload was broken off") from error
            file.write(held)
        if not received:
            raise HTTPException(400, "the file is empty")

    def _require_room(self, size: int, spare: int = _SPARE_BYTES) -> None:
        if size > self._upload_bytes:
            most = f"{self._upload_bytes / 1e9:g} GB"
            text = f"clips of more than {most} are not taken; --app-upload-gb says how large"
            raise HTTPException(413, text)
        if spare and shutil.disk_usage(self._store.folder).free < size + spare:
            raise HTTPException(507, "the disk is full: delete clips that are done with")

    async def delete(self, request: Request) -> Response:
        self._store.delete(self._clip(request).id)
        return Response(status_code=204)

    async def cancel(self, request: Request) -> Response:
        self._store.cancel(self._clip(request).id)
        return Response(status_code=204)

    async def again(self, request: Request) -> Response:
        options = _json_object((await _body(request)).decode("utf-8", "replace"))
        make_config(options, self._store.folder)
        clip = self._store.again(self._clip(request), options)
        return JSONResponse(self._described(clip), 201)

    async def corrections(self, request: Request) -> Response:
        corrections = self._store.corrections(self._clip(request))
        return JSONResponse(corrections.as_dict(), headers=_version(corrections))

    async def correct(self, request: Request) -> Response:
        clip = self._with_result(request)
        if clip.status in UNFINISHED:
            raise HTTPException(409, "this clip is at work already")
        try:
            corrections = parse_corrections(await _body(request))
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        now = _version(self._store.corrections(clip))["ETag"]
        if request.headers.get("if-match", now) != now:
            raise HTTPException(412, "corrected elsewhere meanwhile: load this page again")
        self._store.correct(clip, corrections)
        described = self._described(self._clip(request))
        return JSONResponse(described, 202, headers=_version(corrections))

    async def viewer(self, request: Request) -> Response:
        clip = self._with_result(request)
        is_original = request.url.path.endswith("/original")
        settings = {"base": f"/clips/{clip.id}/", "api": f"/api/clips/{clip.id}", "id": clip.id}
        result = load_result(self._store.result(clip, is_original))
        extras = () if is_original else ("mend",)
        page = await run_in_threadpool(page_of, result, self._page(clip), settings, extras)
        return HTMLResponse(page)

    async def content(self, request: Request) -> Response:
        clip = self._with_result(request)
        result = load_result(self._store.result(clip))
        return JSONResponse(await run_in_threadpool(content_of, result, self._page(clip)))

    async def page_file(self, request: Request) -> Response:
        """The video or the poster of a clip's page; browsers ask for parts of it."""
        name = request.path_params["name"]
        if name not in (POSTER, LIVE_PICTURE, "video.mp4", "video.jpg"):
            raise HTTPException(404)
        path = self._page(self._clip(request)) / name
        if name == LIVE_PICTURE:  # another one may take its place while it is sent
            with suppress(FileNotFoundError):
                return Response(await run_in_threadpool(path.read_bytes), media_type="image/jpeg")
        return _file(path)

    async def file(self, request: Request) -> Response:
        """What was drawn, to be kept."""
        result = load_result(self._store.result(self._with_result(request)))
        name = request.path_params["name"]
        if name == _FRAMES and (frames := list(filter(_is_frame, result.files))):
            with _temporary() as (folder, clean):
                path = folder / f"{result.stem}_{_FRAMES}"
                await run_in_threadpool(_zip, [result.files[frame] for frame in frames], path)
                return FileResponse(path, filename=path.name, background=clean)
        if name not in result.files:
            raise HTTPException(404)
        return _file(result.files[name], name)

    async def export(self, request: Request) -> Response:
        """A result in one format, made now; a zip where it is several files."""
        result = load_result(self._store.result(self._with_result(request)))
        name = request.path_params["format"]
        if name not in exporter_names():
            raise HTTPException(404)
        with _temporary() as (folder, clean):
            written = await run_in_threadpool(write_exports, result, [name], folder)
            files = sorted(folder.iterdir())
            if written.failures or not files:
                reason = "; ".join(written.failures) or "nobody is in this result"
                raise HTTPException(400, reason.removeprefix(f"--export {name} failed: "))
            path = files[0]
            if len(files) > 1:
                path = folder / f"{result.stem}_{name}.zip"
                await run_in_threadpool(_zip, files, path)
            return FileResponse(path, filename=path.name, background=clean)

    def _clip(self, request: Request) -> Clip:
        clip = self._store.get(request.path_params["id"])
        if clip is None:
            raise HTTPException(404, "this clip was deleted")
        return clip

    def _with_result(self, request: Request) -> Clip:
        clip = self._clip(request)
        if not (self._store.result(clip) / REPORT).exists():
            raise HTTPException(404, "this clip has no result")
        return clip

    def _page(self, clip: Clip) -> Path:
        return self._store.path(clip) / "page"

    def _described(self, clip: Clip) -> dict[str, Any]:
        """A clip as the page shows it."""
        progress = self._store.progress.get(clip.id)
        result = self._store.result(clip)
        files: list[str] = []
        with suppress(Video3DError):
            files = sorted(load_result(result).files) if clip.status != "running" else []
        return {
            **vars(clip),
            "progress": None if progress is None else vars(progress),
            "has_result": (result / REPORT).exists() and self._page(clip).exists(),
            "has_poster": (self._page(clip) / POSTER).exists(),
            "is_live": (self._page(clip) / LIVE_PICTURE).exists() and clip.status == "running",
            "is_corrected": (result / CORRECTIONS).exists(),
            "drawn": [
                *(name for name in files if name.endswith(("_3d.mp4", "_3d.jpg"))),
                *([_FRAMES] if any(map(_is_frame, files)) else []),
            ],
        }


def _is_frame(name: str) -> bool:
    """Whether a file of a result is a picture of `--render frames`."""
    return re.search(r"_3d_[0-9]+\.png$", name) is not None


@contextmanager
def _temporary() -> Iterator[tuple[Path, BackgroundTask]]:
    """A folder for an answer, and what deletes it once that is sent; an exception does, too."""
    folder = Path(tempfile.mkdtemp(prefix="video3d-"))
    try:
        yield folder, BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


async def _body(request: Request) -> bytes:
    """A small body; more is refused."""
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BYTES:
            raise HTTPException(413, f"more than {MAX_BYTES >> 20} MiB")
    return content


def _version(corrections: Corrections) -> dict[str, str]:
    """The header by which a page tells that another one changed what it is about to replace."""
    content = json.dumps(corrections.as_dict(), sort_keys=True).encode()
    return {"ETag": f'"{hashlib.sha256(content).hexdigest()}"'}


def _json_object(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the options are no JSON") from error
    if not isinstance(content, dict):
        raise HTTPException(400, "the options are no object")
    return content


def _file(path: Path, filename: str | None = None) -> Response:
    if not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, filename=filename, headers={"Cache-Control": "no-cache"})


def _zip(files: list[Path], path: Path) -> None:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.name)
