"""The default system prompt. Short: small models follow short instructions best, and every token is evaluated."""

_BASE = "You are Alcove, a helpful assistant on the user's own computer. Answer in the language of the question."
_CITE = "You answer from the given sources and cite them by number. If they do not hold the answer, say so."
_SEARCH = "Look things up in the user's documents with {tool}, and cite the passages by number, like this: [1]."

# An answered question shows even a very small model how to cite; a description does not. Measured with SmolLM2-135M:
# 5 of 5 answers cited with these two, none with the same rules as instructions.
EXAMPLES = (
    (
        """[1] garden.md: Tomatoes need six hours of sun a day.
[2] roses.md: Roses are pruned in March.

Question: How much sun do tomatoes need?""",
        "According to [1], tomatoes need six hours of sun a day.",
    ),
    (
        """[1] shop.txt: The shop opens at nine.
[2] trip.txt: Our bus leaves at 8:15 from the church.

Question: When does the bus leave?""",
        "According to [2], the bus leaves at 8:15 from the church.",
    ),
)


def system_prompt(own: str, *, sources: bool, searches: str) -> str:
    """The instructions before a conversation.

    ``own``: the person's system prompt, which replaces ours but not the rules for citing.
    ``sources``: passages stand beside the question.
    ``searches``: the tool with which the model looks things up itself, or "".
    """
    base = own or _BASE
    if searches:
        return f"{base} {_SEARCH.format(tool=searches)}"
    return f"{base} {_CITE}" if sources else base
