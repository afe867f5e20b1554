"""The one gate for outgoing connections: offline switch, reasons, proxy, the operating system's trust store.

Any thread. Whoever opens a connection to another machine asks here first or takes its client from here; nothing in here
knows what is fetched.
"""
