"""How a person wants this model to be loaded. Each wish is automatic until it is touched."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.domain.placement import LoadOverrides, Placement
from ui.widgets.choice import ChoiceBox
from ui.widgets.dial import Dial
from ui.widgets.tip import plain_tip

LEAST_CONTEXT = 512  # tokens
MOST_CONTEXT = 131_072  # where the file does not say what the model was trained for
CACHE_TYPES = (None, ("f16", "f16"), ("q8_0", "q8_0"), ("q4_0", "q4_0"))  # that are offered


class OverridesForm(QWidget):
    changed = Signal(object)  # LoadOverrides

    def __init__(self, cores: int, parent: QWidget | None = None) -> None:
        """``cores``: how many threads can work at once."""
        super().__init__(parent)
        self._overrides = LoadOverrides()
        self._cores = max(1, cores)
        self.context = Dial(self.tr("Context"), self.tr("How many tokens of a conversation the model can see"), self)
        self.gpu = Dial(
            self.tr("GPU layers"),
            self.tr("How many layers the GPU computes; more are faster, as long as they fit"),
            self,
        )
        self.experts = Dial(
            self.tr("Expert layers"),
            self.tr("How many layers keep their experts on the GPU; those of the others are in memory"),
            self,
        )
        self.threads = Dial(self.tr("Threads"), self.tr("How many cores of the processor work at most"), self)
        self.cache = ChoiceBox(self)
        self._cache_types: list[tuple[str, str] | None] = []
        self.no_gpu = QLabel(self.tr("No graphics card was found, so the processor computes everything."), self)
        self.no_gpu.setProperty("kind", "muted")
        self.no_gpu.setWordWrap(True)
        self.cache.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToContents)
        self._show_cache(None)
        self._build()
        self.context.changed.connect(lambda value: self._change(replace(self._overrides, context=value)))
        self.gpu.changed.connect(lambda value: self._change(replace(self._overrides, gpu_layers=value)))
        self.experts.changed.connect(lambda value: self._change(replace(self._overrides, expert_layers=value)))
        self.threads.changed.connect(lambda value: self._change(replace(self._overrides, threads=value)))
        self.cache.activated.connect(
            lambda index: self._change(replace(self._overrides, kv_types=self._cache_types[index]))
        )

    def _build(self) -> None:
        label = QLabel(self.tr("KV cache"), self)
        label.setBuddy(self.cache)
        meaning = self.tr("A smaller one makes room for a longer context, and answers get a little less exact")
        self.cache.setToolTip(plain_tip(meaning))
        self.cache.setAccessibleName(self.tr("KV cache"))
        self.cache.setAccessibleDescription(meaning)
        cache = QHBoxLayout()
        cache.setSpacing(8)
        cache.addWidget(label, 1)
        cache.addWidget(self.cache)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        for dial in (self.context, self.gpu, self.experts):
            column.addWidget(dial)
        column.addWidget(self.no_gpu)
        column.addLayout(cache)
        column.addWidget(self.threads)

    @property
    def overrides(self) -> LoadOverrides:
        return self._overrides

    def show_overrides(self, overrides: LoadOverrides, plan: Placement, threads: int | None) -> None:
        """``plan`` is what comes of ``overrides``; ``threads``: of the settings for all models."""
        self._overrides = overrides
        gpus = any(share.kind == "gpu" for share in plan.shares)
        self.context.show_stops(context_stops(plan.context_trained, overrides.context or plan.context))
        self.context.show_choice(overrides.context, plan.context)
        self.gpu.setVisible(gpus)
        self.gpu.show_stops(range(plan.layers + 1))
        self.gpu.show_choice(overrides.gpu_layers, plan.gpu_layers)
        self.experts.setVisible(gpus and plan.layers_with_experts > 0)
        self.experts.show_stops(range(plan.layers_with_experts + 1))
        self.experts.show_choice(overrides.expert_layers, plan.expert_layers)
        self.no_gpu.setVisible(not gpus)
        self.threads.show_stops(range(1, max(self._cores, overrides.threads or 1) + 1))
        self.threads.show_choice(overrides.threads, threads or self._cores)
        self._show_cache(overrides.kv_types)

    def _show_cache(self, chosen: tuple[str, str] | None) -> None:
        types = list(CACHE_TYPES)
        texts = [
            self.tr("Automatic: full"),
            self.tr("Full: 16 bits"),
            self.tr("Half: 8 bits"),
            self.tr("Quarter: 4 bits"),
        ]
        if chosen is not None and chosen not in types:  # written by hand
            types.append(chosen)
            texts.append(" / ".join(chosen))
        if types != self._cache_types:
            self._cache_types = types
            self.cache.clear()
            self.cache.addItems(texts)
        self.cache.setCurrentIndex(types.index(chosen))

    def _change(self, overrides: LoadOverrides) -> None:
        if overrides != self._overrides:
            self._overrides = overrides
            self.changed.emit(overrides)


def context_stops(trained: int, shown: int) -> Sequence[int]:
    """Doubling up to what the model was trained for; ``shown`` can always be shown."""
    most = max(trained or MOST_CONTEXT, shown)
    stops, step = [], min(LEAST_CONTEXT, most)
    while step < most:
        stops.append(step)
        step *= 2
    return (*([shown] if shown < stops[0] else []), *stops, most) if stops else (most,)
