"""What runs inside a model's child process: llama.cpp itself, through its C functions.

Nothing here runs in the program's own process, because llama.cpp can abort the process it lives in. `child` (chat
models), `embed` (embedding models) and `devices` are entry points and cheap to import; the other modules load the
native library. The child's main thread owns the model and decodes; others answer "tokenize" and notice when the program
ends.
"""
