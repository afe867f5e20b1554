"""The families, a file a maker or kind; ``ALL`` in the order in which a template is compared with them."""

from app.formats.families import (
    cohere,
    deepseek,
    glm,
    google,
    kimi,
    liquid,
    llama,
    minimax,
    mistral,
    openai,
    others,
    qwen,
)
from app.formats.family import Family

ALL: tuple[Family, ...] = (
    *kimi.FAMILIES,
    *openai.FAMILIES,
    *deepseek.FAMILIES,
    *minimax.FAMILIES,
    *google.FAMILIES,
    *cohere.FAMILIES,
    *others.FAMILIES,
    *glm.FAMILIES,
    *liquid.FAMILIES,
    *mistral.FAMILIES,
    *llama.FAMILIES,
    *qwen.FAMILIES,
    *qwen.HERMES_FAMILIES,
)
