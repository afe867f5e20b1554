"""What is to be written before a question and before a passage, by the model's name."""

import re

# As the models' cards say; the first that fits the name.
_PREFIXES = (
    (r"e5-.*instruct|qwen3.*embedding", "Instruct: Find passages that answer the question\nQuery: ", ""),
    (r"\be5-", "query: ", "passage: "),
    (r"nomic-embed", "search_query: ", "search_document: "),
    (r"embedding-?gemma", "task: search result | query: ", "title: none | text: "),
    (r"bge-(small|base|large)-en|mxbai-embed", "Represent this sentence for searching relevant passages: ", ""),
    (r"arctic-embed.*v2", "query: ", ""),
    (r"arctic-embed", "Represent this sentence for searching relevant passages: ", ""),
)


def prefixes(name: str) -> tuple[str, str]:
    """Of a question, and of a passage."""
    for pattern, query, passage in _PREFIXES:
        if re.search(pattern, name, re.IGNORECASE):
            return query, passage
    return "", ""
