import { assert, describe, it } from "@effect/vitest"
import { Event, next, State, Verdict } from "../../src/internal/ttstream/states.ts"

const { ClientClosing, ClientHalfClosed, ClientOpen, ClientOpening, Inactive, ServerHalfClosed, ServerOpen } = State
const { ReceiveData, ReceiveHeader, ReceiveRst, ReceiveTrailer, SendRst, SendTrailer } = Event
const { Duplicate, Ignore } = Verdict

/** Sentences, each with the transitions that it states. Together they state every cell of the table. */
const sentences: ReadonlyArray<
  readonly [sentence: string, cases: ReadonlyArray<readonly [state: number, event: number, result: number]>]
> = [
  [
    "a client's Trailer half-closes, once",
    [
      [ClientOpening, SendTrailer, ClientClosing],
      [ClientOpen, SendTrailer, ClientHalfClosed],
      [ClientClosing, SendTrailer, Ignore],
      [ClientHalfClosed, SendTrailer, Ignore]
    ]
  ],
  [
    "the first Header of the server is taken whenever it comes, a second one is wrong",
    [
      [ClientOpening, ReceiveHeader, ClientOpen],
      [ClientClosing, ReceiveHeader, ClientHalfClosed],
      [ClientOpen, ReceiveHeader, Duplicate],
      [ClientHalfClosed, ReceiveHeader, Duplicate]
    ]
  ],
  [
    "a client takes Data with or without a Header in front",
    [
      [ClientOpening, ReceiveData, ClientOpening],
      [ClientOpen, ReceiveData, ClientOpen],
      [ClientClosing, ReceiveData, ClientClosing],
      [ClientHalfClosed, ReceiveData, ClientHalfClosed]
    ]
  ],
  [
    "the server's Trailer ends the stream",
    [ClientOpening, ClientOpen, ClientClosing, ClientHalfClosed].map(
      (state) => [state, ReceiveTrailer, Inactive] as const
    )
  ],
  [
    "a server's own Trailer ends it too",
    [ServerOpen, ServerHalfClosed].map((state) => [state, SendTrailer, Inactive] as const)
  ],
  [
    "the client's Trailer half-closes for the server: what comes behind it is not read",
    [
      [ServerOpen, ReceiveTrailer, ServerHalfClosed],
      [ServerHalfClosed, ReceiveTrailer, Ignore],
      [ServerOpen, ReceiveData, ServerOpen],
      [ServerHalfClosed, ReceiveData, Ignore]
    ]
  ],
  [
    "an id that is in use cannot be opened again",
    [
      [ServerOpen, ReceiveHeader, Duplicate],
      [ServerHalfClosed, ReceiveHeader, Duplicate]
    ]
  ],
  [
    "an Rst of either side ends the stream",
    [ClientOpening, ClientOpen, ClientClosing, ClientHalfClosed, ServerOpen, ServerHalfClosed].flatMap((state) =>
      [SendRst, ReceiveRst].map((event) => [state, event, Inactive] as const)
    )
  ],
  ["nothing happens to a stream that is over", Object.values(Event).map((event) => [Inactive, event, Ignore] as const)]
]

describe("ttstream states", () => {
  for (const [sentence, cases] of sentences) {
    it(sentence, () => {
      for (const [state, event, result] of cases) assert.strictEqual(next(state, event), result, `${state} ${event}`)
    })
  }

  it("the sentences state all of the table", () => {
    const stated = new Set(sentences.flatMap(([, cases]) => cases.map(([state, event]) => `${state} ${event}`)))
    assert.strictEqual(stated.size, Object.keys(State).length * Object.keys(Event).length)
  })
})
