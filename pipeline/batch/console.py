"""What a person sees of a batch: a line for each clip, progress bars, the table at the end."""

import sys
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from core.errors import OutputError
from pipeline.batch.jobs import Outcome, Tick
from pipeline.batch.report import BatchReport
from pipeline.runtime.logs import LOG, counted, printable


def say(text: str) -> None:
    """Print a line on stdout, above the progress bars."""
    tqdm.write(printable(text), file=sys.stdout)


class OutcomeLog:
    """Says how clips ended, on the terminal and in the batch report.

    A report that cannot be written is a failure of its own, said once.
    """

    def __init__(self, report: BatchReport | None, debug: bool) -> None:
        """Say nothing yet.

        Args:
            report: Where outcomes are noted; None for a single clip.
            debug: Whether failures come with where in the program they happened.
        """
        self.failures = 0
        self._report, self._debug = report, debug
        self._complained = False

    def add(self, outcome: Outcome) -> None:
        """Say how a clip ended."""
        job = outcome.job
        match outcome.status:
            case "failed":
                self.failures += 1
                trace = outcome.trace if self._debug else ""
                LOG.error(outcome.reason, extra={"clip": job.source, "trace": trace})
            case "done":
                self.failures += bool(outcome.lacks)
                frames = counted(outcome.frames, "frame", "frames")
                say(f"{job.folder}: {frames}, {counted(outcome.people, 'person', 'people')}")
                for warning in outcome.warnings:
                    LOG.warning("%s: %s", job.source, warning, extra={"clip": job.source})
            case _ if outcome.reason:
                say(f"{job.folder}: already done, {outcome.reason}")
            case _ if self._report is None:
                say(f"{job.folder}: already done (--overwrite does it again)")
        if self._report is not None:
            self._try(lambda report: report.add(outcome))

    def close(self) -> None:
        """Write the report's files a last time and print its table."""
        if self._report is not None:
            self._try(lambda report: report.write())
            tqdm.write(self._report.table(), file=sys.stdout)

    def _try(self, write: Callable[[BatchReport], None]) -> None:
        assert self._report is not None
        try:
            write(self._report)
        except OutputError as error:
            if not self._complained:
                LOG.error(str(error))
            self._complained = True
            self.failures += 1


class ProgressBars:
    """A bar over all clips, where there are several, and one for each clip at work."""

    def __init__(self, clips: int) -> None:
        """Show the bar over `clips` clips; none for 0."""
        self._all = tqdm(total=clips, desc="clips", unit="clip", disable=None) if clips else None
        self._clips: dict[Path, tqdm[None]] = {}

    def tick(self, tick: Tick) -> None:
        """Show how far a clip has come."""
        bar = self._clips.get(tick.job.folder)
        if bar is None:
            bar = tqdm(unit="frame", leave=False, disable=None)
            self._clips[tick.job.folder] = bar
        title = f"{printable(tick.job.source.name)[:30]} {tick.stage}"
        if bar.disable:
            return
        if bar.desc != f"{title}: ":
            bar.reset(tick.total)
            bar.set_description(title, refresh=False)
        bar.update(tick.count - bar.n)

    def end(self, outcome: Outcome) -> None:
        """Count a clip that has ended."""
        if (bar := self._clips.pop(outcome.job.folder, None)) is not None:
            bar.close()
        if self._all is not None:
            self._all.update()

    def close(self) -> None:
        """Take the bars away."""
        for bar in [*self._clips.values(), *([self._all] if self._all else [])]:
            bar.close()
