import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { run } from "./programs.ts"

it.live(
  "the program with everything in it runs",
  () =>
    Effect.gen(function* () {
      const { code, lines } = yield* run("contract.ts")
      assert.deepStrictEqual(lines, [
        "auth of EchoServer",
        "EchoServer hi a",
        "EchoServer hi b",
        "auth of EchoUnary",
        "EchoUnary busy, retry after 5",
        "auth of EchoUnary",
        "EchoUnary hello miller",
        "auth of Echo",
        "Echo x",
        "auth of EchoClient",
        "EchoClient 1",
        "auth of EchoPingPong",
        "EchoPingPong hi",
        "auth of Ping",
        "Ping"
      ])
      assert.strictEqual(code, 0)
    }).pipe(Effect.provide(NodeServices.layer)),
  60_000
)
