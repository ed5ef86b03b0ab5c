/**
 * What the printers of a module share.
 */
import type * as Program from "../../Program.ts"
import type { ScalarOptions } from "../scalar.ts"
import type { Identities } from "./identity.ts"
import type { NameOptions } from "./names.ts"
import type { Order } from "./order.ts"
import type { Scope } from "./scope.ts"

/** @internal */
export interface Context {
  readonly options: ScalarOptions & NameOptions & { readonly codec: "aot" | "none" }
  readonly identities: Identities
  readonly scope: Scope
  readonly order: Order
  /** The definition that is being written. */
  readonly current: Program.Definition
  /** Whether what is written gives the type of its default, which may be that of `current`, and cannot be inferred. */
  readonly isTyped: boolean
  /** The unions of this module that something above them refers to. */
  readonly suspended: Set<Program.Definition>
}
