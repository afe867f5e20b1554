"""A document service on a database of its own, and makers of documents."""

import io
import textwrap
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from app.documents.reading.blocks import Block, Limits
from app.documents.reading.readers.registry import DocumentFormat, ReadContext, reader_of
from app.documents.service import DocumentService


class MakeService(Protocol):
    def __call__(self, limits: Limits | None = None, database: Path | None = None) -> DocumentService: ...


@pytest.fixture
def events() -> list[object]:
    return []


@pytest.fixture
def make_service(tmp_path: Path, events: list[object]) -> Iterator[MakeService]:
    """Services that are closed at the end of the test."""
    made: list[DocumentService] = []

    def make(limits: Limits | None = None, database: Path | None = None) -> DocumentService:
        service = DocumentService(database or tmp_path / "index" / "documents.db", events.append, limits)
        made.append(service)
        return service

    yield make
    for service in made:
        service.close()


@pytest.fixture
def service(make_service: MakeService) -> DocumentService:
    return make_service()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "documents"
    path.mkdir()
    return path


@pytest.fixture
def read() -> Callable[[DocumentFormat, bytes], list[Block]]:
    """Read bytes as a format, in this process."""

    def read_bytes(kind: DocumentFormat, data: bytes) -> list[Block]:
        return list(reader_of(kind)(data, ReadContext("/somewhere/file", Limits())))

    return read_bytes


@pytest.fixture
def make_zip() -> Callable[[Mapping[str, str | bytes]], bytes]:
    def make(parts: Mapping[str, str | bytes]) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
            for name, text in parts.items():
                package.writestr(name, text)
        return buffer.getvalue()

    return make


@pytest.fixture
def make_pdf() -> Callable[[Sequence[str]], bytes]:
    """A PDF with one page for each text; "" makes a page without text. The outline names each page's first line."""

    def make(pages: Sequence[str]) -> bytes:
        objects: list[str] = ["", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>", ""]
        kids: list[int] = []
        titles: list[str] = []
        for text in pages:
            lines = [line for part in text.split("\n") for line in (textwrap.wrap(part, 90) or [""])]
            drawn = "".join(f"({line}) Tj T*\n" for line in lines)
            stream = f"BT /F 10 Tf 12 TL 40 800 Td\n{drawn}ET" if text else "0 0 10 10 re f"
            objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
            objects.append(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects)} 0 R"
                " /Resources << /Font << /F 3 0 R >> >> >>"
            )
            kids.append(len(objects))
            titles.append(text.split("\n")[0])
        first = len(objects) + 1
        for index, (title, kid) in enumerate(zip(titles, kids, strict=True)):
            links = f" /Prev {first + index - 1} 0 R" if index else ""
            links += f" /Next {first + index + 1} 0 R" if index + 1 < len(kids) else ""
            objects.append(f"<< /Title ({title}) /Parent 4 0 R /Dest [{kid} 0 R /Fit]{links} >>")
        objects[0] = "<< /Type /Catalog /Pages 2 0 R /Outlines 4 0 R >>"
        objects[1] = f"<< /Type /Pages /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] /Count {len(kids)} >>"
        objects[3] = f"<< /Type /Outlines /First {first} 0 R /Last {len(objects)} 0 R /Count {len(kids)} >>"
        data, offsets = b"%PDF-1.4\n", []
        for number, body in enumerate(objects, 1):
            offsets.append(len(data))
            data += f"{number} 0 obj\n{body}\nendobj\n".encode("ascii")
        table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
        trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
        return data + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode("ascii")

    return make
