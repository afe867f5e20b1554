"""How much of a prompt was known already, and why some of it was read again, in words."""

from PySide6.QtCore import QCoreApplication, QLocale

from app.domain.messages import Change, GenerationStats

translate = QCoreApplication.translate  # under this name the translators' tools find the texts


def explained(stats: GenerationStats) -> str:
    """What became of the prompt of one answer; "" where nothing is known of it."""
    if not stats.prompt_tokens:
        return ""
    sentences = [_reused(stats), _again(stats)]
    return " ".join(sentence for sentence in sentences if sentence)


def evaluated(stats: GenerationStats) -> int:
    """Tokens of the prompts that were read. Answers of an older version do not tell it for all rounds."""
    return stats.evaluated_tokens or stats.prompt_tokens - stats.cached_tokens


def _reused(stats: GenerationStats) -> str:
    read = evaluated(stats)
    kept = max(0, stats.prompt_tokens - read)
    if not kept:
        return translate("Reuse", "All {all} tokens of the prompt were read.").format(all=_number(stats.prompt_tokens))
    said = {
        "memory": translate("Reuse", "Reused {kept} of {all} tokens of the prompt from memory"),
        "disk": translate("Reuse", "Reused {kept} of {all} tokens of the prompt from the disk, where they were saved"),
    }.get(stats.cached_from, translate("Reuse", "Reused {kept} of {all} tokens of the prompt"))
    sentence = said.format(kept=_number(kept), all=_number(stats.prompt_tokens))
    new = read - stats.again_tokens
    if new <= 0:
        return f"{sentence}."
    if new == 1:
        return translate("Reuse", "{reused}; 1 was new.").format(reused=sentence)
    return translate("Reuse", "{reused}; {new} were new.").format(reused=sentence, new=_number(new))


def _again(stats: GenerationStats) -> str:
    if not stats.again_tokens:
        return ""
    if stats.again_tokens == 1:
        sentence = translate("Reuse", "1 token was read again")
    else:
        sentence = translate("Reuse", "{again} tokens were read again").format(again=_number(stats.again_tokens))
    reason = because(stats.again_because)
    return (
        translate("Reuse", "{sentence}, because {reason}.").format(sentence=sentence, reason=reason)
        if reason
        else (f"{sentence}.")
    )


def because(change: Change) -> str:
    """The reason as a clause; "" where there is none."""
    match change:
        case Change.NONE:
            return ""
        case Change.MODEL:
            return translate("Reuse", "another model, or this one with other settings, was loaded")
        case Change.INSTRUCTIONS:
            return translate("Reuse", "the instructions for the model changed")
        case Change.TOOLS:
            return translate("Reuse", "the list of tools changed")
        case Change.EXAMPLES:
            return translate("Reuse", "the examples of how to cite, which stand first, came or went")
        case Change.THINKING:
            return translate("Reuse", "thinking was switched on or off")
        case Change.DROPPED:
            return translate("Reuse", "the oldest messages no longer fit into the context")
        case Change.BRANCH:
            return translate("Reuse", "another branch of the conversation was answered")
        case Change.REASONING:
            return translate("Reuse", "the model is not shown what it thought earlier")
        case Change.FORGOTTEN:
            return translate("Reuse", "they were no longer in memory")
        case Change.SPELLING:
            return translate("Reuse", "the same text became other tokens")


def _number(count: int) -> str:
    return QLocale().toString(count)
