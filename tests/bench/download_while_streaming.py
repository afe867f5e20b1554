"""How late the window is while a model is downloaded and an answer streams, as JSON on standard output.

    QT_QPA_PLATFORM=offscreen python tests/bench/download_while_streaming.py [--megabytes 100] [--rate 200] [--page]

The whole program over its own services; only the engine is a fake that is given tokens at an even rate. The Hub is a
loopback server in a process of its own, as fast as the machine allows. A timer of 5 ms on the UI thread tells how late
it runs: first with the stream alone, then with the download beside it. ``--page`` shows the models page meanwhile.
"""

import argparse
import gc
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.domain.drafts import Draft
from app.domain.events import DownloadFailed, DownloadFinished
from app.engine.fake import FakeEngine
from app.services import Services
from app.storage.paths import Paths
from ui.bridge import Bridge
from ui.shell.window import MainWindow
from ui.theme import apply_theme

HUB = Path(__file__).parents[1] / "app" / "models" / "conftest.py"
REPO = "maker/Model-GGUF"
BEAT_MS = 5
TEMPLATE = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
WORDS = "the **model** reads `layers` of memory, because each value is computed once and kept\n\n- for later\n".split(
    " "
)
GOALS = {"p95_ms": 8.0, "max_ms": 50.0}


def serve(megabytes: int) -> None:
    """In a process of its own: the Hub of the tests, until standard input ends."""
    spec = importlib.util.spec_from_file_location("loopback_hub", HUB)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["loopback_hub"] = module
    spec.loader.exec_module(module)
    with module.Server(("127.0.0.1", 0), module.Handler) as server:
        hub = server.hub = module.Hub(server)
        hub.add(REPO, {"Model-Q8_0.gguf": module.gguf(megabytes * 1_000_000)})
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(hub.url, flush=True)
        sys.stdin.read()
        server.shutdown()


@contextmanager
def hub_process(megabytes: int) -> Iterator[str]:
    command = [sys.executable, str(Path(__file__)), "--serve", "--megabytes", str(megabytes)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate(timeout=20)


class Tokens(threading.Thread):
    """Gives the engine its tokens, ``rate`` a second."""

    def __init__(self, engine: FakeEngine, rate: float) -> None:
        super().__init__(name="tokens")
        self._engine, self._rate = engine, rate
        self.given = 0
        self.stop = threading.Event()

    def run(self) -> None:
        begun = time.monotonic()
        while not self.stop.wait(0.005):
            due = int((time.monotonic() - begun) * self._rate) - self.given
            if due > 0:
                self._engine.release(due)
                self.given += due


class Heart:
    """How late a timer of the UI thread runs, and how much CPU the thread took between two beats."""

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self.late: list[float] = []
        self.blocks: list[float] = []

    def start(self) -> None:
        self.late, self.blocks = [], []
        self._last, self._cpu = time.perf_counter(), time.thread_time()
        self._timer.start(BEAT_MS)

    def stop(self) -> dict[str, object]:
        self._timer.stop()
        figures: dict[str, object] = {
            "beats": len(self.late),
            "p50_ms": percentile(self.late, 0.5),
            "p95_ms": percentile(self.late, 0.95),
            "max_ms": round(max(self.late), 2),
            "block_cpu_p95_ms": percentile(self.blocks, 0.95),
            "block_cpu_max_ms": round(max(self.blocks), 2),
        }
        figures["met"] = all(float(str(figures[name])) <= goal for name, goal in GOALS.items())
        return figures

    def _beat(self) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        self.late.append((now - self._last) * 1000 - BEAT_MS)
        self.blocks.append((cpu - self._cpu) * 1000)
        self._last, self._cpu = now, cpu


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2)


def until(app: QApplication, condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Run the event loop as the program does, looking at the condition now and then."""
    look = QTimer()
    look.timeout.connect(lambda: app.exit() if condition() else None)
    look.start(50)
    late = QTimer()
    late.setSingleShot(True)
    late.timeout.connect(app.exit)
    late.start(int(seconds * 1000))
    app.exec()
    assert condition(), "it took too long"


def measure(app: QApplication, services: Services, window: MainWindow, tokens: Tokens, page: bool) -> dict[str, object]:
    heart = Heart()
    window.chat.send(Draft("Tell me much."))
    tokens.start()
    until(app, lambda: tokens.given > 400)
    if page:
        window.model_page.open()
    gc.freeze()  # as the program does once it has started
    settled = time.monotonic() + 5
    heart.start()
    until(app, lambda: time.monotonic() > settled)
    alone = heart.stop()
    ended: list[object] = []
    window._bridge.received.connect(
        lambda event: ended.append(event) if isinstance(event, DownloadFinished | DownloadFailed) else None
    )
    repository = services.models.repository(REPO)  # imports the Hub's library, which is not what is measured
    begun = time.monotonic()
    heart.start()
    window._bridge.run(lambda: services.models.downloads.start(repository, repository.models[0]))
    until(app, lambda: bool(ended))
    both = heart.stop()
    return {
        "stream_alone": alone,
        "stream_and_download": both,
        "download_s": round(time.monotonic() - begun, 2),
        "download_finished": isinstance(ended[0], DownloadFinished),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--rate", type=float, default=200.0, help="tokens a second")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.megabytes)
        return 0
    app = QApplication(sys.argv[:1])
    apply_theme(app, "light")
    engines: list[FakeEngine] = []

    def make_engine(publish: Callable[[object], None]) -> FakeEngine:
        engines.append(FakeEngine(template=TEMPLATE, publish=publish, auto=False, context=1 << 20))
        return engines[-1]

    with tempfile.TemporaryDirectory() as home, hub_process(arguments.megabytes) as url:
        os.environ["HF_ENDPOINT"], os.environ["HF_HOME"] = url, f"{home}/hub"
        paths = Paths.below(Path(home)).create()
        services = Services.create(paths, engine=make_engine)
        engine = engines[0]
        engine.script([f"{word} " for word in WORDS] * 4000, auto=False)
        bridge = Bridge(services.mailbox)
        window = MainWindow(services, bridge)
        window.show()
        window.start()
        until(app, lambda: window.views.picker.text() != "Choose a model")
        tokens = Tokens(engine, arguments.rate)
        results = measure(app, services, window, tokens, arguments.page)
        tokens.stop.set()
        tokens.join()
        window.chat.stop()
        until(app, lambda: not window.chat.running)
        window.close()
        bridge.close()
        services.close()
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    text = json.dumps({"load_per_core": round(load, 2), "busy": load > 0.5, "goals": GOALS, **results}, indent=2)
    print(text)
    if arguments.json is not None:
        arguments.json.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
