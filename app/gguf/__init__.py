"""Reads GGUF headers: metadata and the tensor table, from a local file or by byte ranges. No llama.cpp, any thread."""
