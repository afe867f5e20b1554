"""The main job on the command line, for a machine without a display: the shipped models and the sample documents."""

import os
import shutil
from dataclasses import dataclass

from console import ROOT, Stop, say, show
from environment import CACHE, program

SAMPLES = "resources/samples"
STARTER = "SmolLM2-135M-Instruct.Q4_1"
THINKER = "alcove-tiny"


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: what it shows, which model answers, the words."""

    shows: str
    model: str
    question: str


# The questions, in the order they are asked; at temperature 0, so that the answers stay the same.
QUESTIONS = (
    Ask("an answer that cites a source", STARTER, "When was the boiler last serviced?"),
    Ask("another, from the same manual", STARTER, "Where does the boiler stand?"),
    Ask("reasoning and a search in the documents", THINKER, "search my documents for boiler"),
    Ask("reasoning and a calculation", THINKER, "what is 17*23?"),
)
MOST_TOKENS = 300  # an answer that loses its way ends soon


def run() -> int:
    """Asks every question with its answer streamed to the screen. Gives 0 when all were answered."""
    if not (ROOT / SAMPLES).is_dir():
        raise Stop(f"{SAMPLES} is missing, so there is nothing to ask about. Restore it from the repository.")
    home = CACHE / "demo"  # a home of its own: a person's conversations stay out of it
    shutil.rmtree(home, ignore_errors=True)
    env = {**os.environ, "ALCOVE_HOME": str(home)}
    for number, ask in enumerate(QUESTIONS, 1):
        say(f"\n[{number}/{len(QUESTIONS)}] {ask.shows} ({ask.model})\n> {ask.question}\n")
        options = ["--model", ask.model, "--docs", SAMPLES, "--temperature", "0", "--max-tokens", str(MOST_TOKENS)]
        status = show([program("alcove"), "ask", ask.question, *options], env=env)
        if status != 0:
            return status
    say("\nAll questions were answered. With a display, the same command opens the window.")
    return 0
