"""Follows grammars with llama.cpp, in a process of its own: a line of JSON in, a line out.

    python grammar_child.py VOCABULARY.gguf
    {"grammar": {fields of CallGrammar}, "pieces": [[text, control], ...]} -> {"loads", "taken", "complete"}

``taken``: how many bytes were.
"""

import json
import sys

from app.domain.models import CallGrammar, PromptText
from app.engine.llama import bindings
from app.engine.llama.bindings import lib
from app.engine.llama.rules import CallRules
from app.engine.llama.vocabulary import Vocabulary

SETS = ("openers", "markers", "ends_text")


def follow(vocabulary: Vocabulary, job: dict[str, object]) -> dict[str, object]:
    fields = {key: frozenset(value) if key in SETS else value for key, value in job["grammar"].items()}
    rules = CallRules(vocabulary, CallGrammar(**fields))
    try:
        if not rules.restart():
            return {"loads": False, "taken": 0, "complete": False, "log": bindings.take_log()}
        taken = 0
        for text, control in job["pieces"]:
            for token in vocabulary.tokenize(PromptText(text, special=control)):
                if not rules.takes(token):
                    return {"loads": True, "taken": taken, "complete": rules.complete}
                rules.accept(token)
                taken += len(vocabulary.piece(token))
        return {"loads": True, "taken": taken, "complete": rules.complete}
    finally:
        rules.close()


def main() -> None:
    bindings.start()
    parameters = lib.llama_model_default_params()
    parameters.vocab_only = True
    model = lib.llama_model_load_from_file(sys.argv[1].encode(), parameters)
    vocabulary = Vocabulary(model)
    for line in sys.stdin:
        print(json.dumps(follow(vocabulary, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
