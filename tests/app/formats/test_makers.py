"""What the smaller families write, after their templates and their makers' documentation, whole and in pieces."""

import json
from typing import Any

import pytest

from app.formats import detect


def tool(name: str, **properties: Any) -> dict[str, object]:
    parameters = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": name, "description": "", "parameters": parameters}}


TEXT = {"type": "string"}
TOOLS = [
    tool("weather", city=TEXT, days={"type": "integer"}),
    tool("note", text=TEXT, tags={"type": "array"}, meta={"type": "object"}, on={"type": "boolean"}, any={}),
    tool("ping"),
]
RUNNER = [*TOOLS, tool("code_interpreter", code=TEXT)]

LLAMA3 = ("meta-llama-Llama-3.1-8B-Instruct.jinja", "<|start_header_id|>assistant<|end_header_id|>\n\n")
LLAMA4 = ("{{ '<|header_start|>' }}{% if tools %}{% endif %}", "<|header_start|>assistant<|header_end|>\n\n")
FUNCTIONARY = ("meetkai-functionary-medium-v3.1.jinja", LLAMA3[1])
FIRE = ("fireworks-ai-llama-3-firefunction-v2.jinja", LLAMA3[1])
LFM = ("LFM2.5-8B-A1B.jinja", "<|im_start|>assistant\n")
GEMMA = ("google-gemma-4-31B-it.jinja", "<|turn>model\n")
GRANITE = ("ibm-granite-granite-3.3-2B-Instruct.jinja", "<|start_of_role|>assistant<|end_of_role|>")
MISTRAL = ("Mistral-Small-3.2-24B-Instruct-2506.jinja", "[/INST]")
NEMOTRON = ("NVIDIA-Nemotron-Nano-v2.jinja", "<SPECIAL_11>Assistant\n<think></think>")
APRIEL = ("unsloth-Apriel-1.5.jinja", "<|assistant|>\n")
# Templates that the collection lacks, by what tells them.
GRANITE32 = ("{{ '<|start_of_role|>' }}{% if tools %}Here is my thought process:{% endif %}", GRANITE[1])
HUNYUAN = ("{{ '<|extra_0|>' }}{% if tools %}以助手：开头 <tool_calls>[{}]</tool_calls>{% endif %}", "<|extra_0|>")
FUNCTION_GEMMA = ("{{ tools }}<start_function_call>call:", "<start_of_turn>model\n")
PHI4 = ("{{ '<|tool|>' + tools + '<|/tool|>' }}", "<|assistant|>")
INTERNLM = ("{{ tools }}<|action_start|><|plugin|>", "<|im_start|>assistant\n")
OLMO3 = ("{{ tools }}<function_calls>", "<|im_start|>assistant\n")
MINICPM4 = ("{{ tools }}<|tool_call_start|>\n```python\n", "<|im_start|>assistant\n")
EXAONE4 = ("{{ tools }}[|assistant|]<tool_call>{'arguments'}", "[|assistant|]\n<think>\n")
LING2 = ("{{ tools }}<role>ASSISTANT</role><tool_call>arguments", "<role>ASSISTANT</role>")
PLAIN = ("{% for tool in tools %}{{ tool }}{% endfor %}", "<|assistant|>\n")

PARIS, PING = ("weather", {"city": "Paris"}), ("ping", {})
JSON, JSON_PING = '{"name": "weather", "arguments": {"city": "Paris"}}', '{"name": "ping", "arguments": {}}'
LLAMA_JSON = JSON.replace("arguments", "parameters")
OPEN, CLOSE, Q = "<|tool_call_start|>", "<|tool_call_end|>", '<|"|>'


def call(body: str) -> str:
    return f"{OPEN}[{body}]{CLOSE}"


def gemma(body: str) -> str:
    return f"<|tool_call>call:{body}<tool_call|>"


# model, text, reasoning, content, calls, notes
CASES: list[tuple[tuple[str, str], str, str, str, list[Any], list[str]]] = [
    # LFM2: Python's literals as Python writes them, JSON where the system prompt asks for it
    (LFM, f"{OPEN}[{JSON}, {JSON_PING}]{CLOSE}ok", "", "ok", [PARIS, PING], []),
    (LFM, f"{OPEN} [ {JSON}]{CLOSE}", "", "", [PARIS], []),
    (LFM, call("note(any=[.5, 5., +5, 1_000, 0xff, -1e-3])"), "", "", [("note", {"any": [0.5, 5.0, 5, 1000, 255, -1e-3]})], []),
    (LFM, call("note(any=007)"), "", "[note(any=007)]", [], ["malformed"]),
    (LFM, call("note(any=float('inf'))"), "", "[note(any=float('inf'))]", [], ["malformed"]),
    (LFM, call("note(text='a' \"b\"\n'c')"), "", "", [("note", {"text": "abc"})], []),
    (LFM, call("note(text='''it's\n(\"x\")''')"), "", "", [("note", {"text": 'it\'s\n("x")'})], []),
    (LFM, call('note(text="""a "b" c""")'), "", "", [("note", {"text": 'a "b" c'})], []),
    (LFM, call(r"note(text=r'\d+\'', any=u'x')"), "", "", [("note", {"text": "\\d+\\'", "any": "x"})], []),
    (LFM, f"{OPEN}[weather(city='Paris')]", "", "", [PARIS], []),
    (LFM, f"{OPEN}[weather(city='Paris'), pi", "", "", [PARIS], ["incomplete"]),
    (LFM, f"{OPEN}[weather(city='Paris')]<|im_end|>", "", "", [PARIS], []),
    (LFM, f"{OPEN}[weather(city=']'), ping()] So.{CLOSE}", "", " So.", [("weather", {"city": "]"}), PING], []),
    (LFM, f"{OPEN}[ping(), note(text='it's]')]{CLOSE}", "", "", [PING, ("note", {"text": "it's]"})], []),
    (LFM, f"{OPEN}weather(city='Paris')\nping(){CLOSE}", "", "", [PARIS, PING], []),
    # Llama 3: objects, Python, built-in tools, the format of 3.1 for tools of one's own
    (LLAMA3, '<|python_tag|>brave_search.call(query="a "b" (c)", n=2)<|eom_id|>', "", "", [("brave_search", {"query": 'a "b" (c)', "n": 2})], []),
    (LLAMA3, "<|python_tag|>print(1)<|eom_id|>", "", "print(1)", [], ["malformed"]),
    (LLAMA3, f"<|python_tag|>{LLAMA_JSON}; {JSON_PING}<|eom_id|>", "", "", [PARIS, PING], []),
    (LLAMA3, "[weather(city='Paris'), ping()]<|eot_id|>", "", "", [PARIS, PING], []),
    (LLAMA3, '<function=weather>{"city": "Paris"}</function><|eom_id|>', "", "", [PARIS], []),
    (LLAMA3, "The <function=x> tag", "", "The <function=x> tag", [], []),
    (LLAMA3, "[1, 2] and [unknown(x=1)]", "", "[1, 2] and [unknown(x=1)]", [], []),
    (LLAMA3, f"[{LLAMA_JSON}, {{", "", "", [PARIS], ["incomplete"]),
    (LLAMA4, f"[{LLAMA_JSON}]<|eot|>", "", "", [PARIS], []),
    (LLAMA3, '{"name": "invented", "parameters": {"a": 1}}<|eot_id|>', "", "", [("invented", {"a": 1})], []),
    (LLAMA3, '{"name": "Ada", "age": 36}', "", '{"name": "Ada", "age": 36}', [], []),
    (LLAMA3, '{"name": "Ada", "parameters": "x"}', "", '{"name": "Ada", "parameters": "x"}', [], []),
    (LLAMA3, '{"name": "Ada", "parameters": {}, "x": 1}', "", '{"name": "Ada", "parameters": {}, "x": 1}', [], []),
    (LLAMA3, '{"name": "weather", "parameters": {"a": 1, "a": 2}}<|eot_id|>', "", '{"name": "weather", "parameters": {"a": 1, "a": 2}}', [], ["malformed"]),
    (LLAMA3, '{"name": "weather", "parameters": "{}"}', "", '{"name": "weather", "parameters": "{}"}', [], ["malformed"]),
    (LLAMA3, f'{LLAMA_JSON}; {{"name": "ping", "parameters": {{"a": }}}}<|eot_id|>', "", '; {"name": "ping", "parameters": {"a": }}', [PARIS], ["malformed"]),
    (LLAMA4, f"<|python_start|>I look.<|python_end|>{LLAMA_JSON}<|eot|>", "", "I look.", [PARIS], []),
    (LLAMA4, f"<|python_start|><|python_end|>{LLAMA_JSON}<|eot|>", "", "", [PARIS], []),
    (LLAMA4, "<|python_start|>[ping(1)]<|python_end|>", "", "[ping(1)]", [], ["malformed"]),
    (LLAMA4, '[weather(city="Paris")]\n[ping()]<|eot|>', "", "", [PARIS, PING], []),
    (LLAMA4, '[weather(city="Paris")', "", "", [PARIS], []),
    (LLAMA4, '[weather(city="Paris"), wea', "", "", [PARIS], ["incomplete"]),
    (LLAMA4, "[ping(), wea[pin", "", "[ping(), wea[pin", [], []),
    (LLAMA4, "[ping(), x weather(city='a')]", "", "[ping(), x weather(city='a')]", [], []),
    (FUNCTIONARY, "I run it.<|python_tag|>print(1)<|eom_id|>", "", "I run it.print(1)", [], ["malformed"]),
    (FIRE, f"ok functools[{JSON}, {JSON_PING}]<|eot_id|>", "", "ok", [PARIS, PING], []),
    (FIRE, "import functools; functools[0]", "", "import functools; functools[0]", [], []),
    # Gemma 4: braces end a call, keys may have spaces
    (GEMMA, f"<|tool_call>call:weather{{city:{Q}Paris{Q}}}", "", "", [PARIS], []),
    (GEMMA, f"<|tool_call>call:weather{{city:{Q}Paris{Q}}}<|tool_call>call:ping{{}}<|tool_response>", "", "", [PARIS, PING], []),
    (GEMMA, gemma(f"note{{meta:{{first name:{Q}x{Q}, \"a\": \"}}\\\\\", n: None}},on:True}}"), "", "", [("note", {"meta": {"first name": "x", "a": "}\\", "n": None}, "on": True})], []),
    (GEMMA, gemma(f"note{{text:{Q}}} <tool_call|> {{{Q}}}"), "", "", [("note", {"text": "} <tool_call|> {"})], []),
    (GEMMA, gemma(f"weather{{city:{Q}Paris{Q}"), "", "call:weather{city:Paris", [], ["malformed"]),
    (FUNCTION_GEMMA, "<start_function_call>call:weather{city:<escape>Paris<escape>,days:2}<end_function_call><start_function_response>", "", "", [("weather", {"city": "Paris", "days": 2})], []),
    # Mistral
    (MISTRAL, "The [TOOL_CALLS] token opens calls.", "", "The  token opens calls.", [], ["malformed"]),
    (MISTRAL, '[TOOL_CALLS]weather[CALL_ID]abc123def{"city": "Paris"}</s>', "", "", [PARIS], []),
    (MISTRAL, f"[TOOL_CALLS][{JSON}", "", "", [PARIS], []),
    (MISTRAL, f"[TOOL_CALLS][{JSON}, ", "", "", [PARIS], ["incomplete"]),
    (NEMOTRON, f"<TOOLCALL>[{JSON}</TOOLCALL>\nok", "", "ok", [PARIS], []),
    # granite 3, Hunyuan, Apriel: text that is no token, some of it only at the beginning
    (GRANITE, "<think>Hm.</think><response>So.</response>", "Hm.", "So.", [], []),
    (GRANITE32, "Here is my thought process:\n\nHm.\n\nHere is my response:\n\nSo.", "Hm.", "So.", [], []),
    (GRANITE32, "Well. Here is my thought process: none.", "", "Well. Here is my thought process: none.", [], []),
    (HUNYUAN, "<think>\nHm.\n</think>\n<answer>\n助手：So.\n</answer>", "Hm.", "So.", [], []),
    (HUNYUAN, "助手：So, 助手：this.", "", "So, 助手：this.", [], []),
    (HUNYUAN, f"<think>\nHm.\n</think>\n<answer>助手：<tool_calls>[{JSON}]</tool_calls></answer>", "Hm.", "", [PARIS], []),
    (APRIEL, "I said: Here are my reasoning steps:\n1.", "", "I said: Here are my reasoning steps:\n1.", [], []),
    # others without a template in the collection
    (PHI4, f"<|tool_call|>[{JSON}]<|/tool_call|><|end|>", "", "", [PARIS], []),
    (PHI4, f"functools[{JSON}]<|end|>", "", "", [PARIS], []),
    (INTERNLM, f"I look.<|action_start|><|plugin|>\n{LLAMA_JSON}<|action_end|><|im_end|>", "", "I look.", [PARIS], []),
    (OLMO3, "<function_calls>\nweather(city='Paris')\nnote(on=true, any=null)\n</function_calls><|im_end|>", "", "", [PARIS, ("note", {"on": True, "any": None})], []),
    (MINICPM4, f"<|thought_start|>\nHm.\n<|thought_end|>\n{OPEN}\n```python\nweather(city=\"Paris\")\nping()\n```\n{CLOSE}\nSo.<|im_end|>", "Hm.", "So.", [PARIS, PING], []),
    (EXAONE4, f"Hm.\n</think>\n\n<tool_call>{JSON}</tool_call>\n<tool_call>{JSON_PING}</tool_call>[|endofturn|]", "Hm.", "", [PARIS, PING], []),
    (PLAIN, f"[{JSON}, {JSON_PING}]<|im_end|>", "", "", [PARIS, PING], []),
    (PLAIN, f"So: [{JSON}]", "", f"So: [{JSON}]", [], []),
    (PLAIN, '{"name": "unknown", "arguments": {}}', "", '{"name": "unknown", "arguments": {}}', [], []),
    (PLAIN, "<think>Hm.</think>So.</s>", "Hm.", "So.", [], []),
    (LING2, f"<think>\nHm.\n</think>\n\n<tool_call>\n{JSON}\n</tool_call><|role_end|>", "Hm.", "", [PARIS], []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "text", "reasoning", "content", "calls", "notes"), CASES, ids=[case[1][:60] for case in CASES]
)
def test_messages(
    template_source: Any, parse: Any, parse_all_cuts: Any, model: tuple[str, str], text: str, reasoning: str,
    content: str, calls: list[Any], notes: list[str],
) -> None:  # fmt: skip
    found = detect(template_source(model[0]))
    parsed = parse_all_cuts(found, text, prompt=model[1], tools=TOOLS)
    assert parsed.reasoning == reasoning
    assert parsed.content == content
    assert [(name, json.loads(arguments)) for name, arguments in parsed.calls] == calls
    assert parsed.notes == notes


def test_objects_of_a_model_that_has_no_tools_are_text(template_source: Any, parse_all_cuts: Any) -> None:
    parsed = parse_all_cuts(detect(template_source(LLAMA3[0])), LLAMA_JSON, prompt=LLAMA3[1])
    assert (parsed.content, parsed.calls) == (LLAMA_JSON, [])


def test_tags_that_are_no_tokens_close_as_they_open(parse: Any) -> None:
    found = detect("{{ tools }}<longcat_tool_call>")
    body = "weather\n<longcat_arg_key>city</longcat_arg_key>\n<longcat_arg_value>Paris</longcat_arg_value>\n"
    deltas = [("<longcat_tool_call>", True), (body, False), ("</longcat_tool_call>", True)]
    assert parse(found, deltas, tools=TOOLS).calls == [("weather", '{"city": "Paris"}')]


@pytest.mark.parametrize("model", [LLAMA3, FUNCTIONARY])
def test_code_for_a_tool_that_runs_code(template_source: Any, parse_all_cuts: Any, model: tuple[str, str]) -> None:
    found = detect(template_source(model[0]))
    text = '<|python_tag|>x = "<function=f>"\nprint(x)'
    parsed = parse_all_cuts(found, f"{text}<|eom_id|>", prompt=model[1], tools=RUNNER)
    assert [(name, json.loads(arguments)) for name, arguments in parsed.calls] == [
        ("code_interpreter", {"code": 'x = "<function=f>"\nprint(x)'})
    ]
    assert parsed == parse_all_cuts(found, text, prompt=model[1], tools=RUNNER)
    cut = parse_all_cuts(found, text, prompt=model[1], tools=RUNNER, truncated=True)
    assert (cut.calls, cut.notes) == ([], ["incomplete"])


@pytest.mark.parametrize(
    ("model", "format_name"),
    [
        (GRANITE32, "granite-3.2"),
        (HUNYUAN, "hunyuan-a13b"),
        (FUNCTION_GEMMA, "function-gemma"),
        (PHI4, "phi-4-mini"),
        (INTERNLM, "internlm"),
        (("{{ tools }}<|bom|><tool_calls>", ""), "jamba"),
        (OLMO3, "olmo-3"),
        (MINICPM4, "minicpm-4"),
        (EXAONE4, "exaone-4"),
        (("[|assistant|]<thought>", ""), "exaone-deep"),
        (LING2, "ling-2"),
        (("{{ tools }}<TOOLCALL><|start_header_id|>", ""), "nemotron-2"),
        (("{{ tools }}<|tool_list_start|>", ""), "lfm2"),
    ],
)
def test_families_without_a_template_in_the_collection(model: tuple[str, str], format_name: str) -> None:
    found: Any = detect(model[0])
    assert found.name == format_name
    assert found.known


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("}{<tool_call|> x\n\n```\n<channel|>\n```\n", "}{ x\n\n```\n<channel|>\n```\n"),
        ("{\n```\n<channel|>\n```\n", "{\n```\n<channel|>\n```\n"),
        ("[ a\n~~~\n<channel|>\n~~~\n", "[ a\n~~~\n<channel|>\n~~~\n"),
    ],
)
def test_a_fence_after_a_bracket(template_source: Any, parse_all_cuts: Any, text: str, content: str) -> None:
    found = detect(template_source(GEMMA[0]))
    assert parse_all_cuts(found, text, prompt=GEMMA[1]).content == content


def test_a_python_tag_without_code(template_source: Any, parse_all_cuts: Any) -> None:
    found = detect(template_source(LLAMA3[0]))
    parsed = parse_all_cuts(found, "<|python_tag|><|eom_id|>Hi", prompt=LLAMA3[1], tools=RUNNER)
    assert (parsed.content, parsed.calls) == ("Hi", [])


@pytest.mark.parametrize("source", ["", "{% for tool in tools %}{% endfor %}", "{{ tools }}<tool_call>"])
def test_the_tokens_of_an_unknown_model_are_not_known(source: str, parse: Any) -> None:
    deltas = [("<think>", False), ("Hm.", False), ("</think>", False), ("So.", False)]
    parsed = parse(detect(source), deltas)
    assert (parsed.reasoning, parsed.content) == ("Hm.", "So.")


def test_the_first_magistral_thinks_between_tags_that_are_no_tokens(parse: Any, template_source: Any) -> None:
    deltas = [("<think>\nHm.\n</think>\nSo.", False)]
    parsed = parse(detect("{{ '<think>' }}[TOOL_CALLS]"), deltas, prompt="[/INST]")
    assert (parsed.reasoning, parsed.content) == ("Hm.", "So.")
    later = detect(template_source(MISTRAL[0]))
    assert parse(later, deltas, prompt="[/INST]").content == deltas[0][0]
