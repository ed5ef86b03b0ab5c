/**
 * One difference between two versions of an IDL, and who is hurt by it.
 *
 * @since 0.1.0
 */
import type { Source, Span } from "./Source.ts"

/**
 * `breaking`: programs of the two versions misunderstand each other. `warning`: they understand each other, and
 * something else asks for care: source code that no longer compiles, or another meaning of what is absent.
 * `compatible`: nobody has to do anything.
 *
 * @since 0.1.0
 * @category models
 */
export type Severity = "breaking" | "warning" | "compatible"

/**
 * What has changed. Members are those of structs, unions and exceptions; exceptions are the entries of `throws`.
 *
 * @since 0.1.0
 * @category models
 */
export type Kind =
  | `service-${"added" | "removed" | "renamed"}`
  | "package-changed"
  | `method-${"added" | "removed" | "mode" | "moved"}`
  | `${"request" | "response"}-type`
  | `${"member" | "argument" | "exception"}-${
      | "added"
      | "removed"
      | "renamed"
      | "id"
      | "id-reused"
      | "type"
      | "requiredness"
      | "default"}`
  | `type-${"added" | "removed" | "renamed" | "kind"}`
  | `enum-member-${"added" | "removed" | "renamed" | "renumbered"}`

/**
 * Where it is in one of the versions.
 *
 * @since 0.1.0
 * @category models
 */
export interface Place {
  readonly source: Source
  readonly span: Span
}

/**
 * `message` says what it was, what it is, and which readers and writers of which version break and how. A place is
 * undefined in the version that has nothing of the kind.
 *
 * @since 0.1.0
 * @category models
 */
export interface Change {
  readonly kind: Kind
  readonly severity: Severity
  /** `Request.message`, `TestService.Echo`. */
  readonly subject: string
  readonly message: string
  readonly before: Place | undefined
  readonly after: Place | undefined
}
