"""The compiler's environment, wherever llama.cpp is built."""

import hashlib
import os
import shlex
import sys

from console import ROOT

MENDED = ROOT / "packaging" / "linux" / "ggml_mended.h"
MARK = hashlib.sha256(MENDED.read_bytes()).hexdigest()[:12]  # in the name of what was built with it


def compiler_environment(platform: str = sys.platform) -> dict[str, str]:
    """Ours, and on Linux the header that mends ggml. A build of uv's cache is not made again where this alone changes:
    count ``ALCOVE_BUILD`` in pyproject.toml up."""
    given = dict(os.environ)
    for name in ("CFLAGS", "CXXFLAGS") if platform == "linux" else ():
        given[name] = f"{given.get(name, '')} -include {shlex.quote(str(MENDED))}".strip()
    return given
