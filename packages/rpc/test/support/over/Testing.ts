/** `Testing` as users have it, whose clients go over the transport of this run where a test names none. */
import { Testing } from "../../../src/testing/index.ts"
import { transport } from "./transport.ts"

export type * from "../../../src/testing/Testing.ts"

export const layer = Testing.layer

const client_ = (service: never, handlers: never, options: Testing.Options = {}) =>
  Testing.client(service, handlers, { ...options, client: { transport, ...options.client } })
export const client = client_ as unknown as typeof Testing.client
