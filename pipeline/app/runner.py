"""Works through the queue, a clip at a time, by the batch's own workers: each in its own process.

So a decoder's crash ends one clip, a cancelled clip ends with its process, and what a killed
program had finished is not done again.
"""

import shutil
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from core.errors import Video3DError, one_line
from core.limits import usable_cores
from pipeline.app.camera import film, lift_again
from pipeline.app.forms import make_config
from pipeline.app.pages import make_page
from pipeline.app.store import Clip, Progress, Store, link_or_copy
from pipeline.batch.jobs import Job, Outcome, Tick
from pipeline.batch.workers import Pool, WorkerProcess, in_process, new_event
from pipeline.corrections.edits import MENDED, Corrections
from pipeline.results.result import load_result
from pipeline.results.staging import REPORT, listed_files
from pipeline.runtime.logs import LOG, LogOptions
from pipeline.runtime.progress import Tell


class Unwanted(Exception):  # noqa: N818 - no error
    """The clip was cancelled or deleted, or the program ends."""


class Runner:
    """The thread that works through a store's queue, from `start` until `stop`."""

    def __init__(self, store: Store, log: LogOptions) -> None:
        self._store, self._log = store, log
        self._spares: list[WorkerProcess] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="queue")

    def start(self) -> None:
        """Begin, or go on, with what is waiting."""
        self._thread.start()

    def stop(self) -> None:
        """End what is at work, which waits for the next start, and the thread."""
        self._stopping.set()
        with self._store.changed:
            self._store.changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._store.sweep()
            if not self._spares:  # so that the next clip need not wait for libraries
                self._spares.append(WorkerProcess(usable_cores(), self._log))
            with self._store.changed:
                clip = self._store.next_waiting()
                if clip is None:
                    self._store.changed.wait()
                    continue
                self._store.update(clip.id, status="running")
            try:
                done = self._work(clip)
                self._require_wanted(clip)
                self._store.update(clip.id, **done)
            except Unwanted:
                if self._stopping.is_set():
                    self._store.update(clip.id, status="waiting")
            except Exception as error:
                reason = str(error) if isinstance(error, Video3DError) else one_line(error)
                LOG.error("%s: %s", clip.name, reason)
                self._store.update(clip.id, status="failed", reason=reason)
            finally:
                self._store.progress.pop(clip.id, None)
        for spare in self._spares:
            spare.stop()
        self._store.sweep()

    def _require_wanted(self, clip: Clip) -> None:
        now = self._store.get(clip.id)
        if self._stopping.is_set() or now is None or now.status not in ("running", "stopping"):
            raise Unwanted

    def _work(self, clip: Clip) -> dict[str, Any]:
        """Do what is asked for; what changes of the clip."""
        folder, result = self._store.path(clip), self._store.result(clip, original=True)
        self._store.progress[clip.id] = Progress("starting")
        corrections = self._store.corrections(clip) if clip.mends else None
        if clip.camera:
            return self._mend_filmed(clip, corrections) if clip.mends else self._film(clip)
        others = {"corrections": corrections} if corrections else {}
        config = make_config(clip.options, folder, **others)
        if clip.mends and not corrections:  # all of them were undone
            shutil.rmtree(result / MENDED, ignore_errors=True)
        elif clip.mends:
            _link_result(result, result / MENDED)
            result = result / MENDED
        source = self._store.source(clip)
        assert source is not None  # an upload is whole before it is a clip
        outcome = self._outcome(clip, Job(source, result), config)
        if outcome.status == "failed":
            reason = outcome.reason.replace(f"{source}: ", "")
            return {"status": "failed", "reason": reason}
        if not clip.mends:
            self._store.progress[clip.id] = Progress("page")
            self._in_process(clip, make_page, result, folder / "page")
        return _done(result)

    def _film(self, clip: Clip) -> dict[str, Any]:
        """Have a camera analysed until it ends or is stopped."""
        folder = self._store.path(clip)
        self._store.progress[clip.id] = Progress("film")
        config = make_config(clip.options, folder / "filming")
        stop = new_event()

        def check() -> None:
            self._require_wanted(clip)
            now = self._store.get(clip.id)
            if now is not None and now.status == "stopping" and not stop.is_set():
                stop.set()
                self._store.progress[clip.id] = Progress("page")

        try:
            in_process(film, (clip.camera, config, folder, stop), check, self._show(clip))
        except Unwanted:
            if not self._stopping.is_set():  # cancelled, which ends a camera well
                for name in ("result", "page", "source"):
                    shutil.rmtree(folder / name, ignore_errors=True)
                (folder / "source").mkdir(exist_ok=True)
            raise
        finally:
            shutil.rmtree(folder / "filming", ignore_errors=True)
        return _done(folder / "result")

    def _mend_filmed(self, clip: Clip, corrections: Corrections | None) -> dict[str, Any]:
        """Correct what was filmed, or take all corrections back."""
        result = self._store.result(clip, original=True)
        if corrections:
            self._store.progress[clip.id] = Progress("lift")
            self._in_process(clip, lift_again, result, corrections)
            return _done(result / MENDED)
        shutil.rmtree(result / MENDED, ignore_errors=True)
        return _done(result)

    def _in_process(self, clip: Clip, work: Callable[..., object], *arguments: Any) -> None:
        """Call a function in a process of its own, for as long as the clip is wanted."""
        in_process(work, arguments, lambda: self._require_wanted(clip), self._show(clip))

    def _show(self, clip: Clip) -> Tell:
        def show(stage: str, count: int, total: int | None) -> None:
            self._store.progress[clip.id] = Progress(stage, count, total)

        return show

    def _outcome(self, clip: Clip, job: Job, config: Any) -> Outcome:
        def show(tick: Tick) -> None:
            self._show(clip)(tick.stage, tick.count, tick.total)

        pool = Pool(config, 1, self._log, lambda: self._require_wanted(clip), self._spares)
        with closing(pool.run([job], show)) as outcomes:
            return next(outcomes)


def _done(result: Path) -> dict[str, Any]:
    """What changes of a clip whose result is there."""
    report = load_result(result).report
    return {
        "status": "done", "mends": False, "reason": "", "frames": report.frames,
        "people": len(report.people), "warnings": report.warnings,
    }  # fmt: skip


def _link_result(first: Path, mended: Path) -> None:
    """Let a result begin as the first one is, where there is none yet, to be corrected in place."""
    if (mended / REPORT).exists():
        return
    mended.mkdir(exist_ok=True)
    for name in (*sorted(listed_files(first)), REPORT):
        (mended / name).unlink(missing_ok=True)
        link_or_copy(first / name, mended / name)
