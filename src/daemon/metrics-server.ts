// `--metrics ADDRESS:PORT`: /metrics for Prometheus, /healthz for whoever restarts what is ill, /readyz for whoever waits until it
// is up. Anybody who reaches the port may read it, so it listens on loopback unless an address is written.

import { once } from 'node:events'
import { type AddressInfo, isIPv6 } from 'node:net'
import { ConfigError, SystemError } from '../errors.js'
import { closeGuarded, guardedServer, type Routes, sendText } from './control/guarded-server.js'
import type { Instance } from './instance.js'
import { Metrics } from './metrics.js'
import type { Listen } from './options/wanted.js'

export interface MetricsServer {
  readonly port: number
  close(): Promise<void>
}

/**
 * Starts it.
 * @throws ConfigError TSGRE_IN_USE when somebody has the port, TSGRE_BAD_OPTION when the address is none of this host's; SystemError
 */
export async function serveMetrics(instance: Instance, { address, port }: Listen): Promise<MetricsServer> {
  const server = guardedServer(routesOf(instance))
  server.listen({ host: address, port, exclusive: true })
  try {
    await once(server, 'listening')
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, address, port)
  }
  return { port: (server.address() as AddressInfo).port, close: () => closeGuarded(server) }
}

function routesOf(instance: Instance): Routes {
  const metrics = new Metrics(instance)
  return {
    '/metrics': read(async (_, response) => {
      const text = await metrics.text()
      response.writeHead(200, { 'content-type': metrics.contentType })
      response.end(text)
    }),
    '/healthz': read((_, response) => {
      const why = instance.ill()
      sendText(response, why === undefined ? 200 : 503, `${why ?? 'ok'}\n`)
    }),
    '/readyz': read((_, response) => {
      const waiting = instance.status().tunnels.filter(({ state }) => state !== 'up')
      const lines = waiting.map(({ name, state }) => `${name}: ${state}\n`)
      sendText(response, lines.length === 0 ? 200 : 503, lines.length === 0 ? 'ok\n' : lines.join(''))
    }),
  }
}

/** Of an answer to HEAD Node leaves the body out. */
function read(handler: Routes[string][string]): Routes[string] {
  return { GET: handler, HEAD: handler }
}

function listenError({ code = 'EIO' }: NodeJS.ErrnoException, address: string, port: number): Error {
  const given = `--metrics ${isIPv6(address) ? `[${address}]` : address}:${port}`
  if (code === 'EADDRINUSE') {
    const words = `${given}: another program has that port (\`ss -ltnp\` tells which); choose another one`
    return new ConfigError('TSGRE_IN_USE', 'metrics', port, words)
  }
  if (code === 'EADDRNOTAVAIL') {
    const words = `${given}: no address of this host; see \`ip address\``
    return new ConfigError('TSGRE_BAD_OPTION', 'metrics', address, words)
  }
  return new SystemError(code, { syscall: `bind(${address}:${port})` })
}
