"""One answer: rounds of writing and of tool calls, until the model has said all or somebody stops it.

Runs on the thread of the turn. Knows responders and tools, no engine and no format.
"""
