"""The machine that models run on: devices and their free memory, processors, how many threads it bears.

Values and look-ups without llama.cpp, on any thread; a `ThreadControl` belongs to the one that computes.
"""
