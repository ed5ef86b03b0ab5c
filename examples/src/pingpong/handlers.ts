/**
 * The handlers of the service: named arguments in, one answer out.
 */
import { BizStatusError } from "@millrace/rpc"
import { Console, Effect } from "effect"
import { Item, Shelves, SoldOut } from "./api.ts"

const find = (items: ReadonlyMap<string, Item>, name: string) =>
  Effect.fromNullishOr(items.get(name)).pipe(
    Effect.mapError(
      () => new BizStatusError.BizStatusError({ statusCode: 404, statusMessage: `no ${name}`, extra: { name } })
    )
  )

export const layer = Shelves.toLayer(
  Effect.sync(() => {
    const items = new Map<string, Item>()
    return {
      Put: ({ name, count }) =>
        Effect.sync(() => {
          items.set(name, new Item({ name, count: (items.get(name)?.count ?? 0) + count }))
        }),
      Find: ({ name }) => find(items, name),
      Take: Effect.fnUntraced(function* ({ name, count }) {
        const item = yield* find(items, name)
        if (item.count < count) return yield* new SoldOut({ left: item.count })
        const rest = new Item({ name, count: item.count - count })
        items.set(name, rest)
        return rest
      }),
      // The time that the client gave the call comes with it: when it is over, this is interrupted.
      Count: () => Effect.never.pipe(Effect.onInterrupt(() => Console.log("Count was interrupted"))),
      Caller: (_args, call) => Effect.succeed(call.peer.address),
      Note: ({ text }) => Console.log(`note: ${text}`)
    }
  })
)
