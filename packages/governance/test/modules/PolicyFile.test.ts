import { assert, describe, it } from "@effect/vitest"
import { Files, FilesError } from "@millrace/transport/Files"
import { NodeTransport } from "@millrace/transport/node"
import { Effect, Fiber, Layer, Logger, Queue, Schema, type Scope, Stream, type SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Policy } from "../../src/index.ts"

const Limits = Schema.Struct({
  max: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 })),
  section: Schema.optionalKey(Schema.Struct({ wait: Schema.optionalKey(Policy.DurationInput) }))
})

/** What is logged at `warning` and above, and at `info`. */
const logging = () => {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    lines.push(`${logLevel}: ${(Array.isArray(message) ? message : [message]).map(String).join(" ")}`)
  })
  return { lines, layer: Logger.layer([logger]) }
}

/** Files in memory: what they hold, and a way to tell of a change. */
class FakeFiles {
  readonly contents = new Map<string, string>()
  readonly signals = Effect.runSync(Queue.unbounded<void>())
  reads = 0
  watches = true

  readonly layer = Layer.succeed(Files, {
    read: (path: string, maxBytes: number) =>
      Effect.suspend(() => {
        this.reads++
        const text = this.contents.get(path)
        if (text === undefined)
          return Effect.fail(new FilesError({ path, kind: "notFound", desc: "there is no such file" }))
        assert.isAtLeast(maxBytes, text.length)
        return Effect.succeed(text)
      }),
    changes: (path: string) =>
      this.watches
        ? Stream.fromQueue(this.signals)
        : Stream.fail(new FilesError({ path, kind: "failed", desc: "no watches here" }))
  })

  write(text: string) {
    this.contents.set("limits.json", text)
    Queue.offerUnsafe(this.signals, undefined)
  }
}

const inMemory = <A, E>(body: (files: FakeFiles, lines: Array<string>) => Effect.Effect<A, E, Files | Scope.Scope>) =>
  Effect.suspend(() => {
    const files = new FakeFiles()
    const { layer, lines } = logging()
    files.contents.set("limits.json", `{"max": 1}`)
    return Effect.scoped(body(files, lines)).pipe(Effect.provide(Layer.merge(files.layer, layer)))
  })

describe("a policy in a file", () => {
  it.effect("changes with it, once for each text", () =>
    inMemory(
      Effect.fnUntraced(function* (files, lines) {
        const policy = yield* Policy.fromFile("limits.json", Limits)
        const read = Policy.reader(policy)
        assert.deepStrictEqual(read(), { max: 1 })
        const heard = yield* Effect.forkChild(Stream.runCollect(Stream.take(Policy.changes(policy), 3)), {
          startImmediately: true
        })
        files.write(`{"max": 2, "section": {"wait": "1 second"}}`)
        yield* TestClock.adjust("99 millis")
        assert.deepStrictEqual(read(), { max: 1 })
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(read(), { max: 2, section: { wait: "1 second" } })
        for (let i = 0; i < 10; i++) files.write(`{"max": 2, "section": {"wait": "1 second"}}`)
        yield* TestClock.adjust("1 minute")
        files.write(`{"max": 3}`)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(
          (yield* Fiber.join(heard)).map(({ max }) => max),
          [1, 2, 3]
        )
        assert.deepStrictEqual(lines, [
          "Info: limits.json: new values are in force",
          "Info: limits.json: new values are in force"
        ])
      })
    )
  )

  it.effect("that turns bad is one line, which says what and where, and the values of before stay", () =>
    inMemory(
      Effect.fnUntraced(function* (files, lines) {
        const read = Policy.reader(yield* Policy.fromFile("limits.json", Limits))
        const cases: ReadonlyArray<readonly [string | undefined, RegExp]> = [
          [`{"max": 101}`, /^Warn: limits.json: max: expected a value between 0 and 100, got 101; the values/],
          [`{"max": "2"}`, /^Warn: limits.json: max: expected number, got "2"; the/],
          [`{"max": 2, "section": {"wait": "soon"}}`, /: section.wait: expected a duration, .* got "soon"; the/],
          [`{"max": 2, "maxx": 3}`, /^Warn: limits.json: maxx: unexpected key with value 3; the/],
          [`{}`, /^Warn: limits.json: max: missing key; the/],
          [
            `{"max": 1.5, "section": {"wait": -1}}`,
            /: max: expected an integer, got 1.5, and 1 more: section.wait; the/
          ],
          [`[]`, /^Warn: limits.json: expected object, got \[\]; the/],
          [`{"max": 2`, /^Warn: limits.json: .*JSON.*; the values of before stay in force$/],
          [``, /^Warn: limits.json: .*JSON.*; the/],
          [undefined, /^Warn: limits.json: there is no such file; the/]
        ]
        for (const [text, line] of cases) {
          if (text === undefined) files.contents.clear()
          else files.write(text)
          yield* TestClock.adjust("1 minute")
          assert.deepStrictEqual(read(), { max: 1 })
          assert.lengthOf(lines, 1, text)
          assert.match(lines.pop()!, line)
        }
        files.write(`{"max": 2}`)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(read(), { max: 2 })
      })
    )
  )

  it.effect("that is missing or bad at first fails, typed", () =>
    inMemory(
      Effect.fnUntraced(function* (files) {
        const missing = yield* Effect.flip(Policy.fromFile("other.json", Limits))
        assert.deepInclude(missing, {
          _tag: "PolicyError",
          source: "other.json",
          path: "",
          desc: "there is no such file"
        })
        assert.strictEqual(missing.message, "other.json: there is no such file")
        files.write(`{"max": -1}`)
        const bad = yield* Effect.flip(Policy.fromFile("limits.json", Limits))
        assert.deepInclude(bad, { _tag: "PolicyError", source: "limits.json", path: "max" })
        assert.strictEqual(bad.message, "limits.json: max: expected a value between 0 and 100, got -1")
      })
    )
  )

  it.effect("is looked at every five seconds where the file system says nothing", () =>
    inMemory(
      Effect.fnUntraced(function* (files) {
        files.watches = false
        const read = Policy.reader(yield* Policy.fromFile("limits.json", Limits))
        yield* TestClock.adjust("1 second")
        files.write(`{"max": 7}`)
        yield* TestClock.adjust("4 seconds")
        assert.deepStrictEqual(read(), { max: 1 })
        yield* TestClock.adjust("200 millis")
        assert.deepStrictEqual(read(), { max: 7 })
      })
    )
  )

  it.effect("is read no more often than it settles, however often it changes", () =>
    inMemory(
      Effect.fnUntraced(function* (files) {
        yield* Policy.fromFile("limits.json", Limits, { settle: "1 second", interval: "1 hour" })
        for (let i = 0; i < 1000; i++) {
          files.write(`{"max": ${i % 100}}`)
          yield* TestClock.adjust("10 millis")
        }
        assert.isAtMost(files.reads, 12)
      })
    )
  )

  it.effect("is no longer looked at when its scope has closed", () =>
    Effect.gen(function* () {
      const files = new FakeFiles()
      files.contents.set("limits.json", `{"max": 1}`)
      const policy = yield* Effect.scoped(Policy.fromFile("limits.json", Limits)).pipe(Effect.provide(files.layer))
      const { reads } = files
      files.write(`{"max": 2}`)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(files.reads, reads)
      assert.deepStrictEqual(policy.value, { max: 1 })
    })
  )
})

describe("a policy whose values are pushed", () => {
  it.effect("takes the good ones, and keeps its value when no more come", () =>
    Effect.gen(function* () {
      const { layer, lines } = logging()
      const pushed = Stream.concat(
        Stream.mapEffect(Stream.make<Array<unknown>>({ max: 2 }, { max: 200 }, { max: 3 }), (value) =>
          Effect.delay(Effect.succeed(value), "1 second")
        ),
        Stream.fail("connection lost")
      )
      yield* Effect.gen(function* () {
        const source = { source: "centre" }
        const policy = yield* Policy.fromStream({ max: 1 }, pushed, Limits, source)
        const seen: Array<number> = []
        for (let second = 0; second < 4; second++) {
          seen.push(policy.value.max)
          yield* TestClock.adjust("1 second")
        }
        assert.deepStrictEqual(seen, [1, 2, 2, 3])
        const bad = yield* Effect.flip(Policy.fromStream({ max: "1" }, Stream.empty, Limits, source))
        assert.strictEqual(bad.message, `centre: max: expected number, got "1"`)
      }).pipe(Effect.scoped, Effect.provide(layer))
      assert.deepStrictEqual(
        lines.map((line) => line.split(";")[0]),
        [
          "Info: centre: new values are in force",
          "Warn: centre: max: expected a value between 0 and 100, got 200",
          "Info: centre: new values are in force",
          "Warn: centre: no more values come, those of before stay in force"
        ]
      )
    })
  )
})

describe("a policy in a file of Node", () => {
  /** Real time and a real directory: waits for what the file system says. */
  const inDirectory = (
    body: (file: string, lines: Array<string>) => Effect.Effect<void, Policy.PolicyError, Files | Scope.Scope>
  ) =>
    Effect.suspend(() => {
      const { layer, lines } = logging()
      return Effect.acquireUseRelease(
        Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "millrace-policy-"))),
        (directory) => Effect.scoped(body(join(directory, "limits.json"), lines)),
        (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
      ).pipe(Effect.provide(Layer.merge(NodeTransport.layerFiles, layer)))
    })

  const becomes = (policy: SubscriptionRef.SubscriptionRef<{ readonly max: number }>, max: number) =>
    Policy.changes(policy).pipe(
      Stream.filter((value) => value.max === max),
      Stream.take(1),
      Stream.runDrain
    )
  const lineComes = (lines: Array<string>, pattern: RegExp) =>
    Effect.sleep(5).pipe(Effect.repeat({ until: () => lines.some((line) => pattern.test(line)) }))

  it.live("is followed where it is written, replaced, cut, removed and there again", () =>
    inDirectory(
      Effect.fnUntraced(function* (file, lines) {
        fs.writeFileSync(file, `{"max": 1}`)
        // Only what the file system says: the interval never comes.
        const policy = yield* Policy.fromFile(file, Limits, { interval: "1 hour", settle: "10 millis" })
        yield* Effect.sleep(50)
        fs.writeFileSync(file, `{"max": 2}`)
        yield* becomes(policy, 2)
        fs.writeFileSync(`${file}.new`, `{"max": 3}`)
        fs.renameSync(`${file}.new`, file)
        yield* becomes(policy, 3)
        fs.writeFileSync(file, `{"max": 4`)
        yield* lineComes(lines, /limits.json: .*JSON/)
        fs.appendFileSync(file, `}`)
        yield* becomes(policy, 4)
        fs.rmSync(file)
        yield* lineComes(lines, /there is no such file/)
        fs.writeFileSync(file, `{"max": 5}`)
        yield* becomes(policy, 5)
        assert.strictEqual(lines.filter((line) => line.startsWith("Warn")).length, 2)
      })
    )
  )
})
