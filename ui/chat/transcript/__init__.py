"""The conversation as it is read: virtualized rows of prose, code, tables, reasoning and tool calls.

UI thread only. Owns nothing that is stored: it is given messages and events (``app.domain``) and tells by signals what
the person asked for. Modules without Qt (markdown, stream, rows, content, segment, parts, item, column) turn messages
into rows and keep their heights; the others draw them. Only ``TranscriptView`` is meant for other packages.
"""

from ui.chat.transcript.view import TranscriptView

__all__ = ["TranscriptView"]
