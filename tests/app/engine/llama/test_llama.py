"""The real engine with the models that ship: what an answer is, and what is not computed twice."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import pairwise

import pytest

from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.domain.messages import StopReason
from app.domain.models import LoadRequest, PromptText, Sampling
from app.engine.protocol import GenerationRequest, Prefill, Tokens

pytestmark = pytest.mark.model

STORY = "<|im_start|>user\nTell me a long story about the sea.<|im_end|>\n<|im_start|>assistant\n"


def test_what_is_known_of_a_model(tiny, smol):
    info = tiny.engine.model
    assert info.name == "alcove-tiny"
    assert info.architecture == "deepseek2"
    assert info.context == info.context_trained == 2048
    assert info.eos == "<|im_end|>"
    assert info.control_tokens["<|im_end|>"] in info.eog_ids
    assert "tool_calls_section_begin" in info.template
    assert len(info.devices) == 1
    other = smol.engine.model
    assert (other.context, other.context_trained, other.vocabulary_size) == (2048, 8192, 49152)
    assert len(info.vocabulary) == len(other.vocabulary) == 64
    assert info.vocabulary != other.vocabulary


def test_greedy_answers_are_the_same_every_time(tiny):
    first, second = (tiny.run(tiny.ids()) for _ in range(2))
    assert first.ids == second.ids
    assert first.reason is StopReason.STOP
    assert first.finished.eog in tiny.engine.model.eog_ids
    assert "</think>" in first.text


def test_the_likeliest_token_is_what_llama_cpp_draws_of_one_candidate(smol):
    greedy = smol.run(smol.ids(STORY), max_tokens=60)
    drawn = smol.run(smol.ids(STORY), sampling=Sampling(temperature=1.0, top_k=1), max_tokens=60)
    assert greedy.ids == drawn.ids
    assert len(greedy.ids) == 60


def test_control_tokens_are_told_apart(tiny):
    answer = tiny.run(tiny.ids(), max_tokens=200)
    spellings = {piece.text for piece in answer.pieces if piece.control}
    assert spellings <= set(tiny.engine.model.control_tokens)
    assert "<think>" in spellings
    literal = tiny.engine.tokenize([PromptText("<think>", special=False), PromptText("<think>")])
    assert len(literal[0]) > len(literal[1]) == 1


def test_the_cache_is_reused_up_to_the_first_difference(smol):
    first = smol.ids(STORY)
    start = smol.run(first, max_tokens=20)
    assert (start.stats.prompt_tokens, start.stats.cached_tokens) == (len(first), 0)
    again = smol.run(first, max_tokens=20)
    assert again.stats.cached_tokens == len(first) - 1
    assert again.ids == start.ids
    # The answer's last token was never evaluated: everything before it is there.
    longer = smol.run(first + start.ids + smol.ids("\nGo on."), max_tokens=1)
    assert longer.stats.cached_tokens == len(first) + len(start.ids) - 1
    other = (*first[:10], *smol.ids(" something else"))
    assert smol.run(other, max_tokens=1).stats.cached_tokens == 10
    assert smol.run(first, max_tokens=20).ids == start.ids


def test_progress_of_a_prompt(tiny):
    prompt = (tiny.ids() * 100)[:1300]
    answer = tiny.run(prompt, max_tokens=1)
    done = [event.done for event in answer.prefill]
    assert done[0] == 0
    assert done[-1] == 1300
    assert all(0 < later - before <= 512 for before, later in pairwise(done))
    assert {event.total for event in answer.prefill} == {len(prompt)}


def test_stop_in_the_prompt(tiny):
    prompt = (tiny.ids() * 100)[:2000]
    cancel = CancelToken()
    reached = 0
    for event in tiny.engine.generate(GenerationRequest(prompt, Sampling(temperature=0)), cancel):
        if isinstance(event, Prefill) and event.done >= 512:
            reached = event.done
            cancel.cancel()
        last = event
    assert last.stop_reason is StopReason.CANCELLED
    assert last.stats.generated_tokens == 0
    assert reached < len(prompt)
    again = tiny.run(prompt, max_tokens=1)
    assert 512 <= again.stats.cached_tokens < len(prompt)


def test_stop_in_the_answer_keeps_what_was_made(smol):
    prompt = smol.ids(STORY)
    cancel = CancelToken()
    pieces = []
    for event in smol.engine.generate(GenerationRequest(prompt, Sampling(temperature=0), max_tokens=1000), cancel):
        if isinstance(event, Tokens):
            pieces += event.pieces
            if len(pieces) >= 5:
                cancel.cancel()
        last = event
    assert last.stop_reason is StopReason.CANCELLED
    assert 5 <= last.stats.generated_tokens == len(pieces) < 200
    assert 0 < last.stats.prefill_s <= last.stats.ttft_s <= last.stats.prefill_s + last.stats.decode_s
    whole = smol.run(prompt, max_tokens=len(pieces) + 5)
    assert whole.ids[: len(pieces)] == tuple(piece.id for piece in pieces)


def test_a_full_context_ends_the_answer(make_engine, tiny_path):
    recorded = make_engine()
    info = recorded.engine.load(LoadRequest(tiny_path, context=256, threads=1))
    assert info.context == 256
    prompt = recorded.ids(STORY)  # which makes alcove-tiny talk without end
    answer = recorded.run(prompt)
    assert answer.reason is StopReason.CONTEXT_FULL
    assert answer.stats.generated_tokens == info.context - len(prompt) + 1
    assert recorded.run(prompt, max_tokens=3).reason is StopReason.LENGTH


def test_a_prompt_longer_than_the_context(make_engine, tiny_path):
    recorded = make_engine()
    recorded.engine.load(LoadRequest(tiny_path, context=256, threads=1))
    prompt = recorded.ids("word " * 400)
    with pytest.raises(AppError) as caught:
        recorded.run(prompt)
    assert caught.value.code == "prompt-too-long"
    assert str(len(prompt)) in str(caught.value)
    assert "256" in str(caught.value)


def test_token_limits(tiny):
    assert tiny.run(tiny.ids(), max_tokens=0).stats.generated_tokens == 0
    answer = tiny.run(tiny.ids(), max_tokens=7)
    assert (answer.reason, answer.stats.generated_tokens, len(answer.pieces)) == (StopReason.LENGTH, 7, 7)


def test_stop_strings(smol):
    prompt = smol.ids(STORY)
    plain = smol.run(prompt, max_tokens=30)
    middle = len(plain.text) // 2
    stop = plain.text[middle : middle + 6]
    answer = smol.run(prompt, max_tokens=30, stop=("never there", stop))
    assert answer.reason is StopReason.STOP
    assert answer.text == plain.text[: plain.text.index(stop)]
    assert answer.finished.eog is None


def test_seeds(smol):
    prompt = smol.ids(STORY)

    def text(seed, **settings):
        return smol.run(prompt, max_tokens=6, sampling=Sampling(temperature=1.0, seed=seed, **settings)).text

    assert text(1) == text(1)
    assert len({text(seed) for seed in range(4)}) > 1
    assert text(5, top_k=1) == smol.run(prompt, max_tokens=6).text
    for settings in ({"top_k": 40, "top_p": 0.9}, {"top_p": 0.9, "min_p": 0.0}, {"repeat_penalty": 1.3}):
        assert text(3, **settings) == text(3, **settings)


def test_text_is_the_bytes_of_the_tokens(smol):
    """A prompt that ends inside a character: the answer goes on with its rest."""
    prompt = smol.ids("Repeat: 😀😀😀😀😀😀😀😀😀😀😀😀 😀😀😀😀😀")
    for cut in range(1, 4):
        answer = smol.run(prompt[:-cut], max_tokens=8)
        assert "�" not in answer.text


def test_tokenize_while_an_answer_runs(smol):
    cancel = CancelToken()
    events = smol.engine.generate(GenerationRequest(smol.ids(STORY), Sampling(temperature=0)), cancel)
    while not isinstance(next(events), Tokens):
        pass
    expected = smol.engine.tokenize([PromptText("Hello there")])
    assert expected[0]
    cancel.cancel()
    *_, finished = events
    assert finished.stop_reason is StopReason.CANCELLED
    assert smol.engine.tokenize([PromptText("Hello there")]) == expected


def test_long_texts_of_several_callers_do_not_block_the_pipe(tiny):
    """Questions and answers are larger than what a pipe holds: neither side may wait for the other one to read."""
    text = PromptText("The sea is wide. " * 20_000)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(tiny.engine.tokenize, [text]) for _ in range(4)]
        left = wait(asked, 60).not_done
        if left:
            os.kill(tiny.engine.child_pid, signal.SIGKILL)
    assert not left
    assert len({len(question.result()[0]) for question in asked}) == 1


def test_closing_leaves_nothing(smol):
    events = smol.engine.generate(GenerationRequest(smol.ids(STORY), Sampling()), CancelToken())
    next(events)
    smol.engine.close()
    with suppress(AppError):  # where the process was gone before it could say that it stopped
        *_, finished = events
        assert finished.stop_reason is StopReason.CANCELLED
    assert "engine" not in {thread.name for thread in threading.enumerate()}
