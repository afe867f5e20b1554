"""Asks for plans, remembers overrides, and keeps the panel true. The panel is made when it is first opened."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.domain.errors import AppError, ErrorInfo
from app.domain.events import (
    EngineDied,
    ModelFailed,
    ModelLoaded,
    ModelLoading,
    ModelTuned,
    ModelUnloaded,
    TokenRate,
    TurnFinished,
)
from app.domain.messages import GenerationStats, Message
from app.domain.models import ModelInfo
from app.domain.placement import LoadOverrides, Placement, Tuning
from app.domain.sampling import ChosenSampling
from app.services import Services
from ui.bridge import Bridge
from ui.errors import error_hint, error_message
from ui.models.lane import Lane
from ui.models.panel.rates import Rates
from ui.models.panel.view import ModelPanel
from ui.reuse import explained

MOST_ANSWERS = 16  # whose speed is kept, so that another conversation can be looked at meanwhile


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the services say about a model. ``plan``: what comes of the overrides that are remembered, ``trial``: of
    others. ``threads``: of the settings for all models."""

    remembered: LoadOverrides
    plan: Placement | None
    trial: Placement | None
    threads: int | None
    info: ModelInfo | None
    sampling: ChosenSampling | None
    error: ErrorInfo | None = None


class ModelPanelController(QObject):
    reload_wanted = Signal()
    choose_wanted = Signal()
    made = Signal(object)  # ModelPanel

    def __init__(self, services: Services, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._plans = services.plans
        self._models = services.model_choice
        self._bridge = bridge
        self._lane = Lane(bridge, self)
        self._stopwatch = Lane(bridge, self)
        self._stopwatch.busy_changed.connect(self._tuning_changed)
        self._tuning: Tuning | None = None  # the last result, of the model at _path
        self._panel: ModelPanel | None = None
        self._path = ""
        self._progress: float | None = None
        self._info: ModelInfo | None = None  # of the model at _path, where it is loaded
        self._remembered = LoadOverrides()
        self._edited: LoadOverrides | None = None  # what the form shows, where that is something else
        self._plan: Placement | None = None
        self._trial: Placement | None = None
        self._sampling: ChosenSampling | None = None  # of the model that is loaded
        self._threads: int | None = None
        self._asks = ""  # the model that the services are asked about just now
        self._again = False  # and once more after that
        self._asked = False  # whether the services have answered about this model
        self._rates: dict[str, Rates] = {}  # by answer
        self._answer, self._stats = "", GenerationStats()
        self._writing = False  # the answer on the screen
        self._running: set[str] = set()  # conversations
        self._load_failed = False  # the last time that it was loaded
        self._waits = False  # to load again, until nothing runs
        bridge.received.connect(self._apply)

    def panel(self) -> ModelPanel:
        if self._panel is None:
            panel = self._panel = ModelPanel()
            panel.opened.connect(self.refresh)
            panel.choose_requested.connect(self.choose_wanted)
            panel.form.changed.connect(self._try)
            panel.reset_requested.connect(lambda: self._try(LoadOverrides()))
            panel.load_requested.connect(self._load)
            panel.tuning.start_requested.connect(self._tune)
            panel.tuning.stop_requested.connect(self._stopwatch.stop)
            self._show()
            self._show_answer()
            self.made.emit(panel)
        return self._panel

    def stop(self) -> None:
        """The window closes: nobody waits for plans or figures."""
        self._lane.stop()
        self._stopwatch.stop()

    # What the window tells.

    def set_current(self, path: str) -> None:
        """The model that answers, "" for none."""
        if path != self._path:
            self._path, self._edited, self._plan, self._trial = path, None, None, None
            self._info, self._sampling, self._progress, self._remembered = None, None, None, LoadOverrides()
            self._waits = self._asked = self._load_failed = False
            self._asks, self._tuning = "", None
            self._stopwatch.stop()
            self._notice("")
            self._show()
        self.refresh()

    def show_answer(self, message: Message | None) -> None:
        """The last answer of the conversation on the screen."""
        self._answer = message.id if message is not None else ""
        self._stats = (message.stats if message is not None else None) or GenerationStats()
        self._writing = message is not None and message.stats is None and self._answer in self._rates
        self._show_answer()

    def follow(self, event: object) -> None:
        """What happens to the answer on the screen."""
        answer = getattr(event, "answer_id", "")
        another = answer != self._answer
        if another:
            self._answer, self._stats = answer, GenerationStats()
        self._writing = not isinstance(event, TurnFinished)
        if isinstance(event, TurnFinished):
            self._stats = event.stats
        if another or not isinstance(event, TokenRate):  # which comes from the bridge, too, and is drawn there
            self._show_answer()

    def set_running(self, conversation_id: str, running: bool) -> None:
        (self._running.add if running else self._running.discard)(conversation_id)
        if self._waits and not self._running:
            self._waits = False
            self._notice("")
            self.reload_wanted.emit()
        self._show_buttons()

    def refresh(self) -> None:
        """Ask again: free memory, settings and what is loaded may have changed."""
        if self._panel is None or not self._panel.isVisible() or not self._path:
            return
        if self._asks == self._path:  # while a slider moves, each answer is shown, not only the last one
            self._again = True
            return
        path, edited = self._path, self._edited
        self._asks, self._again = path, False
        self._lane.ask(lambda _: self._ask(path, edited), lambda answer: self._answered(path, answer), self._failed)

    # On the bridge's pool.

    def _ask(self, path: str, edited: LoadOverrides | None) -> _Answer:
        remembered = self._plans.overrides(path)
        info = self._models.info()
        info = info if info is not None and _same(info.path, path) else None
        plan, trial, error = None, None, None
        try:
            plan = self._plans.of_file(path, remembered)
            trial = self._plans.of_file(path, edited) if edited is not None else None
        except AppError as failure:
            error = failure.info
        threads = self._plans.effective(LoadOverrides()).threads
        return _Answer(remembered, plan, trial, threads, info, self._sampling_of(info), error)

    def _sampling_of(self, info: ModelInfo | None) -> ChosenSampling | None:
        try:
            return self._models.sampling(info) if info is not None else None
        except AppError:  # its template cannot be read, which is told where an answer needs it
            return None

    # Back on the UI thread.

    def _answered(self, path: str, answer: _Answer) -> None:
        if path != self._path:
            return
        self._asks = ""
        self._remembered, self._threads = answer.remembered, answer.threads
        self._plan, self._trial = answer.plan, answer.trial
        self._info, self._asked = answer.info, True
        self._sampling = answer.sampling
        if self._edited == self._remembered:
            self._edited = None
        if answer.error is not None:
            self._notice(_text(answer.error), "error")
        self._show()
        again, self._again = self._again, False
        if again:
            self.refresh()

    def _failed(self, error: ErrorInfo) -> None:
        self._asks, self._again = "", False
        self._notice(_text(error), "error")

    def _try(self, overrides: LoadOverrides) -> None:
        """Show what would come of it; nothing is kept."""
        self._edited = overrides if overrides != self._remembered else None
        self._show_buttons()
        self.refresh()

    def _load(self) -> None:
        """Keep the overrides and load again, once no answer is being written."""
        path, overrides = self._path, self._overrides
        self._notice("")
        self._bridge.run(
            lambda: self._plans.remember(path, overrides),
            lambda _: self._kept(path, overrides),
            self._failed,
            receiver=self,
        )

    def _kept(self, path: str, overrides: LoadOverrides) -> None:
        if path != self._path:
            return
        self._remembered, self._edited = overrides, None
        if self._running:
            self._waits = True
            self._notice(self.tr("It is loaded again as soon as the answer is finished."), "muted")
            self._show()
        else:
            self.reload_wanted.emit()
            self.refresh()

    def _apply(self, event: object) -> None:
        match event:
            case TokenRate(answer_id=answer, tokens_per_second=rate):
                self._rates_of(answer).add(rate)
                if answer == self._answer:
                    self._show_answer()
            case ModelLoading(path=path, progress=progress) if self._is_current(path):
                self._info, self._progress, self._load_failed = None, progress, False
                self._notice("")
                self._show_model()
                self._show_buttons()
            case ModelLoaded(model=model, note=note) if self._is_current(model.path):
                self._info, self._progress, self._load_failed = model, None, False
                self._notice(_text(note) if note is not None else "")
                self._show()
                self.refresh()
            case ModelFailed(path=path, error=error) if self._is_current(path):
                self._load_failed = True
                self._gone()
                self._notice(_text(error), "error")
            case ModelTuned(path=path, tuning=tuning) if self._is_current(path):
                self._tuning = tuning
                self._show_tuning()
            case EngineDied(path=path) | ModelUnloaded(path=path) if self._is_current(path):
                self._gone()
            case _:
                pass

    def _tune(self) -> None:
        """Its result comes as an event, as that of a comparison in idle time does."""
        self._notice("")
        self._stopwatch.ask(self._models.tune, lambda _: None, self._failed)

    def _tuning_changed(self, running: bool) -> None:
        if self._panel is not None:
            self._panel.tuning.show_running(running)
        self._show_tuning()
        self._show_buttons()

    def _gone(self) -> None:
        """It is not loaded, and not on its way."""
        self._info, self._progress = None, None
        self._show()
        self.refresh()

    def _is_current(self, path: str) -> bool:
        return bool(self._path) and _same(path, self._path)

    def _rates_of(self, answer: str) -> Rates:
        if answer not in self._rates:
            self._rates[answer] = Rates()
            while len(self._rates) > MOST_ANSWERS:
                del self._rates[next(iter(self._rates))]
        return self._rates[answer]

    # Showing.

    def _show(self) -> None:
        if self._panel is None:
            return
        if not self._path:
            self._panel.show_nothing()
            return
        self._show_model()
        self._show_tuning()
        self._panel.show_sampling(self._sampling if self._info is not None else None)
        trial = self._trial if self._edited is not None else self._plan if self._waits else None
        self._panel.show_placement(
            self._plan, trial, self._info, self._overrides, self._threads, known=self._asked, failed=self._load_failed
        )
        self._show_buttons()

    @property
    def _overrides(self) -> LoadOverrides:
        """What the form shows."""
        return self._remembered if self._edited is None else self._edited

    def _show_model(self) -> None:
        if self._panel is not None:
            name = self._info.name if self._info is not None else Path(self._path).stem
            self._panel.show_model(name, self._info, self._progress, failed=self._load_failed)

    def _show_buttons(self) -> None:
        if self._panel is not None:
            idle = self._progress is None and not self._waits and not self._stopwatch.busy
            self._panel.show_buttons(
                loadable=idle and (self._edited is not None or self._info is None),
                edited=self._edited is not None or self._info is not None,
                resettable=self._overrides != LoadOverrides(),
                tunable=idle and self._info is not None and self._edited is None and not self._running,
            )

    def _show_tuning(self) -> None:
        if self._panel is not None:
            self._panel.tuning.show_result(self._tuning)

    def _show_answer(self) -> None:
        if self._panel is None:
            return
        rates = self._rates.get(self._answer) or Rates()
        self._panel.speed.show_answer(rates, None if self._writing else self._stats)
        self._panel.show_reuse(explained(self._stats), writing=self._writing)

    def _notice(self, text: str, kind: str = "warning") -> None:
        if self._panel is not None:
            self._panel.show_notice(text, kind)


def _same(first: str, second: str) -> bool:
    return Path(first).absolute() == Path(second).absolute()


def _text(info: ErrorInfo) -> str:
    return f"{error_message(info)} {error_hint(info)}".strip()
