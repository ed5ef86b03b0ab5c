/** What a compiled codec depends on beside its plan.
 *
 * @internal
 */
export interface Settings {
  readonly fieldOrder: "declaration" | "kitex"
  readonly absentStruct: "omit" | "empty"
  readonly maxDepth: number
  readonly maxContainerSize: number
}

/** @internal */
export const defaults: Settings = {
  fieldOrder: "declaration",
  absentStruct: "omit",
  maxDepth: 64,
  maxContainerSize: 1 << 20
}
