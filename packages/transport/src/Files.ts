/**
 * Files that a program reads, and hears of when they change. `NodeTransport.layerFiles` (`@millrace/transport/node`) asks Node.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"

/**
 * A file that cannot be read or watched. `desc` says why.
 *
 * @since 0.1.0
 * @category errors
 */
export class FilesError extends Schema.TaggedError<FilesError>("@millrace/transport/FilesError")("FilesError", {
  path: Schema.String,
  /** `notFound`: there is none. `tooLarge`: it has more bytes than may be read. `failed`: the system says no. */
  kind: Schema.Literals(["notFound", "tooLarge", "failed"]),
  desc: Schema.String
}) {
  override get message() {
    return `${this.path}: ${this.desc}`
  }
}

/**
 * The files of a program.
 *
 * @since 0.1.0
 * @category services
 */
export class Files extends Context.Service<
  Files,
  {
    /** The whole of a file of at most `maxBytes`, as UTF-8. */
    readonly read: (path: string, maxBytes: number) => Effect.Effect<string, FilesError>
    /**
     * One element each time the file may be another, also where it is replaced, or appears: look at it. Several changes may be
     * one, and some file systems tell of none, so that whoever must not miss one looks from time to time too.
     */
    readonly changes: (path: string) => Stream.Stream<void, FilesError>
  }
>()("@millrace/transport/Files") {}
