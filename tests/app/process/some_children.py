"""What runs in the children of these tests."""

import os
import signal
import sys
import threading

from app.process.parent import Parent, end_with_the_program, limit_memory


def echoes(parent: Parent, greeting: str) -> None:
    """Says the greeting, and then back whatever it hears."""
    parent.take_over()
    parent.connection.send(greeting)
    while True:
        parent.connection.send(parent.connection.recv())


def waits_for_stop(parent: Parent) -> None:
    parent.connection.send("ready")
    while not parent.says_stop:
        threading.Event().wait(0.002)
    parent.connection.send("stopped")


def hangs(parent: Parent) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    parent.connection.send("ready")
    threading.Event().wait()


def prints_and_dies(parent: Parent, words: str, code: int) -> None:
    """``code`` below 0: of that signal."""
    parent.take_over()
    os.write(2, words.encode())
    sys.stdout.flush()
    if code < 0:
        os.kill(os.getpid(), -code)
    os._exit(code)


def is_limited(parent: Parent, megabytes: int) -> None:
    limit_memory(megabytes)
    try:
        len(bytearray(2 * megabytes << 20))
    except MemoryError:
        parent.connection.send("refused")
    else:
        parent.connection.send("taken")


def spins(parent: Parent) -> None:
    """Never looks at the pipe again."""
    end_with_the_program()
    print(os.getpid(), flush=True)
    while True:
        pass
