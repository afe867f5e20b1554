"""Readers: one module a format, each with ``read(data, context) -> Iterator[Block]``.

They run in the reading process only. A reader knows nothing of chunks or the index; it raises ``AppError`` with one
sentence for a file that cannot be read. Modules are imported when the first file of their kind comes.
"""
