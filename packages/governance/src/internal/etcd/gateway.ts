/**
 * etcd over its JSON gateway: one request of one member, and the next member where that one does not answer.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Token } from "./answers.ts"
import { EtcdFailure, precondition, refusal } from "./failure.ts"
import { jsonLines } from "./jsonLines.ts"

/** @internal */
export interface GatewayOptions {
  readonly endpoints: ReadonlyArray<string>
  readonly auth?: { readonly user: string; readonly password: Redacted.Redacted<string> } | undefined
  readonly timeout: Duration.Duration
  readonly maxBytes: number
}

/** What an answer looks like. */
type Answer<A> = Schema.ConstraintCodec<A, unknown, never, unknown>

/** @internal */
export interface Gateway {
  /** Where etcd is, for texts. */
  readonly where: string
  /** The answer to a request. */
  readonly call: <A>(path: string, body: object, answer: Answer<A>) => Effect.Effect<A, EtcdFailure>
  /** The answers to a request that go on until the stream is left. */
  readonly open: <A>(path: string, body: object, answer: Answer<A>) => Stream.Stream<A, EtcdFailure>
}

/** The innermost message: the outer ones say no more than that something failed. */
const whyOf = (cause: unknown): string =>
  cause instanceof Error ? (cause.cause instanceof Error ? whyOf(cause.cause) : cause.message) : String(cause)

const notNeeded = Symbol("no token is needed")

const withScheme = (endpoint: string): string =>
  (endpoint.includes("://") ? endpoint : `http://${endpoint}`).replace(/\/+$/, "")

/**
 * Throws where no endpoint is named.
 *
 * @internal
 */
export const make = (client: HttpClient.HttpClient, options: GatewayOptions): Gateway => {
  if (options.endpoints.length === 0) throw new Error("endpoints of etcd is empty: name at least one HOST:PORT")
  const members = options.endpoints.map(withScheme)
  const where = members.join(", ")
  const { auth } = options
  const scoped = HttpClient.withScope(client)
  // the one that answered last, and what it takes for a password until it says otherwise
  let member = 0
  let token: string | typeof notNeeded | undefined

  const unreachable = (url: string, why: string) =>
    new EtcdFailure({ desc: `${url} ${why}: is etcd there, and can it be reached from here?`, kind: "unreachable" })

  const send = (
    url: string,
    path: string,
    body: object
  ): Effect.Effect<HttpClientResponse, EtcdFailure, Scope.Scope> => {
    const request = HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(url + path), body)
    return scoped
      .execute(typeof token === "string" ? HttpClientRequest.setHeader(request, "authorization", token) : request)
      .pipe(
        // what keeps a registration alive is no part of anybody's trace
        Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
        Effect.mapError(({ reason }) => unreachable(url, `cannot be asked (${whyOf(reason.cause ?? reason)})`))
      )
  }

  const strange = (url: string, response: HttpClientResponse, what: string) =>
    new EtcdFailure({
      desc: `${url} answers with ${what} (HTTP ${response.status}): name the address of etcd's clients, and have its gateway enabled`,
      kind: "strange"
    })

  /** The answers in a response. One that the gateway refuses, or that is none of its own, fails. */
  const read = <A>(
    url: string,
    response: HttpClientResponse,
    decode: (line: unknown) => Effect.Effect<A, unknown>
  ): Stream.Stream<A, EtcdFailure> =>
    jsonLines(response.stream, options.maxBytes, {
      broken: ({ reason }) => unreachable(url, `broke off its answer (${whyOf(reason.cause ?? reason)})`),
      strange: (why) => strange(url, response, why)
    }).pipe(
      Stream.mapEffect((line) => {
        const refused = refusal(url, response.status, line)
        return refused === undefined
          ? Effect.mapError(decode(line), () => strange(url, response, "JSON that is not etcd's"))
          : Effect.fail(refused)
      })
    )

  const late = (url: string) =>
    Effect.timeoutOrElse({
      duration: options.timeout,
      orElse: () => Effect.fail(unreachable(url, `does not answer within ${Duration.toMillis(options.timeout)} ms`))
    })

  /** One whole answer of one member. */
  const ask = <A>(url: string, path: string, body: object, answer: Answer<A>): Effect.Effect<A, EtcdFailure> =>
    Effect.flatMap(send(url, path, body), (response) =>
      Stream.runHead(read(url, response, Schema.decodeUnknownEffect(answer))).pipe(
        Effect.flatMap(Effect.fromOption),
        Effect.catchTag("NoSuchElementError", () => Effect.fail(strange(url, response, "nothing")))
      )
    ).pipe(Effect.scoped, late(url))

  const authenticate = (url: string): Effect.Effect<void, EtcdFailure> =>
    auth === undefined || token !== undefined
      ? Effect.void
      : ask(url, "/v3/auth/authenticate", { name: auth.user, password: Redacted.value(auth.password) }, Token).pipe(
          Effect.map((answer) => answer.token),
          Effect.catchIf(
            ({ code }) => code === precondition,
            // as Kitex, which goes on without one where nobody has to log in
            () => Effect.succeed(notNeeded)
          ),
          Effect.map((got) => {
            token = got
          })
        )

  /** Runs at one member after the other until one is there; and a second time there where the token is no longer good. */
  const anywhere = <A, R>(
    run: (url: string) => Effect.Effect<A, EtcdFailure, R>,
    left = members.length,
    renewed = auth === undefined
  ): Effect.Effect<A, EtcdFailure, R> =>
    Effect.suspend(() => {
      const at = member
      const url = members[at]!
      return Effect.catch(
        Effect.flatMap(authenticate(url), () => run(url)),
        (failure) => {
          if (failure.kind === "token") {
            token = undefined
            return renewed ? Effect.fail(failure) : anywhere(run, left, true)
          }
          if (failure.kind === "refused") return Effect.fail(failure)
          // another fiber may have moved on already
          if (member === at) member = (at + 1) % members.length
          return left === 1 ? Effect.fail(failure) : anywhere(run, left - 1, renewed)
        }
      )
    })

  return {
    where,
    call: (path, body, answer) => anywhere((url) => ask(url, path, body, answer)),
    open: (path, body, answer) => {
      const decode = Schema.decodeUnknownEffect(answer)
      return Stream.unwrap(
        anywhere((url) => Effect.map(late(url)(send(url, path, body)), (response) => read(url, response, decode)))
      )
    }
  }
}
