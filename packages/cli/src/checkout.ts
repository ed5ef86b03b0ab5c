/**
 * The packages of a scaffold when the command runs from its repository: linked, so that they need not be published.
 *
 * @since 0.1.0
 */
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"

const source = import.meta.dirname

const folders: Readonly<Record<string, string>> = {
  "@millrace/cli": "..",
  "@millrace/codec": "../../codec",
  "@millrace/rpc": "../../rpc",
  "@millrace/transport": "../../transport",
  "@effect/platform-node": "../node_modules/@effect/platform-node",
  "@effect/vitest": "../../../node_modules/@effect/vitest",
  "@types/node": "../../../node_modules/@types/node",
  effect: "../node_modules/effect",
  typescript: "../../../node_modules/typescript",
  vitest: "../../../node_modules/vitest"
}

/** By the name of a package, its folder as a dependency; none when the command was installed. */
export const links = (): Readonly<Record<string, string>> => {
  if (!import.meta.filename.endsWith(".ts")) return {}
  return Object.fromEntries(
    Object.entries(folders).map(([name, folder]) => [
      name,
      `file:${NodeFs.realpathSync(NodePath.join(source, folder))}`
    ])
  )
}
