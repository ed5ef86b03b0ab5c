/**
 * How each transport says what happens: Kitex's numbers and texts, written down once more. What happened is the reason of the error, and
 * the same over each. Streams are apart from unary calls, which a client of TTHeader streaming makes as PingPong calls.
 */
import { transport } from "./transport.ts"

export type Side = "client" | "server"
export type Status = [code: number, message: string]

export interface Words {
  /** `RpcInfo.protocol`. */
  readonly protocol: string
  /** Kitex's name of it. */
  readonly kitexName: string
  /** Whether its server has a stream of it: hooks of streams hear of that. */
  readonly isStream: boolean
  /** Whether a server speaks first: nobody can connect to a silent one. */
  readonly handshake: boolean
  /** Bytes of the frame of a message that count as held back until they are written. */
  readonly headBytes: (method: string) => number
  /** An error of the stream itself. */
  readonly deadlineExceeded: (millis: number, side?: Side) => string
  readonly cancelled: string
  readonly recvTimeout: (millis: number, failsAlone?: boolean) => string
  readonly firstMessageTimeout: (millis: number) => string
  /** The texts of a server whose stream has run out of the time of its caller, and whose handler has received nothing in time. */
  readonly ownDeadline: (millis: number) => string
  readonly ownRecvTimeout: (millis: number) => string
  readonly sendTimeout: (millis: number) => string
  readonly streamDone: string
  /** Sending behind a business error. */
  readonly bizDone: (code: number, text: string) => string
  readonly handlerReturned: string
  /** The text of the end of a stream whose server stops. */
  readonly shutdown: string
  /** An error that its reader finds in an answer: of a handler, that failed with a code or with a plain error; of what stands around it. */
  readonly ofHandler: (text: string, code?: number) => string
  readonly ofMiddleware: (text: string, code?: number) => string
  readonly panic: (method: string, text: string) => string
  /** Of limits and of rules. */
  readonly rejected: (text: string) => string
  readonly forbidden: (text: string) => string
  /** How a call ends on its server, reason and all, whose client has left, for what it says itself; and whose time is over. */
  readonly left: (why: string) => string
  readonly overdue: (millis: number) => string
  /** The code and text of a raw status, as a client's transport has it. */
  readonly status: {
    readonly ofHandler: (text: string, code?: number) => Status
    readonly ofMiddleware: (text: string, code?: number) => Status
    readonly rejected: (text: string) => Status
    /** Of a handler that interrupts itself. */
    readonly cancelled: Status
    readonly panic: (method: string, text: string) => Status
  }
  /** The numbers that telemetry has for them. */
  readonly codes: {
    readonly deadlineExceeded: string
    readonly cancelled: string
    readonly recvTimeout: string
    /** Of the server of a call whose client has left for that. */
    readonly leftByTimeout: string
    readonly panic: string
    readonly ofHandler: (code: number) => string
  }
}

const recvTimeout = (millis: number, failsAlone = false) =>
  `stream Recv timeout, timeout config={Timeout:${millis}ms DisableCancelRemote:${failsAlone}}`
const firstMessageTimeout = (millis: number) => `no first message within ${millis}ms`
const sendTimeout = (millis: number) => `stream Send timeout, the peer left no room for a message within ${millis}ms`
const panic = (method: string, text: string) =>
  `panic: [happened in biz handler, method=${method}, please check the panic at the server side] ${text}`

const error = (code: number, desc: string) => `rpc error: code = ${code} desc = ${desc}`

const grpc: Words = {
  protocol: "grpc",
  kitexName: "GRPC",
  isStream: true,
  handshake: true,
  headBytes: () => 0,
  deadlineExceeded: () => error(4, "context deadline exceeded"),
  cancelled: error(1, "context canceled"),
  recvTimeout: (millis, failsAlone) => error(17, recvTimeout(millis, failsAlone)),
  firstMessageTimeout: (millis) => error(17, firstMessageTimeout(millis)),
  ownDeadline: () => "context deadline exceeded",
  ownRecvTimeout: (millis) => recvTimeout(millis),
  sendTimeout: (millis) => error(4, sendTimeout(millis)),
  streamDone: error(13, "the stream is done"),
  bizDone: (_, text) => error(13, text),
  handlerReturned: error(1, "transport: canceled by business handler returning"),
  shutdown: "graceful shutdown",
  ofHandler: (text, code = 13) => error(code, `${text} [biz error]`),
  ofMiddleware: (text, code = 13) => error(code, text),
  panic: (method, text) => error(13, panic(method, text)),
  rejected: (text) => error(8, text),
  forbidden: (text) => error(7, text),
  left: () => `Cancelled: ${error(1, "transport: RSTStream Frame received with error code: CANCEL [triggered by ]")}`,
  overdue: () => `DeadlineExceeded: ${error(4, "context deadline exceeded")}`,
  status: {
    ofHandler: (text, code = 13) => [code, `${text} [biz error]`],
    ofMiddleware: (text, code = 13) => [code, text],
    rejected: (text) => [8, text],
    cancelled: [1, "context canceled"],
    panic: (method, text) => [13, panic(method, text)]
  },
  codes: {
    deadlineExceeded: "4",
    cancelled: "1",
    recvTimeout: "17",
    leftByTimeout: "1",
    panic: "13",
    ofHandler: String
  }
}

const streamError = (code: number, text: string, side: Side = "client") =>
  error(code, `[ttstream error, code=${code}] [${side}-side stream] ${text}`)
const cancelled =
  "user code invoking stream RPC with context processed by context.WithCancel or context.WithTimeout, then invoking cancel() actively"

const ttstream: Words = {
  protocol: "ttheader-streaming",
  kitexName: "TTHeaderStreaming",
  isStream: true,
  handshake: false,
  // A TTHeader is padded to four bytes: the method's name and the type of the frame are in it.
  headBytes: (method) => 14 + 4 * Math.ceil((14 + method.length) / 4),
  deadlineExceeded: (millis, side) =>
    streamError(
      12015,
      millis <= 0
        ? "stream timeout, no explicit timeout set in stream ctx"
        : `stream timeout, timeout in ctx: ${millis}ms`,
      side
    ),
  cancelled: streamError(12007, cancelled),
  recvTimeout: (millis, failsAlone) => streamError(12014, recvTimeout(millis, failsAlone)),
  firstMessageTimeout: (millis) => streamError(12014, firstMessageTimeout(millis)),
  ownDeadline: (millis) =>
    `[ttstream error, code=12015] [server-side stream] stream timeout, timeout in ctx: ${millis}ms`,
  ownRecvTimeout: (millis) => `[ttstream error, code=12014] [server-side stream] ${recvTimeout(millis)}`,
  sendTimeout: (millis) => streamError(12014, sendTimeout(millis)),
  streamDone: streamError(12005, "stream is closed send"),
  bizDone: (code, text) => error(12001, `biz error: code=${code}, msg=${text}`),
  handlerReturned: streamError(12012, "canceled by business handler returning", "server"),
  shutdown: "[ttstream error, code=14] [client-side stream] graceful shutdown",
  ofHandler: (text) => streamError(12001, `biz error: ${text}`),
  ofMiddleware: (text) => streamError(12001, text),
  panic: (method, text) => streamError(12001, panic(method, text)),
  rejected: (text) => streamError(12001, text),
  forbidden: (text) => streamError(12001, text),
  left: (why) => `Cancelled: ${why.replace("[client-side stream]", "[server-side stream]")}`,
  overdue: (millis) => `DeadlineExceeded: ${ttstream.deadlineExceeded(millis, "server")}`,
  status: {
    ...grpc.status,
    cancelled: [1, `[ttstream error, code=12007] [server-side stream] ${cancelled}`],
    ofHandler: (text, code = 13) => [code, `biz error: ${text}`]
  },
  codes: {
    deadlineExceeded: "12015",
    cancelled: "12007",
    recvTimeout: "12014",
    leftByTimeout: "12014",
    panic: "12001",
    ofHandler: () => "12001"
  }
}

const pingPong: Words = {
  ...grpc,
  protocol: "ttheader-framed",
  kitexName: "TTHeader|Framed",
  isStream: false,
  handshake: false,
  headBytes: () => 0,
  ofHandler: (text, code) => (code === undefined ? error(6, `biz error: ${text}`) : error(code, `${text} [biz error]`)),
  ofMiddleware: (text, code = 6) => error(code, text),
  panic: (method, text) => error(6, panic(method, text)),
  rejected: (text) => error(6, text),
  forbidden: (text) => error(6, text),
  left: () => `Unavailable: ${error(1, "the client closed the connection")}`,
  overdue: (millis) =>
    `DeadlineExceeded: ${error(4, `rpc timeout: timeout=${millis}ms, to=TestService, method=EchoUnary`)}`,
  status: {
    ofHandler: (text, code) => (code === undefined ? [6, `biz error: ${text}`] : [code, `${text} [biz error]`]),
    ofMiddleware: (text, code = 6) => [code, text],
    rejected: (text) => [6, text],
    cancelled: [6, "context canceled"],
    panic: (method, text) => [6, panic(method, text)]
  },
  codes: { ...grpc.codes, panic: "6" }
}

/** Of calls of the three streaming modes, of unary ones, and of PingPong calls, which are the same over each. */
export const wire: { readonly streams: Words; readonly unary: Words; readonly calls: Words } = {
  grpc: { streams: grpc, unary: grpc, calls: pingPong },
  "ttheader-streaming": { streams: ttstream, unary: pingPong, calls: pingPong }
}[transport]

/** The words of a method, a mode or an encoding, by its name. */
export const wordsOf = (name: string): Words => {
  if (/unary/i.test(name)) return wire.unary
  return /ping|framed|buffered|^ttheader/i.test(name) ? wire.calls : wire.streams
}
