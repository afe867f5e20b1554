"""Calls kept to a grammar: how many break without and with it, and what it costs where nothing is called.

    python tests/bench/calls.py [--json OUT] [--rounds N] [--seeds N]

Calls: alcove-tiny is given tools that it was not trained on and SmolLM2 a description of two; the prompt ends behind
the call's opener. "Broken" is a call that the parser does not read whole or that does not fit its schema; answers that
reach their limit before the call ends are left out. Speed: the same free text with and without a grammar that waits for
its opener, in turns; what counts is the ratio of the medians. In a call: tokens a second against those of free text.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.domain.cancel import CancelToken
from app.domain.messages import StopReason
from app.domain.models import CallGrammar, LoadRequest, ModelInfo, PromptText, Sampling, TokenPiece
from app.domain.output import CallBroken, CallClosed, Note, OutputEvent
from app.engine.local.worker import EngineWorker
from app.engine.protocol import Constrained, Finished, GenerationRequest, Tokens
from app.formats import Format, detect
from app.models.library.lookup import named
from app.models.library.shipped import shipped_models

TOOLS: list[dict[str, object]] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Weather of a city",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}, "days": {"type": "integer"}},
                "required": ["city"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "search",
            "description": "Search the web",
            "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
        },
    },
]
KINDS = {"city": str, "unit": str, "days": int, "query": str}
MEMBERS = {"get_weather": {"city", "unit", "days"}, "search": {"query"}}
HERMES = '{% if tools %}<tool_call>{"name": 1, "arguments": 2}</tool_call>{% endif %}'
CITIES = ("Rome", "Oslo", "Lima", "Cairo", "Delhi", "Quito", "Accra", "Turin")
LIMIT = 250  # tokens of an answer


@dataclass(frozen=True, slots=True)
class Case:
    """``prompt`` has a place for a city; ``opened``: how the answer begins."""

    model: str
    chat_format: Format
    prompt: str
    opened: str


@dataclass(frozen=True, slots=True)
class Row:
    """Answers in which a call ended, and how many were broken; tokens that the grammar replaced, of all."""

    model: str
    temperature: float
    grammar: bool
    calls: int
    broken: int
    unfinished: int
    replaced: int
    tokens: int
    given_up: int


@dataclass(frozen=True, slots=True)
class Answer:
    pieces: tuple[TokenPiece, ...]
    reason: StopReason
    constrained: Constrained | None
    seconds: float  # from the first token to the last


def answer(engine: EngineWorker, request: GenerationRequest) -> Answer:
    pieces: list[TokenPiece] = []
    first = last = 0.0
    for event in engine.generate(request, CancelToken()):
        if isinstance(event, Tokens):
            last = time.perf_counter()
            first = first or last
            pieces += event.pieces
        elif isinstance(event, Finished):
            return Answer(tuple(pieces), event.stop_reason, event.constrained, last - first)
    raise RuntimeError("the engine ended without a word")


def fits(call: CallClosed) -> bool:
    arguments: dict[str, Any] = json.loads(call.arguments)
    needed = {"get_weather": "city", "search": "query"}.get(call.name)
    return (
        needed in arguments
        and arguments.keys() <= MEMBERS[call.name]
        and all(type(value) is KINDS[key] for key, value in arguments.items())
        and arguments.get("unit", "C") in ("C", "F")
    )


def broken(case: Case, model: ModelInfo, made: Answer) -> bool | None:
    """None where the answer reached its limit inside its call."""
    parser = case.chat_format.parser("", TOOLS, model.control_tokens)
    events: list[OutputEvent] = parser.feed(case.opened)
    for piece in made.pieces:
        events += parser.feed(piece.text, piece.control)
    whole = [event for event in events if isinstance(event, CallClosed)]
    if made.reason is StopReason.LENGTH and not whole and not any(isinstance(event, Note) for event in events):
        return None
    events += parser.finish(truncated=made.reason is not StopReason.STOP)
    wrong = any(isinstance(event, CallBroken | Note) and event not in whole for event in events)
    return wrong or not whole or not all(map(fits, whole))


def calls(engine: EngineWorker, model: ModelInfo, case: Case, temperature: float, seeds: int) -> list[Row]:
    opened = engine.tokenize([PromptText(case.opened)])[0]
    grammar = case.chat_format.call_grammar("", TOOLS, model.control_tokens)
    assert grammar is not None
    rows = []
    for used in (None, replace(grammar, begun=len(opened))):
        verdicts: list[bool | None] = []
        replaced = tokens = given_up = 0
        for seed in range(seeds):
            prompt = engine.tokenize([PromptText(case.prompt.replace("CITY", CITIES[seed % len(CITIES)]))])[0]
            sampling = Sampling(temperature=temperature, min_p=0.02, seed=seed)
            made = answer(engine, GenerationRequest((*prompt, *opened), sampling, LIMIT, grammar=used))
            verdicts.append(broken(case, model, made))
            tokens += len(made.pieces)
            replaced += made.constrained.replaced if made.constrained else 0
            given_up += bool(made.constrained and made.constrained.dropped)
        ended = [verdict for verdict in verdicts if verdict is not None]
        rows.append(
            Row(
                case.model, temperature, used is not None, len(ended), sum(ended), seeds - len(ended), replaced, tokens,
                given_up,
            )
        )  # fmt: skip
        print(rows[-1])
    return rows


def speed(engine: EngineWorker, model: ModelInfo, case: Case, rounds: int) -> dict[str, float | str]:
    """Free text with and without a waiting grammar, and inside of a call: tokens a second."""
    grammar = case.chat_format.call_grammar("", TOOLS, model.control_tokens)
    assert grammar is not None
    wait = replace(grammar, openers=model.eog_ids)  # which no text goes on after
    text = engine.tokenize([PromptText("The sea is")])[0]
    quiet = tuple(sorted(model.eog_ids))[:1]
    endless = replace(grammar, text=f"root ::= <[{quiet[0]}]> [^\\x00]*\n", openers=frozenset(quiet), begun=1)
    endless = replace(endless, markers=frozenset(quiet), phrases=())
    figures: dict[str, list[float]] = {"free": [], "waiting": [], "in a call": []}
    requests: dict[str, tuple[tuple[int, ...], CallGrammar | None]] = {
        "free": (text, None), "waiting": (text, wait), "in a call": ((*text, *quiet), endless),
    }  # fmt: skip
    for turn in range(rounds):
        for name in (*requests,) if turn % 2 else (*reversed(requests),):
            prompt, used = requests[name]
            sampling = Sampling(temperature=0.8, seed=turn)
            made = answer(engine, GenerationRequest(prompt, sampling, 128, grammar=used))
            if len(made.pieces) > 16:
                figures[name].append((len(made.pieces) - 1) / made.seconds)
    medians = {name: round(statistics.median(values), 1) for name, values in figures.items() if values}
    found: dict[str, float | str] = {"model": case.model, **medians}
    found["waiting / free"] = round(medians["waiting"] / medians["free"], 4)
    print(found)
    return found


def cases(kimi: str) -> Sequence[Case]:
    declared = json.dumps(TOOLS)
    tiny = (
        f"<|im_system|>tool_declare<|im_middle|>{declared}<|im_end|><|im_user|>user<|im_middle|>"
        "Weather in CITY?<|im_end|><|im_assistant|>assistant<|im_middle|>"
    )
    smol = (
        f"<|im_start|>system\nYou can call these tools: {declared}. Call one like this:\n<tool_call>\n"
        '{"name": "search", "arguments": {"query": "sea"}}\n</tool_call><|im_end|>\n'
        "<|im_start|>user\nWhat is the weather in CITY?<|im_end|>\n<|im_start|>assistant\n"
    )
    return (
        Case("alcove-tiny", detect(kimi), tiny, "<|tool_calls_section_begin|>"),
        Case("SmolLM2-135M-Instruct", detect(HERMES), smol, "Let me see.\n<tool_call>\n"),
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=30)
    options = parser.parse_args()
    rows: list[Row] = []
    speeds: list[dict[str, float | str]] = []
    for case in cases("<|tool_calls_section_begin|>"):
        engine = EngineWorker(lambda event: None)
        try:
            request = LoadRequest(named(shipped_models(), case.model).path, context=1024, threads=1, threads_batch=1)
            model = engine.load(request)
            for temperature in (0.7, 1.5):
                rows += calls(engine, model, case, temperature, options.seeds)
            speeds.append(speed(engine, model, case, options.rounds))
        finally:
            engine.close()
    shares = []
    for used in (False, True):
        some = [row for row in rows if row.grammar is used]
        shares.append(f"{sum(row.broken for row in some)} of {sum(row.calls for row in some)}")
    summary = f"calls broken: {shares[0]} without a grammar, {shares[1]} with it; waiting / free speed " + ", ".join(
        str(found["waiting / free"]) for found in speeds
    )
    print(summary)
    if options.json:
        result = {"summary": summary, "calls": [asdict(row) for row in rows], "speed": speeds}
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
