"""The conversation as it is read: virtualized rows of prose, code, tables, reasoning and tool calls.

UI thread only, but for the thread that draws formulas while there are any to draw (``math``). Owns nothing that is
stored: it is given messages and events (``app.domain``) and tells by signals what the person asked for. What is under
``rows`` (and ``math/tex``) knows no Qt, turns messages into rows and keeps their heights; the others draw them. Only
``TranscriptView`` is meant for other packages.
"""

from ui.chat.transcript.view import TranscriptView

__all__ = ["TranscriptView"]
