"""What the zipped formats share: opening with limits, and XML that cannot reach out or explode."""

import io
import zipfile
from collections.abc import Iterator
from posixpath import normpath
from typing import cast

from lxml import etree

from app.documents import errors
from app.documents.reading.blocks import Block, BlockKind
from app.documents.reading.readers.registry import ReadContext
from app.domain.sources import Locator

_LARGEST_PART = 64 << 20
_LARGEST_WHOLE = 256 << 20
_MOST_PARTS = 20_000


class Package:
    """A zip file of XML parts. Every reading is bounded, whatever the directory in the file claims."""

    def __init__(self, data: bytes, context: ReadContext, kind: str) -> None:
        self._context, self._kind = context, kind
        self._left = _LARGEST_WHOLE
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
            if data.startswith(b"\xd0\xcf\x11\xe0"):  # an OLE file: what Office makes of a protected document
                raise errors.as_error(errors.encrypted(context.path)) from error
            raise errors.as_error(errors.damaged(context.path, kind)) from error
        if len(self._zip.filelist) > _MOST_PARTS:
            raise errors.as_error(errors.unfolds_too_large(context.path))

    def names(self) -> list[str]:
        return self._zip.namelist()

    def read(self, name: str) -> bytes:
        """A part's bytes. Raises AppError for a damaged, protected or huge one, KeyError for one that is not there."""
        info = self._zip.getinfo(normpath(name))
        if info.flag_bits & 1:
            raise errors.as_error(errors.encrypted(self._context.path))
        limit = min(_LARGEST_PART, self._left)
        try:
            with self._zip.open(info) as part:
                data = part.read(limit + 1)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError, ValueError) as error:
            raise errors.as_error(errors.damaged(self._context.path, self._kind)) from error
        except Exception as error:  # zlib.error and lzma's have no base class of their own
            if type(error).__module__ not in {"zlib", "_lzma", "lzma"}:
                raise
            raise errors.as_error(errors.damaged(self._context.path, self._kind)) from error
        if len(data) > limit:
            raise errors.as_error(errors.unfolds_too_large(self._context.path))
        self._left -= len(data)
        return data

    def xml(self, name: str) -> etree._Element:
        """A part's root element. Entities stay unexpanded, nothing is loaded from elsewhere."""
        return self.parse(self.read(name))

    def parse(self, data: bytes) -> etree._Element:
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=True
        )
        try:
            root = etree.fromstring(data, parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise errors.as_error(errors.damaged(self._context.path, self._kind)) from error
        if root is None:  # nothing could be recovered
            raise errors.as_error(errors.damaged(self._context.path, self._kind))
        return root

    def required(self, name: str) -> etree._Element:
        """``xml`` of a part without which this is no such document."""
        try:
            return self.xml(name)
        except KeyError as error:
            raise errors.as_error(errors.damaged(self._context.path, self._kind)) from error


def local_name(element: etree._Element) -> str:
    """The tag without its namespace; "" for comments and entities."""
    tag = cast("object", element.tag)  # the stubs know of elements only
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def text_block(text: str, locator: Locator, kind: BlockKind = BlockKind.PROSE) -> Iterator[Block]:
    """One block, or none for blank text. A table row ends with one line break, everything else with an empty line."""
    if text.strip():
        yield Block(text.strip() + ("\n" if kind is BlockKind.TABLE else "\n\n"), locator, kind)
