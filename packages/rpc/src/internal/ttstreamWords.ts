/**
 * Numbers and texts of TTHeader streaming (Kitex `pkg/remote/trans/ttstream/exception.go`).
 *
 * @internal
 */
import { goDuration } from "./goDuration.ts"
import { firstMessageTimeoutText, recvTimeoutText, sendTimeoutText } from "./grpcWords.ts"
import type { Said, Side, Words } from "./words.ts"

/** @internal */
export const Code = {
  Application: 12001,
  IllegalOperation: 12005,
  Cancelled: 12007,
  /** By what is no TTHeader streaming. */
  InternalCancelled: 12011,
  HandlerReturned: 12012,
  ConnectionClosed: 12013,
  Timeout: 12014,
  DeadlineExceeded: 12015
} as const

/** @internal */
export const userCancelled =
  "user code invoking stream RPC with context processed by context.WithCancel or context.WithTimeout, then invoking cancel() actively"

/** @internal */
export const handlerReturned = "canceled by business handler returning"

const head = "[ttstream error, code="

/** @internal */
export const format = (code: number, side: Side, text: string, path: ReadonlyArray<string> = []): string =>
  `${head}${code}] [${side}-side stream] ${path.length === 0 ? "" : `[canceled path: ${path.join(" -> ")}] `}${text}`

/** Whether an error is one of a stream over TTHeader streaming. @internal */
export const isFormatted = (desc: string): boolean => desc.startsWith(head)

/** The text alone, of an error of this end that says nothing of a path. @internal */
export const textOf = ({ code, desc }: Said): string => {
  for (const before of [format(code, "client", ""), format(code, "server", ""), `${head}${code}] `]) {
    if (desc.startsWith(before)) return desc.slice(before.length)
  }
  return desc
}

const said = (code: number, side: Side, text: string, path?: ReadonlyArray<string>): Said => ({
  code,
  desc: format(code, side, text, path)
})

/** The beginning of a path where what was cancelled first is no TTHeader streaming. @internal */
export const foreignPath: ReadonlyArray<string> = ["non-ttstream path"]

/** The services of a path; whoever is next is told where it began, the error of this end is not. @internal */
export const shownPath = (path: ReadonlyArray<string>): ReadonlyArray<string> => (path === foreignPath ? [] : path)

const ofHandler = "biz error: "

/** @internal */
export const ttstreamWords: Words = {
  deadlineExceeded: (side, millis) =>
    said(
      Code.DeadlineExceeded,
      side,
      millis === undefined || millis < 0
        ? "stream timeout, no explicit timeout set in stream ctx"
        : `stream timeout, timeout in ctx: ${goDuration(millis)}`
    ),
  cancelled: (side, why) =>
    why === undefined ? said(Code.Cancelled, side, userCancelled) : said(why.code, side, why.text, shownPath(why.path)),
  recvTimeout: (side, millis, failsAlone) => said(Code.Timeout, side, recvTimeoutText(millis, failsAlone)),
  firstMessageTimeout: (side, millis) => said(Code.Timeout, side, firstMessageTimeoutText(millis)),
  sendTimeout: (side, millis) => said(Code.Timeout, side, sendTimeoutText(millis)),
  streamDone: (side) => said(Code.IllegalOperation, side, "stream is closed send"),
  handlerReturned: (side) => said(Code.HandlerReturned, side, handlerReturned),
  // Of a business error, which is one for whoever receives: a send behind it.
  status: (side, { biz, message }) =>
    biz === undefined
      ? said(Code.Application, side, message)
      : { code: Code.Application, desc: `biz error: code=${biz.code}, msg=${message}` },
  ofHandler: (text) => ofHandler + text,
  inHandler: (text) => (text.startsWith(ofHandler) ? text.slice(ofHandler.length) : undefined)
}
