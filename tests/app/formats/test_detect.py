"""The template alone says which format a model speaks."""

from collections.abc import Callable
from typing import Any

import pytest

from app.formats import detect

EXPECTED = {
    "Apertus-8B-Instruct.jinja": "apertus",
    "Apriel-1.6-15b-Thinker-fixed.jinja": "apriel",
    "Bielik-11B-v3.0-Instruct.jinja": "qwen3",
    "ByteDance-Seed-OSS.jinja": "seed-oss",
    "Cohere2MoE.jinja": "command-r7b",
    "CohereForAI-c4ai-command-r-plus-tool_use.jinja": "command-r-plus",
    "CohereForAI-c4ai-command-r7b-12-2024-tool_use.jinja": "command-r7b",
    "GLM-4.6.jinja": "glm-4.5",
    "GLM-4.7-Flash.jinja": "glm-4.7",
    "GigaChat3-10B-A1.8B.jinja": "gigachat-3",
    "GigaChat3.1-10B-A1.8B.jinja": "gigachat-3.1",
    "HuggingFaceTB-SmolLM3-3B.jinja": "smollm3",
    "Kimi-K2-Instruct.jinja": "kimi-k2",
    "Kimi-K2-Thinking.jinja": "kimi-k2",
    "Kimi-K3.jinja": "kimi-k3",
    "LFM2-8B-A1B.jinja": "lfm2",
    "LFM2.5-8B-A1B.jinja": "lfm2",
    "LFM2.5-Instruct.jinja": "lfm2",
    "MiMo-VL.jinja": "hermes",
    "MiniMax-M1.jinja": "minimax-m1",
    "MiniMax-M2.jinja": "minimax-m2",
    "MiniMax-M3.jinja": "minimax-m3",
    "Mistral-Small-3.2-24B-Instruct-2506.jinja": "mistral",
    "NVIDIA-Nemotron-3-Nano-30B-A3B-BF16.jinja": "nemotron-3",
    "NVIDIA-Nemotron-Nano-v2.jinja": "nemotron-2",
    "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use.jinja": "hermes",
    "NousResearch-Hermes-3-Llama-3.1-8B-tool_use.jinja": "hermes",
    "Qwen-QwQ-32B.jinja": "qwen3",
    "Qwen-Qwen2.5-7B-Instruct.jinja": "hermes",
    "Qwen-Qwen3-0.6B.jinja": "qwen3",
    "Qwen3-Coder.jinja": "qwen3-coder",
    "Qwen3.5-4B.jinja": "qwen3.5",
    "Reka-Edge.jinja": "reka",
    "Spark2.5.jinja": "spark",
    "StepFun3.5-Flash.jinja": "step-3.5",
    "deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja": "deepseek-v3",
    "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja": "deepseek-v3",
    "deepseek-ai-DeepSeek-V3.1.jinja": "deepseek-v3.1",
    "deepseek-ai-DeepSeek-V3.2.jinja": "deepseek-v3.2",
    "deepseek-ai-DeepSeek-V4-Flash-0731.jinja": "deepseek-v4",
    "deepseek-ai-DeepSeek-V4.jinja": "deepseek-v4",
    "fireworks-ai-llama-3-firefunction-v2.jinja": "firefunction",
    "google-gemma-2-2b-it.jinja": "plain",
    "google-gemma-4-31B-it-interleaved.jinja": "gemma-4",
    "google-gemma-4-31B-it.jinja": "gemma-4",
    "ibm-granite-granite-3.3-2B-Instruct.jinja": "granite-3",
    "ibm-granite-granite-4.0.jinja": "granite-4",
    "ibm-granite-granite-4.1.jinja": "granite-4",
    "inclusionai-ling-3.0-flash.jinja": "ling-3",
    "llama-cpp-deepseek-r1.jinja": "deepseek-v3",
    "llama-cpp-rwkv-world.jinja": "plain",
    "meetkai-functionary-medium-v3.1.jinja": "functionary-v3.1",
    "meetkai-functionary-medium-v3.2.jinja": "functionary-v3.2",
    "meta-llama-Llama-3.1-8B-Instruct.jinja": "llama-3",
    "meta-llama-Llama-3.2-3B-Instruct.jinja": "llama-3",
    "meta-llama-Llama-3.3-70B-Instruct.jinja": "llama-3",
    "microsoft-Phi-3.5-mini-instruct.jinja": "plain",
    "mistralai-Ministral-3-14B-Reasoning-2512.jinja": "mistral",
    "mistralai-Mistral-Nemo-Instruct-2407.jinja": "mistral",
    "moonshotai-Kimi-K2.jinja": "kimi-k2",
    "muse-glimmer.jinja": "muse",
    "openai-gpt-oss-120b.jinja": "gpt-oss",
    "openbmb-MiniCPM5-1B.jinja": "minicpm-5",
    "poolside-Laguna-S-2.1.jinja": "laguna",
    "poolside-Laguna-XS-2.1.jinja": "laguna",
    "poolside-Laguna-XS.2.jinja": "laguna",
    "tencent-Hy3.jinja": "hy3",
    "unsloth-Apriel-1.5.jinja": "apriel",
    "unsloth-mistral-Devstral-Small-2507.jinja": "mistral",
    "upstage-Solar-Open-100B.jinja": "solar",
}


def test_every_template_of_the_collection(template_file: str, template_source: Callable[[str], str]) -> None:
    found = detect(template_source(template_file))
    assert found.name == EXPECTED[template_file]
    assert found.known  # type: ignore[attr-defined]


def test_the_collection_is_the_one_that_is_known(template_source: Callable[[str], str]) -> None:
    for name in EXPECTED:
        template_source(name)


@pytest.mark.parametrize("source", ["", "{{ messages[0].content }}", "not a template at all {{{"])
def test_no_or_unknown_template_is_plain(source: str) -> None:
    found = detect(source)
    assert found.name == "plain"
    assert not found.takes_tools


def test_an_unknown_template_with_tools_says_so() -> None:
    found: Any = detect("{% for tool in tools %}{{ tool }}{% endfor %} [[CALL]]")
    assert found.name == "plain"
    assert not found.known


def test_an_unknown_template_with_tool_call_tags_is_read_carefully() -> None:
    found: Any = detect("{% if tools %}write <tool_call>...</tool_call>{% endif %}")
    assert found.name == "generic"
    assert found.takes_tools
    assert not found.known


def test_comments_do_not_count() -> None:
    assert detect("{# unlike <|tool_calls_section_begin|> #}{{ messages }}").name == "plain"


@pytest.mark.parametrize(
    ("name", "tools", "thinks"),
    [
        ("Kimi-K2-Thinking.jinja", True, True),
        ("Kimi-K2-Instruct.jinja", True, False),
        ("openai-gpt-oss-120b.jinja", True, True),
        ("Qwen3-Coder.jinja", True, False),
        ("google-gemma-2-2b-it.jinja", False, False),
        ("HuggingFaceTB-SmolLM3-3B.jinja", False, True),
    ],
)
def test_what_the_template_offers(name: str, tools: bool, thinks: bool, template_source: Callable[[str], str]) -> None:
    found = detect(template_source(name))
    assert (found.takes_tools, found.thinks) == (tools, thinks)
