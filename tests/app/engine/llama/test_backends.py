"""Which of llama.cpp's libraries compute: read from its log, and never from somebody else's folder."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.model

CODE = """
import os
from app.engine.llama import bindings
bindings._on_log(2, b"load_backend: loaded CPU backend from /opt/alcove/lib/libggml-cpu-haswell.so\\n", None)
bindings._on_log(2, b"llama_model_loader: loaded meta data with 20 key-value pairs\\n", None)
print(bindings.backends(), bindings.take_log(), {"GGML_BACKEND_PATH", "LLAMA_CPP_LIB_PATH"} & set(os.environ))
"""


def test_the_chosen_library_is_known_and_misleading_variables_are_forgotten() -> None:
    env = {**os.environ, "GGML_BACKEND_PATH": "/opt/stranger.so", "LLAMA_CPP_LIB_PATH": "/opt/strangers"}
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "('/opt/alcove/lib/libggml-cpu-haswell.so',) [] set()"
