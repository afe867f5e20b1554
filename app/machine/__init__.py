"""The machine that models run on: its devices and their free memory. Values and look-ups, without llama.cpp."""
