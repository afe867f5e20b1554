"""The names under which a model knows tools of several sets.

A stranger's tool is ``SET__TOOL``, whoever else is there: what a person allowed one server never holds for another one
that comes with a tool of the same name. Names are what models were trained on, ``[A-Za-z0-9_-]{1,64}``, and begin with
a letter, as formats want it that write calls as code.
"""

import re
from functools import lru_cache
from hashlib import sha256

LONGEST = 64
BETWEEN = "__"
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]+")
_EXACT = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_DIGEST = 8


@lru_cache(maxsize=4096)
def joined_name(toolset: str, tool: str) -> str:
    """The same for the same two names, and another one for any other two: where ``SET__TOOL`` has to be changed or
    could be read in two ways, a digest of both names stands behind it."""
    wanted = f"{toolset}{BETWEEN}{tool}"
    unambiguous = BETWEEN not in toolset and not toolset.endswith("_")
    if unambiguous and len(wanted) <= LONGEST and _EXACT.fullmatch(wanted):
        return wanted
    plain = _FOREIGN.sub("_", wanted)
    if not plain[0].isalpha():
        plain = f"t{plain}"
    digest = sha256(f"{toolset}\0{tool}".encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{plain[: LONGEST - _DIGEST - 1]}_{digest}"
