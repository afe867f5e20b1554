"""Which GPUs there are: asked of llama.cpp in a child process that ends at once, since only children may load it."""

import logging
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection

from app.engine.devices import Device, Machine, gpu, this_ram

log = logging.getLogger(__name__)

Found = tuple[str, int, int]
"""A GPU's description, total and free memory in bytes."""
WAIT_S = 30.0


def this_machine(*, measure: bool = True) -> Machine:
    """RAM and GPUs as they are now. Takes about half a second."""
    ram = this_ram(measure=measure)
    return Machine(ram, tuple(device(found, ram) for found in find_gpus()))


def find_gpus(target: Callable[[Connection], None] | None = None) -> list[Found]:
    """In llama.cpp's order; none where it cannot be asked. ``target`` runs in the child; tests hand in another."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=target or _ask, args=(theirs,), name="alcove-devices", daemon=True)
    found: list[Found] = []
    try:
        process.start()
        theirs.close()
        if ours.poll(WAIT_S):
            found = ours.recv()
    except (OSError, EOFError) as error:
        log.info("llama.cpp could not be asked for GPUs: %r", error)
    finally:
        ours.close()
        if process.pid is not None:
            process.kill()
            process.join()
        process.close()
    return found


def _ask(connection: Connection) -> None:
    from app.engine.llama import bindings

    bindings.start()
    connection.send([(device.description or device.name, device.total, device.free) for device in bindings.gpus()])
    connection.close()


def device(found: Found, ram: Device) -> Device:
    """Apple's GPUs and those inside a processor use the RAM: they claim about as much of it as there is."""
    name, total, free = found
    return gpu(name, total, free, unified="Apple" in name or total >= 0.9 * ram.total)
