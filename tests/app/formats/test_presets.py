"""What the makers of families recommend for drawing tokens."""

from collections.abc import Callable

import pytest

from app.domain.models import SamplingValues
from app.domain.sampling import plausible, said
from app.formats import detect
from app.formats.families import ALL
from app.formats.families.plain import PLAIN
from app.formats.family import GREEDY, drawn

PRESETS = [
    pytest.param(preset, id=f"{family.name}: {preset.source}") for family in (*ALL, PLAIN) for preset in family.presets
]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_says_everything_and_where_it_is_from(preset) -> None:
    assert preset.source
    for values in filter(None, (preset.sampling, preset.at_once)):
        figures = said(values)
        assert len(figures) == 5
        assert all(plausible(name, value) for name, value in figures)
    assert all(name == name.casefold() for name in preset.models)


def test_a_preset_for_all_of_a_family_is_its_last() -> None:
    for family in ALL:
        assert all(preset.models for preset in family.presets[:-1]), family.name


@pytest.mark.parametrize(
    ("template", "model", "think", "expected"),
    [
        ("Kimi-K2-Thinking.jinja", "Kimi-K2-Thinking-UD-TQ1_0", True, drawn(1.0, min_p=0.01)),
        ("Kimi-K2-Instruct.jinja", "moonshotai_Kimi-K2-Instruct-Q2_K", None, drawn(0.6, min_p=0.01)),
        ("Kimi-K2-Thinking.jinja", "Kimi-K2.6-Q2_K", True, drawn(1.0, 0.95, min_p=0.01)),
        ("Kimi-K2-Thinking.jinja", "alcove-tiny", True, GREEDY),
        ("Qwen-Qwen3-0.6B.jinja", "Qwen3-0.6B-Q8_0", True, drawn(0.6, 0.95, top_k=20)),
        ("Qwen-Qwen3-0.6B.jinja", "Qwen3-0.6B-Q8_0", False, drawn(0.7, 0.8, top_k=20)),
        ("Qwen-Qwen3-0.6B.jinja", "Qwen3-4B-Instruct-2507-Q8_0", True, drawn(0.7, 0.8, top_k=20)),
        ("Qwen3.5-4B.jinja", "Qwen3.5-4B", True, drawn(1.0, 0.95, top_k=20)),
        ("openai-gpt-oss-120b.jinja", "gpt-oss-20b", True, drawn(1.0, min_p=0.01)),
        ("openai-gpt-oss-120b.jinja", "gpt-oss-20b", False, drawn(1.0, min_p=0.01)),
        ("GLM-4.6.jinja", "GLM-4.6-UD-IQ1_M", True, drawn(1.0, 0.95)),
        ("deepseek-ai-DeepSeek-V3.2.jinja", "DeepSeek-V3.2", False, drawn(1.0, 0.95)),
        ("deepseek-ai-DeepSeek-V4.jinja", "DeepSeek-V4-Flash", True, drawn(1.0)),
        ("MiniMax-M2.jinja", "MiniMax-M2.5", True, drawn(1.0, 0.95, top_k=40)),
        ("LFM2-8B-A1B.jinja", "LFM2-8B-A1B-Q4_0", None, drawn(0.3, min_p=0.15, repeat_penalty=1.05)),
        ("LFM2.5-8B-A1B.jinja", "LFM2.5-8B-A1B-Q4_0", True, drawn(0.2, top_k=80, repeat_penalty=1.05)),
        ("tencent-Hy3.jinja", "Hy3-Q4_K_M", True, drawn(0.9)),
        ("ByteDance-Seed-OSS.jinja", "Seed-OSS-36B", True, drawn(1.1, 0.95)),
        ("ibm-granite-granite-4.0.jinja", "granite-4.0-h-small", None, GREEDY),
        ("mistralai-Ministral-3-14B-Reasoning-2512.jinja", "Ministral-3-14B-Reasoning-2512", True, drawn(0.7, 0.95)),
        ("Mistral-Small-3.2-24B-Instruct-2506.jinja", "Mistral-Small-3.2-24B", None, drawn(0.15)),
        ("mistralai-Mistral-Nemo-Instruct-2407.jinja", "Mistral-Nemo-Instruct-2407", None, drawn(0.3)),
        ("openbmb-MiniCPM5-1B.jinja", "MiniCPM5-1B", False, drawn(0.7, 0.95)),
        ("inclusionai-ling-3.0-flash.jinja", "Ling-3.0-flash", True, SamplingValues()),
        ("google-gemma-2-2b-it.jinja", "SmolLM2-135M-Instruct.Q4_1", None, drawn(0.2, 0.9, top_k=40)),
        ("google-gemma-2-2b-it.jinja", "some-model", None, SamplingValues()),
    ],
)
def test_what_a_model_gets(
    template: str, model: str, think: bool | None, expected: SamplingValues, template_source: Callable[[str], str]
) -> None:
    assert detect(template_source(template)).sampling(model, think=think) == expected
