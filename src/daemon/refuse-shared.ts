// Whether tunnels that a configuration wants would take each other's packets, or those of another tsgre: asked while the tunnels
// before still run, whose claims say nothing. Those bound to a device are left to their start, which knows the devices of others.

import { ConfigError } from '../errors.js'
import { isClaimed } from '../io/claim.js'
import type { ResolvedOptions } from '../tunnel/options.js'

/** Which packets a tunnel takes. */
export interface Taker {
  readonly tap: string
  readonly dev: string | undefined
  readonly local: string
  readonly remotes: readonly { readonly remote: string; readonly keyIn: number | undefined }[]
}

export function takerOf(options: { name: string; dev?: string | undefined }, { local, peers }: ResolvedOptions): Taker {
  const remotes = peers.map(({ address, settings }) => ({ remote: address.text, keyIn: settings.keyIn }))
  return { tap: options.name, dev: options.dev, local: local.text, remotes }
}

/**
 * @param running those whose claims are there now: they will be given back, or are among `wanted`
 * @param placed what is thrown in place of an error of the tunnel on that TAP
 * @throws ConfigError TSGRE_IN_USE
 */
export function refuseShared(
  wanted: readonly Taker[],
  running: readonly Taker[],
  placed: (error: ConfigError, tap: string) => unknown = (error) => error,
): void {
  const ours = new Set(running.flatMap((taker) => taker.remotes.map((one) => identity(taker, one))))
  const seen = new Map<string, string>()
  for (const taker of wanted) {
    if (taker.dev !== undefined) continue
    for (const one of taker.remotes) {
      const what = identity(taker, one)
      const foreign = !ours.has(what) && isClaimed({ local: taker.local, ...one }) ? 'another tsgre' : undefined
      const other = seen.get(what) ?? foreign
      if (other !== undefined) throw placed(refusal(taker, one, other), taker.tap)
      seen.set(what, taker.tap)
    }
  }
}

type TakenRemote = Taker['remotes'][number]

function identity({ local }: Taker, { remote, keyIn }: TakenRemote): string {
  return `${local} ${remote} ${keyIn}`
}

function refusal({ tap, local }: Taker, { remote, keyIn }: TakenRemote, other: string): ConfigError {
  const key = keyIn === undefined ? 'without a key' : `with key ${keyIn}`
  const words = `--remote ${remote}: ${other} takes the packets ${key} from it to ${local}, and ${tap} would get them too; give one of them its own --key`
  return new ConfigError('TSGRE_IN_USE', 'remote', remote, words)
}
