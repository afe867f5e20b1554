"""Each format gives its text, with headings, pages and lines; each kind of bad file gives one sentence."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from app.documents.reading.blocks import Block, BlockKind
from app.documents.reading.readers.registry import DocumentFormat, format_of
from app.domain.errors import AppError

Read = Callable[[DocumentFormat, bytes], list[Block]]
MakeZip = Callable[[Mapping[str, str | bytes]], bytes]
MakePdf = Callable[[Sequence[str]], bytes]

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'


def _text(blocks: list[Block]) -> str:
    return "".join(block.text for block in blocks)


def test_markdown_headings_make_a_path_and_fences_hide_them(read: Read) -> None:
    blocks = read(
        DocumentFormat.MARKDOWN, b"# House\n\nHello.\n\n## *Roof*\n\n```\n# no heading\n```\n\nUnder\n=====\nLast."
    )
    assert [(block.locator.heading, block.locator.line_start, block.kind) for block in blocks] == [
        ("House", 1, BlockKind.HEADING),
        ("House", 3, BlockKind.PROSE),
        ("House > Roof", 5, BlockKind.HEADING),
        ("House > Roof", 7, BlockKind.CODE),
        ("Under", 11, BlockKind.HEADING),
        ("Under", 13, BlockKind.PROSE),
    ]


def test_text_reads_underlined_headings(read: Read) -> None:
    blocks = read(DocumentFormat.TEXT, b"=====\nTitle\n=====\n\nIntro.\n\nPart\n----\nBody\n")
    assert [block.locator.heading for block in blocks] == ["Title", "Title", "Title > Part", "Title > Part"]


def test_text_does_not_take_table_rules_for_headings(read: Read) -> None:
    blocks = read(DocumentFormat.TEXT, b"$ ls\n-----------------------------------\nfile\n")
    assert {block.locator.heading for block in blocks} == {""}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(read: Read, encoding: str) -> None:
    text = "Le café était fermé à cause de l’été. Où sont passés les élèves ? Le garçon a mangé une pêche.\r\n" * 3
    assert _text(read(DocumentFormat.TEXT, text.encode(encoding))) == text.replace("\r\n", "\n")


def test_html_keeps_headings_tables_and_code_and_drops_scripts(read: Read) -> None:
    page = b"""<html><head><title>T</title><script>x()</script></head><body><nav>menu</nav><h1>House <a>&para;</a></h1>
    <p>A <b>warm</b>
    place.</p><table><tr><th>Room<th>Size<tr><td>Bath<td>8</table><pre>a
  b</pre><h2>Roof</h2><div>one<p>two</p>three</div><style>p{}</style></body></html>"""
    blocks = read(DocumentFormat.HTML, page)
    assert [block.text.strip() for block in blocks] == [
        "House", "A warm place.", "Room | Size", "Bath | 8", "a\n  b", "Roof", "one", "two", "three",
    ]  # fmt: skip
    assert [block.kind for block in blocks[:5]] == ["heading", "prose", "table", "table", "code"]
    assert blocks[-1].locator.heading == "House > Roof"


def test_html_says_its_encoding(read: Read) -> None:
    page = '<meta charset="koi8-r"><p>Привет</p>'.encode("koi8-r")
    assert _text(read(DocumentFormat.HTML, page)).strip() == "Привет"


def test_html_nested_a_thousand_deep(read: Read) -> None:
    page = b"<div><span>" * 1500 + b"deep" + b"</span></div>" * 1500
    assert "deep" in _text(read(DocumentFormat.HTML, page))


def test_pdf_pages_and_outline(read: Read, make_pdf: MakePdf) -> None:
    blocks = read(DocumentFormat.PDF, make_pdf(["Cellar\nThe boiler is here.", "Attic\nOld books."]))
    places = {block.text.strip(): (block.locator.page, block.locator.heading) for block in blocks}
    assert places["The boiler is here."] == (1, "Cellar")
    assert places["Old books."] == (2, "Attic")


def test_pdf_without_text_looks_scanned(read: Read, make_pdf: MakePdf) -> None:
    with pytest.raises(AppError, match="looks scanned"):
        read(DocumentFormat.PDF, make_pdf(["", ""]))


def test_truncated_pdf(read: Read, make_pdf: MakePdf) -> None:
    with pytest.raises(AppError, match="damaged, or not a PDF"):
        read(DocumentFormat.PDF, make_pdf(["Cellar\nThe boiler."])[:60])


def test_source_code_is_named_after_its_definitions(read: Read) -> None:
    code = b"import os\n\n\ndef first():\n    return 1\n\n\nclass Second:\n    x = 1\n\n    def inner(self): ...\n"
    assert [block.locator.heading for block in read(DocumentFormat.SOURCE, code)] == ["", "def first()", "class Second"]


def test_csv_names_its_columns(read: Read) -> None:
    blocks = read(DocumentFormat.CSV, b"name;size\nbath;8\n")
    assert [(block.text, block.locator.heading, block.locator.line_start) for block in blocks] == [
        ("name;size\n", "name, size", 1),
        ("bath;8\n", "name, size", 2),
    ]


def test_docx(read: Read, make_zip: MakeZip) -> None:
    styles = f'<w:styles {W}><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style></w:styles>'
    document = f"""<w:document {W}><w:body>
      <w:p><w:pPr><w:pStyle w:val="berschrift1"/></w:pPr><w:r><w:t>House</w:t></w:r></w:p>
      <w:p><w:r><w:t>Warm</w:t></w:r><w:r><w:tab/><w:t>place</w:t></w:r><w:del><w:r><w:delText>no</w:delText></w:r></w:del></w:p>
      <w:tbl><w:tr><w:tc><w:p><w:r><w:t>Bath</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>8</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
      </w:body></w:document>"""
    blocks = read(DocumentFormat.DOCX, make_zip({"word/document.xml": document, "word/styles.xml": styles}))
    assert [(block.text.strip(), block.locator.heading, block.kind) for block in blocks] == [
        ("House", "House", "heading"),
        ("Warm\tplace", "House", "prose"),
        ("Bath | 8", "House", "table"),
    ]


def test_odt(read: Read, make_zip: MakeZip) -> None:
    content = """<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
      xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
      xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0">
      <office:body><office:text><text:h text:outline-level="1">House</text:h>
      <text:p>Warm<text:s text:c="2"/>place</text:p>
      <table:table><table:table-row><table:table-cell><text:p>Bath</text:p></table:table-cell>
      <table:table-cell><text:p>8</text:p></table:table-cell></table:table-row></table:table>
      </office:text></office:body></office:document-content>"""
    blocks = read(DocumentFormat.ODT, make_zip({"content.xml": content}))
    assert [block.text.strip() for block in blocks] == ["House", "Warm  place", "Bath | 8"]
    assert blocks[-1].locator.heading == "House"


def test_epub_in_reading_order(read: Read, make_zip: MakeZip) -> None:
    container = '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
    book = """<package><manifest><item id="b" href="two.xhtml" media-type="application/xhtml+xml"/>
      <item id="a" href="one%201.xhtml" media-type="application/xhtml+xml"/></manifest>
      <spine><itemref idref="a"/><itemref idref="b"/></spine></package>"""
    parts = {
        "META-INF/container.xml": container,
        "OPS/book.opf": book,
        "OPS/one 1.xhtml": "<html><body><h1>One</h1><p>First.</p></body></html>",
        "OPS/two.xhtml": "<html><body><h1>Two</h1><p>Second.</p></body></html>",
    }
    assert [block.text.strip() for block in read(DocumentFormat.EPUB, make_zip(parts))] == [
        "One",
        "First.",
        "Two",
        "Second.",
    ]


def test_pptx_slides_are_pages(read: Read, make_zip: MakeZip) -> None:
    def slide(title: str, body: str) -> str:
        return f"""<p:sld {P} {A}>
          <p:sp><p:nvPr><p:ph type="title"/></p:nvPr><a:p><a:r><a:t>{title}</a:t></a:r></a:p></p:sp>
          <p:sp><a:p><a:r><a:t>{body}</a:t></a:r></a:p></p:sp></p:sld>"""

    parts = {
        "ppt/presentation.xml": f'<p:presentation {P} {R}><p:sldId r:id="r2"/><p:sldId r:id="r1"/></p:presentation>',
        "ppt/_rels/presentation.xml.rels": '<R><R Id="r1" Target="slides/slide1.xml"/>'
        '<R Id="r2" Target="slides/slide2.xml"/></R>',
        "ppt/slides/slide1.xml": slide("Roof", "Tiles."),
        "ppt/slides/slide2.xml": slide("Cellar", "Boiler."),
    }
    blocks = read(DocumentFormat.PPTX, make_zip(parts))
    assert [(block.text.strip(), block.locator.page, block.locator.heading) for block in blocks] == [
        ("Cellar", 1, "Cellar"),
        ("Boiler.", 1, "Cellar"),
        ("Roof", 2, "Roof"),
        ("Tiles.", 2, "Roof"),
    ]


def test_xlsx_rows_columns_and_dates(read: Read, make_zip: MakeZip) -> None:
    parts = {
        "xl/workbook.xml": f'<workbook {R}><sheets><sheet name="Rooms" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<R><R Id="r1" Target="worksheets/sheet1.xml"/></R>',
        "xl/sharedStrings.xml": "<sst><si><t>Room</t></si><si><t>Since</t></si></sst>",
        "xl/styles.xml": '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": """<worksheet><sheetData>
          <row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>
          <row r="3"><c r="A3" t="inlineStr"><is><t>Bath</t></is></c><c r="C3" s="1"><v>45292</v></c></row>
          </sheetData></worksheet>""",
    }
    blocks = read(DocumentFormat.XLSX, make_zip(parts))
    assert [block.text for block in blocks] == ["Room |  | Since\n", "Bath |  | 2024-01-01\n"]
    assert blocks[1].locator.line_start == 3
    assert blocks[1].locator.heading == "Rooms > Room, Since"


@pytest.mark.parametrize(
    "kind", [DocumentFormat.DOCX, DocumentFormat.ODT, DocumentFormat.EPUB, DocumentFormat.PPTX, DocumentFormat.XLSX]
)
@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut off", b"plain text"])
def test_what_is_no_package_is_called_damaged(read: Read, kind: DocumentFormat, data: bytes) -> None:
    with pytest.raises(AppError, match="damaged, or not"):
        read(kind, data)


def test_a_package_without_its_main_part_is_called_damaged(read: Read, make_zip: MakeZip) -> None:
    for kind in (
        DocumentFormat.DOCX,
        DocumentFormat.ODT,
        DocumentFormat.EPUB,
        DocumentFormat.PPTX,
        DocumentFormat.XLSX,
    ):
        with pytest.raises(AppError, match="damaged, or not"):
            read(kind, make_zip({"other.xml": "<a/>"}))


def test_entities_are_not_expanded(read: Read, make_zip: MakeZip) -> None:
    """Neither files from outside (XXE) nor a billion laughs."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    document = f"""<!DOCTYPE d [<!ENTITY l0 "laugh"><!ENTITY out SYSTEM "file:///etc/passwd">{laughs}]>
      <w:document {W}><w:body><w:p><w:r><w:t>before &l9; &out; after</w:t></w:r></w:p></w:body></w:document>"""
    try:
        text = _text(read(DocumentFormat.DOCX, make_zip({"word/document.xml": document})))
    except AppError:
        return
    assert "root:" not in text
    assert len(text) < 1000


def test_zip_bomb(read: Read, make_zip: MakeZip) -> None:
    with pytest.raises(AppError, match="unpacks to far more"):
        read(DocumentFormat.DOCX, make_zip({"word/document.xml": b"<a>" + b" " * (65 << 20)}))


def test_binary_nonsense_is_not_text(read: Read) -> None:
    with pytest.raises(AppError, match="is not text"):
        read(DocumentFormat.TEXT, bytes(range(256)) * 10)


def test_formats_by_name() -> None:
    assert format_of("/a/b.PDF") is DocumentFormat.PDF
    assert format_of("/a/README") is DocumentFormat.TEXT
    assert format_of("/a/photo.jpg") is None
    assert format_of("/a/changelog.gz") is None
