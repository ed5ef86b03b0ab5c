/**
 * Values of JSON, one a line.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** @internal */
export interface LineErrors<E, E2> {
  /** The bytes end before their time. */
  readonly broken: (error: E) => E2
  /** The bytes are something else; says what, for a text that begins with "answers with". */
  readonly strange: (why: string) => E2
}

const newline = 10

/**
 * Reads lines of at most `maxBytes`; the last one needs no end. It holds no more than that.
 *
 * @internal
 */
export const jsonLines = <E, E2, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  maxBytes: number,
  errors: LineErrors<E, E2>
): Stream.Stream<unknown, E2, R> =>
  Stream.suspend(() => {
    const decoder = new TextDecoder()
    let text = ""
    let size = 0

    const parse = (): Effect.Effect<ReadonlyArray<unknown>, E2> => {
      const line = text + decoder.decode()
      text = ""
      size = 0
      return line.trim() === ""
        ? Effect.succeed([])
        : Effect.try({
            try: () => [JSON.parse(line)],
            catch: () => errors.strange("something that is no JSON")
          })
    }

    const take = Effect.fnUntraced(function* (chunk: Uint8Array) {
      const values: Array<unknown> = []
      for (let start = 0; start < chunk.length;) {
        const found = chunk.indexOf(newline, start)
        const end = found === -1 ? chunk.length : found
        size += end - start
        if (size > maxBytes) return yield* Effect.fail(errors.strange(`more than ${maxBytes} bytes at once`))
        text += decoder.decode(chunk.subarray(start, end), { stream: true })
        if (found !== -1) values.push(...(yield* parse()))
        start = end + 1
      }
      return values
    })

    return bytes.pipe(
      Stream.mapError(errors.broken),
      Stream.mapEffect(take),
      Stream.concat(Stream.fromEffect(Effect.suspend(parse))),
      Stream.flattenIterable
    )
  })
