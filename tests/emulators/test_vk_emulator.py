"""The VK emulator keeps VK's rules, seen through vkbottle and through plain HTTP."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web
from vkbottle import API, BotPolling, Keyboard, OpenLink, Text, VKAPIError
from vkbottle.http import AiohttpClient
from vkbottle.tools import DocMessagesUploader, PhotoMessageUploader, VoiceMessageUploader
from vkbottle_types.events.objects.group_event_objects import MessageEventObject, MessageNewObject

from tests.emulators.vk import LONG_POLL, UPLOAD, Fault, GroupChat, VkServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.emulators.vk_people import Person

TOKEN = "vk1.a.test"
GROUP = 219
JPEG = b"\xff\xd8\xff\xe0 not really a picture"


class SteppedClock:
    """Stands still; a sleep moves it at once."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._now = datetime(2026, 9, 1, 6, tzinfo=UTC)
        self._start = self._now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class Client:
    """Plain HTTP, as strict tests need it."""

    def __init__(self, server: VkServer, session: aiohttp.ClientSession) -> None:
        self.session = session
        self._server = server
        self._random_id = 1000

    async def call(self, method: str, **params: Any) -> Any:
        """The whole JSON answer."""
        form = {"access_token": TOKEN, "v": "5.199"} | {key: str(value) for key, value in params.items()}
        async with self.session.post(f"{self._server.url}/method/{method}", data=form) as response:
            assert response.status == 200
            return await response.json()

    async def ok(self, method: str, **params: Any) -> Any:
        answer = await self.call(method, **params)
        assert "response" in answer, answer
        return answer["response"]

    async def code(self, method: str, **params: Any) -> int:
        answer = await self.call(method, **params)
        assert "error" in answer, answer
        return int(answer["error"]["error_code"])

    async def send(self, person: Person, text: str = "ответ", **params: Any) -> Any:
        self._random_id += 1
        known = {"peer_id": person.user_id, "random_id": self._random_id, "message": text}
        return await self.call("messages.send", **(known | params))

    async def send_code(self, person: Person, text: str = "ответ", **params: Any) -> int:
        return int((await self.send(person, text, **params))["error"]["error_code"])

    async def poll(self, ts: str, *, key: str = "", wait: int = 0) -> Any:
        lp = await self.ok("groups.getLongPollServer", group_id=GROUP)
        query = {"act": "a_check", "key": key or lp["key"], "ts": ts, "wait": str(wait)}
        async with self.session.get(lp["server"], params=query) as response:
            return await response.json()


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
async def server(clock: SteppedClock) -> AsyncIterator[VkServer]:
    async with VkServer(token=TOKEN, group_id=GROUP, clock=clock, limits=False) as server:
        yield server


@pytest.fixture
async def client(server: VkServer) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(server, session)


@pytest.fixture
async def person(server: VkServer) -> Person:
    person = server.person(first_name="Мария", last_name="Иванова")
    await person.says("Здравствуйте")
    return person


@pytest.fixture
async def api(server: VkServer) -> AsyncIterator[API]:
    http = AiohttpClient()
    api = API(TOKEN, http_client=http)
    api.API_URL = f"{server.url}/method/"
    yield api
    await http.close()


def keyboard(rows: list[list[dict[str, Any]]], **fields: Any) -> str:
    return json.dumps({"buttons": rows, **fields}, ensure_ascii=False)


def text_button(label: str, payload: Any = None) -> dict[str, Any]:
    action = {"type": "text", "label": label}
    return {"action": action | ({"payload": payload} if payload is not None else {})}


def callback_button(label: str, payload: str) -> dict[str, Any]:
    return {"action": {"type": "callback", "label": label, "payload": payload}}


# With vkbottle


async def test_vkbottle_listens_and_answers(server: VkServer, api: API) -> None:
    person = server.person(first_name="Мария")

    async def bot() -> None:
        polling = BotPolling(api=api, group_id=GROUP, wait=25)
        lp = await polling.get_server()
        while True:
            answer = await polling.get_event(lp)
            lp["ts"] = answer["ts"]
            for event in answer["updates"]:
                if event["type"] == "message_new":
                    message = MessageNewObject(**event["object"]).message
                    assert message
                    await api.messages.send(
                        peer_id=message.peer_id, random_id=message.id, message=f"Вы сказали: {message.text}"
                    )

    task = asyncio.create_task(bot())
    await server.listened()
    await person.start("school12")
    await person.hears("Вы сказали: Начать")
    await person.says("Не приходит код")
    answer = await person.hears("Вы сказали: Не приходит код")
    await person.hears_nothing(0.05)
    await server.all_taken()
    task.cancel()
    assert answer.from_bot
    first = next(event for event in server.events.sent if event["type"] == "message_new")["object"]["message"]
    assert (first["ref"], json.loads(first["payload"])) == ("school12", {"command": "start"})
    assert server.violations == []


async def test_vkbottle_uploads_photos_documents_and_voice(
    api: API, server: VkServer, person: Person
) -> None:
    photo = await PhotoMessageUploader(api).upload(JPEG, peer_id=person.user_id)
    doc = await DocMessagesUploader(api).upload(b"%PDF", peer_id=person.user_id, title="памятка.pdf")
    voice = await VoiceMessageUploader(api).upload(b"OggS", peer_id=person.user_id, title="voice.ogg")
    await api.messages.send(
        peer_id=person.user_id, random_id=1, message="Памятка", attachment=f"{photo},{doc},{voice}"
    )
    heard = await person.hears("Памятка")
    assert heard.photos == [JPEG]
    assert heard.documents == [("памятка.pdf", b"%PDF")]
    assert server.violations == []


async def test_vkbottle_sees_errors_and_per_peer_answers(api: API, server: VkServer, person: Person) -> None:
    stranger = server.person(first_name="Пётр")
    with pytest.raises(VKAPIError) as caught:
        await api.messages.send(peer_id=stranger.user_id, random_id=1, message="Здравствуйте")
    assert caught.value.code == 901
    peers = [person.user_id, stranger.user_id]
    sent = await api.messages.send(peer_ids=peers, random_id=2, message="Здравствуйте")
    assert isinstance(sent, list)
    assert [(item.peer_id, item.error.code if item.error else None) for item in sent] == [
        (person.user_id, None),
        (stranger.user_id, 901),
    ]


async def test_vkbottle_keyboards_are_understood(api: API, server: VkServer, person: Person) -> None:
    rows = Keyboard(inline=True).add(Text("Да", {"a": 1})).row().add(OpenLink("https://example.org", "Сайт"))
    await api.messages.send(peer_id=person.user_id, random_id=1, message="Так?", keyboard=rows.get_json())
    heard = await person.hears("Так?")
    assert heard.buttons == [["Да"], ["Сайт"]]
    pressed = await person.presses("Да")
    assert pressed
    assert (pressed.text, json.loads(pressed.payload)) == ("Да", {"a": 1})
    assert await person.presses("Сайт") is None
    assert person.opened == ["https://example.org"]
    assert server.violations == []


# Requests


async def test_tokens_versions_and_method_names(server: VkServer, client: Client) -> None:
    answer = await client.call("groups.getById", access_token="wrong")
    assert answer["error"]["error_msg"] == "User authorization failed: invalid access_token (4)."
    assert {"key": "method", "value": "groups.getById"} in answer["error"]["request_params"]
    assert "wrong" not in json.dumps(answer["error"]["request_params"])
    url = f"{server.url}/method/groups.getById"
    async with client.session.get(url, params={"access_token": TOKEN}) as response:
        assert (await response.json())["error"]["error_code"] == 8
    assert await client.code("messages.sendAll") == 3
    assert (await client.ok("groups.getById"))["groups"][0]["id"] == GROUP
    assert server.violations == ["messages.sendAll: такого метода нет"]


async def test_what_vk_silently_ignores_is_reported(server: VkServer, client: Client, person: Person) -> None:
    assert "response" in await client.send(person, parse_mode="HTML")
    assert await client.send_code(person, peer_id="abc") == 100
    assert server.violations[0] == "messages.send: нет параметра parse_mode"
    assert "peer_id is not integer" in server.violations[1]
    assert [refusal.code for refusal in server.refusals] == [100]


async def test_a_message_needs_a_random_id_a_text_and_somebody(client: Client, person: Person) -> None:
    assert await client.code("messages.send", peer_id=person.user_id, message="ответ") == 100
    assert await client.send_code(person, random_id=2**31) == 100
    assert await client.send_code(person, "  ") == 100
    assert await client.code("messages.send", random_id=1, message="ответ") == 100
    assert await client.send_code(person, "я" * 4097) == 914
    assert "response" in await client.send(person, "я" * 4096)
    assert await client.send_code(person, peer_id=2_000_000_001) == 917


async def test_a_repeated_random_id_is_sent_once(client: Client, clock: SteppedClock, person: Person) -> None:
    first = await client.send(person, random_id=77)
    assert await client.send(person, "другой текст", random_id=77) == first
    assert len(person.chat) == 2
    clock.advance(3600)
    assert await client.send(person, random_id=77) != first
    for _ in range(100):
        await client.send(person)
    await client.send(person, random_id=77)
    assert len([one for one in person.chat if one.random_id == 77]) == 3
    await client.send(person, random_id=0)
    await client.send(person, random_id=0)
    assert len([one for one in person.chat if one.from_bot and not one.random_id]) == 2


async def test_many_peers_get_an_answer_each(server: VkServer, client: Client, person: Person) -> None:
    angry = server.person(first_name="Олег")
    await angry.says("да")
    angry.refuses(902)
    peers = f"{person.user_id},{angry.user_id}"
    good, bad = await client.ok("messages.send", peer_ids=peers, random_id=5, message="всем")
    assert good["message_id"] == (await person.hears("всем")).id
    assert bad["error"]["code"] == 902
    too_many = ",".join(str(number) for number in range(1, 102))
    assert await client.code("messages.send", peer_ids=too_many, random_id=5, message="всем") == 100
    [one] = await client.ok("messages.send", user_ids=person.user_id, random_id=6, message="одному")
    assert one["peer_id"] == person.user_id


@pytest.mark.parametrize(
    "wrong",
    [
        "не JSON",
        "{}",
        keyboard([[text_button("я" * 41)]]),
        keyboard([[text_button(" ")]]),
        keyboard([[text_button("да", "не JSON")]]),
        keyboard([[text_button("да", json.dumps("я" * 255))]]),
        keyboard([[text_button("да")] * 6]),
        keyboard([[text_button("да")]] * 11),
        keyboard([[text_button("да")] * 5] * 9),
        keyboard([[text_button("да")]] * 7, inline=True),
        keyboard([[text_button("да")] * 4] * 3, inline=True),
        keyboard([[text_button("да")]], inline=True, one_time=True),
        keyboard([[]]),
        keyboard([[{"action": {"type": "button", "label": "да"}}]]),
        keyboard([[{"action": {"type": "open_link", "label": "да", "link": "example"}}]]),
        keyboard([[{"action": {"type": "text", "label": "да"}, "color": "pink"}]]),
    ],
)
async def test_a_wrong_keyboard_is_refused(client: Client, person: Person, wrong: str) -> None:
    assert await client.send_code(person, keyboard=wrong) == 911


async def test_keyboards_need_bot_features(server: VkServer, client: Client, person: Person) -> None:
    server.bot_features = False
    assert await client.send_code(person, keyboard=keyboard([[text_button("да")]])) == 912


async def test_the_largest_keyboards_pass(client: Client, person: Person) -> None:
    wide = keyboard([[text_button("я" * 40, '{"a": 1}')] * 5] * 8)
    assert "response" in await client.send(person, keyboard=wide)
    inline = keyboard([[callback_button("да", '{"a": 1}')] * 5] * 2, inline=True)
    assert "response" in await client.send(person, keyboard=inline)


async def test_attachments_must_exist(client: Client, person: Person) -> None:
    photo = (await person.sends_photo(JPEG)).attachments[0]
    name = f"photo{photo.owner_id}_{photo.id}"
    assert await client.send_code(person, attachment=name) == 100  # without its access key
    assert "response" in await client.send(person, "", attachment=f"{name}_{photo.access_key}")
    assert await client.send_code(person, attachment="photo-219_1") == 100
    assert await client.send_code(person, attachment="мусор") == 100
    assert await client.send_code(person, attachment=",".join([f"{name}_{photo.access_key}"] * 11)) == 100


async def test_replies_and_forwards(server: VkServer, client: Client, person: Person) -> None:
    asked = await person.says("Вопрос")
    await client.send(person, "раз", reply_to=asked.id)
    assert (await person.hears("раз")).reply_to == asked.id
    forward = {"peer_id": person.user_id, "conversation_message_ids": [asked.cmid], "is_reply": True}
    await client.send(person, "два", forward=json.dumps(forward))
    assert (await person.hears("два")).reply_to == asked.id
    other = await person.says("Ещё", reply_to=asked)
    sent = server.events.sent[-1]["object"]["message"]
    assert sent["reply_message"]["conversation_message_id"] == asked.cmid
    missing = {"peer_id": person.user_id, "conversation_message_ids": [other.cmid + 100], "is_reply": True}
    assert await client.send_code(person, forward=json.dumps(missing)) == 921
    assert await client.send_code(person, forward="[") == 100
    assert await client.send_code(person, reply_to=999999) == 100


async def test_editing_and_deleting(client: Client, clock: SteppedClock, person: Person) -> None:
    number = (await client.send(person, "было"))["response"]
    await person.hears("было")
    assert await client.ok("messages.edit", peer_id=person.user_id, message_id=number, message="стало") == 1
    await person.hears("стало")
    await person.hears_nothing(0.02)
    asked = person.chat[0]
    assert await client.code("messages.edit", peer_id=person.user_id, cmid=asked.cmid, message="нет") == 15
    [deleted] = await client.ok("messages.delete", message_ids=number, delete_for_all=1)
    assert deleted["response"] == 1
    assert person.chat == [asked]
    old = (await client.send(person))["response"]
    clock.advance(25 * 3600)
    assert await client.code("messages.edit", peer_id=person.user_id, message_id=old, message="поздно") == 909
    [refused] = await client.ok("messages.delete", message_ids=old, delete_for_all=1)
    assert refused["error"]["code"] == 924


async def test_a_persons_message_goes_only_from_the_communitys_side(
    server: VkServer, client: Client, person: Person
) -> None:
    other = server.person(first_name="Олег")
    await other.start()
    hers = await person.says("мой номер")
    inbox = server.world.dialogs[person.user_id]
    mine = {"peer_id": person.user_id, "cmids": hers.cmid}
    [refused] = await client.ok("messages.delete", **mine, delete_for_all=1)
    assert refused["error"]["code"] == 924
    for wrong in ({"peer_id": other.user_id, "cmids": hers.cmid}, {"peer_id": 5, "cmids": hers.cmid}):
        [unknown] = await client.ok("messages.delete", **wrong)
        assert unknown["error"]["code"] == 100
    assert await client.code("messages.delete", cmids=hers.cmid) == 100
    assert await client.code("messages.delete", peer_id=person.user_id) == 100
    assert hers in inbox.inbox
    [deleted] = await client.ok("messages.delete", **mine)
    assert (deleted["peer_id"], deleted["conversation_message_id"]) == (person.user_id, hers.cmid)
    assert deleted["response"] == 1
    assert hers not in inbox.inbox
    assert hers in person.chat
    assert "убрано сообществом" in person.transcript()
    seen = await client.ok(
        "messages.getByConversationMessageId", peer_id=person.user_id, conversation_message_ids=hers.cmid
    )
    assert seen["items"] == []
    [again] = await client.ok("messages.delete", **mine)
    assert again["error"]["code"] == 100


async def test_smaller_methods(server: VkServer, client: Client, person: Person) -> None:
    number = person.user_id
    assert await client.ok("messages.setActivity", peer_id=number, type="typing") == 1
    assert person.actions == ["typing"]
    assert await client.code("messages.setActivity", peer_id=number, type="dancing") == 100
    allowed = await client.ok("messages.isMessagesFromGroupAllowed", group_id=GROUP, user_id=number)
    assert allowed == {"is_allowed": 1}
    [user] = await client.ok("users.get", user_ids=f"{number},1")
    assert (user["first_name"], user["last_name"]) == ("Мария", "Иванова")
    found = await client.ok("messages.getByConversationMessageId", peer_id=number, conversation_message_ids=1)
    assert found["items"][0]["text"] == "Здравствуйте"
    conversations = await client.ok("messages.getConversationsById", peer_ids=number)
    assert conversations["items"][0]["can_write"] == {"allowed": True}
    await client.ok("groups.setLongPollSettings", group_id=GROUP, message_reply=0, message_read=1)
    events = (await client.ok("groups.getLongPollSettings", group_id=GROUP))["events"]
    assert (events["message_new"], events["message_reply"], events["message_read"]) == (1, 0, 1)
    assert await client.code("groups.getLongPollServer", group_id=GROUP + 1) == 15
    assert await client.code("messages.pin", peer_id=number) == 33
    assert server.violations == ["messages.pin: эмулятор этого не умеет"]


async def test_execute_runs_a_batch(server: VkServer, client: Client, person: Person) -> None:
    stranger = server.person(first_name="Пётр")
    calls = [
        f"API.messages.send({json.dumps({'peer_id': peer, 'random_id': 9, 'message': 'Пакет; [1]'})})"
        for peer in (person.user_id, stranger.user_id)
    ]
    answer = await client.call("execute", code=f"return [{', '.join(calls)}];")
    assert answer["response"] == [(await person.hears("Пакет; [1]")).id, False]
    assert answer["execute_errors"][0]["error_code"] == 901
    assert await client.code("execute", code=f"return [{', '.join(calls * 13)}];") == 13
    assert await client.code("execute", code="var a = 1; return a;") == 12


# Limits and faults


async def test_twenty_requests_a_second(clock: SteppedClock) -> None:
    async with (
        VkServer(token=TOKEN, group_id=GROUP, clock=clock) as server,
        aiohttp.ClientSession() as session,
    ):
        client = Client(server, session)
        for _ in range(20):
            await client.ok("utils.getServerTime")
        assert await client.code("utils.getServerTime") == 6
        assert [call.method for call in server.limit_hits] == ["utils.getServerTime"]
        clock.advance(1)
        await client.ok("utils.getServerTime")


async def test_ordered_errors_come_once_and_in_turn(server: VkServer, client: Client, person: Person) -> None:
    server.fail(method="messages.send", fault=Fault.error(10), times=2)
    server.fail(method="messages.send", fault=Fault.captcha())
    assert await client.send_code(person) == 10
    assert await client.code("groups.getCallbackServers", group_id=GROUP + 1) == 15
    assert await client.send_code(person) == 10
    assert "captcha_img" in (await client.send(person))["error"]
    assert "response" in await client.send(person)
    server.fail(peer_id=1, fault=Fault.error(9))
    assert "response" in await client.send(person)
    server.heal()


async def test_broken_answers(server: VkServer, client: Client) -> None:
    url = f"{server.url}/method/utils.getServerTime"
    params = {"access_token": TOKEN, "v": "5.199"}
    server.fail(fault=Fault.html_page())
    async with client.session.post(url, data=params) as response:
        assert (response.status, response.content_type) == (502, "text/html")
    server.fail(fault=Fault.http(503))
    async with client.session.post(url, data=params) as response:
        assert response.status == 503
    server.fail(method=LONG_POLL, fault=Fault.raw("{"))
    with pytest.raises(json.JSONDecodeError):
        await client.poll("1")


async def test_a_dropped_request_may_have_been_executed(
    server: VkServer, client: Client, person: Person
) -> None:
    server.fail(method="messages.send", fault=Fault.drop())
    with pytest.raises(aiohttp.ClientError):
        await client.send(person, "раз", random_id=1)
    assert len(person.chat) == 1
    server.fail(method="messages.send", fault=Fault.execute_then_drop())
    with pytest.raises(aiohttp.ClientError):
        await client.send(person, "раз", random_id=1)
    await person.hears("раз")
    assert "response" in await client.send(person, "раз", random_id=1)
    await person.hears_nothing(0.02)


async def test_hanging_and_slow_requests(server: VkServer, client: Client, person: Person) -> None:
    server.fail(method="messages.send", fault=Fault.hang())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.send(person), 0.05)
    server.fail(method="messages.send", fault=Fault.execute_then_hang())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.send(person, "два"), 0.05)
    await person.hears("два")
    server.fail(method="messages.send", fault=Fault.slow(0.05))
    assert "response" in await client.send(person)
    server.fail(method=UPLOAD, fault=Fault.http(500))
    async with client.session.post(f"{server.url}/upload/photo", data={"photo": "x"}) as response:
        assert response.status == 500


# Long poll


async def test_long_poll_replays_from_any_ts(server: VkServer, client: Client, person: Person) -> None:
    start = server.long_poll.ts
    for text in ("раз", "два"):
        await person.says(text)
    first = await client.poll(start)
    assert [event["object"]["message"]["text"] for event in first["updates"]] == ["раз", "два"]
    assert await client.poll(start) == first
    assert await client.poll(first["ts"]) == {"ts": first["ts"], "updates": []}


async def test_long_poll_wakes_up_for_an_event(server: VkServer, client: Client, person: Person) -> None:
    waiting = asyncio.create_task(client.poll(server.long_poll.ts, wait=25))
    await server.listened()
    await person.says("раз")
    assert len((await waiting)["updates"]) == 1
    with pytest.raises(AssertionError, match="не слушает"):
        await server.listened(timeout=0.02)


async def test_long_poll_failures(server: VkServer, client: Client, person: Person) -> None:
    ts = server.long_poll.ts
    old_key = server.long_poll.key
    await server.long_poll_fails(1)
    assert await client.poll(ts) == {"failed": 1, "ts": ts}
    await server.long_poll_fails(2)
    assert await client.poll(ts, key=old_key) == {"failed": 2}
    assert (await client.poll(ts))["updates"] == []
    old_key = server.long_poll.key
    await server.long_poll_fails(3)
    assert await client.poll(ts, key=old_key) == {"failed": 3}
    await person.says("раз")
    await server.long_poll.forget_history()
    assert await client.poll(ts) == {"failed": 1, "ts": server.long_poll.ts}
    assert (await client.poll("999"))["failed"] == 1
    assert server.violations == []


async def test_a_poll_is_checked_too(server: VkServer, client: Client) -> None:
    await client.ok("groups.setLongPollSettings", group_id=GROUP, enabled=0)
    assert await client.code("groups.getLongPollServer", group_id=GROUP) == 100
    server.long_poll.enabled = True
    await server.inject({})
    await client.poll("1", wait=91)
    assert server.violations == ["long poll: act=a_check, wait=91"]


async def test_json_bodies_are_not_read(server: VkServer, client: Client) -> None:
    body = {"access_token": TOKEN, "v": "5.199"}
    async with client.session.post(f"{server.url}/method/users.get", json=body) as response:
        assert (await response.json())["error"]["error_code"] == 8
    assert len(server.violations) == 1


async def test_events_may_come_twice_reordered_or_broken(
    server: VkServer, client: Client, person: Person
) -> None:
    ts = server.long_poll.ts
    server.duplicate()
    await person.says("раз")
    await person.says("два")
    server.reorder()
    await person.says("три")
    await person.says("четыре")
    await server.inject({"type": "party_new", "object": {}})
    await server.inject("мусор")
    updates = (await client.poll(ts))["updates"]
    texts = [event["object"]["message"]["text"] for event in updates[:5]]
    assert texts == ["раз", "раз", "два", "четыре", "три"]
    assert updates[0]["event_id"] == updates[1]["event_id"] != updates[2]["event_id"]
    assert updates[5:] == [{"type": "party_new", "object": {}}, "мусор"]


# People


async def test_what_a_person_does_becomes_events(server: VkServer, client: Client) -> None:
    person = server.person(first_name="Мария")
    said = await person.says("код")
    await person.edits(said, "код не приходит")
    await person.blocks()
    assert await client.send_code(person) == 901
    await person.unblocks()
    await client.send(person, "вот")
    await person.sends_sticker()
    kinds = [event["type"] for event in server.events.sent]
    assert kinds == [
        "message_allow",
        "message_new",
        "message_edit",
        "message_deny",
        "message_allow",
        "message_reply",
        "message_new",
    ]
    assert server.events.sent[2]["object"]["text"] == "код не приходит"
    assert server.events.sent[5]["object"]["out"] == 1


async def test_files_of_a_person_can_be_downloaded(server: VkServer, client: Client, person: Person) -> None:
    await person.sends_album([JPEG, JPEG + b"2"], caption="вот")
    photos = server.events.sent[-1]["object"]["message"]["attachments"]
    assert [one["type"] for one in photos] == ["photo", "photo"]
    largest = max(photos[1]["photo"]["sizes"], key=lambda size: size["width"])
    async with client.session.get(largest["url"]) as response:
        assert (await response.read(), response.content_type) == (JPEG + b"2", "image/jpeg")
    await person.sends_document("журнал.docx", b"PK", mime="application/zip", caption="вот")
    doc = server.events.sent[-1]["object"]["message"]["attachments"][0]["doc"]
    assert (doc["title"], doc["ext"], doc["size"]) == ("журнал.docx", "docx", 2)
    async with client.session.get(doc["url"]) as response:
        assert await response.read() == b"PK"
    await person.sends_voice(b"OggS")
    message = MessageNewObject(**server.events.sent[-1]["object"]).message
    assert message
    assert message.attachments
    async with client.session.get(f"{server.url}/files/none/x") as response:
        assert response.status == 404


async def test_a_callback_button_is_answered_within_a_minute(
    server: VkServer, client: Client, clock: SteppedClock, person: Person
) -> None:
    rows = keyboard([[callback_button("Помогло", '{"id": 5}')]], inline=True)
    await client.send(person, "Помогло?", keyboard=rows)
    await person.presses("Помогло")
    event = MessageEventObject(**server.events.sent[-1]["object"])
    assert event.payload == {"id": 5}
    known = {"event_id": event.event_id, "user_id": event.user_id, "peer_id": event.peer_id}
    long = json.dumps({"type": "show_snackbar", "text": "я" * 1000})
    assert await client.code("messages.sendMessageEventAnswer", event_data=long, **known) == 100
    short = json.dumps({"type": "show_snackbar", "text": "Спасибо"})
    assert await client.ok("messages.sendMessageEventAnswer", event_data=short, **known) == 1
    assert person.toasts == ["Спасибо"]
    assert await client.code("messages.sendMessageEventAnswer", **known) == 100
    await person.presses("Помогло")
    late = known | {"event_id": server.events.sent[-1]["object"]["event_id"]}
    assert server.unanswered_presses() == ['{"id": 5}']
    clock.advance(61)
    assert await client.code("messages.sendMessageEventAnswer", **late) == 100


async def test_only_the_shown_keyboard_can_be_pressed(client: Client, person: Person) -> None:
    await client.send(person, "раз", keyboard=keyboard([[text_button("Первая")]]))
    await client.send(
        person, "два", keyboard=keyboard([[text_button("Очень длинная надпись…")]], one_time=True)
    )
    with pytest.raises(AssertionError, match="нет кнопки «Первая»"):
        await person.presses("Первая")
    pressed = await person.presses("Очень длинная надпись, которая в VK не помещается")
    assert pressed
    with pytest.raises(AssertionError, match="нет кнопки"):
        person.find_button("Очень длинная надпись…")


async def test_a_failed_wait_shows_the_conversation(client: Client, person: Person) -> None:
    await client.send(person, "Не то", keyboard=keyboard([[text_button("Кнопка")]]))
    with pytest.raises(AssertionError) as caught:
        await person.hears("ответ", timeout=0.02)
    text = str(caught.value)
    assert "Мария Иванова: Здравствуйте" in text
    assert "бот: Не то\n    [Кнопка]" in text
    with pytest.raises(AssertionError, match="не ждали"):
        await person.hears_nothing(0.02)


# Group chats


@pytest.fixture
def oleg(server: VkServer) -> Person:
    return server.person(first_name="Олег")


@pytest.fixture
def group(server: VkServer, person: Person, oleg: Person) -> GroupChat:
    """Two people, without the bot."""
    return server.group_chat("Учительская", person, oleg)


@pytest.fixture
async def here(group: GroupChat, person: Person) -> GroupChat:
    """The same with the bot."""
    await group.invites_bot(by=person)
    return group


def heard_from(server: VkServer, group: GroupChat) -> list[dict[str, Any]]:
    """Messages that reached the bot from the chat."""
    told = [each["object"]["message"] for each in server.events.sent if each["type"] == "message_new"]
    return [message for message in told if message["peer_id"] == group.peer_id]


async def test_chats_are_numbered_as_the_community_sees_them(
    server: VkServer, person: Person, oleg: Person
) -> None:
    first, second = server.group_chat("Раз", person), server.group_chat("Два", person, oleg)
    assert (first.peer_id, second.peer_id) == (2_000_000_001, 2_000_000_002)
    assert second.member_ids == [person.user_id, oleg.user_id]


async def test_the_bot_hears_that_it_was_added(server: VkServer, group: GroupChat, oleg: Person) -> None:
    await group.member(oleg).says("до бота")
    await group.invites_bot(by=oleg)
    [message] = heard_from(server, group)
    assert message["action"] == {"type": "chat_invite_user", "member_id": -GROUP}
    assert (message["id"], message["conversation_message_id"]) == (0, 2)
    assert (message["from_id"], message["text"]) == (oleg.user_id, "")
    assert MessageNewObject(**server.events.sent[-1]["object"]).message


async def test_without_the_right_only_what_is_meant_for_the_bot_reaches_it(
    server: VkServer, client: Client, here: GroupChat, person: Person, oleg: Person
) -> None:
    await client.send(person, "Здесь бот", peer_id=here.peer_id)
    greeting = await here.member(oleg).hears("Здесь бот")
    theirs = await here.member(oleg).says("обед?")
    await here.member(person).says("да", reply_to=theirs)
    await here.member(person).says("/help")
    await here.takes_in(server.person(first_name="Ирина"), by=oleg)
    await here.renames("Обед", by=oleg)
    await here.member(person).says("а ты?", reply_to=greeting)
    await here.member(oleg).mentions("привет")
    answered, mentioned = heard_from(server, here)[1:]
    assert (answered["text"], answered["reply_message"]["from_id"]) == ("а ты?", -GROUP)
    assert answered["reply_message"]["conversation_message_id"] == greeting.cmid
    assert mentioned["text"] == f"[club{GROUP}|@club{GROUP}] привет"
    here.sees_all = True
    await here.member(oleg).says("а теперь?")
    await here.renames("Ужин", by=oleg)
    spoken, renamed = heard_from(server, here)[3:]
    assert (spoken["text"], spoken["from_id"], spoken["id"]) == ("а теперь?", oleg.user_id, 0)
    assert renamed["action"] == {"type": "chat_title_update", "text": "Ужин"}


async def test_in_a_chat_the_bot_hears_neither_itself_nor_edits(
    server: VkServer, client: Client, here: GroupChat, person: Person
) -> None:
    here.sees_all = True
    there = here.member(person)
    before = len(server.events.sent)
    [sent] = await client.ok("messages.send", peer_ids=here.peer_id, random_id=5, message="было")
    known = {"peer_id": here.peer_id, "message": "стало"}
    assert await client.ok("messages.edit", **known, cmid=sent["conversation_message_id"]) == 1
    await there.hears("стало")
    said = await there.says("вот")
    await there.edits(said, "вот так")
    here.tells_edits = True
    await there.edits(said, "вот и всё")
    with pytest.raises(AssertionError, match="своё"):
        await here.member(server.person()).edits(said, "не моё")
    kinds = [event["type"] for event in server.events.sent[before:]]
    assert kinds == ["message_new", "message_edit"]
    assert server.events.sent[-1]["object"]["text"] == "вот и всё"


async def test_messages_of_a_chat_have_only_numbers_inside_it(
    client: Client, here: GroupChat, person: Person
) -> None:
    asked = await here.member(person).mentions("когда?")
    assert (await client.send(person, peer_id=here.peer_id))["response"] == 0
    [sent] = await client.ok("messages.send", peer_ids=here.peer_id, random_id=5, message="раз")
    assert sent == {"peer_id": here.peer_id, "message_id": 0, "conversation_message_id": asked.cmid + 2}
    assert (await client.ok("messages.send", peer_ids=here.peer_id, random_id=5, message="раз"))[0] == sent
    forward = {"peer_id": here.peer_id, "conversation_message_ids": [asked.cmid], "is_reply": 1}
    await client.send(person, "завтра", peer_id=here.peer_id, forward=json.dumps(forward))
    assert (await here.member(person).hears("завтра")).reply_to == asked.id
    elsewhere = json.dumps(forward | {"peer_id": person.user_id, "conversation_message_ids": [1]})
    by_id = json.dumps({"peer_id": here.peer_id, "message_ids": [asked.id], "is_reply": 1})
    gone = json.dumps(forward | {"conversation_message_ids": [999]})
    assert await client.send_code(person, peer_id=here.peer_id, forward=elsewhere) == 100
    assert await client.send_code(person, peer_id=here.peer_id, forward=by_id) == 921
    assert await client.send_code(person, peer_id=here.peer_id, forward=gone) == 921
    assert await client.send_code(person, peer_id=here.peer_id, reply_to=asked.id) == 100
    wrong = {"peer_id": here.peer_id, "message_id": asked.id, "message": "нет"}
    assert await client.code("messages.edit", **wrong) == 100


async def test_any_member_presses_the_buttons_of_a_chat(
    server: VkServer, client: Client, here: GroupChat, person: Person, oleg: Person
) -> None:
    rows = [[text_button("Да", '{"a": 1}'), callback_button("Нет", '{"a": 2}')]]
    await client.send(person, "Так?", peer_id=here.peer_id, keyboard=keyboard(rows, inline=True))
    written = await here.member(oleg).presses("Да")
    assert written
    message = heard_from(server, here)[-1]
    assert message["text"] == f"[club{GROUP}|@club{GROUP}] Да"
    assert (message["from_id"], json.loads(message["payload"])) == (oleg.user_id, {"a": 1})
    await here.member(person).presses("Нет")
    event = MessageEventObject(**server.events.sent[-1]["object"])
    assert (event.user_id, event.peer_id, event.payload) == (person.user_id, here.peer_id, {"a": 2})
    known = {"event_id": event.event_id, "peer_id": here.peer_id}
    assert await client.code("messages.sendMessageEventAnswer", user_id=oleg.user_id, **known) == 100
    assert await client.ok("messages.sendMessageEventAnswer", user_id=person.user_id, **known) == 1
    await here.kicks_bot(by=person)
    assert await here.member(oleg).presses("Нет") is None
    assert server.unanswered_presses() == []


async def test_files_come_and_go_in_chats(
    server: VkServer, client: Client, api: API, here: GroupChat, person: Person
) -> None:
    photo = await PhotoMessageUploader(api).upload(JPEG, peer_id=here.peer_id)
    doc = await DocMessagesUploader(api).upload(b"%PDF", peer_id=here.peer_id, title="памятка.pdf")
    await client.send(person, "Памятка", peer_id=here.peer_id, attachment=f"{photo},{doc}")
    there = here.member(person)
    heard = await there.hears("Памятка")
    assert (heard.photos, heard.documents) == ([JPEG], [("памятка.pdf", b"%PDF")])
    await there.sends_album([JPEG, JPEG + b"2"], caption="вот", reply_to=heard)
    attachments = heard_from(server, here)[-1]["attachments"]
    assert [one["type"] for one in attachments] == ["photo", "photo"]
    await here.kicks_bot(by=person)
    assert await client.code("photos.getMessagesUploadServer", peer_id=here.peer_id) == 917
    assert await client.code("docs.getMessagesUploadServer", peer_id=here.peer_id) == 917


async def test_a_chat_without_the_bot_is_closed_to_it(
    server: VkServer, client: Client, group: GroupChat, person: Person, oleg: Person
) -> None:
    async def code() -> int:
        return await client.send_code(person, peer_id=group.peer_id)

    assert await code() == 917
    await group.invites_bot(by=person)
    assert (await client.send(person, chat_id=1, peer_id=""))["response"] == 0
    group.refuses(925)
    assert await code() == 925
    group.refuses(None)
    group.disable()
    assert await code() == 945
    [refused] = await client.ok("messages.send", peer_ids=group.peer_id, random_id=7, message="раз")
    assert refused["error"] == {"code": 945, "description": "Chat was disabled"}
    await group.kicks_bot(by=oleg)
    assert await code() == 917
    assert await client.code("messages.setActivity", peer_id=group.peer_id, type="typing") == 917
    assert heard_from(server, group)[-1]["action"] == {"type": "chat_kick_user", "member_id": -GROUP}
    await group.member(oleg).mentions("вернись")
    assert len(heard_from(server, group)) == 2


async def test_who_was_sent_away_silently_hears_nothing(
    server: VkServer, client: Client, here: GroupChat, person: Person
) -> None:
    await here.kicks_bot(by=person, silently=True)
    assert [message["action"]["type"] for message in heard_from(server, here)] == ["chat_invite_user"]
    assert await client.send_code(person, peer_id=here.peer_id) == 917
    await here.invites_bot(by=person)
    assert (await client.send(person, peer_id=here.peer_id))["response"] == 0


async def test_who_left_cannot_write(here: GroupChat, oleg: Person) -> None:
    await here.member(oleg).leaves()
    with pytest.raises(AssertionError, match="не в этой беседе"):
        await here.member(oleg).says("я ещё тут")
    assert "[chat_kick_user]" in here.transcript()


async def test_other_bots_talk_in_chats_too(server: VkServer, here: GroupChat) -> None:
    here.sees_all = True
    await here.community_says("реклама")
    assert (heard_from(server, here)[-1]["from_id"], here.messages[-1].text) == (-5, "реклама")


async def test_only_an_administrator_looks_into_and_tidies_a_chat(
    client: Client, here: GroupChat, person: Person
) -> None:
    hers = await here.member(person).mentions("мой номер")
    mine = {"peer_id": here.peer_id, "cmids": hers.cmid, "delete_for_all": 1}
    assert (await client.ok("messages.getConversationsById", peer_ids=here.peer_id))["items"] == []
    assert (await client.ok("messages.delete", **mine))[0]["error"]["code"] == 924
    here.bot_is_admin = True
    [chat] = (await client.ok("messages.getConversationsById", peer_ids=here.peer_id))["items"]
    assert chat["peer"] == {"id": here.peer_id, "type": "chat", "local_id": here.peer_id - 2_000_000_000}
    assert (chat["chat_settings"]["title"], chat["can_write"]) == ("Учительская", {"allowed": True})
    seen = {"peer_id": here.peer_id, "conversation_message_ids": hers.cmid}
    assert (await client.ok("messages.getByConversationMessageId", **seen))["items"][0]["id"] == 0
    [deleted] = await client.ok("messages.delete", **mine)
    assert (deleted["message_id"], deleted["response"]) == (0, 1)
    assert hers not in here.messages
    await here.kicks_bot(by=person)
    assert await client.code("messages.delete", **mine) == 917
    assert await client.code("messages.getByConversationMessageId", **seen) == 917


# Callback API


class Bot:
    """Somebody's HTTP door."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[tuple[dict[str, Any] | str, str | None]] = []
        self.answers: list[web.Response] = []
        self.confirmation = "c0ffee"

    async def receive(self, request: web.Request) -> web.Response:
        text = await request.text()
        try:
            body = json.loads(text)
        except ValueError:
            body = text
        if isinstance(body, dict) and body.get("type") == "confirmation":
            return web.Response(text=self.confirmation)
        self.seen.append((body, request.headers.get("X-Retry-Counter")))
        return self.answers.pop(0) if self.answers else web.Response(text="ok")

    def texts(self) -> list[str]:
        bodies = [body for body, _ in self.seen if isinstance(body, dict)]
        return [body["object"]["message"]["text"] for body in bodies if body["type"] == "message_new"]


@asynccontextmanager
async def bot_door() -> AsyncIterator[Bot]:
    bot = Bot()
    app = web.Application()
    app.router.add_post("/vk", bot.receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    bot.url = f"http://127.0.0.1:{runner.addresses[0][1]}/vk"
    try:
        yield bot
    finally:
        await runner.cleanup()


async def test_callback_events_carry_the_secret(server: VkServer, person: Person) -> None:
    async with bot_door() as bot:
        await server.set_callback(bot.url, secret="тайна", confirmation="c0ffee")
        ts = server.long_poll.ts
        await person.says("раз")
        await server.inject("не JSON")
        await server.callback.settled()
        assert bot.texts() == ["раз"]
        assert isinstance(bot.seen[0][0], dict)
        assert set(bot.seen[0][0]) == {"group_id", "type", "event_id", "v", "object", "secret"}
        assert bot.seen[1] == ("не JSON", None)
        assert server.long_poll.ts == ts


async def test_a_refused_event_comes_again_with_the_same_id(
    server: VkServer, clock: SteppedClock, person: Person
) -> None:
    async with bot_door() as bot:
        await server.set_callback(bot.url, confirmation="c0ffee")
        bot.answers = [web.Response(status=500), web.Response(text="OK")]
        await person.says("раз")
        await server.callback.settled()
        assert [counter for _, counter in bot.seen] == [None, "1", "2"]
        assert len({delivery.event_id for delivery in server.callback.deliveries}) == 1
        assert clock.slept == [1, 3]
        assert server.callback.deliveries[-1].accepted


async def test_a_door_that_never_opens_is_given_up(server: VkServer, person: Person) -> None:
    async with bot_door() as bot:
        await server.set_callback(bot.url, confirmation="c0ffee")
    await person.says("раз")
    await server.callback.settled()
    assert len(server.callback.undelivered) == 1


async def test_the_address_must_confirm_itself(server: VkServer) -> None:
    async with bot_door() as bot:
        with pytest.raises(AssertionError, match="строкой подтверждения"):
            await server.set_callback(bot.url, confirmation="другая")


async def test_answering_remove_deletes_the_server(server: VkServer, client: Client, person: Person) -> None:
    async with bot_door() as bot:
        await server.set_callback(bot.url, confirmation="c0ffee")
        bot.answers = [web.Response(text="remove")]
        await person.says("раз")
        await server.callback.settled()
        assert (await client.ok("groups.getCallbackServers", group_id=GROUP))["count"] == 0
        assert len(server.callback.removed) == 1


async def test_a_bot_may_register_its_own_address(server: VkServer, client: Client, person: Person) -> None:
    async with bot_door() as bot:
        bot.confirmation = (await client.ok("groups.getCallbackConfirmationCode", group_id=GROUP))["code"]
        known = {"group_id": GROUP, "url": bot.url, "title": "helpdesk", "secret_key": "s"}
        number = (await client.ok("groups.addCallbackServer", **known))["server_id"]
        while (await client.ok("groups.getCallbackServers", group_id=GROUP))["items"][0]["status"] == "wait":
            pass
        await client.ok("groups.setCallbackSettings", group_id=GROUP, server_id=number, message_new=1)
        await person.says("раз")
        await server.callback.settled()
        assert bot.texts() == ["раз"]


async def test_a_server_that_comes_back_remembers(clock: SteppedClock) -> None:
    server = VkServer(token=TOKEN, group_id=GROUP, clock=clock)
    await server.start()
    url = server.url
    person = server.person()
    await person.says("раз")
    await server.stop()
    await server.start()
    try:
        assert server.url == url
        async with aiohttp.ClientSession() as session:
            assert len((await Client(server, session).poll("1"))["updates"]) == 2
    finally:
        await server.stop()
