/**
 * Services as values: a name, a package, methods. Clients, handlers and servers take their types and their wire names
 * from here. Written by hand, or by `millrace gen` from an IDL.
 *
 * **Example** (A service with two methods)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Method, Service } from "@millrace/rpc"
 *
 * class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
 * class Response extends Thrift.Struct<Response>("echo.Response")({ message: Thrift.optional(1, Thrift.String) }) {}
 * class TestService extends Service.make("TestService", {
 *   package: "echo",
 *   methods: [
 *     Method.bidirectional("Echo", { request: Request, response: Response }),
 *     Method.unary("EchoUnary", { request: Request, response: Response })
 *   ]
 * }) {}
 * ```
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Handlers, HandlersOf, Services } from "./Handlers.ts"
import { type Implementation, implementation } from "./internal/implementation.ts"
import type * as Method from "./Method.ts"

/**
 * Any service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Any {
  readonly name_: string
  readonly package: string
  readonly methods: ReadonlyArray<Method.Any>
}

/**
 * What `Service.make` returns: extend it by a class, which gives the service its name in types and hovers.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceClass<Name extends string, Ms extends ReadonlyArray<Method.Any>> extends Any {
  new (_: never): {}
  readonly name_: Name
  readonly methods: Ms
  /**
   * The handlers as a Layer; what they require is what the Layer requires, without `Scope`: each call has one of its
   * own. Pass an effect when building them needs services.
   */
  toLayer<const H extends Handlers<Ms, any>, E = never, RX = never>(
    handlers: H | Effect.Effect<H, E, RX>
  ): Layer.Layer<HandlersOf<Name>, E, Exclude<Services<H[keyof H]> | RX, Scope.Scope>>
}

/**
 * Defines a service. Methods of `extends` are called under the child's name. Throws at definition when two methods,
 * inherited ones too, have one name.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <
  const Name extends string,
  const Ms extends ReadonlyArray<Method.Any>,
  const Base extends ReadonlyArray<Method.Any> = []
>(
  name: Name,
  options: {
    readonly package?: string
    readonly extends?: { readonly name_: string; readonly methods: Base }
    readonly methods: Ms
  }
): ServiceClass<Name, [...Base, ...Ms]> => {
  const methods: ReadonlyArray<Method.Any> = [...(options.extends?.methods ?? []), ...options.methods]
  const seen = new Set<string>()
  for (const method of methods) {
    if (seen.has(method.name)) throw new Error(`Service ${name} has two methods ${method.name}: rename one of them`)
    seen.add(method.name)
  }
  return class {
    static readonly name_ = name
    static readonly package = options.package ?? ""
    static readonly methods = methods
    static toLayer(handlers: object | Effect.Effect<object>): Layer.Layer<HandlersOf<Name>> {
      const build = Effect.isEffect(handlers) ? (handlers as Effect.Effect<object>) : Effect.succeed(handlers)
      return Layer.effect(
        implementation(this),
        Effect.contextWith((context: Context.Context<never>) =>
          Effect.map(build, (built): Implementation => ({ handlers: built as Implementation["handlers"], context }))
        )
      )
    }
  } as unknown as ServiceClass<Name, [...Base, ...Ms]>
}
