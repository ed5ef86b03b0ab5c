import { assert, describe, it } from "@effect/vitest"
import { ClosedStreams, Event, isClosed, next, State, Verdict } from "../../src/internal/http2/states.ts"

const { Ended, HalfClosedLocal, HalfClosedRemote, Idle, Open, ResetByPeer, ResetByUs } = State

/** Sentences of RFC 9113 5.1 (and 5.1.1, 6.2–6.9), each with the transitions that it states. */
const sentences: ReadonlyArray<
  readonly [sentence: string, cases: ReadonlyArray<readonly [state: number, event: number, result: number]>]
> = [
  [
    "idle: sending or receiving HEADERS makes the stream open",
    [
      [Idle, Event.SendHeaders, Open],
      [Idle, Event.ReceiveHeaders, Open]
    ]
  ],
  [
    "idle: any frame other than HEADERS or PRIORITY is a connection error PROTOCOL_ERROR",
    [
      [Idle, Event.ReceiveData, Verdict.ConnectionProtocolError],
      [Idle, Event.ReceiveReset, Verdict.ConnectionProtocolError],
      [Idle, Event.ReceiveWindowUpdate, Verdict.ConnectionProtocolError],
      [Idle, Event.ReceivePriority, Idle]
    ]
  ],
  [
    "open: both peers may send frames of any type",
    [
      [Open, Event.SendHeaders, Open],
      [Open, Event.SendData, Open],
      [Open, Event.ReceiveHeaders, Open],
      [Open, Event.ReceiveData, Open],
      [Open, Event.ReceiveWindowUpdate, Open],
      [Open, Event.ReceivePriority, Open]
    ]
  ],
  [
    "open: END_STREAM half-closes: local for the sender, remote for the receiver",
    [
      [Open, Event.SendEnd, HalfClosedLocal],
      [Open, Event.ReceiveEnd, HalfClosedRemote]
    ]
  ],
  [
    "open: RST_STREAM from either side closes",
    [
      [Open, Event.SendReset, ResetByUs],
      [Open, Event.ReceiveReset, ResetByPeer]
    ]
  ],
  [
    "half-closed (local): nothing but WINDOW_UPDATE, PRIORITY and RST_STREAM is sent",
    [
      [HalfClosedLocal, Event.SendHeaders, Verdict.Ignore],
      [HalfClosedLocal, Event.SendData, Verdict.Ignore],
      [HalfClosedLocal, Event.SendEnd, Verdict.Ignore],
      [HalfClosedLocal, Event.SendReset, ResetByUs]
    ]
  ],
  [
    "half-closed (local): END_STREAM closes; any frame may be received",
    [
      [HalfClosedLocal, Event.ReceiveEnd, Ended],
      [HalfClosedLocal, Event.ReceiveReset, ResetByPeer],
      [HalfClosedLocal, Event.ReceiveHeaders, HalfClosedLocal],
      [HalfClosedLocal, Event.ReceiveData, HalfClosedLocal],
      [HalfClosedLocal, Event.ReceiveWindowUpdate, HalfClosedLocal],
      [HalfClosedLocal, Event.ReceivePriority, HalfClosedLocal]
    ]
  ],
  [
    "half-closed (remote): frames other than WINDOW_UPDATE, PRIORITY and RST_STREAM are a stream error STREAM_CLOSED",
    [
      [HalfClosedRemote, Event.ReceiveHeaders, Verdict.StreamClosed],
      [HalfClosedRemote, Event.ReceiveData, Verdict.StreamClosed],
      [HalfClosedRemote, Event.ReceiveEnd, Verdict.StreamClosed],
      [HalfClosedRemote, Event.ReceiveWindowUpdate, HalfClosedRemote],
      [HalfClosedRemote, Event.ReceivePriority, HalfClosedRemote],
      [HalfClosedRemote, Event.ReceiveReset, ResetByPeer]
    ]
  ],
  [
    "half-closed (remote): frames of any type may be sent, END_STREAM closes",
    [
      [HalfClosedRemote, Event.SendHeaders, HalfClosedRemote],
      [HalfClosedRemote, Event.SendData, HalfClosedRemote],
      [HalfClosedRemote, Event.SendEnd, Ended],
      [HalfClosedRemote, Event.SendReset, ResetByUs]
    ]
  ],
  [
    "closed by END_STREAM: HEADERS and DATA are a connection error STREAM_CLOSED",
    [
      [Ended, Event.ReceiveHeaders, Verdict.ConnectionStreamClosed],
      [Ended, Event.ReceiveData, Verdict.ConnectionStreamClosed],
      [Ended, Event.ReceiveEnd, Verdict.ConnectionStreamClosed]
    ]
  ],
  [
    "closed by END_STREAM: WINDOW_UPDATE and RST_STREAM may still come, PRIORITY always",
    [
      [Ended, Event.ReceiveWindowUpdate, Verdict.Ignore],
      [Ended, Event.ReceiveReset, Verdict.Ignore],
      [Ended, Event.ReceivePriority, Ended]
    ]
  ],
  [
    "closed by the peer's RST_STREAM: what it sends behind it is a stream error STREAM_CLOSED",
    [
      [ResetByPeer, Event.ReceiveHeaders, Verdict.StreamClosed],
      [ResetByPeer, Event.ReceiveData, Verdict.StreamClosed],
      [ResetByPeer, Event.ReceiveEnd, Verdict.StreamClosed],
      [ResetByPeer, Event.ReceivePriority, ResetByPeer]
    ]
  ],
  [
    "closed by our RST_STREAM: frames in flight of any type are ignored",
    [
      [ResetByUs, Event.ReceiveHeaders, Verdict.Ignore],
      [ResetByUs, Event.ReceiveData, Verdict.Ignore],
      [ResetByUs, Event.ReceiveEnd, Verdict.Ignore],
      [ResetByUs, Event.ReceiveReset, Verdict.Ignore],
      [ResetByUs, Event.ReceiveWindowUpdate, Verdict.Ignore],
      [ResetByUs, Event.ReceivePriority, ResetByUs]
    ]
  ]
]

describe("states", () => {
  for (const [sentence, cases] of sentences) {
    it(sentence, () => {
      for (const [state, event, result] of cases) assert.strictEqual(next(state, event), result, `${state} ${event}`)
    })
  }

  it("nothing leaves a closed state, and nothing is sent in it", () => {
    for (const state of Object.values(State)) {
      if (!isClosed(state)) continue
      for (const event of Object.values(Event)) {
        const to = next(state, event)
        assert.isTrue(to === state || to < 0)
        if (event <= Event.SendReset) assert.strictEqual(to, Verdict.Ignore)
      }
    }
  })
})

describe("ClosedStreams", () => {
  it("remembers how the latest streams ended, in bounded memory", () => {
    const past = new ClosedStreams(4)
    assert.isUndefined(past.recall(1))
    for (let id = 1; id <= 11; id += 2) past.remember(id, id % 4 === 1 ? State.Ended : State.ResetByPeer)
    assert.deepStrictEqual(
      [1, 3, 5, 7, 9, 11, 13].map((id) => past.recall(id)),
      [undefined, undefined, Ended, ResetByPeer, Ended, ResetByPeer, undefined]
    )
  })
})
