"""Child processes, and the threads that do jobs one after the other.

Owns how a child is started, talked to, limited and ended, and how its end is explained; what it computes is its room's
business. A ``ChildProcess`` belongs to the thread that made it; ``parent`` is what runs in the child itself.
"""
