import type { RpcInfo } from "../../src/index.ts"
import { tracers } from "./callLog.ts"
import { type Chains, type Doing, type Item, type Outcome } from "./chains.ts"
import { wire, wordsOf } from "./over.ts"

// --- what has to come of it --------------------------------------------------------------------------------------------------

/** `own` is an error of the handler, told as one. */
export type Result<A> =
  | { readonly _tag: "ok"; readonly value: A }
  | {
      readonly _tag: "error"
      readonly code: number
      readonly text: string
      readonly biz: boolean
      readonly own: boolean
    }
  | { readonly _tag: "died"; readonly text: string }

type Failure = Extract<Result<never>, { _tag: "error" }>

export const failure = (text: string, code = 5): Failure => ({ _tag: "error", code, text, biz: false, own: false })

/** One side of one call: what it writes. */
export class ModelCall {
  readonly log: Array<string> = []
  readonly #failedFirst = new Set<string>()

  around<A>(doing: Doing, name: string, given: () => Result<A>, instead: A): Result<A> {
    const next = (): Result<A> => (this.log.push(`.${name}`), given())
    this.log.push(`>${name}`)
    const result = this.#act(doing, name, next, instead)
    this.log.push(`<${name} ${result._tag}`)
    return result
  }

  #act<A>(doing: Doing, name: string, next: () => Result<A>, instead: A): Result<A> {
    switch (doing) {
      case "skip":
        return { _tag: "ok", value: instead }
      case "before":
        return failure(name)
      case "die":
        return { _tag: "died", text: name }
      case "first":
        if (this.#failedFirst.has(name)) return next()
        this.#failedFirst.add(name)
        return failure(name)
      case "behind": {
        const result = next()
        return result._tag === "ok" ? failure(name) : result
      }
      case "forgive": {
        const result = next()
        return result._tag === "error" ? { _tag: "ok", value: instead } : result
      }
      case "replace": {
        const result = next()
        return result._tag === "error" ? failure(name) : result
      }
      case "again": {
        const result = next()
        return result._tag === "ok" ? next() : result
      }
      case "retry": {
        const result = next()
        return result._tag === "error" ? next() : result
      }
      default:
        return next()
    }
  }

  /** A list around `next`, first outermost. */
  list<A>(
    list: ReadonlyArray<{ readonly doing: Doing; readonly name: string }>,
    next: () => Result<A>,
    instead: A
  ): Result<A> {
    return list.reduceRight<() => Result<A>>(
      (inner, { doing, name }) =>
        () =>
          this.around(doing, name, inner, instead),
      next
    )()
  }
}

const named = (list: ReadonlyArray<Doing>, letter: string) =>
  list.map((doing, at) => ({ doing, name: `${letter}${at}` }))

const calling = (list: ReadonlyArray<Item>, letter: string) =>
  list.flatMap(({ doing, kind }, at) => (kind === "call" ? [{ doing, name: `${letter}${at}` }] : []))

/** What stands around a call, outermost first. */
export const orderOf = (chains: Chains) => ({
  client: {
    middleware: calling(chains.client, "c"),
    instance: named(chains.instance, "i"),
    connect: named(chains.connect, "k")
  },
  server: { read: named(chains.read, "r"), middleware: [...calling(chains.server, "s"), ...named(chains.uses, "u")] }
})

/** The marks that the messages of one direction get on one side, in order. */
export const marksOf = (list: ReadonlyArray<Item>, kind: "recv" | "send", letter: string): string => {
  const marks = list.flatMap((item, at) => (item.kind === kind ? [`+${letter}${at}`] : []))
  return (kind === "recv" ? marks.toReversed() : marks).join("")
}

// --- a whole call ------------------------------------------------------------------------------------------------------------

/** What is called, and what its handler does each time that it runs. */
export interface Script {
  readonly mode: RpcInfo.Mode
  readonly outcomes: ReadonlyArray<Outcome>
  /** Requests, or responses of server streaming. */
  readonly messages: number
}

/** What became of a call on its server. */
export interface Served {
  readonly log: ReadonlyArray<string>
  readonly result: Result<"reply" | "busy" | "empty">
  readonly ran: boolean
  /** The request of a method that has one was read. */
  readonly requested: boolean
}

/** The stream that came out, or what stands in its place. */
type Made = number | "canned"
type Answer = "reply" | "busy" | "empty" | "canned"

/** A call of PingPong: hooks of streams do not hear of it. */
export const isCall = (mode: RpcInfo.Mode): boolean =>
  mode === "pingPong" || mode === "oneway" || (mode === "unary" && !wire.unary.isStream)

/** Code and text of an error, from how it reads. */
const said = (message: string): Failure => {
  const [, code, text] = /^rpc error: code = (\d+) desc = (.*)$/s.exec(message)!
  return failure(text!, Number(code))
}

const single = (mode: RpcInfo.Mode): boolean => mode === "unary" || mode === "pingPong" || mode === "oneway"

/** The call of a script through chains, on both sides. */
export class Model {
  readonly log: Array<string>
  /** By the number of the attempt. */
  readonly served = new Map<number, Served>()
  /** Of a call of single messages. */
  readonly answer: Result<Answer> | undefined
  readonly stream: Result<Made> | undefined
  readonly #chains: Chains
  readonly #script: Script
  readonly #client = new ModelCall()
  #attempts = 0

  constructor(chains: Chains, script: Script) {
    this.#chains = chains
    this.#script = script
    this.log = this.#client.log
    this.log.push(...tracers.map((name) => `start ${name}`))
    const { instance, middleware } = orderOf(chains).client
    const call = <A>(reach: () => Result<A>, instead: A): Result<A> =>
      this.#client.list(middleware, () => this.#client.list(instance, () => this.#handled(reach()), instead), instead)
    if (single(script.mode)) this.answer = call<Answer>(() => this.#answered(), "canned")
    else {
      this.stream = call<Made>(() => this.#opened(), "canned")
      if (this.stream._tag === "ok" && this.stream.value !== "canned") this.#serve(this.stream.value)
    }
  }

  get attempts(): number {
    return this.#attempts
  }

  #handled<A>(result: Result<A>): Result<A> {
    return this.#chains.clientErrors && result._tag === "error" && !result.biz
      ? { ...result, text: `handled: ${result.text}` }
      : result
  }

  #opened(): Result<number> {
    const { connect } = orderOf(this.#chains).client
    const result = this.#client.list<number>(connect, () => ({ _tag: "ok", value: this.#attempts++ }), 0)
    return result._tag === "error" ? { ...result, text: `remote or network error: ${result.text}` } : result
  }

  #answered(): Result<Answer> {
    const { mode } = this.#script
    const opened: Result<number> = mode === "unary" ? this.#opened() : { _tag: "ok", value: this.#attempts++ }
    if (opened._tag !== "ok") return opened
    const { result } = this.#serve(opened.value)
    return mode === "oneway" ? { _tag: "ok", value: "empty" } : this.told(result)
  }

  /** What a client is told of a result. */
  told<A>(result: Result<A>): Result<A> {
    const { mode } = this.#script
    const words = wordsOf(mode)
    if (result._tag === "died") return said(words.panic(`TestService.${methods[mode]}`, result.text))
    if (result._tag === "ok" || result.biz) return result
    return said((result.own ? words.ofHandler : words.ofMiddleware)(result.text, result.code))
  }

  #serve(attempt: number): Served {
    const { requestInInfo, serverErrors } = this.#chains
    const { mode, outcomes } = this.#script
    const { middleware, read } = orderOf(this.#chains).server
    const call = new ModelCall()
    const { log } = call
    let runs = 0
    let traced = false
    let requested = false
    let result: "reply" | "busy" | undefined
    const handler = (): Result<undefined> => {
      if (!single(mode) && runs > 0) return { _tag: "died", text: "runs once" }
      result = undefined
      requested = true
      const outcome = outcomes[(attempt + runs++) % outcomes.length]!
      log.push(...tracers.map((name) => `handlerStart ${name}`), "handler")
      log.push(...tracers.map((name) => `handlerFinish ${name}`).toReversed())
      if (outcome === "die") return { _tag: "died", text: "handler" }
      if (outcome === "biz") return { _tag: "error", code: 7, text: "no", biz: true, own: true }
      if (outcome === "fail") {
        return serverErrors ? failure("handled: biz error: handler") : { ...failure("handler"), own: true }
      }
      result = outcome === "busy" && mode === "unary" ? "busy" : "reply"
      return { _tag: "ok", value: undefined }
    }
    const main = (): Result<undefined> => {
      if (!traced) log.push(...tracers.map((name) => `start ${name}`))
      traced = true
      if ((mode === "unary" && !isCall(mode)) || (mode === "server" && requestInInfo)) {
        // There is one request, and the first run has taken it.
        if (requested) return failure("EOF", 13)
        requested = true
      }
      return call.list(middleware, handler, undefined)
    }
    const ended = isCall(mode) ? main() : call.list(read, main, undefined)
    if (traced) {
      const how = ended._tag === "error" && ended.biz ? "ok" : ended._tag
      log.push(...tracers.map((name) => `finish ${name} ${how}`).toReversed())
    }
    const served: Served = {
      log,
      result: ended._tag === "ok" ? { _tag: "ok", value: result ?? "empty" } : ended,
      ran: runs > 0,
      requested
    }
    this.served.set(attempt, served)
    return served
  }
}

export const methods = {
  bidirectional: "Echo",
  client: "EchoClient",
  server: "EchoServer",
  unary: "EchoUnary",
  pingPong: "EchoPingPong",
  oneway: "Log"
} as const
