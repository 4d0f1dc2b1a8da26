"""The SignalR machine: fed whole, in pieces, with rubbish; it answers with events or its own error."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ssi_fctrading.signalr.transports._transport import WebsocketTransport

from algo.errors import AlgoError, AuthError, ProtocolError
from algo.fastconnect.signalr import (
    Disconnected,
    Event,
    Invocation,
    KeepAlive,
    Opened,
    Phase,
    ReconnectAsked,
    Result,
    ServerError,
    SignalR,
    Unrecognised,
)

URL = "https://hub.example"
HUB = "BroadcastHubV2"
FIRST = b'{"C":"d-1","S":1,"M":[]}'


def negotiated(reply: dict, url: str = URL, largest: int = 4096) -> SignalR:
    machine = SignalR(url, HUB, largest=largest)
    machine.negotiated(200, json.dumps(reply).encode())
    return machine


@pytest.fixture
def machine(samples: dict) -> SignalR:
    machine = negotiated(samples["negotiate"])
    assert machine.receive(FIRST) == [Opened()]
    return machine


@pytest.fixture
def make(samples: dict) -> Callable[[], SignalR]:
    return lambda: negotiated(samples["negotiate"], largest=10**7)


# The handshake


@pytest.mark.parametrize(
    "url", ["https://hub.example", "https://hub.example/", "https://hub.example/v2.0/signalr"]
)
def test_addresses_are_the_official_clients(samples: dict, url: str) -> None:
    theirs = WebsocketTransport(url="https://hub.example/v2.0/signalr")
    theirs.conn_data = json.dumps([{"name": HUB}])
    expected = theirs._get_socket_url(samples["negotiate"]).replace("https://", "wss://")
    machine = negotiated(samples["negotiate"], url)
    assert machine.connect_url == expected
    query = parse_qsl(urlsplit(SignalR(url, HUB).negotiate_url).query)
    assert query == [("connectionData", '[{"name": "BroadcastHubV2"}]'), ("clientProtocol", "1.3")]


def test_the_negotiation_is_read_in_any_case(samples: dict) -> None:
    shouted = {key.upper(): value for key, value in samples["negotiate"].items()}
    for reply in (samples["negotiate"], shouted):
        found = SignalR(URL, HUB).negotiated(200, json.dumps(reply).encode())
        assert (found.token, found.keep_alive, found.disconnect_timeout) == ("token-1", 20.0, 30.0)
    odd = samples["negotiate"] | {
        "KeepAliveTimeout": None,
        "DisconnectTimeout": "x",
        "ConnectionToken": "a+/=&b",
    }
    machine = negotiated(odd)
    assert machine.handshake.keep_alive is None
    assert ("connectionToken", "a+/=&b") in parse_qsl(urlsplit(machine.connect_url).query)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b"", AuthError),
        (403, b"identity", AuthError),
        (200, b'{"message":"Missing Authorization header","status":401}', AuthError),
        (400, b"Protocol error: Missing connection token.", ProtocolError),
        (500, b"", ProtocolError),
        (302, b"", ProtocolError),
        (200, b"", ProtocolError),
        (200, b"[]", ProtocolError),
        (200, b"{}", ProtocolError),
        (200, b'{"ConnectionToken":""}', ProtocolError),
        (200, b'{"ConnectionToken":5}', ProtocolError),
        (200, b'{"ConnectionToken":"x","TryWebSockets":false}', ProtocolError),
        (200, b'{"ConnectionToken":"' + b"x" * 100_000 + b'"}', ProtocolError),
    ],
)
def test_bad_negotiations(status: int, body: bytes, kind: type[AlgoError]) -> None:
    with pytest.raises(kind):
        SignalR(URL, HUB).negotiated(status, body)


def test_nothing_works_before_its_time(samples: dict) -> None:
    machine = SignalR(URL, HUB)
    for early in (lambda: machine.connect_url, lambda: machine.receive(b"{}"), lambda: machine.invoke("x")):
        with pytest.raises(ProtocolError):
            early()
    machine = negotiated(samples["negotiate"])
    with pytest.raises(ProtocolError):
        machine.negotiated(200, json.dumps(samples["negotiate"]).encode())
    machine.close()
    with pytest.raises(ProtocolError):
        machine.receive(b"{}")


def test_a_reconnect_goes_on_where_it_was(machine: SignalR) -> None:
    machine.receive(b'{"C":"d-A,1|B,2","G":"groups+token","M":[]}')
    query = dict(parse_qsl(urlsplit(machine.reconnect_url).query))
    assert query["messageId"] == "d-A,1|B,2"
    assert query["groupsToken"] == "groups+token"
    assert query["connectionToken"] == "token-1"
    assert "/v2.0/signalr/reconnect?" in machine.reconnect_url
    assert "/v2.0/signalr/abort?" in machine.abort_url


# Frames


FRAMES: list[tuple[bytes, list[Event]]] = [
    (b"{}", [KeepAlive()]),
    (b'{"C":"d-2","M":[]}', []),
    (
        b'{"C":"d-2","M":[{"H":"BroadcastHubV2","M":"Broadcast","A":["{\\"type\\":\\"x\\"}"]}]}',
        [Invocation(HUB, "Broadcast", ['{"type":"x"}'])],
    ),
    (
        b'{"C":"d-2","M":[{"H":"h","M":"Broadcast","A":["1"]},{"H":"h","M":"Error","A":["2"]}]}',
        [Invocation("h", "Broadcast", ["1"]), Invocation("h", "Error", ["2"])],
    ),
    (b'{"I":"0"}', [Result("0")]),
    (b'{"I":0,"R":{"a":1}}', [Result("0", {"a": 1})]),
    (b'{"I":"0","E":"text","H":true,"D":{"x":1},"T":"trace"}', [Result("0", None, "text")]),
    (b'{"E":"boom"}', [ServerError("boom")]),
    (b'{"M":[],"E":"boom"}', [ServerError("boom")]),
    (b'{"C":"d-2","T":1}', [ReconnectAsked()]),
    (b'{"C":"d-2","M":[],"T":1}', [ReconnectAsked()]),
    (b'{"D":1}', [Disconnected()]),
    (b'{"C":"d-2","G":"token"}', []),
    (b'{"X":5}', [Unrecognised({"X": 5})]),
    (
        b'{"C":"d-2","M":[5,{"H":1},{"H":"h","M":"m"}]}',
        [Unrecognised(5), Unrecognised({"H": 1}), Unrecognised({"H": "h", "M": "m"})],
    ),
    (
        '{"C":"d-2","M":[{"H":"h","M":"Broadcast","A":["giá trần"]}]}'.encode(),
        [Invocation("h", "Broadcast", ["giá trần"])],
    ),
    (
        b'{"C":"d-2","M":[{"H":"h","M":"Broadcast","A":["\\ud800"]}]}',
        [Invocation("h", "Broadcast", ["\ud800"])],
    ),
]


@pytest.mark.parametrize(("frame", "events"), FRAMES)
def test_frames_whole_and_byte_by_byte(
    make: Callable[[], SignalR], frame: bytes, events: list[Event]
) -> None:
    whole, text, bytewise = make(), make(), make()
    for machine in (whole, text, bytewise):
        machine.receive(FIRST)
    assert whole.receive(frame) == events
    assert text.receive(frame.decode()) == events
    for i in range(len(frame) - 1):
        assert bytewise.receive(frame[i : i + 1], last=False) == []
    assert bytewise.receive(frame[-1:]) == events
    for machine in (whole, text, bytewise):
        assert machine.phase is Phase.OPEN
        assert machine.receive(b"{}") == [KeepAlive()]


@pytest.mark.parametrize(("frame", "events"), FRAMES)
def test_the_first_frame_opens_whatever_it_is(
    make: Callable[[], SignalR], frame: bytes, events: list[Event]
) -> None:
    machine = make()
    assert machine.receive(frame) == [Opened(), *events]


@pytest.mark.parametrize(("frame", "_events"), FRAMES)
@pytest.mark.parametrize("tail", [b"{}", b"x", b"\x00", b"]", b',{"a":1}'])
def test_trailing_data_breaks_the_connection(
    make: Callable[[], SignalR], frame: bytes, _events: object, tail: bytes
) -> None:
    machine = make()
    with pytest.raises(ProtocolError):
        machine.receive(frame + tail)
    assert machine.phase is Phase.CLOSED


@pytest.mark.parametrize(("frame", "events"), FRAMES)
def test_white_space_around_a_frame_does_not(
    make: Callable[[], SignalR], frame: bytes, events: list[Event]
) -> None:
    assert make().receive(b" \r\n" + frame + b"\n\t ") == [Opened(), *events]


@given(st.sampled_from(FRAMES), st.data())
def test_cut_json_is_an_error(samples: dict, frame: tuple, data: st.DataObject) -> None:
    machine = negotiated(samples["negotiate"])
    end = data.draw(st.integers(0, len(frame[0]) - 1))
    with pytest.raises(ProtocolError):
        machine.receive(frame[0][:end])
    machine = negotiated(samples["negotiate"])
    machine.receive(frame[0][:end], last=False)
    if end:
        with pytest.raises(ProtocolError, match="middle"):
            machine.ended()
    else:
        machine.ended()


def test_oversized_messages_are_bounded_before_they_are_kept(samples: dict) -> None:
    for size in (10, 4096, 4097, 10**6):
        machine = negotiated(samples["negotiate"], largest=4096)
        frame = b'{"X":"' + b"a" * (size - 8) + b'"}'
        if size <= 4096:
            machine.receive(frame)
            continue
        with pytest.raises(ProtocolError, match="4096"):
            machine.receive(frame)
    machine = negotiated(samples["negotiate"], largest=4096)
    with pytest.raises(ProtocolError, match="4096"):
        for _ in range(10_000):
            machine.receive(b"a", last=False)
    assert machine._parts == []
    machine = negotiated(samples["negotiate"], largest=4096)
    for _ in range(1000):
        machine.receive(b"", last=False)
    assert machine._parts == []


@pytest.mark.parametrize(
    "frame",
    [
        b"[" * 4000,
        b'{"a":' * 800,
        b'{"a":' + b"9" * 4080 + b"}",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    ],
)
def test_hostile_json_is_our_error_or_none(make: Callable[[], SignalR], frame: bytes) -> None:
    call = b'{"C":"d","M":[{"H":"h","M":"m","A":[%b],"S":%b}]}' % (frame, frame)
    for data in (frame, call, b'{"C":"d","M":[],"X":%b}' % frame):
        fresh, opened = make(), make()
        opened.receive(FIRST)
        for machine in (fresh, opened):
            with contextlib.suppress(ProtocolError):
                machine.receive(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
)
keys = st.sampled_from(list("CSMGIERTDHXL"))
messages = st.dictionaries(st.sampled_from(["H", "M", "A", "S"]), json_values)
frames = st.dictionaries(keys, json_values | st.lists(messages, max_size=3), max_size=6)


@given(st.lists(frames, max_size=5), st.lists(st.integers(1, 40), min_size=1))
def test_made_frames_mean_the_same_in_any_pieces(samples: dict, made: list[dict], sizes: list[int]) -> None:
    """Every frame gives the same events, or the same error, whole and cut into pieces of any sizes."""
    whole, pieces = (negotiated(samples["negotiate"], largest=10**6) for _ in range(2))
    for frame in made:
        data = json.dumps(frame).encode()
        results = []
        for machine, cut in ((whole, False), (pieces, True)):
            try:
                position, turn = 0, 0
                while cut and position + (size := sizes[turn % len(sizes)]) < len(data):
                    assert machine.receive(data[position : position + size], last=False) == []
                    position, turn = position + size, turn + 1
                results.append(repr(machine.receive(data[position:])))
            except ProtocolError as error:
                results.append(str(error))
        assert results[0] == results[1]
        assert (whole.cursor, whole.groups_token, whole.phase) == (
            pieces.cursor,
            pieces.groups_token,
            pieces.phase,
        )
        calls = [m for m in frame["M"] if isinstance(m, dict)] if isinstance(frame.get("M"), list) else []
        for call in calls:
            if (
                isinstance(call.get("H"), str)
                and isinstance(call.get("M"), str)
                and isinstance(call.get("A"), list)
            ):
                assert repr(call["M"]) in results[0], "a well-formed call was lost"
        if whole.phase is Phase.CLOSED:
            return


calls = st.dictionaries(st.sampled_from(["H", "M", "A", "S", "h"]), st.text(max_size=3) | json_values)
call_frames = st.fixed_dictionaries(
    {"C": st.text(max_size=3) | json_values, "M": st.lists(calls, max_size=3) | json_values},
    optional={"G": st.text(max_size=2), "S": st.just(1)},
)


@given(call_frames)
def test_frames_of_calls_mean_the_same_by_the_quick_way(samples: dict, frame: dict) -> None:
    """Only an open machine takes the quick way; the frame that opens it gives the same events."""
    data = json.dumps(frame).encode()
    fresh, opened = (negotiated(samples["negotiate"], largest=10**6) for _ in range(2))
    opened.receive(FIRST)
    results = []
    for machine in (fresh, opened):
        try:
            results.append(repr([event for event in machine.receive(data) if event != Opened()]))
        except ProtocolError as error:
            results.append(str(error))
    assert results[0] == results[1]
    if isinstance(frame["C"], str):
        assert fresh.cursor == opened.cursor == frame["C"]


@given(st.binary(max_size=200) | st.text(max_size=100))
def test_rubbish_raises_only_our_error(samples: dict, data: bytes | str) -> None:
    try:
        negotiated(samples["negotiate"]).receive(data)
    except ProtocolError as error:
        assert "\n" not in str(error)


def test_calls_are_numbered_and_spelled_as_the_official_data_client_spells_them(machine: SignalR) -> None:
    text, number = machine.invoke("SwitchChannels", "X:ALL")
    assert json.loads(text) == {"H": HUB, "M": "SwitchChannels", "A": ["X:ALL"], "I": 0}
    assert list(json.loads(text)) == ["H", "M", "A", "I"]
    assert number == "0"
    assert machine.invoke("SwitchChannels", "F:ALL")[1] == "1"
    assert machine.receive(b'{"I":"1"}') == [Result("1")]
