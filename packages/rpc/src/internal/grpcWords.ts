/**
 * Numbers and texts of streams over HTTP/2, and of unary calls (Kitex `nphttp2/codes.go`, `pkg/kerrors`).
 *
 * @internal
 */
import { goDuration } from "./goDuration.ts"
import type { Words } from "./words.ts"

const businessError = " [biz error]"

/** Kitex's text, whatever the protocol. @internal */
export const recvTimeoutText = (millis: number, failsAlone: boolean): string =>
  `stream Recv timeout, timeout config={Timeout:${goDuration(millis)} DisableCancelRemote:${failsAlone}}`

/** @internal */
export const firstMessageTimeoutText = (millis: number): string => `no first message within ${goDuration(millis)}`

/** @internal */
export const sendTimeoutText = (millis: number): string =>
  `stream Send timeout, the peer left no room for a message within ${goDuration(millis)}`

/** @internal */
export const grpcWords: Words = {
  deadlineExceeded: () => ({ code: 4, desc: "context deadline exceeded" }),
  cancelled: () => ({ code: 1, desc: "context canceled" }),
  recvTimeout: (_, millis, failsAlone) => ({ code: 17, desc: recvTimeoutText(millis, failsAlone) }),
  firstMessageTimeout: (_, millis) => ({ code: 17, desc: firstMessageTimeoutText(millis) }),
  sendTimeout: (_, millis) => ({ code: 4, desc: sendTimeoutText(millis) }),
  streamDone: () => ({ code: 13, desc: "the stream is done" }),
  handlerReturned: () => ({ code: 1, desc: "transport: canceled by business handler returning" }),
  status: (_, { code, message }) => ({ code, desc: message }),
  ofHandler: (text) => text + businessError,
  inHandler: (text) => (text.endsWith(businessError) ? text.slice(0, -businessError.length) : undefined)
}
