"""Bytes to text when nobody says the encoding."""

import codecs
import re

from charset_normalizer import from_bytes

from app.documents import errors
from app.documents.reading.readers.registry import ReadContext

_SAMPLE = 1 << 16
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
          (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_META = re.compile(rb"<meta[^>]{1,200}charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.-]{2,40})", re.IGNORECASE)


def decode(data: bytes, context: ReadContext, declared: str | None = None) -> str:
    """The text of a file with ``\\n`` line ends. Raises AppError for what is not text.

    Order: byte order mark, UTF-8, ``declared``, what charset-normalizer finds, cp1252 (the usual encoding of old
    Western text).
    """
    text = _decode(data, context, declared)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _decode(data: bytes, context: ReadContext, declared: str | None) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    sample = data[:_SAMPLE]
    controls = len(_CONTROL.findall(sample))
    if controls > len(sample) // 100 or (controls and sample.count(b"\0") > 2):
        raise errors.as_error(errors.not_text(context.path))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    for guess in (declared, _guess(sample)):
        if guess is not None:
            try:
                return data.decode(guess)
            except (UnicodeDecodeError, LookupError):
                continue
    return data.decode("cp1252", errors="replace")


def _guess(sample: bytes) -> str | None:
    """charset-normalizer's best guess; Western guesses count as cp1252, which holds them all but for rare letters."""
    best = from_bytes(sample, steps=8, chunk_size=1024, threshold=0.3).best()
    if best is None or best.language in {"Unknown", ""}:
        return None
    western = {"English", "French", "German", "Spanish", "Italian", "Portuguese", "Dutch", "Danish", "Swedish"}
    return "cp1252" if best.language in western else best.encoding


def declared_charset(data: bytes) -> str | None:
    """The encoding that an HTML page names in its head."""
    found = _META.search(data[:4096])
    return found[1].decode("ascii") if found else None
