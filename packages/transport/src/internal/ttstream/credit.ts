/**
 * Credit between two ends of this package: each says how much it takes of a stream, so that a reader that lags stops its writer and
 * nobody else. Kitex has nothing of the kind.
 *
 * @internal
 */
import { IntKey } from "../ttheader/keys.ts"
import { frameInfo, FrameType } from "./frames.ts"

/** What a message costs beside its bytes: many small ones cost more memory than theirs. */
const messageCost = 64

/** How much a stream may hold whose buffer has these bounds. @internal */
export const windowFor = (bytes: number, messages: number): number => Math.min(bytes, messages * messageCost)

/** The value of the int key Credit; undefined for none. @internal */
export const parseCredit = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined

/** The info of a Meta frame that gives credit. @internal */
export const creditInfo = (method: string, amount: number): Uint8Array =>
  frameInfo(FrameType.Meta, method, { strings: [], ints: [[IntKey.Credit, `${amount}`]] })

/** Both directions of one stream. @internal */
export class Credit {
  /** What we may send in all. */
  private granted: number
  private spent = 0
  /** `granted` is a guess, or what the peer gave to other streams: its first word on this one comes in place of it. */
  private assumed: boolean
  /** What we take. */
  private readonly window: number
  private owed = 0

  constructor(window: number, granted: number, assumed: boolean) {
    this.window = window
    this.granted = granted
    this.assumed = assumed
  }

  /** One message may cost more. */
  get left(): number {
    return this.granted - this.spent
  }

  spend(bytes: number): void {
    this.spent += bytes + messageCost
  }

  grant(amount: number): void {
    this.granted = this.assumed ? amount : this.granted + amount
    this.assumed = false
  }

  /** The peer says nothing of credit: there is no limit until it does. */
  lift(): void {
    if (this.assumed) this.granted = Infinity
  }

  /** Messages were taken. Gives the credit that the peer is to hear of: not each bit of it. */
  taken(messages: number, bytes: number): number {
    this.owed += bytes + messages * messageCost
    if (this.owed * 2 < this.window) return 0
    const amount = this.owed
    this.owed = 0
    return amount
  }
}
