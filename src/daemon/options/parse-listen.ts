// `127.0.0.1:9747`: where this process is to listen for HTTP. Only read here; whether it can, the kernel says.

import { isIP } from 'node:net'
import { ConfigError } from '../../errors.js'
import { shown } from '../../tunnel/values.js'
import type { Listen } from './wanted.js'

const LOOPBACK = '127.0.0.1'

/** As an editor can check it. */
export const LISTEN_PATTERN = '^((localhost|[\\d.]*|\\[[\\da-fA-F:.]+\\]):)?\\d{1,5}$'

/**
 * Reads ADDRESS:PORT, IPv6 ones in brackets; a port alone, as `9747` or `:9747`, is one of the loopback.
 * @throws ConfigError TSGRE_BAD_OPTION
 */
export function parseListen(option: string, text: string): Listen {
  const [, v6, v4, digits] = /^(?:(?:\[([^\]]*)\]|([^:]*)):)?(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  const address = v6 ?? (v4 === 'localhost' ? LOOPBACK : v4 || LOOPBACK)
  if (digits !== undefined && isIP(address) === (v6 === undefined ? 4 : 6) && port >= 1 && port <= 65535)
    return { address, port }
  const rule = 'takes an address of this host and a port, as in 127.0.0.1:9747 or [::1]:9747'
  throw new ConfigError('TSGRE_BAD_OPTION', option, text, `--${option} ${shown(text)}: ${rule}`)
}
