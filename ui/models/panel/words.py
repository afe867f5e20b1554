"""What the panel says."""

from PySide6.QtCore import QCoreApplication, QLocale

from app.domain.messages import GenerationStats
from app.domain.models import ModelInfo
from app.domain.placement import Placement, Tuning
from app.domain.sampling import ChosenSampling, SamplingSource
from app.domain.sizes import memory_size
from ui.figures import rate_text
from ui.models.panel.rates import Spread
from ui.models.panel.shares import Bar, Kind
from ui.models.words import count_text, size_text
from ui.reuse import evaluated

translate = QCoreApplication.translate  # under this name the translators' tools find the texts

SHORTEST = 0.05  # s of loading; less would be shown as nought
LEAST_READ = 16  # tokens of a prompt from which on its speed says something

# How makers write what files call their architecture.
ARCHITECTURES = {
    "deepseek2": "DeepSeek",
    "gemma3": "Gemma 3",
    "glm4moe": "GLM",
    "gpt-oss": "GPT-OSS",
    "granitehybrid": "Granite",
    "granitemoehybrid": "Granite",
    "lfm2": "LFM2",
    "lfm2moe": "LFM2",
    "llama": "Llama",
    "minimax-m2": "MiniMax",
    "mistral3": "Mistral",
    "qwen2": "Qwen 2",
    "qwen3": "Qwen 3",
    "qwen3moe": "Qwen 3",
    "qwen3next": "Qwen3-Next",
}


def kind_label(kind: Kind) -> str:
    return {
        Kind.DENSE: translate("ModelPanel", "Dense"),
        Kind.EXPERTS: translate("ModelPanel", "Experts"),
        Kind.KV: translate("ModelPanel", "KV cache"),
        Kind.COMPUTE: translate("ModelPanel", "Working memory"),
        Kind.OTHERS: translate("ModelPanel", "Other programs"),
        Kind.FREE: translate("ModelPanel", "Free"),
        Kind.DISK: translate("ModelPanel", "Experts on the disk"),
    }[kind]


def kind_meaning(kind: Kind) -> str:
    return {
        Kind.DENSE: translate("ModelPanel", "attention and all else that every token needs"),
        Kind.EXPERTS: translate("ModelPanel", "of which a token needs a few"),
        Kind.KV: translate("ModelPanel", "what the model remembers of the conversation"),
        Kind.COMPUTE: translate("ModelPanel", "in which a token is computed"),
        Kind.OTHERS: translate("ModelPanel", "what else uses this memory"),
        Kind.FREE: translate("ModelPanel", "nobody uses it"),
        Kind.DISK: translate("ModelPanel", "read again and again, since memory is too small"),
    }[kind]


def device_name(bar: Bar) -> str:
    if not bar.name:
        return translate("ModelPanel", "Disk")
    if bar.number:
        return translate("ModelPanel", "GPU {number}: {name}").format(number=bar.number, name=bar.name)
    return bar.name


def device_text(bar: Bar) -> str:
    """``20.6 of 24.0 GB`` for the model, or what is missing."""
    if bar.missing:
        return translate("ModelPanel", "{size} too small").format(size=memory_size(bar.missing))
    used, total = memory_size(bar.used), memory_size(bar.total)
    number, unit = used.split()
    if total.endswith(f" {unit}"):
        used = number
    if not bar.name:
        return translate("ModelPanel", "{used} of the model's {total}").format(used=used, total=total)
    return translate("ModelPanel", "{used} of {total}").format(used=used, total=total)


def bar_description(bar: Bar) -> str:
    """All of a bar for who cannot see it."""
    parts = ", ".join(f"{kind_label(part.kind)} {memory_size(part.size)}" for part in bar.stretches)
    return f"{device_name(bar)}: {device_text(bar)}. {parts}."


def facts_text(info: ModelInfo | None, plan: Placement | None) -> str:
    """What kind of model it is, in a line."""
    parts = []
    if info is not None and info.architecture:
        parts.append(ARCHITECTURES.get(info.architecture, info.architecture))
    if plan is not None:
        dense, experts = translate("ModelPanel", "dense model"), translate("ModelPanel", "mixture of experts")
        parts.append(experts if plan.layers_with_experts else dense)
    if info is not None and info.parameters:
        parts.append(translate("ModelPanel", "{count} parameters").format(count=count_text(info.parameters)))
    size = info.size if info is not None else plan.weights if plan is not None else 0
    if size:
        parts.append(size_text(size))
    line = " · ".join(part.replace(" ", "\u00a0") for part in parts)
    return line[:1].upper() + line[1:]


def state_text(info: ModelInfo | None, progress: float | None, *, failed: bool = False) -> str:
    """``info``: where it is loaded; ``progress``: while it loads; ``failed``: the last time it was tried."""
    if progress is not None:
        return translate("ModelPanel", "Loading: {percent}%").format(percent=round(100 * progress))
    if info is not None:
        if info.seconds < SHORTEST:
            return translate("ModelPanel", "Loaded in less than 0.1 s")
        seconds = QLocale().toString(info.seconds, "f", 1 if info.seconds < 10 else 0)
        return translate("ModelPanel", "Loaded in {seconds} s").format(seconds=seconds)
    if failed:
        return translate("ModelPanel", "It could not be loaded.")
    return translate("ModelPanel", "Not loaded. The next question loads it.")


def same_settings(first: Placement, second: Placement) -> bool:
    """Whether a model is placed alike by both; free memory and what is known of the machine may differ."""
    return (first.context, first.gpu_layers, first.expert_layers, first.kv_types) == (
        second.context,
        second.gpu_layers,
        second.expert_layers,
        second.kv_types,
    )


def trial_text(trial: Placement, plan: Placement) -> str:
    """What other settings would do."""
    if not trial.fits:
        return trial.why
    rate = rate_text(trial.tokens_per_second)
    now = rate_text(plan.tokens_per_second)
    if not plan.fits:
        return translate("ModelPanel", "Should answer with about {rate} tokens a second.").format(rate=rate)
    if rate == now:
        return translate("ModelPanel", "Should answer as fast as now: about {rate} tokens a second.").format(rate=rate)
    text = translate("ModelPanel", "Should answer with about {rate} tokens a second instead of {now}.")
    return text.format(rate=rate, now=now)


def tuning_text(tuning: Tuning) -> str:
    """What was the fastest, and how fast the others were; the sentence tells of the plan itself."""
    others = [speed for speed in tuning.figures[1:] if speed.what != tuning.chosen.what]
    if not others:
        return tuning.sentence
    timed = ", ".join(f"{speed.what} {rate_text(speed.writes)}" for speed in others)
    return translate("ModelPanel", "{sentence} Also timed: {others}.").format(sentence=tuning.sentence, others=timed)


def sampling_lines(chosen: ChosenSampling) -> list[str]:
    """The figures that have an effect, a line each, with who says so."""
    names = ["temperature", "repeat_penalty"] if chosen.sampling.temperature == 0 else list(chosen.sources)
    text = translate("ModelPanel", "{figure}: {source}")
    return [
        text.format(figure=figure, source=source_text(chosen.sources[name]))
        for name in names
        if (figure := figure_text(name, getattr(chosen.sampling, name)))
    ]


def figure_text(name: str, value: float) -> str:
    """``Temperature 0.6``; "" where the value means that nothing is done."""
    if value == {"top_k": 0, "top_p": 1, "min_p": 0, "repeat_penalty": 1}.get(name):
        return ""
    if name == "temperature" and value == 0:
        return translate("ModelPanel", "Temperature 0, always the likeliest word")
    figure = {
        "temperature": translate("ModelPanel", "Temperature {value}"),
        "top_k": translate("ModelPanel", "Top-k {value}"),
        "top_p": translate("ModelPanel", "Top-p {value}"),
        "min_p": translate("ModelPanel", "Min-p {value}"),
        "repeat_penalty": translate("ModelPanel", "Repeat penalty {value}"),
    }[name]
    return figure.format(value=QLocale().toString(float(value), "g", 4))


def source_text(source: SamplingSource) -> str:
    return {
        SamplingSource.WISH: translate("ModelPanel", "your wish"),
        SamplingSource.FILE: translate("ModelPanel", "from the model's file"),
        SamplingSource.CATALOGUE: translate("ModelPanel", "from the list of models"),
        SamplingSource.FAMILY: translate("ModelPanel", "as its makers recommend"),
        SamplingSource.DEFAULT: translate("ModelPanel", "suits most models"),
    }[source]


def token_time_text(rate: float) -> str:
    """How long one token takes."""
    milliseconds = 1000 / rate
    if milliseconds >= 1000:
        return translate("ModelPanel", "{time} s").format(time=QLocale().toString(milliseconds / 1000, "f", 1))
    return translate("ModelPanel", "{time} ms").format(
        time=QLocale().toString(milliseconds, "f", int(milliseconds < 10))
    )


def spread_text(spread: Spread) -> str:
    text = translate("ModelPanel", "Between {least} and {most} tokens a second, typically {middle}.")
    least, middle, most = map(rate_text, spread)
    return text.format(least=least, middle=middle, most=most)


def waiting_text(stats: GenerationStats) -> str:
    """The time before the first token, and how fast the prompt was read; "" where nobody measured it."""
    sentences = []
    if stats.ttft_s > 0:
        time = QLocale().toString(stats.ttft_s, "f", 2 if stats.ttft_s < 10 else 0)
        sentences.append(translate("ModelPanel", "The first token came after {time} s.").format(time=time))
    seconds, read = stats.prefill_s - stats.restore_s, evaluated(stats)
    if read >= LEAST_READ and seconds > 0:
        text = translate("ModelPanel", "The prompt was read at {rate} tokens a second.")
        sentences.append(text.format(rate=rate_text(read / seconds)))
    return " ".join(sentences)
