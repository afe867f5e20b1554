"""Which GPUs there are, and whether AMX: asked of llama.cpp in a child that ends at once; only children may load it."""

import logging
from collections.abc import Callable

from app.engine.llama import devices
from app.machine.devices import Machine, found_gpu, this_ram
from app.process.child import ChildProcess
from app.process.parent import Parent

log = logging.getLogger(__name__)

WAIT_S = 30.0


def this_machine(*, measure: bool = True) -> Machine:
    """RAM and GPUs as they are now. Takes about half a second."""
    ram = this_ram(measure=measure)
    gpus, amx = ask()
    return Machine(ram, tuple(found_gpu(*found, ram) for found in gpus), amx=amx)


def ask(target: Callable[[Parent], None] = devices.tell) -> devices.Answer:
    """GPUs in llama.cpp's order, and whether it uses AMX; nothing where it cannot be asked.

    ``target`` runs in the child; tests hand in another.
    """
    nothing: devices.Answer = ([], False)
    try:
        child = ChildProcess(target, name="alcove-devices")
    except OSError as error:
        log.info("no process that could be asked for devices: %r", error)
        return nothing
    try:
        found: devices.Answer = child.connection.recv() if child.connection.poll(WAIT_S) else nothing
    except (OSError, EOFError):
        log.info("llama.cpp could not be asked for devices: %s", child.ending().detail)
        return nothing
    finally:
        child.close(patience_s=0)
    return found
