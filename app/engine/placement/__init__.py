"""Where a model's tensors go: which layers and experts on which GPU, what stays in RAM, what is read from disk.

Owns the arithmetic: bytes of weights, KV cache and compute buffers from a model's header (``shape``, ``cache``,
``graph``), the choice (``planner``), what to expect of it (``speed``) and how to say it (``words``). Pure, without
llama.cpp, any thread; the engine's child and the command line use it. Formulas follow llama.cpp's sources, which are
named where they are used.
"""
