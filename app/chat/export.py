"""A conversation as a document: Markdown, JSON or one HTML page that needs nothing from outside."""

import html
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import PurePath

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from app.domain.citations import cut_at_mentions
from app.domain.errors import AppError
from app.domain.excerpt import shortened
from app.domain.messages import (
    AttachmentPart,
    CitationPart,
    Conversation,
    Message,
    MessageStatus,
    NotePart,
    Part,
    ReasoningPart,
    Role,
    SourcesPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    part_kind,
)

FORMATS = ("md", "json", "html")

QUOTE_CHARS = 300
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<rest>.*)")

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1c1c1e }
article { border-top: 1px solid #ccc; padding: .5rem 0 }
pre { background: #f2f2f4; padding: .6rem; overflow-x: auto; white-space: pre-wrap }
details { color: #555; margin: .5rem 0 }
footer, .meta { color: #666; font-size: .85rem }
table { border-collapse: collapse } td, th { border: 1px solid #ccc; padding: .2rem .5rem }
@media (prefers-color-scheme: dark) {
  body { background: #1c1c1e; color: #eee } pre { background: #2a2a2d } details, footer, .meta { color: #aaa }
}
"""


def export(conversation: Conversation, messages: Sequence[Message], fmt: str) -> str:
    """``messages`` from root to leaf as ``md``, ``json`` or ``html``. Raises AppError ``export-format-unknown``."""
    writer = {"md": _markdown, "json": _json, "html": _html}.get(fmt)
    if writer is None:
        raise AppError(
            "export-format-unknown",
            "{format} is no export format.",
            "Use one of {known}.",
            format=fmt,
            known=", ".join(FORMATS),
        )
    # Half surrogate pairs (odd file names) could not be written to a file.
    return writer(conversation, messages).encode("utf-8", "replace").decode()


def _json(conversation: Conversation, messages: Sequence[Message]) -> str:
    """Everything but token ids and raw outputs, which are of use to the program alone."""
    document = {
        "conversation": asdict(conversation),
        "messages": [
            {
                **{name: value for name, value in asdict(message).items() if name != "spans"},
                "parts": [{"kind": part_kind(part), **asdict(part)} for part in message.parts],
            }
            for message in messages
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _markdown(conversation: Conversation, messages: Sequence[Message]) -> str:
    blocks = [f"# {_one_line(_title(conversation))}", f"*{_date(conversation.created)}*"]
    for number, message in enumerate(messages, start=1):
        cited = {part.n: f"[^{number}-{part.n}]" for part in _citations(message)}
        blocks.append(f"## {_speaker(message)}")
        blocks += filter(None, (_markdown_part(part, cited) for part in message.parts))
        blocks += [f"{cited[part.n]}: {_footnote(part)}" for part in _citations(message)]
        if ending := _ending(message):
            blocks.append(f"*{ending}*")
    return "\n\n".join(blocks) + "\n"


def _markdown_part(part: Part, cited: Mapping[int, str]) -> str:
    match part:
        case ReasoningPart():
            # A tag inside the reasoning must not end the fold.
            body = html.escape(part.text.strip(), quote=False)
            return f"<details>\n<summary>{_thought(part)}</summary>\n\n{body}\n\n</details>"
        case TextPart():
            return _closed(_with_mentions(part.text.strip(), cited))
        case ToolCallPart():
            return f"**Tool call** `{part.name}`\n\n{_fenced(part.arguments, 'json')}"
        case ToolResultPart():
            return f"**{_result_head(part)}**\n\n{_fenced(part.result)}"
        case AttachmentPart():
            return f"*Attachment: {_one_line(part.name)}*"
        case NotePart():
            return f"*{_one_line(part.text)}*"
        case SourcesPart() | CitationPart():
            return ""


def _closed(text: str) -> str:
    """With its last code block closed, which an answer that was stopped may have left open."""
    fence = ""
    for line in text.splitlines():
        found = _FENCE.match(line)
        if not fence and found and not (found["fence"][0] == "`" and "`" in found["rest"]):
            fence = found["fence"]
        elif fence and found and found["fence"].startswith(fence) and not found["rest"].strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text


def _fenced(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any in ``text``."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


def _html(conversation: Conversation, messages: Sequence[Message]) -> str:
    # html=False shows tags as text; images become links, for a page must not load anything when it is opened.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    markdown.add_render_rule("text", _html_text)
    articles = "\n".join(_html_message(markdown, message, n) for n, message in enumerate(messages, start=1))
    title = html.escape(_title(conversation))
    return (
        '<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        f'<p class="meta">{_date(conversation.created)}</p>\n{articles}\n</body>\n</html>\n'
    )


def _html_message(markdown: MarkdownIt, message: Message, number: int) -> str:
    cited = {part.n: f'<sup><a href="#source-{number}-{part.n}">[{part.n}]</a></sup>' for part in _citations(message)}
    body = "\n".join(filter(None, (_html_part(markdown, part, cited) for part in message.parts)))
    notes = [
        f'<p id="source-{number}-{part.n}">[{part.n}] {html.escape(_footnote(part))}</p>'
        for part in _citations(message)
    ]
    if ending := _ending(message):
        notes.append(f"<p>{html.escape(ending)}</p>")
    footer = f"\n<footer>{''.join(notes)}</footer>" if notes else ""
    return f"<article>\n<h2>{html.escape(_speaker(message))}</h2>\n{body}{footer}\n</article>"


def _html_part(markdown: MarkdownIt, part: Part, cited: Mapping[int, str]) -> str:
    match part:
        case ReasoningPart():
            return f"<details><summary>{_thought(part)}</summary><pre>{html.escape(part.text.strip())}</pre></details>"
        case TextPart():
            return str(markdown.render(part.text, {"cited": cited})).strip()
        case ToolCallPart():
            return f"<p>Tool call <code>{html.escape(part.name)}</code></p>\n<pre>{html.escape(part.arguments)}</pre>"
        case ToolResultPart():
            return f"<p>{html.escape(_result_head(part))}</p>\n<pre>{html.escape(part.result)}</pre>"
        case AttachmentPart():
            return f'<p class="meta">Attachment: {html.escape(part.name)}</p>'
        case NotePart():
            return f'<p class="meta">{html.escape(part.text)}</p>'
        case SourcesPart() | CitationPart():
            return ""


def _html_text(
    renderer: RendererHTML,  # noqa: ARG001 - markdown-it's signature
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,  # noqa: ARG001 - as above
    env: EnvType,
) -> str:
    return _with_mentions(html.escape(tokens[index].content), env["cited"])


def _with_mentions(text: str, cited: Mapping[int, str]) -> str:
    """``text`` with each mention of cited sources replaced by their references."""
    pieces = cut_at_mentions(text, cited)
    return "".join(piece if isinstance(piece, str) else "".join(cited[n] for n in piece) for piece in pieces)


def _citations(message: Message) -> list[CitationPart]:
    return [part for part in message.parts if isinstance(part, CitationPart)]


def _footnote(part: CitationPart) -> str:
    shown = shortened(_one_line(part.quote), QUOTE_CHARS)
    return f"{', '.join(filter(None, (_one_line(PurePath(part.path).name), part.locator.label())))}: “{shown}”"


def _title(conversation: Conversation) -> str:
    return conversation.title or "Conversation"


def _speaker(message: Message) -> str:
    if message.role is Role.USER:
        return "You"
    return _one_line(f"Answer ({message.model})") if message.model else "Answer"


def _thought(part: ReasoningPart) -> str:
    return "Reasoning" if part.seconds is None else f"Reasoning ({part.seconds:.0f} s)"


def _result_head(part: ToolResultPart) -> str:
    return f"Result of {part.name} ({part.status}, {part.seconds:.1f} s)"


def _ending(message: Message) -> str:
    if message.status is MessageStatus.COMPLETE:
        return ""
    return _one_line(f"{message.status.capitalize()}. {message.error}")


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _one_line(text: str) -> str:
    return " ".join(text.split())
