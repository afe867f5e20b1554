"""``alcove ask`` from outside: real models, real documents, the contract of its events."""

import json
import os
import signal
from pathlib import Path

import pytest

pytestmark = [pytest.mark.model]

FINISHED = {
    "event",
    "stop_reason",
    "conversation",
    "prompt_tokens",
    "cached_tokens",
    "generated_tokens",
    "prefill_s",
    "decode_s",
    "ttft_s",
}


def test_an_answer_from_documents_with_every_key(alcove, docs) -> None:
    run = alcove(
        "ask", "When is the boiler serviced?", "--docs", str(docs), "--json", "--temperature", "0",
        "--max-tokens", "64", "--model", "SmolLM2-135M-Instruct",
    )  # fmt: skip
    assert run.code == 0, run.err
    (sources,) = run.events("sources")
    assert {"n", "path", "locator", "text"} == set(sources["sources"][0])
    assert any("serviced every May" in source["text"] for source in sources["sources"])
    assert run.text().strip()
    (finished,) = run.events("finished")
    assert set(finished) == FINISHED
    assert finished["stop_reason"] in ("stop", "length")
    assert finished["generated_tokens"] > 0


def test_a_thinking_model_searches_by_itself(alcove, docs) -> None:
    run = alcove(
        "ask", "search the documents for boiler number", "--model", "alcove-tiny", "--docs", str(docs), "--json"
    )  # fmt: skip
    assert run.code == 0, run.err
    names = list(dict.fromkeys(record["event"] for record in run.records))
    assert names == ["reasoning", "tool_call", "tool_result", "sources", "text", "finished"]
    (call,) = run.events("tool_call")
    assert call["name"] == "search_documents"
    assert json.loads(call["arguments"])["query"]
    (result,) = run.events("tool_result")
    assert set(result) == {"event", "id", "name", "status", "result", "seconds"}
    assert (result["id"], result["status"]) == (call["id"], "ok")
    assert "417" in result["result"]


def test_a_calculation(alcove) -> None:
    run = alcove("ask", "what is 17*23?", "--model", "alcove-tiny", "--json")
    assert run.code == 0, run.err
    assert run.events("tool_result")[0]["result"] == "391"
    assert "391" in run.text()
    assert run.text("reasoning")


def test_tools_can_be_switched_off(alcove) -> None:
    run = alcove("ask", "what is 17*23?", "--model", "alcove-tiny", "--tools", "none", "--json")
    assert run.code == 0, run.err
    assert run.events("tool_call") == []


def test_for_a_person(alcove) -> None:
    run = alcove("ask", "what is 17*23?", "--model", "alcove-tiny")
    assert run.code == 0, run.err
    assert "[tool] calculator" in run.out
    assert "391" in run.out


def test_the_same_seed_gives_the_same_answer(alcove) -> None:
    question = (
        "ask",
        "Write a line about the sea.",
        "--seed",
        "7",
        "--temperature",
        "0.9",
        "--max-tokens",
        "20",
        "--json",
    )
    assert alcove(*question).text() == alcove(*question).text() != ""


@pytest.mark.parametrize("kind", ["text", "truncated", "missing", "folder", "empty-docs", "scanned", "long", "huge"])
def test_bad_input_alone_is_one_sentence(alcove, tmp_path: Path, docs, kind: str) -> None:
    bad = tmp_path / "bad.gguf"
    arguments: list[str] = ["--model", str(bad)]
    question = "hello"
    match kind:
        case "text":
            bad.write_text("I am a text file with a wrong name. " * 40)
        case "truncated":
            bad.write_bytes(Path("resources/models/alcove-tiny.gguf").read_bytes()[:900_000])
        case "folder":
            bad.mkdir()
        case "empty-docs":
            (tmp_path / "void").mkdir()
            arguments = ["--docs", str(tmp_path / "void")]
        case "scanned":
            (tmp_path / "scan.pdf").write_bytes(blank_pdf())
            arguments = ["--docs", str(tmp_path / "scan.pdf")]
        case "long":
            question = "word " * 9000
            arguments = ["--model", "alcove-tiny"]
        case "huge":
            with (tmp_path / "big.txt").open("wb") as file:
                file.truncate(65 << 20)
            arguments = ["--docs", str(tmp_path / "big.txt")]
    run = alcove("ask", question, *arguments)
    assert run.code == 1
    assert run.err.startswith("alcove: ")
    assert run.err.count("\n") == 1, run.err
    assert "Traceback" not in run.err


def test_bad_input_among_good_is_named_and_skipped(alcove, docs) -> None:
    (docs / "scan.pdf").write_bytes(blank_pdf())
    (docs / "broken.pdf").write_bytes(b"%PDF-1.7 nothing more")
    run = alcove(
        "ask", "When are roses pruned?", "--docs", str(docs), "--json", "--temperature", "0", "--max-tokens", "40"
    )  # fmt: skip
    assert run.code == 0, run.err
    skipped = {Path(record["path"]).name for record in run.events("skipped")}
    assert skipped == {"scan.pdf", "broken.pdf"}
    assert run.text()


def test_ctrl_c_stops_the_answer_in_order(start) -> None:
    process = start("ask", "Tell me a very long story.", "--model", "SmolLM2-135M-Instruct", "--json")
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    assert first["event"] == "text"
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["stop_reason"]) == ("finished", "cancelled")
    assert process.returncode == 130, err


def test_usage_errors_exit_with_2(alcove) -> None:
    assert alcove("ask").code == 2
    assert alcove("frobnicate").code == 2
    assert alcove("ask", "hi", "--max-tokens", "0").code == 2


def blank_pdf() -> bytes:
    """One page without text, as a scanner makes."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer << /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % table
