// What a command line asks for: one tunnel in its own words, or those of a configuration file.

import type { Option } from '../daemon/options/option.js'
import { OPTIONS } from '../daemon/options/option-table.js'
import { type Asked, instanceOptions, tunnelWishes } from '../daemon/options/tunnel-wishes.js'
import type { Wanted } from '../daemon/options/wanted.js'
import { ConfigError } from '../errors.js'

/** @throws ConfigError */
export async function wantedOf(asked: Asked): Promise<Wanted> {
  const { config } = asked
  if (config === undefined) {
    const tunnel = tunnelWishes(asked)
    return { name: tunnel.name, file: undefined, ...instanceOptions(asked), tunnels: [tunnel] }
  }
  for (const option of OPTIONS) if (option.of === 'tunnel') refuseBeside(option, asked[option.name], `${config}`)
  // zod and yaml take longer to load than most commands to run
  const { loadConfig } = await import('../daemon/config/load-config.js')
  const loaded = await loadConfig(`${config}`)
  return { ...loaded, ...instanceOptions(asked) }
}

/** The file says it all, so that a reload finds the same. */
function refuseBeside({ name }: Option, value: unknown, config: string): void {
  if (value === undefined) return
  const typed = typeof value === 'boolean' ? `--${name}` : `--${name} ${value}`
  const words = `${typed} stands beside --config ${config}: write it into that file, as ${name}, or leave --config away`
  throw new ConfigError('TSGRE_CONFLICT', name, value, words)
}
