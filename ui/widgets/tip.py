"""Texts of tooltips that somebody else wrote: names of files and models, titles, what an engine printed."""

from html import escape

from PySide6.QtGui import Qt


def plain_tip(text: str) -> str:
    """``text`` so that a tooltip shows it as it stands.

    Qt takes what looks like HTML for it, and would load pictures from the disk.
    """
    if not Qt.mightBeRichText(text):
        return text
    lines = "<br>".join(escape(line) for line in text.split("\n"))
    return f"<p>{lines}</p>"
