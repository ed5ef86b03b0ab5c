/**
 * What goes wrong with etcd.
 *
 * @internal
 */
import * as Data from "effect/Data"

/**
 * `unreachable`: another member may answer. `strange`: it is not etcd's gateway that answers there. `token`: log in once more.
 * `compacted`: the past that is asked for is gone, the present is not. `refused`: every member will say the same.
 *
 * @internal
 */
export class EtcdFailure extends Data.TaggedError("EtcdFailure")<{
  readonly desc: string
  readonly kind: "unreachable" | "strange" | "token" | "compacted" | "refused"
  /** etcd's own, which are those of gRPC. */
  readonly code?: number
}> {}

const unavailable = 14
const deadline = 4
const unauthenticated = 16

/**
 * What is asked for is not there: a lease that is over, for one.
 *
 * @internal
 */
export const notFound = 5

/**
 * It cannot be done as things are: nobody can log in where nobody has to.
 *
 * @internal
 */
export const precondition = 9

const advice = (code: number, text: string): string => {
  if (code === 7) return ": give the user a role that may read and write these keys"
  if (text.includes("user name is empty")) return ": it asks for a user and a password (option `auth`)"
  if (text.includes("authentication failed")) return ": look at user and password (option `auth`)"
  return ""
}

const tokenTexts = /invalid auth token|revision of auth store is old|user name is empty/

/**
 * The failure of a text that etcd gives.
 *
 * @internal
 */
export const failureOf = (url: string, code: number, text: string): EtcdFailure =>
  new EtcdFailure({
    desc: `etcd at ${url} refuses: ${text} (code ${code})${advice(code, text)}`,
    kind:
      code === unauthenticated || tokenTexts.test(text)
        ? "token"
        : code === unavailable || code === deadline
          ? "unreachable"
          : "refused",
    code
  })

interface ErrorAnswer {
  readonly code?: unknown
  readonly message?: unknown
  readonly error?: unknown
}

/**
 * The failure of an answer that is a refusal: an object of its own, or, behind other answers, the member `error`.
 *
 * @internal
 */
export const refusal = (url: string, status: number, answer: unknown): EtcdFailure | undefined => {
  const read = (typeof answer === "object" ? (answer ?? {}) : {}) as ErrorAnswer
  const {
    code,
    error = undefined,
    message
  } = typeof read.error === "object" ? ((read.error ?? {}) as ErrorAnswer) : read
  if (status === 200 && read.error === undefined) return undefined
  const text = typeof message === "string" ? message : typeof error === "string" ? error : undefined
  return typeof code === "number" && text !== undefined
    ? failureOf(url, code, text)
    : new EtcdFailure({
        desc: `${url} answers with HTTP ${status}: name the address of etcd's clients, and have its gateway enabled`,
        kind: "strange"
      })
}
