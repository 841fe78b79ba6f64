"""A preview window, where there is a display.

It is drawn with Tk, which comes with Python: the OpenCV in use comes without windows.
"""

import os
import sys
from contextlib import suppress
from typing import Any

import cv2
from PIL import Image

from core.types import Picture

try:
    import tkinter

    from PIL import ImageTk
except ImportError:  # a Python that comes without Tk
    HAS_TK = False
else:
    HAS_TK = True


def open_window(title: str) -> "Window | None":
    """Open a window; None where there is no display for it, or this Python comes without Tk."""
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not HAS_TK or (sys.platform.startswith("linux") and not display):
        return None
    try:
        return Window(tkinter.Tk(), title)
    except tkinter.TclError:  # no such display after all
        return None


class Window:
    """Shows pictures, from the one thread that opened it.

    Args:
        root: Tk's root window.
        title: The window's title.

    Attributes:
        is_open: False once the window is closed, or q or Escape is pressed.
    """

    def __init__(self, root: Any, title: str) -> None:
        self.is_open = True
        self._root = root
        root.title(title)
        root.configure(background="black")
        self._label = tkinter.Label(root, borderwidth=0)
        self._label.pack()
        root.protocol("WM_DELETE_WINDOW", self._leave)
        for key in ("q", "<Escape>"):
            root.bind(key, self._leave)

    def show(self, picture: Picture) -> None:
        """Show a picture (H, W, 3) RGB, shrunk to fit the screen."""
        if not self.is_open:
            return
        height, width = picture.shape[:2]
        try:
            scale = min(
                self._root.winfo_screenwidth() / width, self._root.winfo_screenheight() / height
            )
            if scale < 1:
                picture = cv2.resize(
                    picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
                )
            self._picture = ImageTk.PhotoImage(Image.fromarray(picture))  # Tk keeps no reference
            self._label.configure(image=self._picture)
            self._root.update()
        except tkinter.TclError:  # the display went away
            self._leave()

    def close(self) -> None:
        """Close the window."""
        with suppress(tkinter.TclError):  # it may be gone with its display
            self._root.destroy()

    def _leave(self, *_: object) -> None:
        self.is_open = False
