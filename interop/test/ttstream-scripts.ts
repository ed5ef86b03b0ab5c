/** The scripts for real peers of TTHeader streaming. The ids are those of docs/ttheader-streaming.md. */
import type { Options, Script } from "./scripts.ts"

/** One row: a script, and what is compared of it. */
export interface Row extends Script {
  /** The scenarios that it stands for, and what happens. */
  readonly title: string
  /** Whose counts of middleware, events and tracers are the same, whoever is at the other end. */
  readonly counted?: "client" | "server" | "both"
  /** What Kitex's ends say to each other must have this. */
  readonly has: ReadonlyArray<string>
  /** Of errors only the kind is the same, and of what the server says only that it lost the connection. */
  readonly loosely?: boolean
  /** Not with our client, for the reason given. */
  readonly notOurs?: string
}

const pings = (n: number, word = "ping") => Array.from({ length: n }, () => `send:${word}`)
const echoes = (n: number) => Array.from({ length: n }, () => ["send:ping", "recv"]).flat()

const userCancelled = "user code invoking stream RPC with context processed by context.WithCancel"
const timedOut = "[canceled path: tester] stream Recv timeout, timeout config={Timeout:200ms DisableCancelRemote:false}"

const normal: ReadonlyArray<Row> = [
  {
    title: "N-02 N-05 N-06 N-07 N-09 U-107: bidirectional, ten messages each way, and all that is counted",
    mode: "bidi",
    steps: [...echoes(10), "close", "recv", "saw", "saw:/counts"],
    counted: "both",
    has: ['"end":true', '"recv":11', '"recvHeader":1']
  },
  {
    title: "N-08: bidirectional, header and trailer that are set before any message",
    mode: "bidi",
    steps: ["send:header-trailer", "header", "recv", "close", "recv", "trailer"],
    has: ['"h-one":"1"', '"t-one":"1"', '"h-multi":"b"']
  },
  {
    title: "N-02 N-11 N-12 N-13 U-105: client streaming, ten messages, header and trailer, and all that is counted",
    mode: "client",
    steps: ["send:header-trailer", ...pings(9), "recv", "header", "trailer", "saw:/counts"],
    counted: "both",
    has: ['"count":10,"message":"total"', '"h-one":"1"', '"t-one":"1"']
  },
  {
    title: "N-02 N-14 N-15 U-106: server streaming, ten messages, a header in two parts, and all that is counted",
    mode: "server",
    word: "merged-header",
    count: 10,
    steps: ["header", "recv*", "saw:/counts"],
    counted: "both",
    has: ['"Second":"2"', '"third":"三"', '"count":10']
  },
  {
    title: "N-16: metainfo of a bidirectional stream",
    mode: "bidi",
    transient: { METAKEY: "METAVALUE", mixedCase: "1" },
    steps: ["send:metainfo", "recv"],
    has: ["transient METAKEY=METAVALUE", "transient mixedCase=1"]
  },
  {
    title: "N-16: metainfo of server streaming",
    mode: "server",
    word: "metainfo",
    count: 1,
    transient: { METAKEY: "METAVALUE" },
    steps: ["recv"],
    has: ["transient METAKEY=METAVALUE"]
  },
  {
    title: "N-16: metainfo of client streaming, which decides how that ends",
    mode: "client",
    transient: { OUTCOME: "biz-extra" },
    steps: ["send:ping", "recv"],
    has: ['"code":404']
  },
  {
    title: "N-17 U-46 U-51: a business error, on every later use too",
    mode: "bidi",
    steps: ["send:biz", "recv", "recv", "send:late", "trailer"],
    has: ["biz error: code=404, msg=not found"]
  },
  {
    title: "U-13: a header that is sent early, and messages behind it",
    mode: "bidi",
    steps: ["send:send-header", "header", "recv", "close", "recv"],
    has: ['"early":"1"', '"end":true']
  },
  {
    title: "N-18: HTTP/2 on the same port",
    mode: "bidi",
    transport: "grpc",
    steps: ["send:one", "recv", "close", "recv"],
    has: ['"message":"one"']
  },
  {
    title: "U-19 U-67: the server ends first",
    mode: "bidi",
    steps: ["send:return-early", "recv", "send:late", "recv"],
    has: ['"end":true', "stream is closed send"]
  },
  {
    title: "U-108: the handler returns at once",
    mode: "bidi",
    steps: ["send:return-early", "recv", "recv", "header"],
    counted: "client",
    has: ['"end":true']
  },
  {
    title: "U-109: the handler sets a header and returns",
    mode: "server",
    word: "header-trailer",
    steps: ["recv", "header", "trailer"],
    counted: "client",
    has: ['"end":true', '"t-one":"1"']
  },
  {
    title: "U-110: the handler returns behind one message",
    mode: "server",
    word: "one",
    count: 1,
    steps: ["recv", "recv"],
    counted: "client",
    has: ['"end":true']
  },
  {
    title: "U-11: a message of 100 KB",
    mode: "bidi",
    steps: ["send:big:100000", "recv"],
    has: ['"bytes":100000']
  },
  {
    title: "U-26: sending behind the half close",
    mode: "bidi",
    steps: ["send:hold", "close", "send:late", "recv", "recv", "close"],
    has: ["code=12005", "stream is closed send"]
  },
  {
    title: "U-19 U-95: a stream that is used after its handler has returned",
    mode: "bidi",
    steps: ["send:use-after-return", "recv", "sleep:100", "saw:/after"],
    has: ["[ttstream error, code=12012] [server-side stream] canceled by business handler returning"]
  },
  ...(["mux", "long", "short"] as const).map((pool): Row => ({
    title: `A-17: three streams of a ${pool} pool, one after the other`,
    mode: "bidi",
    pool,
    steps: ["send:peer", "recv", "close", "recv", "open", "send:peer", "recv", "close", "recv", "open", ...echoes(1)],
    has: ['"end":true']
  }))
]

const words = [
  "plain-error",
  "unicode-error",
  "trans-error",
  "biz-extra",
  "biz-html",
  "biz-zero",
  "biz-grpc",
  "panic"
] as const

const endings: ReadonlyArray<Row> = [
  ...words.flatMap((word): ReadonlyArray<Row> => [
    {
      title: `U-45 U-50 U-52 U-55: a bidirectional handler ends with ${word}`,
      mode: "bidi",
      steps: [`send:${word}`, "recv", "recv", "send:late"],
      has: [word === "biz-zero" ? '"end":true' : '"error":']
    },
    {
      title: `U-50 U-52 U-55: a server streaming handler ends with ${word}`,
      mode: "server",
      word,
      count: 1,
      steps: ["recv", "recv"],
      has: [word === "biz-zero" ? '"end":true' : '"error":']
    },
    {
      title: `U-50 U-52 U-55: a client streaming handler ends with ${word}`,
      mode: "client",
      steps: [`send:${word}`, "recv"],
      has: [word === "biz-zero" ? '"end":true' : '"error":'],
      ...(word === "biz-zero" ? { notOurs: "a success without a response is a violation of the protocol" } : undefined)
    }
  ]),
  {
    title: "U-15: two messages and then an error",
    mode: "server",
    word: "two-then-error",
    steps: ["recv", "recv", "recv", "recv"],
    has: ["biz error: boom"]
  }
]

const cancels: ReadonlyArray<Row> = [
  {
    title: "C-01 C-08 U-80: client streaming, cancelled right behind its opening",
    mode: "client",
    steps: ["sleep:30", "cancel", "settle", "send:late", "saw"],
    counted: "client",
    has: ["[canceled path: tester", userCancelled, '"kind":"canceled"']
  },
  {
    title: "C-02 C-08 U-28 U-81: client streaming, cancelled between messages",
    mode: "client",
    steps: ["cancel-in:100", "send*", "saw"],
    has: ["[canceled path: tester", userCancelled, '"kind":"canceled"']
  },
  {
    title: "C-03 C-08 U-82: client streaming, cancelled behind ten messages",
    mode: "client",
    steps: [...pings(10), "cancel", "settle", "saw"],
    counted: "client",
    has: ["[canceled path: tester", userCancelled]
  },
  {
    title: "C-04 C-08 U-83: server streaming, cancelled while the server is slow",
    mode: "server",
    word: "slow-start",
    count: 300,
    steps: ["cancel-in:50", "recv", "sleep:350", "saw"],
    counted: "client",
    has: ["[canceled path: tester", userCancelled, '"kind":"canceled"']
  },
  {
    title: "C-05 C-08 U-84: server streaming, cancelled between messages",
    mode: "server",
    word: "forever",
    steps: ["cancel-in:60", "recv*", "saw"],
    has: ["[canceled path: tester", userCancelled, '"kind":"canceled"']
  },
  {
    title: "C-06 C-08 U-85: server streaming, the reader has had enough",
    mode: "server",
    word: "stutter",
    steps: ["recv", "recv", "recv", "cancel", "settle", "saw"],
    has: ["[canceled path: tester", userCancelled]
  },
  {
    title: "U-86: bidirectional, one message after the other, then cancelled",
    mode: "bidi",
    steps: [...echoes(3), "cancel", "recv", "recv", "send:late", "saw"],
    counted: "client",
    has: ["[canceled path: tester", userCancelled, '"kind":"canceled"']
  },
  {
    title: "C-07 C-08 U-25 U-36 U-38 U-69 U-72 U-87: bidirectional, both loops of both sides end by a cancel",
    mode: "bidi",
    steps: ["send:both", "cancel-in:100", "both", "saw"],
    has: ["[canceled path: tester", userCancelled, '"kind":"canceled"']
  },
  {
    title: "U-111: cancelled behind its opening",
    mode: "bidi",
    steps: ["sleep:30", "cancel", "recv"],
    counted: "client",
    has: ["code=12007"]
  },
  {
    title: "U-112: cancelled behind a send",
    mode: "bidi",
    steps: ["send:wait", "sleep:30", "cancel", "recv"],
    counted: "client",
    has: ["code=12007"]
  },
  {
    title: "U-113: cancelled behind a receive",
    mode: "bidi",
    steps: ["send:one", "recv", "cancel", "recv"],
    counted: "client",
    has: ["code=12007"]
  },
  {
    title: "A-14: cancelled behind the half close",
    mode: "bidi",
    steps: ["send:wait", "close", "sleep:30", "cancel", "recv", "saw"],
    has: ["[canceled path: tester", userCancelled]
  },
  {
    title: "a client without a name: the path is empty",
    mode: "bidi",
    nameless: true,
    steps: ["send:wait", "sleep:30", "cancel", "recv", "saw"],
    has: ["[server-side stream] user code invoking"]
  }
]

type Recv = NonNullable<Options["recv"]>
const budgets: ReadonlyArray<readonly [name: string, recv: Recv]> = [
  ["the old option", { legacy: 200 }],
  ["the config", { config: 200 }],
  ["both options", { legacy: 100, config: 200 }],
  ["the config of the call", { config: 200, call: true }]
]

const timeouts: ReadonlyArray<Row> = [
  ...budgets.flatMap(([name, recv]): ReadonlyArray<Row> => [
    {
      title: `T-01 T-02 U-04 U-05 U-06 U-33 U-61 U-62 U-76 U-96: client streaming, recv timeout by ${name}`,
      mode: "client",
      recv,
      steps: ["send:late-answers", "recv", "saw"],
      counted: "client",
      has: [timedOut, '"kind":"timeout"']
    },
    {
      title: `T-03 T-04 U-65 U-76 U-97: server streaming, recv timeout by ${name}`,
      mode: "server",
      word: "stutter",
      recv,
      steps: ["recv*", "recv", "saw"],
      has: [timedOut, '"kind":"timeout"', '"count":3']
    },
    {
      title: `T-05 T-06 U-98: bidirectional behind the half close, recv timeout by ${name}`,
      mode: "bidi",
      recv,
      steps: ["send:late-answers", "close", "recv*", "send:late", "saw"],
      has: [timedOut, '"kind":"timeout"', '"count":3']
    }
  ]),
  {
    title: "U-99: client streaming, a timeout that ends nothing",
    mode: "client",
    recv: { config: 100, keep: true },
    steps: ["send:one", "recv-only", "send:two", "recv"],
    has: ["DisableCancelRemote:true", '"count":2'],
    notOurs: "a handle of client streaming receives once, behind its half close"
  },
  {
    title: "U-34 U-63 U-78 U-100: server streaming, a timeout that ends nothing",
    mode: "server",
    word: "stutter",
    recv: { config: 250, keep: true },
    steps: ["recv", "recv", "recv", "recv", "recv"],
    has: ["DisableCancelRemote:true"]
  },
  {
    title: "U-34 U-63 U-64 U-101: bidirectional, a timeout that ends nothing",
    mode: "bidi",
    recv: { config: 200, keep: true },
    steps: ["send:sleep:300", "recv", "send:two", "recv", "recv", "close", "recv"],
    has: ["DisableCancelRemote:true", '"message":"two"']
  },
  {
    title: "T-07 T-09 T-11 U-68: the recv timeout is before that of the stream",
    mode: "bidi",
    millis: 800,
    recv: { config: 400 },
    steps: ["send:wait", "recv", "saw"],
    has: ["code=12014"]
  },
  {
    title: "T-08 T-10 T-12 U-07 U-30 U-77: the timeout of the stream is before that of recv",
    mode: "bidi",
    millis: 400,
    recv: { config: 800 },
    steps: ["send:wait", "recv", "send:late", "saw"],
    has: ["code=12015", "stream timeout, timeout in ctx: "]
  },
  {
    title: "T-12: the timeout of a stream that the server sends on",
    mode: "server",
    word: "forever",
    millis: 400,
    steps: ["recv*", "saw"],
    has: ["code=12015"]
  }
]

export const rows: ReadonlyArray<Row> = [...normal, ...endings, ...cancels, ...timeouts]

/** The cancels of kitex-tests, and of ttstream's own tests. */
export const cancelled: ReadonlyArray<Row> = cancels.filter(({ title }) => /U-8[0-7]/.test(title))

/** Through a gateway that ends a stream where a message has the word `reset-here`. */
export const resets: ReadonlyArray<Row> = [
  {
    title: "U-27 U-73 U-74 U-91 U-92 U-93 U-94: the gateway ends a bidirectional stream in both directions",
    mode: "bidi",
    steps: ["send:one", "recv", "send:reset-here", "recv", "recv", "send:late", "saw"],
    has: ["[ttstream error, code=1204] [client-side stream] [canceled path: ", '"kind":"canceled"']
  },
  {
    title: "U-27 U-73 U-74 U-91 U-92 U-93 U-94: the gateway ends client streaming in both directions",
    mode: "client",
    steps: ["send:one", "sleep:50", "send:reset-here", "sleep:50", "recv", "saw"],
    has: ["[ttstream error, code=1204] [client-side stream] [canceled path: ", '"kind":"canceled"']
  }
]

/** Through a gateway that cuts the connection where a message has the word `cut-here`. */
export const cuts: ReadonlyArray<Row> = [
  {
    title: "A-16 U-17 U-102: the connection is cut under client streaming",
    mode: "client",
    loosely: true,
    steps: ["send:one", "sleep:50", "send:cut-here", "sleep:50", "recv", "send:late", "saw"],
    has: ['"kind":"protocol"', "code=12013"]
  },
  {
    title: "A-16 U-17 U-103: the connection is cut under server streaming",
    mode: "server",
    loosely: true,
    word: "cut-here",
    steps: ["recv", "recv"],
    has: ['"kind":"protocol"']
  },
  {
    title: "A-16 U-17 U-104: the connection is cut under a bidirectional stream",
    mode: "bidi",
    loosely: true,
    steps: ["send:one", "recv", "send:cut-here", "recv", "recv", "send:late", "saw"],
    has: ['"kind":"protocol"', "code=12013"]
  }
]

/** Streams that go on to another server: `next` is there. */
export const cascades: ReadonlyArray<Row> = [
  {
    title: "C-08 U-29 U-75: a cancel goes through the server in the middle",
    mode: "bidi",
    steps: ["send:down-wait", "cancel-in:100", "recv", "saw", "saw-next"],
    has: ["[canceled path: tester] user code", "-> "]
  },
  {
    title: "U-95: the handler in the middle returns, and what it opened ends",
    mode: "bidi",
    steps: ["send:down-leave", "recv", "sleep:50", "saw-next"],
    has: ["canceled by business handler returning"]
  },
  {
    title: "U-32: a stream that came over HTTP/2 is cancelled, and what it opened over TTHeader ends",
    mode: "bidi",
    transport: "grpc",
    steps: ["send:down-wait", "cancel-in:100", "recv", "sleep:50", "saw-next"],
    has: ["code=12011", "[canceled path: non-ttstream path -> "]
  },
  {
    title: "U-75: a recv timeout goes through the server in the middle",
    mode: "bidi",
    recv: { config: 400 },
    steps: ["send:down-wait", "recv", "saw", "saw-next"],
    has: ["stream Recv timeout, timeout config={Timeout:400ms DisableCancelRemote:false}"]
  },
  {
    title: "U-75: the deadline of the first client goes through the server in the middle",
    mode: "bidi",
    millis: 400,
    steps: ["send:down-wait", "recv", "saw", "saw-next"],
    has: ["code=12015"]
  }
]
