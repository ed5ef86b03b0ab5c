/** `StreamClient` as users have it, whose clients go over the transport of this run where a test names none. */
import { Config } from "effect"
import { StreamClient } from "../../../src/index.ts"
import { transport } from "./transport.ts"

export type * from "../../../src/StreamClient.ts"

const make_ = (service: never, options?: object) => StreamClient.make(service, { transport, ...options })
export const make = make_ as typeof StreamClient.make

interface Layers {
  layer(options: object): unknown
  layerConfig(options: object): unknown
}
const service_ = () => (id: never, service: never) => {
  const key: Layers = StreamClient.Service()(id, service) as never
  const { layer, layerConfig } = key
  return Object.assign(key, {
    layer: (options: object) => layer({ transport, ...options }),
    layerConfig: (options: object) => layerConfig({ transport: Config.succeed(transport), ...options })
  })
}
export const Service = service_ as unknown as typeof StreamClient.Service
