"""The clips of the page, each a folder on disk: a stopped or killed program goes on from there.

CLIPS/<id>/clip.json          what is asked for and how far it is
CLIPS/<id>/source/<name>      the upload
CLIPS/<id>/result/            the result; its folder `mended` after corrections
CLIPS/<id>/corrections.json   what was corrected by hand
CLIPS/<id>/page/              the small video and the poster of the page
"""

import json
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from core.files import written_whole
from pipeline.corrections.edits import CORRECTIONS, MENDED, Corrections, read_corrections
from pipeline.results.staging import REPORT, read_json

Status = Literal["waiting", "running", "stopping", "done", "failed", "cancelled"]
UNFINISHED = ("waiting", "running", "stopping")
"""Of a clip that is at work, or will be."""
_ID = re.compile(r"[0-9a-f]{16}")
_LONGEST_NAME = 150


@dataclass(frozen=True)
class Clip:
    """One clip of the page.

    id; name of the upload; options by name, those that differ from the defaults; status of what was
    last asked for, "stopping" where a camera is to end; mends: whether that is to lift again after
    corrections; reason of a failure; frames and people of the result; created, seconds since 1970;
    camera: what the clip is filmed by, "" where it was uploaded.
    """

    id: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    status: Status = "waiting"
    mends: bool = False
    reason: str = ""
    frames: int = 0
    people: int = 0
    warnings: tuple[str, ...] = ()
    created: float = 0.0
    camera: str = ""


@dataclass(frozen=True)
class Progress:
    """How far the clip at work has come: `total` is None where that is unknown."""

    stage: str
    count: int = 0
    total: int | None = None


class Store:
    """The clips in a folder; every change is on disk before it is seen.

    Args:
        folder: Where the clips lie; made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.changed = threading.Condition(threading.RLock())
        self.progress: dict[str, Progress] = {}
        self._clips: dict[str, Clip] = {}
        self._coming: set[str] = set()  # ids of folders whose uploads are on their way
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*/clip.json"):
            with suppress(OSError, ValueError, TypeError, RecursionError):
                plain = read_json(path)
                clip = Clip(**{**plain, "warnings": tuple(plain.get("warnings", ()))})
                if _ID.fullmatch(path.parent.name) and clip.id == path.parent.name:
                    self._clips[clip.id] = replace(clip, status=_after_a_stop(clip))

    def clips(self) -> list[Clip]:
        """All clips, the newest first."""
        with self.changed:
            return sorted(self._clips.values(), key=lambda clip: -clip.created)

    def get(self, clip_id: str) -> Clip | None:
        """The clip of an id, None where there is none."""
        with self.changed:
            return self._clips.get(clip_id)

    def next_waiting(self) -> Clip | None:
        """The clip that has waited longest."""
        waiting = [clip for clip in self.clips() if clip.status == "waiting"]
        return waiting[-1] if waiting else None

    def new_folder(self) -> Path:
        """A new, empty folder for a clip to come, until `add` or `discard`."""
        folder = self.folder / secrets.token_hex(8)
        with self.changed:
            self._coming.add(folder.name)
        (folder / "source").mkdir(parents=True)
        return folder

    def discard(self, folder: Path) -> None:
        """Delete a `new_folder` whose upload failed."""
        shutil.rmtree(folder, ignore_errors=True)
        with self.changed:
            self._coming.discard(folder.name)

    def add(self, folder: Path, name: str, options: Mapping[str, Any], camera: str = "") -> Clip:
        """Queue a clip whose upload lies in a `new_folder`, or which a camera is to film."""
        clip = Clip(folder.name, name, dict(options), created=time.time(), camera=camera)
        with self.changed:
            self._keep(clip)
            self._coming.discard(clip.id)
        return clip

    def again(self, clip: Clip, options: Mapping[str, Any]) -> Clip:
        """Queue a clip once more with other options, as a clip of its own."""
        folder = self.new_folder()
        own = self.source(clip)
        if own is None:
            return self.add(folder, clip.name, options, clip.camera)
        link_or_copy(own, folder / "source" / own.name)
        return self.add(folder, own.name if clip.camera else clip.name, options)

    def update(self, clip_id: str, **values: Any) -> None:
        """Change a clip, unless it was deleted."""
        with self.changed:
            if clip_id in self._clips:
                self._keep(replace(self._clips[clip_id], **values))

    def stop(self, clip_id: str) -> None:
        """End the camera that films a clip, which keeps what it has."""
        with self.changed:
            clip = self._clips.get(clip_id)
            if clip is not None and clip.camera and clip.status == "running" and not clip.mends:
                self._keep(replace(clip, status="stopping"))

    def cancel(self, clip_id: str) -> None:
        """Cancel what is waiting or at work on a clip."""
        with self.changed:
            clip = self._clips.get(clip_id)
            if clip is not None and clip.status in UNFINISHED:
                self._keep(replace(clip, status="cancelled"))

    def delete(self, clip_id: str) -> None:
        """Delete a clip with its upload and its results."""
        with self.changed:
            if self._clips.pop(clip_id, None) is not None:
                (self.folder / clip_id / "clip.json").unlink(missing_ok=True)
                self.changed.notify_all()

    def sweep(self) -> None:
        """Delete the folders of clips that were deleted, or whose upload never ended."""
        with self.changed:
            known = {*self._clips, *self._coming}
        for folder in self.folder.iterdir():
            if _ID.fullmatch(folder.name) and folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)

    def path(self, clip: Clip) -> Path:
        """The folder of a clip."""
        return self.folder / clip.id

    def source(self, clip: Clip) -> Path | None:
        """The upload of a clip, or what its camera filmed; None where that came to nothing."""
        files = (self.path(clip) / "source").iterdir()
        return next((path for path in files if not path.name.startswith(".")), None)

    def result(self, clip: Clip, original: bool = False) -> Path:
        """The folder of a clip's result: the corrected one where there is one."""
        first = self.path(clip) / "result"
        mended = first / MENDED
        return mended if not original and (mended / REPORT).exists() else first

    def corrections(self, clip: Clip) -> Corrections:
        """What was corrected in a clip by hand."""
        path = self.path(clip) / CORRECTIONS
        return read_corrections(path) if path.exists() else Corrections()

    def correct(self, clip: Clip, corrections: Corrections) -> None:
        """Queue a clip to be lifted again after corrections."""
        with self.changed:
            corrections.write(self.path(clip))
            self.update(clip.id, status="waiting", mends=True, reason="")

    def _keep(self, clip: Clip) -> None:
        with self.changed:
            with written_whole(self.folder / clip.id / "clip.json") as partial:
                partial.write_text(json.dumps(asdict(clip)))
            self._clips[clip.id] = clip
            self.changed.notify_all()


def _after_a_stop(clip: Clip) -> Status:
    """The status of a clip when the program starts again; a camera does not film by itself."""
    if clip.camera and not clip.mends:
        return "cancelled" if clip.status in UNFINISHED else clip.status
    return "waiting" if clip.status == "running" else clip.status


def safe_name(name: str) -> str:
    """A file's name from a browser as one that is safe on disk; its ending stays."""
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(letter if letter.isprintable() else "_" for letter in last).lstrip(". ")
    stem, dot, ending = plain.rpartition(".")
    stem, ending = (stem, dot + ending[:10]) if stem else (plain, "")
    while len(os.fsencode(stem)) > _LONGEST_NAME:
        stem = stem[:-1]
    return (stem or "clip") + ending


def link_or_copy(source: Path, target: Path) -> None:
    """The same file under another name: neither is written to in place."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
