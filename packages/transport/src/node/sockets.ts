/**
 * Node's sockets as the driver sees them.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import * as net from "node:net"
import * as tls from "node:tls"
import { connectFailed, listenFailed } from "../internal/net/errors.ts"
import type { Admit, Bound, Dial, Protocol, Socket, SocketEvents } from "../internal/net/socket.ts"
import type { RawPeer } from "../RawStream.ts"
import type { TransportError } from "../TransportError.ts"
import { endListener } from "./endListener.ts"

/** Silence in milliseconds after which TCP asks whether the peer is still there, as Go does. */
const keepAliveInitialDelay = 15_000

class NodeSocket implements Socket {
  readonly peer: RawPeer
  readonly secure: boolean
  readonly protocol: Protocol
  alive: boolean
  private readonly socket: net.Socket
  private events: SocketEvents | undefined = undefined
  private blocked = false

  constructor(socket: net.Socket, peer: RawPeer) {
    this.socket = socket
    this.peer = peer
    this.secure = socket instanceof tls.TLSSocket
    this.protocol = socket instanceof tls.TLSSocket && socket.alpnProtocol === "h2" ? "h2" : undefined
    this.alive = !socket.destroyed
  }

  start(events: SocketEvents): void {
    const started = this.events !== undefined
    this.events = events
    if (started) return
    const socket = this.socket
    if (socket.destroyed) return queueMicrotask(() => this.events!.onClosed())
    socket.on("data", (chunk: Buffer) => this.events!.onData(chunk))
    socket.on("end", () => {
      this.alive = false
      this.events!.onEnd()
    })
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.alive = false
      this.events!.onError(error.code ?? error.message.trim())
    })
    socket.on("close", () => {
      this.alive = false
      this.events!.onClosed()
    })
  }

  // Node tells of the end of a write only to its callback; 'drain' comes only above the high-water mark.
  private readonly written = (): void => {
    if (!this.blocked || this.socket.writableLength > 0 || this.socket.destroyed) return
    this.blocked = false
    this.events?.onDrain()
  }

  write(chunks: Array<Uint8Array>): boolean {
    const socket = this.socket
    // Nothing takes it: the events of the end are on their way.
    if (!this.alive || socket.destroyed || socket.writableEnded) return false
    if (chunks.length === 1) socket.write(chunks[0]!, this.written)
    else {
      socket.cork()
      for (let i = 0; i < chunks.length; i++) {
        if (i === chunks.length - 1) socket.write(chunks[i]!, this.written)
        else socket.write(chunks[i]!)
      }
      socket.uncork()
    }
    this.blocked = socket.writableLength > 0
    return !this.blocked
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  end(): void {
    this.socket.end()
  }

  destroy(): void {
    this.alive = false
    this.socket.destroy()
  }
}

const addressOf = (socket: net.Socket, fallback: string): string => {
  const host = socket.remoteAddress
  const port = socket.remotePort
  if (host === undefined || port === undefined) return fallback
  return host.includes(":") && !host.startsWith("::ffff:")
    ? `[${host}]:${port}`
    : `${host.replace(/^::ffff:/, "")}:${port}`
}

const peerOf = (socket: net.Socket, fallback: string): RawPeer => {
  const address = addressOf(socket, fallback)
  // A certificate that nobody vouches for says what its owner likes.
  const vouched = socket instanceof tls.TLSSocket && socket.authorized
  const subject = vouched ? socket.getPeerCertificate().subject?.CN : undefined
  const name = Array.isArray(subject) ? subject[0] : subject
  return name === undefined ? { address } : { address, subject: name }
}

const untrusted = (code: string): string =>
  `the server's certificate is not trusted (${code}); is its authority among the client's tls.ca?`

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused (ECONNREFUSED); does a server listen there?",
  ENOTFOUND: "the host name does not resolve (ENOTFOUND); is it spelled right?",
  EAI_AGAIN: "the host name could not be resolved now (EAI_AGAIN); does DNS work?",
  ENOENT: "the socket file does not exist (ENOENT); does a server listen there?",
  EACCES: "permission denied (EACCES)",
  EADDRINUSE: "the address is in use (EADDRINUSE); stop the other program, or take port 0 for a free one",
  EADDRNOTAVAIL: "this host does not have that address (EADDRNOTAVAIL)",
  EHOSTUNREACH: "no route to the host (EHOSTUNREACH)",
  ENETUNREACH: "no route to the network (ENETUNREACH)",
  ECONNRESET: "the server reset the connection (ECONNRESET)",
  ERR_SSL_WRONG_VERSION_NUMBER: "the server does not speak TLS (ERR_SSL_WRONG_VERSION_NUMBER)",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "the server does not speak TLS (ERR_SSL_PACKET_LENGTH_TOO_LONG)",
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted("DEPTH_ZERO_SELF_SIGNED_CERT"),
  SELF_SIGNED_CERT_IN_CHAIN: untrusted("SELF_SIGNED_CERT_IN_CHAIN"),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted("UNABLE_TO_GET_ISSUER_CERT_LOCALLY"),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted("UNABLE_TO_VERIFY_LEAF_SIGNATURE")
}

const staleSocket =
  "the socket file exists (EADDRINUSE); if no server listens there, a dead one left it and it can be removed"

const addressForm = "an address is HOST:PORT, [IPV6]:PORT or unix:PATH"

const why = (error: NodeJS.ErrnoException & { readonly host?: string }): string =>
  error.code === "ERR_TLS_CERT_ALTNAME_INVALID"
    ? `the server's certificate is not for ${error.host} (${error.code}); tls.servername sets the name to expect`
    : (reasons[error.code ?? ""] ?? error.message)

type Target = { readonly path: string } | { readonly host: string; readonly port: number }

/** `HOST:PORT`, `[V6]:PORT` or `unix:PATH`. @internal */
export const parseAddress = (address: string): Target | undefined => {
  if (address.startsWith("unix:")) return { path: address.slice(5).replace(/^\/\/(?=\/)/, "") }
  const match = /^(?:\[([^\]]+)\]|([^:]*)):([0-9]{1,5})$/.exec(address)
  if (match === null) return undefined
  const port = Number(match[3])
  return port > 65535 ? undefined : { host: match[1] ?? (match[2] || "127.0.0.1"), port }
}

/** Done at `event`, failed at an error; destroyed when interrupted. */
const waitFor = <S extends net.Socket>(socket: S, event: string, address: string): Effect.Effect<S, TransportError> =>
  Effect.callback<S, TransportError>((resume) => {
    const clear = () => {
      socket.off(event, done)
      socket.off("error", failed)
      socket.off("close", gone)
    }
    const done = () => {
      clear()
      resume(Effect.succeed(socket))
    }
    const failed = (error: NodeJS.ErrnoException) => {
      clear()
      socket.on("error", ignore)
      socket.destroy()
      resume(Effect.fail(connectFailed(address, why(error))))
    }
    const gone = () => {
      clear()
      resume(Effect.fail(connectFailed(address, "the server closed the connection during the handshake")))
    }
    socket.on(event, done)
    socket.on("error", failed)
    socket.on("close", gone)
    return Effect.sync(() => {
      clear()
      socket.on("error", ignore)
      socket.destroy()
    })
  })

const ignore = (): void => {}

/** Dials TCP and Unix sockets, with TLS where `secure` is given. @internal */
export const dial =
  (secure: tls.ConnectionOptions | undefined): Dial =>
  (address, protocol) =>
    Effect.suspend(() => {
      const target = parseAddress(address)
      if (target === undefined) {
        // The address of a client to which nobody gave one.
        const why = address === "memory" ? "the client has neither hostPorts nor endpoints" : addressForm
        return Effect.fail(connectFailed(address, why))
      }
      const plain = net.connect({ ...target, noDelay: true, keepAlive: true, keepAliveInitialDelay })
      return Effect.map(waitFor(plain, "connect", address), () => {
        plain.on("error", ignore)
        const wrap = (socket: net.Socket) => new NodeSocket(socket, peerOf(socket, address))
        return {
          secure:
            secure === undefined
              ? Effect.sync(() => wrap(plain))
              : Effect.suspend(() => handshake(plain, secure, target, address, protocol)).pipe(Effect.map(wrap)),
          destroy: () => plain.destroy()
        }
      })
    })

/** Whom the certificate has to name; SNI takes no IP addresses. */
const namesOf = (host: string): tls.ConnectionOptions => (net.isIP(host) === 0 ? { host, servername: host } : { host })

const handshake = (
  plain: net.Socket,
  options: tls.ConnectionOptions,
  target: Target,
  address: string,
  protocol: Protocol
) => {
  const named = "host" in target ? namesOf(target.host) : {}
  const { ALPNProtocols: _, ...rest } = options
  const alpn = protocol === undefined ? {} : { ALPNProtocols: [protocol] }
  const socket = tls.connect({ minVersion: "TLSv1.2", ...named, ...rest, ...alpn, socket: plain })
  return Effect.flatMap(waitFor(socket, "secureConnect", address), () => {
    if (protocol === undefined || socket.alpnProtocol === protocol) return Effect.succeed(socket)
    socket.destroy()
    return Effect.fail(connectFailed(address, "the server did not agree on HTTP/2 (ALPN h2)"))
  })
}

/** @internal */
export interface BindOptions {
  readonly port?: number | undefined
  readonly host?: string | undefined
  readonly path?: string | undefined
  readonly tls?: tls.TlsOptions | undefined
  readonly handshakeTimeout: number
}

/** Makes a TLS connection of a plain one, and hands it over once the handshake is done. */
const securing = (
  options: tls.TlsOptions,
  handshakeTimeout: number,
  accept: (socket: net.Socket) => void
): ((plain: net.Socket) => void) => {
  const secure = tls.createServer(
    { minVersion: "TLSv1.2", ...options, ALPNProtocols: ["h2"], handshakeTimeout },
    accept
  )
  // Node destroys a socket that it cannot read, but leaves one whose handshake timed out open for ever.
  secure.on("tlsClientError", (_error: Error, socket: tls.TLSSocket) => socket.destroy())
  return (plain) => void secure.emit("connection", plain)
}

const admitted = (plain: net.Socket, admit: Admit, name: string): boolean => {
  const gone = admit({ address: addressOf(plain, name) })
  if (gone === undefined) plain.destroy()
  else plain.once("close", gone)
  return gone !== undefined
}

/** Listens until the scope closes. @internal */
export const bind =
  (options: BindOptions) =>
  (onSocket: (socket: Socket) => void, admit?: Admit): Effect.Effect<Bound, TransportError, Scope> => {
    const host = options.host ?? "0.0.0.0"
    const name = options.path === undefined ? `${host}:${options.port ?? 0}` : `unix:${options.path}`
    /** While the listener ends: connections that nobody has heard of. */
    let held: Array<Socket> | undefined
    const accept = (plain: net.Socket) => {
      const socket = new NodeSocket(plain, peerOf(plain, name))
      if (held === undefined) return onSocket(socket)
      plain.on("error", ignore)
      held.push(socket)
    }
    const release = Effect.sync(() => {
      const sockets = held ?? []
      held = undefined
      for (const socket of sockets) onSocket(socket)
    })
    return Effect.acquireRelease(
      Effect.callback<net.Server, TransportError>((resume) => {
        const take = options.tls === undefined ? accept : securing(options.tls, options.handshakeTimeout, accept)
        const server = net.createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay }, (plain) => {
          if (admit === undefined || admitted(plain, admit, name)) take(plain)
        })
        server.once("error", (error: NodeJS.ErrnoException) => {
          const left = options.path !== undefined && error.code === "EADDRINUSE"
          resume(Effect.fail(listenFailed(name, left ? staleSocket : why(error))))
        })
        const listening = () => {
          server.removeAllListeners("error")
          // Accept errors (no descriptors left, for instance) concern one connection, not the server.
          server.on("error", ignore)
          resume(Effect.succeed(server))
        }
        if (options.path === undefined) server.listen({ port: options.port ?? 0, host }, listening)
        else server.listen({ path: options.path }, listening)
        return Effect.sync(() => server.close())
      }),
      // Not waited for: Node's callback waits for connections, which close on their own.
      (server) => Effect.sync(() => server.close())
    ).pipe(
      Effect.map((server) => {
        const address = server.address()
        return {
          address:
            address === null || typeof address === "string"
              ? { hostname: name, port: 0 }
              : { hostname: address.address, port: address.port },
          stop: Effect.suspend(() => {
            if (!server.listening) return Effect.void
            held ??= []
            return Effect.ensuring(endListener(server), release)
          })
        }
      })
    )
  }
