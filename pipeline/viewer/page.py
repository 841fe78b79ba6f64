"""The page: one HTML file that holds all it needs, whose script modules lie in `web/`.

Modules import each other as `viewer/NAME.js`; an import map says that these are `data:` URLs, so a
file opened from disk needs no server. A content security policy keeps the page off the net.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

_WEB = Path(__file__).parent / "web"
_OFFLINE = "'none'"


@dataclass(frozen=True)
class PageVideo:
    """What the page shows beside the 3D view.

    url: Where it is: `data_url` of a file, the quoted name of a file beside the page, or an address
    of the server that sends the page. start_s: Time of its first frame on the clock of the result.
    is_picture: Whether it does not move.
    """

    url: str
    start_s: float
    is_picture: bool = False


def data_url(path: Path) -> str:
    """A file as a `data:` URL, for mp4 and jpg."""
    kind = {".mp4": "video/mp4", ".jpg": "image/jpeg"}[path.suffix]
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def page_html(
    clips: Sequence[dict[str, Any]],
    video: PageVideo | None = None,
    extras: Sequence[str] = (),
    settings: dict[str, Any] | None = None,
    connect: str = _OFFLINE,
    second: PageVideo | None = None,
) -> str:
    """Fill the page.

    Args:
        clips: Of `clip_content`: one, or two to be compared, the video's first.
        video: None shows none.
        extras: Names of further modules in `web/`, without `.js`: the default export of each is
            called with the viewer when it is ready.
        settings: Plain values that modules find as `viewer.settings`.
        connect: The content security policy's source of what modules may ask for, as `'self'`.
        second: The second clip's video; one that is the first one's is in the page once.

    Returns:
        The page.
    """
    content = {
        "clips": list(clips),
        "video": None if video is None else vars(video),
        "second": None if second is None else vars(second) | _url_unless_in(video, second),
        "extras": [f"viewer/{name}.js" for name in extras],
        "settings": settings or {},
    }
    wanted = {f"{name}.js" for name in extras}
    modules = [path for path in sorted(_WEB.glob("*.js")) if path.name in wanted or _is_own(path)]
    imports = {f"viewer/{path.name}": _module_url(path) for path in modules}
    filled = {
        "TITLE": escape(" and ".join(str(clip["name"]) for clip in clips)),
        "CONNECT": connect,
        "STYLE": (_WEB / "style.css").read_text(encoding="utf-8"),
        "IMPORTS": json.dumps({"imports": imports}),
        "CONTENT": _in_script(content),
    }
    page = (_WEB / "page.html").read_text(encoding="utf-8")
    for name, value in filled.items():
        page = page.replace(f"⟦{name}⟧", value)
    return page


def _url_unless_in(video: PageVideo | None, second: PageVideo) -> dict[str, str | None]:
    """The second video's address, None where it is that of the first."""
    is_same = video is not None and video.url == second.url
    return {"url": None if is_same else second.url}


def _is_own(path: Path) -> bool:
    """Whether a module is always there: an extra one says in its first line that it is not."""
    with path.open(encoding="utf-8") as file:
        return not file.readline().startswith("// extra:")


def _module_url(path: Path) -> str:
    source = path.read_text(encoding="utf-8") + f"\n//# sourceURL=viewer/{path.name}\n"
    return f"data:text/javascript;base64,{base64.b64encode(source.encode()).decode()}"


def _in_script(content: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
