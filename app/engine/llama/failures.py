"""llama.cpp's log lines as errors that a person understands."""

import re
from collections.abc import Sequence

from app.domain.errors import AppError
from app.process.ending import memory_error

_ARCHITECTURE = re.compile(r"unknown model architecture: '([^']*)'|unsupported model architecture: '([^']*)'")
_DAMAGED = (
    "not within the file bounds",
    "unexpectedly reached end of file",
    "corrupted model",
    "failed to read",
    "exceeds remaining file size",
    "exceeds maximum",
    "must be in [0,",
    "invalid data",
    "missing tensor",
    "has wrong shape",
    "bad GGUF version",
    "extremely large, is there a mismatch",
    "wrong number of tensors",
    "key not found in model",
    "invalid GGUF type",
    "invalid ggml type",
    "check_tensor_dims",
    "has wrong type",
    "has wrong array length",
    "out of array bounds",
    "is duplicated",
    "gguf_init_from_reader",
    "cannot find tokenizer",
    "invalid model",
)
_TOKENIZER = re.compile(r"unknown tokenizer: '([^']*)'|unknown pre-tokenizer type: '([^']*)'")
_SHARDS = re.compile(r"(invalid|illegal) split|tensors expected but \d+ found")
_MEMORY = ("unable to allocate", "failed to allocate", "bad_alloc", "Cannot allocate memory", "out of memory")
_NEWER = ("but this software only supports up to version", "GGUFv1 is no longer supported")


def load_error(lines: Sequence[str], name: str) -> AppError:
    """Why a load failed. ``lines``: the errors and warnings of llama.cpp's log, oldest first."""
    text = "\n".join(lines)
    detail = text[-4000:]
    if match := _ARCHITECTURE.search(text):
        return AppError(
            "unsupported-architecture",
            "{name} is a model of the kind “{architecture}”, which this version cannot run.",
            "Update Alcove, or choose another model.",
            detail=detail,
            name=name,
            architecture=match[1] or match[2],
        )
    if match := _TOKENIZER.search(text):
        return AppError(
            "unsupported-tokenizer",
            "{name} cuts text into tokens in a way that this version does not know (“{kind}”).",
            "Update Alcove, or choose another model.",
            detail=detail,
            name=name,
            kind=match[1] or match[2] or "",
        )
    if any(part in text for part in _MEMORY):
        return memory_error(name, detail)
    if any(part in text for part in _NEWER):
        return AppError(
            "model-version",
            "{name} is in a version of the GGUF format that this version cannot read.",
            "Download a current file of the model, or update Alcove.",
            detail=detail,
            name=name,
        )
    if _SHARDS.search(text):
        return AppError(
            "shards-mixed",
            "The files of {name} do not belong together, or one of them has another's name.",
            "Download the model again, all of its files into one folder.",
            detail=detail,
            name=name,
        )
    if any(part in text for part in _DAMAGED):
        return AppError(
            "model-damaged",
            "The file of {name} is damaged or not complete.",
            "Download the model again.",
            detail=detail,
            name=name,
        )
    if "CLIP cannot be used" in text:
        return not_a_chat_model(name, detail)
    return AppError(
        "load-failed",
        "{name} could not be loaded.",
        "The details say what llama.cpp reported.",
        detail=detail,
        name=name,
    )


def not_a_chat_model(name: str, detail: str = "") -> AppError:
    return AppError(
        "not-a-chat-model",
        "{name} is not a model that writes text.",
        "Choose a chat model.",
        detail=detail,
        name=name,
    )


def not_an_embedding_model(name: str) -> AppError:
    return AppError(
        "not-an-embedding-model",
        "{name} is not a model that turns text into vectors, so it cannot find passages by their meaning.",
        "Documents are searched by their words. Remove the file, or put an embedding model in its place.",
        name=name,
    )


def prompt_too_long(tokens: int, context: int) -> AppError:
    return AppError(
        "prompt-too-long",
        "The prompt has {tokens} tokens and does not fit into the context of {context} tokens.",
        "Shorten it, start a new chat, or choose a larger context.",
        tokens=tokens,
        context=context,
    )
