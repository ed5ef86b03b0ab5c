/** An etcd in the process of a test, as its JSON gateway shows itself; it can be down, forget, hang, and answer what it likes. */
import { Clock, Effect, Layer, Logger, Queue, Schema, Stream } from "effect"
import { HttpClient, HttpClientError, type HttpClientRequest, HttpClientResponse } from "effect/http"

interface Pair {
  readonly value: string
  readonly lease: string | undefined
}

interface Watcher {
  readonly range: { readonly key: string; readonly range_end: string; readonly start_revision: string }
  readonly answers: Queue.Queue<string>
}

const text = (base64: string): string => Buffer.from(base64, "base64").toString()
const base64 = (plain: string): string => Buffer.from(plain).toString("base64")

const bytesOf = (plain: string): Uint8Array => new TextEncoder().encode(plain)

interface Told {
  readonly event: object
  readonly key: string
  readonly revision: number
}

class Refusal {
  readonly code: number
  readonly message: string
  constructor(code: number, message: string) {
    this.code = code
    this.message = message
  }
}

const statusOf = (code: number): number => ({ 3: 400, 5: 404, 7: 403, 14: 503, 16: 401 })[code] ?? 500

export class FakeEtcd {
  /** Keys in plain text. */
  readonly pairs = new Map<string, Pair>()
  readonly leases = new Map<string, { readonly ttl: number; ends: number }>()
  readonly watchers = new Set<Watcher>()
  /** `HOST path` of each request. */
  readonly requests: Array<string> = []
  /** Hosts that nobody answers at, or that never answer. */
  readonly down = new Set<string>()
  readonly hanging = new Set<string>()
  /** What is answered in place of the right thing: text with a status, whatever the request. */
  strange: { readonly status: number; readonly body: Stream.Stream<Uint8Array> } | undefined
  /** The token that is good now; undefined where nobody has to log in. */
  token: string | undefined
  password = "secret"
  /** Whether every watch is told that the past is gone. */
  alwaysCompacted = false
  /** Requests that are done, and whose answer is lost. */
  readonly unanswered = new Set<string>()
  /** Of the last request: whether its client has left. */
  lastSignal: AbortSignal | undefined
  revision = 1
  private next = 100
  private readonly past: Array<Told> = []

  /** Makes every lease end that is over at a time; each request does so too. */
  expire(now: number) {
    for (const [id, { ends }] of this.leases) if (ends <= now) this.revoke(id)
  }

  private revoke(id: string) {
    this.leases.delete(id)
    for (const [key, { lease }] of this.pairs) if (lease === id) this.delete(key)
  }

  private tell(event: object, key: string) {
    const told = { event, key, revision: this.revision }
    this.past.push(told)
    for (const watcher of this.watchers) this.tellOne(watcher, told)
  }

  private tellOne({ answers, range }: Watcher, { event, key, revision }: Told) {
    if (key < text(range.key) || key >= text(range.range_end) || revision < Number(range.start_revision)) return
    Queue.offerUnsafe(answers, `${JSON.stringify({ result: { header: {}, events: [event] } })}\n`)
  }

  put(key: string, value: string, lease?: string) {
    this.revision++
    this.pairs.set(key, { value, lease })
    this.tell({ kv: { key: base64(key), value: base64(value) } }, key)
  }

  delete(key: string) {
    if (!this.pairs.delete(key)) return
    this.revision++
    this.tell({ type: "DELETE", kv: { key: base64(key) } }, key)
  }

  /** As after a start with an empty disk. */
  forget() {
    this.pairs.clear()
    this.leases.clear()
    this.endWatches()
  }

  /** The same text for every request. */
  answerAlways(status: number, body: string) {
    this.strange = { status, body: Stream.make(bytesOf(body)) }
  }

  /** Pieces of white space for ever; says how many were taken. */
  answerEndlessly(size: number) {
    let pulls = 0
    this.strange = {
      status: 200,
      body: Stream.forever(Stream.sync(() => (pulls++, new Uint8Array(size).fill(0x20))))
    }
    return () => pulls
  }

  /** Ends all watches, behind a last line where there is one. */
  endWatches(last = "") {
    for (const { answers } of this.watchers) {
      if (last !== "") Queue.offerUnsafe(answers, last)
      Queue.offerUnsafe(answers, "\0")
    }
    this.watchers.clear()
  }

  private range({ key, keys_only, range_end }: { key: string; keys_only?: boolean; range_end?: string }) {
    const start = text(key)
    const kvs = Array.from(this.pairs)
      .filter(([name]) => (range_end === undefined ? name === start : name >= start && name < text(range_end)))
      .map(([name, { value }]) =>
        keys_only === true ? { key: base64(name) } : { key: base64(name), value: base64(value) }
      )
    const header = { revision: String(this.revision) }
    return kvs.length === 0 ? { header } : { header, kvs, count: String(kvs.length) }
  }

  private answer(path: string, body: any, now: number): object | Refusal {
    switch (path) {
      case "/v3/auth/authenticate":
        if (this.token === undefined) return new Refusal(9, "etcdserver: authentication is not enabled")
        return body.name === "root" && body.password === this.password
          ? { header: {}, token: this.token }
          : new Refusal(3, "etcdserver: authentication failed, invalid user ID or password")
      case "/v3/kv/range":
        return this.range(body)
      case "/v3/kv/put":
        if (!this.leases.has(body.lease)) return new Refusal(5, "etcdserver: requested lease not found")
        this.put(text(body.key), text(body.value), body.lease)
        return { header: {} }
      case "/v3/lease/grant": {
        const ID = String(this.next++)
        this.leases.set(ID, { ttl: Number(body.TTL), ends: now + Number(body.TTL) * 1000 })
        return { header: {}, ID, TTL: body.TTL }
      }
      case "/v3/lease/keepalive": {
        const lease = this.leases.get(body.ID)
        if (lease === undefined) return { result: { header: {}, ID: body.ID } }
        lease.ends = now + lease.ttl * 1000
        return { result: { header: {}, ID: body.ID, TTL: String(lease.ttl) } }
      }
      case "/v3/lease/revoke":
        if (!this.leases.has(body.ID)) return new Refusal(5, "etcdserver: requested lease not found")
        this.revoke(body.ID)
        return { header: {} }
      default:
        return new Refusal(5, "Not Found")
    }
  }

  readonly client = HttpClient.make((request, url, signal) =>
    Effect.gen({ self: this }, function* () {
      this.requests.push(`${url.host} ${url.pathname}`)
      this.lastSignal = signal
      if (this.down.has(url.host)) {
        const cause = new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") })
        return yield* Effect.fail(
          new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })
        )
      }
      if (this.hanging.has(url.host)) return yield* Effect.never
      if (this.strange !== undefined) return responseOf(request, this.strange.status, this.strange.body)
      const now = yield* Clock.currentTimeMillis
      this.expire(now)
      const body = JSON.parse(new TextDecoder().decode((request.body as { readonly body: Uint8Array }).body))
      if (this.token !== undefined && url.pathname !== "/v3/auth/authenticate") {
        const { authorization } = request.headers
        if (authorization === undefined) return refused(request, new Refusal(3, "etcdserver: user name is empty"))
        if (authorization !== this.token) return refused(request, new Refusal(16, "etcdserver: invalid auth token"))
      }
      if (url.pathname === "/v3/watch") {
        const answers = yield* Queue.unbounded<string>()
        const watcher: Watcher = { range: body.create_request, answers }
        this.watchers.add(watcher)
        for (const told of this.past) this.tellOne(watcher, told)
        if (this.alwaysCompacted) this.endWatches(`{"result":{"header":{},"canceled":true,"compact_revision":"9"}}\n`)
        return responseOf(
          request,
          200,
          Stream.prepend(
            Stream.fromQueue(answers).pipe(
              Stream.takeWhile((line) => line !== "\0"),
              Stream.ensuring(Effect.sync(() => void this.watchers.delete(watcher)))
            ),
            [`{"result":{"header":{},"created":true}}\n`]
          ).pipe(Stream.map(bytesOf))
        )
      }
      const answer = this.answer(url.pathname, body, now)
      if (this.unanswered.has(url.pathname)) return yield* Effect.never
      return answer instanceof Refusal
        ? refused(request, answer)
        : responseOf(request, 200, Stream.make(bytesOf(JSON.stringify(answer))))
    })
  )

  readonly layer = Layer.succeed(HttpClient.HttpClient, this.client)
}

/** A response whose body is a stream of the test, so that its clock is the only one. */
const responseOf = (
  request: HttpClientRequest.HttpClientRequest,
  status: number,
  body: Stream.Stream<Uint8Array>
): HttpClientResponse.HttpClientResponse =>
  Object.create(HttpClientResponse.fromWeb(request, new Response(null, { status })), { stream: { value: body } })

const refused = (request: HttpClientRequest.HttpClientRequest, { code, message }: Refusal) =>
  responseOf(request, statusOf(code), Stream.make(bytesOf(JSON.stringify({ code, message }))))

/** What is logged meanwhile, `LEVEL text`. */
export const logged = <A, E, R>(effect: Effect.Effect<A, E, R>) => {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    lines.push(`${logLevel} ${(Array.isArray(message) ? message : [message]).map(String).join(" ")}`)
  })
  return Effect.map(Effect.provide(effect, Logger.layer([logger])), (value) => ({ value, lines }))
}

/** Text that UTF-8 can carry. */
export const Text = Schema.String.check(Schema.makeFilter((text: string) => text.isWellFormed()))

const Port = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65_535 }))
const Byte = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))

/** Any instance that a registry may be given. */
export const AnyInstance = Schema.Struct({
  host: Schema.Union([
    Schema.Tuple([Byte, Byte, Byte, Byte]),
    Schema.Literals(["[::1]", "[2001:db8::7]", "host-1.example", "localhost"]),
    Schema.Literal("unix")
  ]),
  port: Port,
  weight: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 })),
  tags: Schema.Record(Text, Text)
})

export const instanceOf = ({ host, port, tags, weight }: typeof AnyInstance.Type) => ({
  address: host === "unix" ? `unix:/run/${port}.sock` : `${typeof host === "string" ? host : host.join(".")}:${port}`,
  weight,
  tags
})
