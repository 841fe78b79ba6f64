"""The words of a command line → jobs of several views each.

Files are the views of one take. A folder of videos is a take; a folder of such folders is a take
for each. A take of files is called after all of them, one in a folder after the folder.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import UsageError
from core.files import result_stem, views_stem
from pipeline.batch.inputs import VIDEO_SUFFIXES, input_kind
from pipeline.batch.jobs import Job
from pipeline.results.staging import REPORT


def find_takes(words: Sequence[str], output: Path) -> tuple[list[Job], list[str]]:
    """Find the takes that words name, and give each a folder of results.

    Args:
        words: Files, or folders.
        output: The folder above all results.

    Returns:
        The jobs, in the order of the words, then of names, and the words that name no take.

    Raises:
        UsageError: The words are neither files nor folders, or it is a single file.
    """
    kinds = {input_kind(word) for word in words}
    if kinds == {"file"}:
        views = tuple(map(Path, words))
        if len(views) < 2:
            raise UsageError(f"`views` are two videos or more of the same people, not {words[0]}")
        return [Job(views[0], output / views_stem(views), views=views)], []
    if kinds != {"folder"}:
        raise UsageError("`views` are files, or folders that have the views of one take each")
    jobs, empty = [], []
    for word in words:
        takes = list(_takes_in(Path(word)))
        jobs += [Job(folder, output / _name(folder), views=views) for folder, views in takes]
        if not takes:
            empty.append(word)
    names = [job.folder for job in jobs]
    for job in jobs:
        if names.count(job.folder) > 1:
            raise UsageError(f"two takes would share the folder {job.folder}: rename one")
    return jobs, empty


def _takes_in(folder: Path) -> Iterator[tuple[Path, tuple[Path, ...]]]:
    """A folder with its videos, where it has two or more, else such folders in it."""
    if len(own := _videos_in(folder)) > 1:
        yield folder, own
        return
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        if not inner.name.startswith(".") and len(own := _videos_in(inner)) > 1:
            yield inner, own


def _videos_in(folder: Path) -> tuple[Path, ...]:
    """The videos of a folder that is no result, by name."""
    files = sorted(folder.iterdir())
    if any(path.name == REPORT for path in files):
        return ()
    return tuple(
        path
        for path in files
        if path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".")
    )


def _name(folder: Path) -> str:
    return result_stem(Path(f"{folder.absolute().name}.views"))
