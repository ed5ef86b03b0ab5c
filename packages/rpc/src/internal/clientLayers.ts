/**
 * A client as a service: a class that is its own key, with layers.
 *
 * @internal
 */
import type { ClientTransport } from "@millrace/transport/Transport"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

interface ClientLayers<Self, Options> {
  layer(options: Options): Layer.Layer<Self, never, ClientTransport>
  layerConfig(options: Config.Wrap<Options>): Layer.Layer<Self, Config.ConfigError, ClientTransport>
}

/** @internal */
export const withLayers = <Self, const Id extends string, Client, Options>(
  id: Id,
  make: (options: Options) => Effect.Effect<Client, never, ClientTransport | Scope.Scope>
): Context.ServiceClass<Self, Id, Client> & ClientLayers<Self, Options> => {
  const key = Context.Service<Self, Client>()(id)
  return Object.assign(key, {
    layer: (options: Options) => Layer.effect(key, make(options)),
    layerConfig: (options: Config.Wrap<Options>) => Layer.effect(key, Effect.flatMap(Config.unwrap(options), make))
  }) as never
}
