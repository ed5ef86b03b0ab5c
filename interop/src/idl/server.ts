/**
 * A server of `kitex-idl/idl/user.api.thrift`, from generated code. It answers with what `kitex-idl/peer/call.go` expects.
 *
 * @since 0.1.0
 */
import { Server } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { not_found, page } from "./generated/a/b/a.b.ts"
import { auditService, find, user } from "./generated/millrace/dotted/user_api/user.api.ts"

const inviter = new user({ id: 1n })

const found = ({ id = 0n }: find) => new user({ id: id + 1n, invited_by: inviter })

const here = (size: number) => new page({ size, after: "here" })

const missing = ({ id = 0n }: find) => new not_found({ id, name_: "nobody" })

const handlers = auditService.toLayer({
  ping: ({ page }) => Effect.succeed(page ?? here(0)),
  watch_all: ({ size }) => Stream.fromIterable([1, 2, 3].map(() => here(size))),
  get_user: (find) => (find.id === -1n ? Effect.fail(missing(find)) : Effect.succeed(found(find))),
  look_up: ({ find }) => (find === undefined ? Effect.fail(new not_found({})) : Effect.succeed(found(find))),
  watch: (find) => Stream.fromIterable([1, 2, 3].map(() => found(find))),
  upload: (users) =>
    users.pipe(
      Stream.runFold(
        () => 0n,
        (_, { id }) => id
      ),
      Effect.map((id) => new find({ id }))
    ),
  talk: (finds) => finds.pipe(Stream.map(found)),
  forget: () => Effect.void,
  log: () => Effect.succeed(here(0)),
  stream: (users) => users.pipe(Stream.map(({ id }) => here(Number(id))))
})

/** Listens on a free port of this machine. */
export const layer = Server.layer([auditService]).pipe(
  Layer.provide(handlers),
  Layer.provide(NodeTransport.layerServer({ port: 0, host: "127.0.0.1" }))
)
