"""Messages in the way their makers document them, where no template of the model is at hand (docs/formats.md)."""

import pytest

from app.domain.models import ModelAbilities
from app.formats import Format
from app.formats.families.glm import LONGCAT
from app.formats.families.llama import LLAMA4
from app.formats.families.others import ERNIE, HUNYUAN
from app.formats.family import Family

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
BEIJING = ("get_weather", '{"city": "Beijing"}')
SHENZHEN = ("get_weather", '{"city": "Shenzhen"}')


def call(city: str) -> str:
    return f'{{"name": "get_weather", "arguments": {{"city": "{city}"}}}}'


@pytest.mark.parametrize(
    ("family", "prompt", "text", "expected"),
    [
        pytest.param(
            LLAMA4,
            "<|header_start|>assistant<|header_end|>\n\n",
            "[get_weather(city=\"Beijing\"), get_weather(city='Shenzhen')]<|eot|>",
            ("", "", [BEIJING, SHENZHEN]),
            id="llama-4",
        ),
        pytest.param(
            HUNYUAN,
            "<|extra_0|>",
            f"<think>\nHm.\n</think>\n<answer>\n<tool_calls>[{call('Shenzhen')}]</tool_calls>\n</answer>",
            ("Hm.", "", [SHENZHEN]),
            id="hunyuan, a call inside of the answer",
        ),
        pytest.param(
            HUNYUAN,
            "<|extra_0|>",
            f"<think>\n\n</think>\n<answer><tool_calls>[{call('Beijing')}, {call('Shenzhen')}]</tool_calls></answer>",
            ("", "", [BEIJING, SHENZHEN]),
            id="hunyuan, without thinking",
        ),
        pytest.param(
            LONGCAT,
            " ASSISTANT:",
            "<longcat_tool_call>\n{}\n</longcat_tool_call><longcat_tool_call>\n{}\n</longcat_tool_call></longcat_s>".format(
                call("Beijing"), call("Shenzhen")
            ),
            ("", "", [BEIJING, SHENZHEN]),
            id="longcat",
        ),
        pytest.param(
            ERNIE,
            "<|im_start|>assistant\n<think>\n",
            "Hm.\n</think>\n\n\n<response>\nSo.\n</response>\n",
            ("Hm.", "So.", []),
            id="ernie, an answer",
        ),
        pytest.param(
            ERNIE,
            "<|im_start|>assistant\n<think>\n",
            f"Hm.\n</think>\n\n\n<tool_call>\n{call('Beijing')}\n</tool_call>\n",
            ("Hm.", "", [BEIJING]),
            id="ernie, a call",
        ),
    ],
)
def test_documented_messages(parse_all_cuts, family: Family, prompt: str, text: str, expected) -> None:
    found = Format(family, ModelAbilities(thinks=True, takes_tools=True))
    parsed = parse_all_cuts(found, text, prompt=prompt, tools=TOOLS)
    assert (parsed.reasoning.strip(), parsed.content.strip(), parsed.calls) == expected
    assert not parsed.broken
    assert not parsed.notes
