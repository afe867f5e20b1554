"""Excel workbooks: every sheet row by row, cells as they are stored; the first row names the columns in the heading."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from posixpath import basename

from lxml import etree

from app.documents.reading.blocks import HEADING_CHARS, HEADING_SEPARATOR, Block, BlockKind
from app.documents.reading.readers.packed import Package, local_name
from app.documents.reading.readers.registry import ReadContext
from app.domain.sources import Locator

_COLUMN = re.compile(r"([A-Z]{1,3})(\d+)")
_DATE_FORMATS = frozenset({14, 15, 16, 17, 22})
_WIDEST = 300
_QUOTED = re.compile(r'"[^"]*"|\[[^]]*\]')
_DATE_CODE = re.compile(r"[ymd]{2}", re.IGNORECASE)


def read(data: bytes, context: ReadContext) -> Iterator[Block]:
    package = Package(data, context, "Excel")
    shared = _shared_strings(package)
    dates = _date_styles(package)
    for page, (title, name) in enumerate(_sheets(package), 1):
        heading = title
        for row in package.xml(name).iter():
            if local_name(row) == "row":
                cells = _cells(row, shared, dates)
                if heading == title and any(cells):
                    columns = ", ".join(cell for cell in cells if cell)[:HEADING_CHARS]
                    heading = f"{title}{HEADING_SEPARATOR}{columns}"
                if any(cells):
                    number = row.get("r") or ""
                    line = int(number) if number.isdecimal() else None
                    yield Block(" | ".join(cells) + "\n", Locator(page, heading, line), BlockKind.TABLE)


def _sheets(package: Package) -> Iterator[tuple[str, str]]:
    """(title, part name) in the workbook's order."""
    targets: dict[str, str] = {}
    if "xl/_rels/workbook.xml.rels" in package.names():
        for relation in package.xml("xl/_rels/workbook.xml.rels"):
            targets[relation.get("Id") or ""] = f"xl/worksheets/{basename(relation.get('Target') or '')}"
    found = set(package.names())
    for sheet in package.required("xl/workbook.xml").iter():
        if local_name(sheet) == "sheet":
            key = next((str(value) for name, value in sheet.attrib.items() if str(name).endswith("}id")), "")
            if targets.get(key) in found:
                yield sheet.get("name") or "", targets[key]


def _shared_strings(package: Package) -> list[str]:
    if "xl/sharedStrings.xml" not in package.names():
        return []
    items = (item for item in package.xml("xl/sharedStrings.xml") if local_name(item) == "si")
    return ["".join(t.text or "" for t in item.iter() if local_name(t) == "t") for item in items]


def _date_styles(package: Package) -> frozenset[int]:
    """Numbers of the cell styles that show a date."""
    if "xl/styles.xml" not in package.names():
        return frozenset()
    root = package.xml("xl/styles.xml")
    codes = {f.get("numFmtId") or "": f.get("formatCode") or "" for f in root.iter() if local_name(f) == "numFmt"}
    own = {int(key) for key, code in codes.items() if key.isdecimal() and _DATE_CODE.search(_QUOTED.sub("", code))}
    formats = next((e for e in root if local_name(e) == "cellXfs"), None)
    if formats is None:
        return frozenset()
    return frozenset(i for i, f in enumerate(formats) if int(f.get("numFmtId") or 0) in own | _DATE_FORMATS)


def _cells(row: etree._Element, shared: list[str], dates: frozenset[int]) -> list[str]:
    cells: list[str] = []
    for cell in row:
        place = _COLUMN.fullmatch(cell.get("r") or "")
        if place:
            column = 0
            for letter in place[1]:
                column = column * 26 + ord(letter) - 64
            cells += [""] * (min(column, _WIDEST) - 1 - len(cells))
        if len(cells) < _WIDEST:
            cells.append(" ".join(_value(cell, shared, dates).split()))
    return cells


def _value(cell: etree._Element, shared: list[str], dates: frozenset[int]) -> str:
    kind = cell.get("t") or "n"
    if kind == "inlineStr":
        return "".join(t.text or "" for t in cell.iter() if local_name(t) == "t")
    value = next((e.text or "" for e in cell if local_name(e) == "v"), "")
    if kind == "s":
        return shared[int(value)] if value.isdecimal() and int(value) < len(shared) else ""
    style = cell.get("s") or ""
    if kind == "n" and value and style.isdecimal() and int(style) in dates:
        return _date(value)
    return {"1": "TRUE", "0": "FALSE"}.get(value, value) if kind == "b" else value


def _date(value: str) -> str:
    """Excel counts days from 30 December 1899."""
    try:
        moment = datetime(1899, 12, 30) + timedelta(days=float(value))
    except (ValueError, OverflowError):
        return value
    return moment.date().isoformat() if moment.time() == datetime.min.time() else moment.isoformat(" ", "minutes")
