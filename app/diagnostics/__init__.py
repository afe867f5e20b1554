"""What is kept for whoever looks for a fault: the log, the traces of a crash, the report that a person can send.

Nothing in it holds what a person asked, what a model answered, or what a document says. ``log`` is begun by whoever
starts the program, on the main thread; records come from any thread. Everything else logs through ``logging`` alone.
"""
