"""The arguments of a call: read, checked against the tool's JSON Schema, and what is wrong with them in a sentence.

Schemas and arguments are strangers' texts. What a schema says is checked as far as that has a bounded cost and asks
nobody; the rest is left to the tool. Any thread.
"""
