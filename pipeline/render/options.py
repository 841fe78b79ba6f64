"""What is drawn."""

from dataclasses import dataclass

from core.options import option


@dataclass(frozen=True)
class RenderOptions:
    """What is drawn of a clip."""

    render: bool = option(True, "make the side-by-side video")
