#!/usr/bin/env node
/**
 * The process `millrace`.
 *
 * @since 0.1.0
 */
import { enableCompileCache } from "node:module"

enableCompileCache()
// A reader that has seen enough, as `head` in a pipe, ends the process quietly.
process.stdout.on("error", () => process.exit(0))
const [{ exitCodeOf, run }, NodeRuntime] = await Promise.all([
  import("./cli.ts"),
  import("@effect/platform-node/NodeRuntime")
])
NodeRuntime.runMain(run(process.argv.slice(2)), {
  disableErrorReporting: true,
  teardown: (exit) => {
    process.exitCode = exitCodeOf(exit)
  }
})
