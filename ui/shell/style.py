"""The style of the main window's own widgets."""

from importlib import resources
from string import Template

from ui.theme import Theme


def window_style(theme: Theme) -> str:
    """The style sheet of the main window and its children, in the theme's colours."""
    sheet = resources.files("resources").joinpath("themes/window.qss").read_text(encoding="utf-8")
    return Template(sheet).substitute({name: getattr(theme, name) for name in Theme.__slots__})
