"""Which GPUs there are, and whether AMX: asked of llama.cpp in a child that ends at once; only children may load it."""

import logging
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection

from app.machine.devices import Device, Machine, gpu, this_ram

log = logging.getLogger(__name__)

Found = tuple[str, int, int]
"""A GPU's description, total and free memory in bytes."""
Answer = tuple[list[Found], bool]
WAIT_S = 30.0


def this_machine(*, measure: bool = True) -> Machine:
    """RAM and GPUs as they are now. Takes about half a second."""
    ram = this_ram(measure=measure)
    gpus, amx = ask()
    return Machine(ram, tuple(device(found, ram) for found in gpus), amx=amx)


def ask(target: Callable[[Connection], None] | None = None) -> Answer:
    """GPUs in llama.cpp's order, and whether it uses AMX; nothing where it cannot be asked. ``target`` runs in the
    child; tests hand in another."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=target or _ask, args=(theirs,), name="alcove-devices", daemon=True)
    found: Answer = ([], False)
    try:
        process.start()
        theirs.close()
        if ours.poll(WAIT_S):
            found = ours.recv()
    except (OSError, EOFError) as error:
        log.info("llama.cpp could not be asked for devices: %r", error)
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
    gpus = [(device.description or device.name, device.total, device.free) for device in bindings.gpus()]
    connection.send((gpus, bindings.has_amx()))
    connection.close()


def device(found: Found, ram: Device) -> Device:
    """Apple's GPUs and those inside a processor use the RAM: they claim about as much of it as there is."""
    name, total, free = found
    return gpu(name, total, free, unified="Apple" in name or total >= 0.9 * ram.total)
