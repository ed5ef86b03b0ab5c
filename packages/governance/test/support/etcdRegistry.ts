/** A registry in a fake etcd, and what it registers. */
import { Registry } from "@millrace/governance"
import { Context, Effect, Layer } from "effect"
import * as Etcd from "../../src/registries/Etcd.ts"
import type { FakeEtcd } from "./etcd.ts"

export const one: Registry.Registration = { service: "echo", address: "10.0.0.1:8888", weight: 10, tags: {} }
export const two: Registry.Registration = { ...one, address: "10.0.0.2:8888" }

/** Where it lies. */
export const keyOf = ({ address, service }: Registry.Registration) => `kitex/registry-etcd/${service}/${address}`

/** A registry until the end of the test, which asks `a:2379`, and `b:2379` where that is down. */
export const registryIn = (etcd: FakeEtcd, options: Partial<Etcd.RegistryOptions> = {}) =>
  Effect.map(
    Layer.build(
      Layer.fresh(Etcd.layerRegistry({ endpoints: ["a:2379", "http://b:2379/"], ...options })).pipe(
        Layer.provide(etcd.layer)
      )
    ),
    (context) => Context.get(context, Registry.Registry)
  )

export const descOf = <A>(effect: Effect.Effect<A, Registry.RegistryError>) =>
  Effect.map(Effect.flip(effect), ({ desc }) => desc)
