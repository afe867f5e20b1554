"""Reading what a model wrote, character by character: its text, open JSON, literals, values by a schema.

Pure; used by the calls and the families.
"""
