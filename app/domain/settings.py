"""Every setting, declared once: a new one is a field here, and whoever reads it."""

from dataclasses import dataclass
from typing import Annotated, Literal

from app.domain.proxy import proxy_address
from app.domain.setting import Group, Needs, Setting, Shown

Theme = Literal["system", "light", "dark"]
ApprovalLevel = Literal["effects", "always"]

APPEARANCE = Group("Appearance")
MODEL = Group("Model", "What is set for a single model (Ctrl+I) goes before these.")
TOOLS = Group("Tools")
DOCUMENTS = Group("Documents")
CONNECTIONS = Group("Connections")
ANSWERS = Group("Answers")

_AUTOMATIC = {None: "Automatic"}


@dataclass(frozen=True, slots=True)
class Settings:
    """The person's settings; made without values, the defaults. None and "" leave the choice to the program.

    A new one stands where the dialog should show it: groups and settings keep this order.
    """

    theme: Annotated[
        Theme,
        Setting(APPEARANCE, "Colours", words={"system": "Like the system", "light": "Light", "dark": "Dark"}),
    ] = "system"
    keep_reasoning_open: Annotated[
        bool, Setting(APPEARANCE, "Keep the model's reasoning open after it has answered")
    ] = False
    language: Annotated[
        str,
        Setting(
            APPEARANCE,
            "Language",
            "As in de or pt_BR",
            words={"": "The system's"},
            needs=Needs.RESTART,
            shown=Shown.COMMAND_LINE,
        ),
    ] = ""
    window_geometry: Annotated[
        str,
        Setting(APPEARANCE, "Window", "Where it was; for the window alone", shown=Shown.NOWHERE),
    ] = ""
    model: Annotated[
        str,
        Setting(MODEL, "Model", "The one that answers: a path, or a name in the library", shown=Shown.COMMAND_LINE),
    ] = ""
    model_folders: Annotated[
        tuple[str, ...],
        Setting(MODEL, "Model folders", "Searched for models besides Alcove's own", shown=Shown.COMMAND_LINE),
    ] = ()
    recent_models: Annotated[
        tuple[str, ...],
        Setting(MODEL, "Recent models", "Paths that were opened, the last one first", shown=Shown.NOWHERE),
    ] = ()
    context: Annotated[
        int | None,
        Setting(
            MODEL,
            "Context",
            "How much of a conversation the model can see; a token is a word or a piece of one",
            words=_AUTOMATIC,
            unit="tokens",
            least=1,
            most=1 << 24,
            step=1024,
            needs=Needs.RELOAD,
        ),
    ] = None
    threads: Annotated[
        int | None,
        Setting(
            MODEL,
            "Threads",
            "How many cores of the processor work at most",
            words=_AUTOMATIC,
            least=1,
            most=1024,
            needs=Needs.RELOAD,
        ),
    ] = None
    gpu_layers: Annotated[
        int | None,
        Setting(
            MODEL,
            "Layers on the GPU",
            "How much of the model the graphics card computes; more is faster, if it fits",
            words=_AUTOMATIC,
            most=9999,
            needs=Needs.RELOAD,
        ),
    ] = None
    unload_after_minutes: Annotated[
        int,
        Setting(
            MODEL,
            "Unload when idle for",
            "The model gives its memory back then; the next question loads it again",
            words={0: "Never"},
            unit="minutes",
            most=7 * 24 * 60,
        ),
    ] = 30
    approval: Annotated[
        ApprovalLevel,
        Setting(TOOLS, "Ask before a tool runs", words={"effects": "If it changes something", "always": "Always"}),
    ] = "effects"
    constrain_calls: Annotated[
        bool,
        Setting(
            TOOLS,
            "Let a model write only calls that fit the tool",
            "Fewer mistakes when a small model uses a tool",
        ),
    ] = True
    max_text_file_mb: Annotated[
        int,
        Setting(
            DOCUMENTS,
            "Largest text file",
            "Larger text files are left out",
            unit="MB",
            least=1,
            most=4096,
            needs=Needs.RESTART,
        ),
    ] = 64
    offline: Annotated[bool, Setting(CONNECTIONS, "Offline: connect to nothing", safe=True)] = False
    proxy: Annotated[
        str,
        Setting(
            CONNECTIONS,
            "Proxy",
            "As in http://proxy.example:8080 or socks5://proxy.example:1080",
            words={"": "The system's, if it has one"},
            needs=Needs.RESTART,
            clean=proxy_address,
        ),
    ] = ""
    system_prompt: Annotated[
        str,
        Setting(
            ANSWERS,
            "Instructions for the model",
            "Come before every conversation, from the next question on",
            words={"": "Empty: Alcove's own instructions"},
            lines=5,
            clean=str.strip,
        ),
    ] = ""
