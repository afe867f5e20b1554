"""What a model may call: sets of tools joined to one, the offer of one answer, the tools that come with the program.

A call runs on the turn thread that asked for it; sets are asked for their tools on any thread. Approval is the agent's
matter; documents come in as a ``PassageSearch``.
"""
