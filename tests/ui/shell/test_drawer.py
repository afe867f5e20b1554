"""The drawer on the right: tool calls and the model, one at a time."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from app.domain.events import ApprovalRequested, ModelLoaded, PartStarted
from app.domain.messages import GenerationStats, Message, MessageStatus, Role, TextPart, ToolCallPart
from app.domain.models import ModelInfo
from app.domain.placement import LoadOverrides
from ui.shell.window import MainWindow

Settle = Callable[[Callable[[], bool]], None]
QWEN = "tests/data/shapes/qwen3-30b-a3b-q4_k_m.gguf"


@pytest.fixture
def talk(window: MainWindow, services: Any, stored: Callable[..., Message], settle: Settle) -> str:
    """An open conversation with an answer whose prompt is known."""
    conversation = services.store.create(title="Talk")
    stored(conversation.id, "q", Role.USER, "Why?")
    stats = GenerationStats(900, 500, 100, 2.0, 4.0, 2.1, "memory", evaluated_tokens=400)
    answer = Message(
        "a", conversation.id, "q", Role.ASSISTANT, MessageStatus.COMPLETE, (TextPart("So."),), 0.0, stats=stats
    )
    services.store.add_message(answer)
    services.store.set_active_leaf(conversation.id, "a")
    window.chat.open(conversation.id)
    settle(lambda: len(window.chat.messages) == 2)
    return str(conversation.id)


def button(window: MainWindow, label: str) -> QToolButton:
    (found,) = [each for each in window.findChildren(QToolButton) if each.accessibleName().startswith(label)]
    return found


def test_each_button_opens_its_page_and_closes_it_again(window: MainWindow) -> None:
    drawer = window.views.drawer
    model, tools = button(window, "Show or hide where the model lies"), button(window, "Show or hide the tool calls")
    model.click()
    assert (drawer.page, model.isChecked(), tools.isChecked()) == ("model", True, False)
    tools.click()
    assert (drawer.page, model.isChecked(), tools.isChecked()) == ("tools", False, True)
    tools.click()
    assert (drawer.page, drawer.isVisible(), tools.isChecked()) == ("", False, False)


def test_a_key_opens_the_model_and_its_cross_closes_it(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    panel = window.model_panel.panel()
    assert panel.isVisible()
    panel.close_requested.emit()
    assert window.views.drawer.page == ""


def test_the_page_is_open_again_after_a_restart(make_window: Callable[[], MainWindow]) -> None:
    window = make_window()
    window.views.drawer.open("model")
    window.close()
    assert make_window().views.drawer.page == "model"


def test_a_tool_call_opens_the_drawer_but_takes_nothing_away(
    window: MainWindow, services: Any, talk: str, settle: Settle
) -> None:
    seen: list[object] = []
    window._bridge.received.connect(seen.append)
    call = ToolCallPart("k", "calculator", "{}")
    window.views.drawer.open("model")
    services.mailbox.publish(PartStarted(talk, "a", 1, call))
    services.mailbox.publish(ApprovalRequested(talk, "a", "k", "calculator", "{}"))
    settle(lambda: len(seen) == 2)
    assert window.views.drawer.page == "model"
    window.panels.close()
    services.mailbox.publish(PartStarted(talk, "a", 2, call))
    settle(lambda: window.views.drawer.page == "tools")


def test_the_panel_tells_of_the_last_answer_of_the_open_conversation(
    window: MainWindow, talk: str, settle: Settle
) -> None:
    window.views.drawer.open("model")
    panel = window.model_panel.panel()
    assert "500 of 900" in panel.reuse.text()
    window.new_chat()
    assert "500 of 900" not in panel.reuse.text()
    window.chat.open(talk)
    settle(lambda: "500 of 900" in panel.reuse.text())


def test_settings_from_the_panel_load_the_model_again(window: MainWindow, services: Any, settle: Settle) -> None:
    services.model_choice.files[0] = services.model_choice.chosen = services.model_choice.files[0].__class__(
        "qwen", QWEN
    )
    plan = services.plans.of_file(QWEN)
    services.model_choice.loaded = ModelInfo(
        "qwen", QWEN, "qwen3moe", "", 1, 1, plan.context, 0, "", "", 0, "", "", add_bos=False, placement=plan
    )
    window.views.drawer.open("model")
    window.models.refresh()
    services.mailbox.publish(ModelLoaded(services.model_choice.loaded))
    panel = window.model_panel.panel()
    settle(lambda: panel.form.isEnabled() and panel.form.isVisible())
    panel.form.context.slider.setValue(1)
    settle(panel.load.isEnabled)
    preloads = services.model_choice.preloads
    panel.load.click()
    settle(lambda: services.model_choice.preloads == preloads + 1)
    assert services.plans.overrides(QWEN) == LoadOverrides(context=1024)
