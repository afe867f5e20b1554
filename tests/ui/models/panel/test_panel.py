"""The panel over real plans for an invented machine, used through its widgets."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel, QScrollArea
from pytestqt.qtbot import QtBot

from app.domain.errors import ErrorInfo
from app.domain.events import ModelFailed, ModelLoaded, ModelLoading, ModelTuned, ModelUnloaded, TokenRate, TurnFinished
from app.domain.messages import Change, GenerationStats, Message, MessageStatus, Role, StopReason
from app.domain.models import ModelInfo, Sampling, SamplingValues
from app.domain.placement import LoadOverrides, PlacementVariant, Speed, Tuning
from app.domain.sampling import ChosenSampling, SamplingSource
from ui.bridge import Bridge
from ui.models.panel.controller import ModelPanelController
from ui.models.panel.view import ModelPanel
from ui.models.panel.words import sampling_lines

Settle = Callable[[Callable[[], bool]], None]
QWEN = "tests/data/shapes/qwen3-30b-a3b-q4_k_m.gguf"
OTHER = "tests/data/shapes/gpt-oss-20b-mxfp4.gguf"
STATS = GenerationStats(
    prompt_tokens=900, cached_tokens=500, generated_tokens=100, prefill_s=2.0, decode_s=4.0, ttft_s=2.1,
    cached_from="memory", evaluated_tokens=400, again_tokens=320, again_because=Change.TOOLS,
)  # fmt: skip


@pytest.fixture
def controller(services: Any, bridge: Bridge) -> ModelPanelController:
    return ModelPanelController(services, bridge)


@pytest.fixture
def panel(controller: ModelPanelController, qtbot: QtBot, settle: Settle) -> ModelPanel:
    """Opened, with a model that is not loaded."""
    panel = controller.panel()
    qtbot.addWidget(panel)
    panel.resize(340, 900)
    panel.show()
    controller.set_current(QWEN)
    settle(lambda: panel.head.sentence.text().startswith("qwen3"))
    return panel


@pytest.fixture
def info(services: Any) -> ModelInfo:
    """As the engine describes it once it is loaded."""
    plan = services.plans.of_file(QWEN)
    return ModelInfo(
        plan.model, QWEN, "qwen3moe", "", plan.weights, 30_500_000_000, plan.context, plan.context_trained,
        "", "v", 0, "", "", add_bos=False, seconds=4.2, placement=plan,
    )  # fmt: skip


@pytest.fixture
def load(services: Any, panel: ModelPanel, info: ModelInfo, settle: Settle) -> Callable[[], None]:
    def load() -> None:
        services.model_choice.loaded = info
        services.mailbox.publish(ModelLoaded(info))
        settle(lambda: panel.head.state.text() == "Loaded in 4.2 s")

    return load


@pytest.mark.parametrize("gpus", [(24,)])
def test_every_device_is_drawn_and_told(panel: ModelPanel) -> None:
    card, ram = panel.bars.descriptions()
    assert card.startswith("Card 1: ")
    assert "Experts" in card
    assert "Free" in card
    assert ram.startswith("RAM: ")
    assert panel.head.facts.text().startswith("Mixture\u00a0of\u00a0experts")
    assert panel.head.state.text() == "Not loaded. The next question loads it."
    panel.head.more.click()
    table = panel.head.table
    assert table.isVisible()
    assert panel.head.why.text()
    assert [table.horizontalHeaderItem(column).text() for column in range(table.columnCount())] == ["Card 1", "RAM"]
    panel.head.more.click()
    assert not table.isVisible()


@pytest.mark.parametrize("gpus", [(24,)])
def test_another_number_of_expert_layers_is_tried_at_once_and_kept_only_when_it_is_loaded(
    panel: ModelPanel, controller: ModelPanelController, services: Any, load: Callable[[], None], settle: Settle
) -> None:
    load()
    before = panel.bars.descriptions()
    assert not panel.load.isEnabled()
    assert not panel.bars.note.isVisible()
    panel.form.experts.slider.setValue(10)
    settle(panel.trial.isVisible)
    assert "tokens a second instead of" in panel.trial.text()
    assert panel.bars.descriptions() != before
    assert panel.bars.note.isVisible()
    assert services.plans.overrides(QWEN) == LoadOverrides()
    reloads: list[bool] = []
    controller.reload_wanted.connect(lambda: reloads.append(True))
    panel.load.click()
    settle(lambda: reloads == [True])
    assert services.plans.overrides(QWEN) == LoadOverrides(expert_layers=10)


@pytest.mark.parametrize("gpus", [(12,)])
def test_a_card_that_is_too_small_is_marked(panel: ModelPanel, settle: Settle) -> None:
    panel.form.experts.slider.setValue(48)
    settle(lambda: "does not fit" in panel.trial.text())
    assert panel.bars.devices[0].figures.text().endswith("too small")


def test_without_a_graphics_card_there_is_nothing_to_choose_on_it(panel: ModelPanel) -> None:
    assert not panel.form.gpu.isVisible()
    assert not panel.form.experts.isVisible()
    assert panel.form.no_gpu.isVisible()
    assert panel.form.threads.isVisible()


def test_reset_makes_everything_automatic_again(
    panel: ModelPanel, controller: ModelPanelController, services: Any, settle: Settle
) -> None:
    services.plans.remember(QWEN, LoadOverrides(context=4096, threads=1, kv_types=("q8_0", "q8_0")))
    controller.refresh()
    settle(lambda: panel.form.context.chosen == 4096)
    assert panel.form.cache.currentText() == "Half: 8 bits"
    assert panel.reset.isEnabled()
    panel.reset.click()
    settle(lambda: panel.form.context.chosen is None)
    assert panel.form.overrides == LoadOverrides()
    assert not panel.reset.isEnabled()
    assert services.plans.overrides(QWEN).context == 4096
    assert panel.load.isEnabled()


def test_a_cache_type_written_by_hand_is_shown(
    panel: ModelPanel, controller: ModelPanelController, services: Any, settle: Settle
) -> None:
    services.plans.remember(QWEN, LoadOverrides(kv_types=("q8_0", "q5_1")))
    controller.refresh()
    settle(lambda: panel.form.cache.currentText() == "q8_0 / q5_1")


def test_loading_waits_for_the_answer_that_is_being_written(
    panel: ModelPanel, controller: ModelPanelController, services: Any, load: Callable[[], None], settle: Settle
) -> None:
    load()
    reloads: list[bool] = []
    controller.reload_wanted.connect(lambda: reloads.append(True))
    controller.set_running("c", True)
    panel.form.context.slider.setValue(0)
    settle(panel.load.isEnabled)
    panel.load.click()
    settle(panel.notice.isVisible)
    assert "as soon as the answer is finished" in panel.notice.text()
    assert not panel.load.isEnabled()
    assert services.plans.overrides(QWEN).context == 512
    assert reloads == []
    controller.set_running("c", False)
    assert reloads == [True]
    assert not panel.notice.isVisible()


def test_progress_failure_and_rest_of_a_model_are_told(
    panel: ModelPanel, services: Any, load: Callable[[], None], settle: Settle
) -> None:
    publish = services.mailbox.publish
    publish(ModelLoading(QWEN, "qwen", 0.4))
    settle(lambda: panel.head.state.text() == "Loading: 40%")
    assert not panel.load.isEnabled()
    publish(ModelFailed(QWEN, "qwen", ErrorInfo("not-enough-memory", "It does not fit.", "Take a shorter context.")))
    settle(panel.notice.isVisible)
    assert panel.notice.text() == "It does not fit. Take a shorter context."
    assert panel.load.isEnabled()
    assert panel.load.text() == "Load this model"
    assert panel.head.state.text() == "It could not be loaded."
    assert "should answer" not in panel.head.sentence.text()
    publish(ModelLoading(QWEN, "qwen", 0.1))
    settle(lambda: not panel.notice.isVisible())
    load()
    assert not panel.notice.isVisible()
    assert "30.5B" in panel.head.facts.text()
    services.model_choice.loaded = None
    publish(ModelUnloaded(QWEN))
    settle(lambda: panel.head.state.text().startswith("Not loaded"))


def test_what_the_engine_did_instead_is_told(panel: ModelPanel, services: Any, info: ModelInfo, settle: Settle) -> None:
    smaller = replace(info.placement, context=2048, sentence="It runs with less.")
    services.model_choice.loaded = replace(info, placement=smaller)
    note = ErrorInfo("safer-plan", "It runs with a shorter context, because memory was short.")
    services.mailbox.publish(ModelLoaded(services.model_choice.loaded, note))
    settle(panel.notice.isVisible)
    assert panel.notice.text() == note.message
    settle(lambda: panel.head.sentence.text() == "It runs with less.")
    assert panel.form.context.box.value() == 2048


def test_another_model_brings_its_own_settings(
    panel: ModelPanel, controller: ModelPanelController, services: Any, settle: Settle
) -> None:
    services.plans.remember(OTHER, LoadOverrides(context=1024))
    panel.form.context.slider.setValue(0)
    controller.set_current(OTHER)
    assert panel.head.name.full_text() == "gpt-oss-20b-mxfp4"
    settle(lambda: panel.form.context.chosen == 1024)
    assert not panel.trial.isVisible()
    controller.set_current(QWEN)
    settle(lambda: panel.head.sentence.text().startswith("qwen3"))
    assert panel.form.overrides == LoadOverrides()


def test_without_a_model_there_is_a_way_to_one(controller: ModelPanelController, qtbot: QtBot, settle: Settle) -> None:
    panel = controller.panel()
    qtbot.addWidget(panel)
    panel.show()
    chosen: list[bool] = []
    controller.choose_wanted.connect(lambda: chosen.append(True))
    controller.set_current("")
    assert not panel.head.isVisible()
    (button,) = [each for each in panel.findChildren(type(panel.load)) if each.isVisible()]
    button.click()
    assert chosen == [True]


def test_a_file_that_is_no_model_is_told_in_the_panel(
    panel: ModelPanel, controller: ModelPanelController, settle: Settle
) -> None:
    controller.set_current("/gone/model.gguf")
    settle(panel.notice.isVisible)
    assert panel.notice.text()
    assert panel.head.name.full_text() == "model"
    assert not panel.form.isVisible()


def test_the_speed_is_drawn_while_it_is_written_and_summed_up_at_the_end(
    panel: ModelPanel, controller: ModelPanelController, services: Any, bridge: Bridge, settle: Settle
) -> None:
    bridge.received.connect(controller.follow)
    shown: list[str] = []
    for rate in (20.0, 30.0, 10.0, 40.0):
        services.mailbox.publish(TokenRate("c", "a", rate, 10, 100))
        settle(lambda: panel.speed.rate.figure.text() != (shown[-1] if shown else "–"))  # or they would merge
        shown.append(panel.speed.rate.figure.text())
    assert shown == ["20.0", "25.0", "20.0", "25.0"]
    assert panel.reuse.text() == "Told when the answer is finished."
    services.mailbox.publish(TurnFinished("c", "a", MessageStatus.COMPLETE, StopReason.STOP, STATS))
    settle(lambda: "The first token came after 2.10 s." in panel.speed.words.text())
    assert (panel.speed.rate.figure.text(), panel.speed.time.figure.text()) == ("25.0", "40 ms")
    assert "read at 200 tokens a second" in panel.speed.words.text()
    assert "because the list of tools changed" in panel.reuse.text()


def test_a_stored_answer_tells_of_its_speed_and_its_prompt(panel: ModelPanel, controller: ModelPanelController) -> None:
    answer = Message("a", "c", None, Role.ASSISTANT, MessageStatus.COMPLETE, (), 0.0, stats=STATS)
    controller.show_answer(answer)
    assert panel.speed.rate.figure.text() == "25.0"
    assert panel.reuse.text().startswith("Reused 500 of 900 tokens of the prompt from memory; 80 were new.")
    controller.show_answer(None)
    assert panel.speed.rate.figure.text() == "–"
    assert panel.reuse.text() == "Nothing was answered here yet."


def test_nothing_is_cut_in_a_narrow_panel(panel: ModelPanel, load: Callable[[], None]) -> None:
    load()
    panel.head.show_model("a_model_with_a_name_that_is_much_longer_than_the_panel_is_wide.Q4_K_M", None, None)
    panel.resize(278, 700)
    panel.grab()
    (area,) = panel.findChildren(QScrollArea)
    assert area.widget().width() == area.viewport().width()
    for label in panel.findChildren(QLabel):
        if label.isVisible() and label.text() and not label.wordWrap() and not label.toolTip():
            assert label.width() >= label.sizeHint().width() - 1, label.text()


PLAIN = Speed("as planned", 100.0, 20.0)
FASTER = PlacementVariant("with the experts of 2 layers less on the card", expert_layers=10)


def test_the_stopwatch_is_stopped_by_its_button(panel: ModelPanel, load: Callable[[], None], settle: Settle) -> None:
    assert not panel.tuning.button.isEnabled()  # it is not loaded
    load()
    assert panel.tuning.button.text() == "Find the fastest settings"
    panel.tuning.button.click()
    settle(lambda: panel.tuning.words.text().startswith("Timing a few ways"))
    panel.form.context.slider.setValue(0)
    assert not panel.load.isEnabled()
    assert panel.tuning.button.text() == "Stop"
    panel.tuning.button.click()
    settle(lambda: panel.tuning.button.text() == "Find the fastest settings")
    assert not panel.tuning.words.isVisible()
    assert panel.load.isEnabled()


def test_the_stopwatch_tells_what_is_the_fastest(
    panel: ModelPanel, controller: ModelPanelController, services: Any, load: Callable[[], None], settle: Settle
) -> None:
    load()
    tuning = Tuning(
        "qwen", FASTER, (PLAIN, Speed(FASTER.what, 90.0, 30.0), Speed("from the mapped file", 90.0, 12.0)), 12.0
    )
    panel.tuning.button.click()
    services.model_choice.tuned = tuning
    services.mailbox.publish(ModelTuned(QWEN, tuning))
    settle(panel.tuning.words.isVisible)
    settle(lambda: panel.tuning.words.text() == f"{tuning.sentence} Also timed: from the mapped file 12.0.")
    controller.set_current(OTHER)
    assert not panel.tuning.words.isVisible()


def test_an_answer_that_is_written_is_not_disturbed(
    panel: ModelPanel, controller: ModelPanelController, load: Callable[[], None]
) -> None:
    load()
    controller.set_running("c", True)
    assert not panel.tuning.button.isEnabled()
    controller.set_running("c", False)
    assert panel.tuning.button.isEnabled()


def test_how_words_are_chosen_is_told_with_who_says_so(
    panel: ModelPanel, info: ModelInfo, services: Any, settle: Settle
) -> None:
    assert not panel.sampling.isVisible()
    template = "{% if tools %}<tool_call>{{ arguments }}{% endif %}<think>{{ enable_thinking }}"  # Qwen 3's kind
    stated = SamplingValues(temperature=0.75, top_p=1.0)
    services.model_choice.loaded = replace(info, template=template, sampling=stated)
    services.mailbox.publish(ModelLoaded(services.model_choice.loaded))
    settle(panel.sampling.isVisible)
    assert panel.sampling.text().splitlines() == [
        "Temperature 0.75: from the model's file",
        "Top-k 20: as its makers recommend",
    ]
    services.mailbox.publish(ModelUnloaded(QWEN))
    services.model_choice.loaded = None
    settle(lambda: not panel.sampling.isVisible())


def test_a_template_that_cannot_be_read_leaves_the_panel_as_it_is(
    panel: ModelPanel, info: ModelInfo, services: Any, settle: Settle
) -> None:
    services.model_choice.loaded = replace(info, template="{% if %}")
    services.mailbox.publish(ModelLoaded(services.model_choice.loaded))
    settle(lambda: panel.head.state.text() == "Loaded in 4.2 s")
    assert not panel.sampling.isVisible()
    assert not panel.notice.isVisible()


@pytest.mark.parametrize(
    ("sampling", "lines"),
    [
        (Sampling(0.0, 20, 0.9, 0.1), ["Temperature 0, always the likeliest word: as its makers recommend"]),
        (
            Sampling(0.6, 0, 1.0, 0.05),
            ["Temperature 0.6: as its makers recommend", "Min-p 0.05: suits most models"],
        ),
        (
            Sampling(1.1, 40, 0.95, 0.0, 1.05),
            [
                "Temperature 1.1: as its makers recommend",
                "Top-k 40: from the list of models",
                "Top-p 0.95: your wish",
                "Repeat penalty 1.05: from the model's file",
            ],
        ),
    ],
)
def test_what_has_no_effect_is_not_told(sampling: Sampling, lines: list[str], themed: object) -> None:
    sources = {
        "temperature": SamplingSource.FAMILY,
        "top_k": SamplingSource.CATALOGUE,
        "top_p": SamplingSource.WISH,
        "min_p": SamplingSource.DEFAULT,
        "repeat_penalty": SamplingSource.FILE,
    }
    assert sampling_lines(ChosenSampling(sampling, sources)) == lines
