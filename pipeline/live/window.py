"""A preview window, where there is a display: our OpenCV comes without windows, so Tk, which comes with Python."""

import os
import sys
from contextlib import suppress
from typing import Any

import cv2
from PIL import Image

from pipeline.render.draw import Picture

try:
    import tkinter

    from PIL import ImageTk
except ImportError:  # a Python that comes without Tk
    HAS_TK = False
else:
    HAS_TK = True


def open_window(title: str) -> "Window | None":
    """None where there is no display to open it on, or this Python comes without Tk."""
    named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not HAS_TK or (sys.platform.startswith("linux") and not named):
        return None
    try:
        return Window(tkinter.Tk(), title)
    except tkinter.TclError:  # no such display after all
        return None


class Window:
    """Shows pictures; `is_open` turns False when it is closed, or q or Escape pressed. One thread must do it all."""

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
        """Show (H, W, 3) RGB, made to fit the screen."""
        if not self.is_open:
            return
        height, width = picture.shape[:2]
        try:
            room = min(
                self._root.winfo_screenwidth() / width, self._root.winfo_screenheight() / height
            )
            if room < 1:
                picture = cv2.resize(picture, None, fx=room, fy=room, interpolation=cv2.INTER_AREA)
            self._picture = ImageTk.PhotoImage(Image.fromarray(picture))  # kept: Tk does not
            self._label.configure(image=self._picture)
            self._root.update()
        except tkinter.TclError:  # the display went away
            self._leave()

    def close(self) -> None:
        """Take it away."""
        with suppress(tkinter.TclError):  # it may be gone with its display
            self._root.destroy()

    def _leave(self, *_: object) -> None:
        self.is_open = False
