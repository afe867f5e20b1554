"""What an answer may call, and how a call ends whatever happens in it."""

import logging
from collections.abc import Callable, Mapping

import pytest

from app.domain.errors import AppError, Cancelled
from app.domain.messages import ToolStatus
from app.domain.tools import Effect, Need, ToolContext, ToolOutcome, ToolSpec
from app.tools.fixed import FixedToolset
from app.tools.offer import Offer
from app.tools.toolsets import Toolsets

MakeContext = Callable[..., ToolContext]
SCHEMA: dict[str, object] = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}


class Echo:
    def __init__(self, name: str = "echo", effect: Effect = Effect.NONE, action: Exception | None = None) -> None:
        self.spec = ToolSpec(name, "says it again", SCHEMA, effect)
        self.action = action

    def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutcome:
        if self.action:
            raise self.action
        return ToolOutcome(ToolStatus.OK, f"{self.spec.name}: {arguments['text']}")


class Changing(FixedToolset):
    """A set whose tools are those that a test says."""

    def show(self, *tools: Echo) -> None:
        self.__init__(self.name, tools)  # as if it had just been made


def names(offer: Offer) -> list[str]:
    return [spec.name for spec in offer.specs]


@pytest.fixture
def toolsets() -> Toolsets:
    return Toolsets([FixedToolset("own", [Echo(), Echo("look", Effect.READS), Echo("write", Effect.WRITES)])])


def test_what_does_nothing_outside_is_offered_or_what_is_named(toolsets: Toolsets) -> None:
    assert names(toolsets.offer()) == ["echo", "look"]
    assert names(toolsets.offer(["write", "echo", "write"])) == ["write", "echo"]
    assert names(toolsets.offer([])) == []
    with pytest.raises(AppError, match="no tool called nope") as caught:
        toolsets.offer(["nope"])
    assert caught.value.code == "tool-unknown"
    assert toolsets.offer().get("nope") is None


@pytest.mark.parametrize("effect", Effect)
def test_only_looking_is_offered_unasked(effect: Effect) -> None:
    offer = Toolsets([FixedToolset("own", [Echo(effect=effect)])]).offer()
    assert bool(offer.specs) is (effect in (Effect.NONE, Effect.READS))


def test_what_has_nothing_to_work_on_is_not_offered() -> None:
    tool = Echo()
    tool.spec = ToolSpec("echo", "", SCHEMA, needs=frozenset({Need.DOCUMENTS, Need.NETWORK}))
    toolsets = Toolsets([FixedToolset("own", [tool])])
    assert names(toolsets.offer(met=frozenset({Need.DOCUMENTS}))) == []
    assert names(toolsets.offer(["echo"], frozenset({Need.DOCUMENTS}))) == []
    assert names(toolsets.offer(met=frozenset({Need.DOCUMENTS, Need.NETWORK}))) == ["echo"]


def test_a_strangers_tool_never_has_the_name_of_another_one(toolsets: Toolsets, make_context: MakeContext) -> None:
    toolsets.add(FixedToolset("box", [Echo()]))
    toolsets.add(FixedToolset("crate", [Echo()]))
    offer = toolsets.offer()
    assert names(offer) == ["echo", "look", "box__echo", "crate__echo"]
    assert offer.run("crate__echo", {"text": "hi"}, make_context()).text == "echo: hi"
    toolsets.remove("box")
    assert names(toolsets.offer()) == ["echo", "look", "crate__echo"]
    with pytest.raises(ValueError, match="crate"):
        toolsets.add(FixedToolset("crate", []))


def test_an_own_tool_keeps_its_name_whatever_a_stranger_calls_his(make_context: MakeContext) -> None:
    toolsets = Toolsets([FixedToolset("own", [Echo("box__echo")])])
    toolsets.add(FixedToolset("box", [Echo("echo")]))
    assert toolsets.offer().run("box__echo", {"text": "hi"}, make_context()).text == "box__echo: hi"


def test_an_offer_stays_as_it_began_while_its_sets_change(toolsets: Toolsets, make_context: MakeContext) -> None:
    server = Changing("box", [Echo("a"), Echo("b")])
    toolsets.add(server)
    offer = toolsets.offer()
    server.show(Echo("b"), Echo("c"))
    assert names(offer) == ["echo", "look", "box__a", "box__b"]
    assert names(toolsets.offer()) == ["echo", "look", "box__b", "box__c"]
    assert offer.check("box__b", '{"text": "hi"}') == {"text": "hi"}
    with pytest.raises(ValueError, match="the tool box__a is no longer there"):
        offer.check("box__a", '{"text": "hi"}')
    with pytest.raises(ValueError, match="there is no tool called box__c"):
        offer.check("box__c", '{"text": "hi"}')
    toolsets.remove("box")
    with pytest.raises(ValueError, match="the tool box__b is no longer there"):
        offer.check("box__b", '{"text": "hi"}')
    late = offer.run("box__b", {"text": "hi"}, make_context())  # it went between the check and the call
    assert (late.status, late.text) == (ToolStatus.FAILED, "Error: There is no tool called b.")


def test_a_tool_that_is_there_is_known_by_its_name(toolsets: Toolsets) -> None:
    toolsets.add(FixedToolset("box", [Echo()]))
    found = toolsets.spec("box__echo")
    assert found is not None
    assert found.name == "box__echo"
    assert toolsets.spec("write") is not None
    toolsets.remove("box")
    assert toolsets.spec("box__echo") is None


def test_all_sets_are_closed_whatever_one_of_them_does(toolsets: Toolsets) -> None:
    class Broken(FixedToolset):
        def close(self) -> None:
            raise OSError("no more")

    toolsets.add(Broken("box", [Echo()]))
    with pytest.raises(OSError, match="no more"):
        toolsets.close()
    assert toolsets.offer().specs == ()


def test_a_result_is_cut_to_the_room_there_is(toolsets: Toolsets, make_context: MakeContext) -> None:
    offer = toolsets.offer()
    assert offer.run("echo", {"text": "hi"}, make_context()).text == "echo: hi"
    long = offer.run("echo", {"text": "x" * 500}, make_context(max_chars=100))
    assert len(long.text) == 100
    assert long.text.endswith("… (cut)")
    assert len(offer.run("echo", {"text": "xxxxx"}, make_context(max_chars=3)).text) == 3


def test_an_unknown_tool_is_told_to_the_model(toolsets: Toolsets) -> None:
    with pytest.raises(ValueError, match="these are there: echo, look"):
        toolsets.offer().check("nope", "{}")


def test_failures_of_a_tool_become_text_and_a_stop_goes_through(
    make_context: MakeContext, caplog: pytest.LogCaptureFixture
) -> None:
    def run(action: Exception, context: ToolContext) -> ToolOutcome:
        return Toolsets([FixedToolset("own", [Echo(action=action)])]).offer().run("echo", {"text": ""}, context)

    assert run(AppError("gone", "{what} is gone.", what="It"), make_context()).text == "Error: It is gone."
    assert not caplog.records
    outcome = run(KeyError("secret"), make_context())
    assert outcome.status is ToolStatus.FAILED
    assert "secret" not in outcome.text
    assert caplog.records[0].levelno == logging.ERROR
    assert caplog.records[0].exc_info
    with pytest.raises(Cancelled):
        run(Cancelled(), make_context())
    stopped = make_context()
    stopped.cancel.cancel()
    with pytest.raises(Cancelled):
        run(KeyError(), stopped)
