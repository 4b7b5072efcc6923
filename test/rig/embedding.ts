// Program: embedding.js SCENE. A program that has a tunnel inside, for the tests to look at from outside. It runs in host A
// or B and prints what it sees as JSON lines; the last one is `{"done":…}` where the scene ends by itself.

import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { openTunnel, type Tunnel, type TunnelOptions } from '#tsgre/index.js'

const [scene = '', remote = '192.168.56.5', io] = process.argv.slice(2)
const OPTIONS = { name: 'tap0', remote, io: io as TunnelOptions['io'] }

function print(fields: object): void {
  console.log(JSON.stringify(fields))
}

function told(tunnel: Tunnel): string[] {
  const events: string[] = []
  tunnel.on('up', () => events.push('up'))
  tunnel.on('error', (error) => events.push(`error ${error.code}`))
  tunnel.on('closed', () => events.push('closed'))
  return events
}

/** Resolves when somebody outside says so. Signals come to the main thread only, which passes them on. */
function signalled(): Promise<unknown> {
  return new Promise((resolve) => {
    if (parentPort) parentPort.once('message', resolve)
    else process.once('SIGUSR2', resolve)
  })
}

function ticksPerSecond(): void {
  let ticks = 0
  let since = performance.now()
  setInterval(() => ticks++, 10)
  setInterval(() => {
    const now = performance.now()
    print({ ticks: (ticks * 1000) / (now - since) })
    ticks = 0
    since = now
  }, 1000)
}

const scenes: Record<string, () => Promise<void>> = {
  /** Opens, waits to be told, closes twice. */
  async life() {
    const tunnel = await openTunnel(OPTIONS)
    const events = told(tunnel)
    const { name, local, mtu, tunnelMtu } = tunnel
    await new Promise((resolve) => tunnel.once('up', () => resolve(undefined)))
    print({ open: { name, local, remote: tunnel.remote, mtu, tunnelMtu } })
    await signalled()
    const running = tunnel.stats()
    const first = tunnel.close()
    const same = first === tunnel.close()
    await first
    tunnel.pause(true)
    print({ done: { events, same, again: tunnel.close() === first, running, closed: tunnel.stats() } })
  },

  async abort() {
    const names: unknown[] = []
    const early = AbortSignal.abort()
    await openTunnel({ ...OPTIONS, signal: early }).catch((error) => names.push(error.name))
    const during = new AbortController()
    const opening = openTunnel({ ...OPTIONS, signal: during.signal }).catch((error) => names.push(error.name))
    during.abort()
    await opening
    const late = new AbortController()
    const tunnel = await openTunnel({ ...OPTIONS, signal: late.signal })
    const events = told(tunnel)
    const closed = new Promise((resolve) => tunnel.once('closed', () => resolve(undefined)))
    late.abort()
    await closed
    await tunnel.close()
    print({ done: { names, events } })
  },

  async several() {
    const tunnels = await Promise.all([1, 2, 3].map((key) => openTunnel({ ...OPTIONS, name: `tap${key}`, key })))
    print({ open: tunnels.map(({ name }) => name) })
    await signalled()
    const frames = tunnels.map((tunnel) => tunnel.stats().rxFrames)
    await tunnels[1]!.close()
    await tunnels[1]!.close()
    print({ closed: 1 })
    await signalled()
    await Promise.all(tunnels.map((tunnel) => tunnel.close()))
    print({ done: frames })
  },

  async dispose() {
    let events: string[] = []
    {
      await using tunnel = await openTunnel(OPTIONS)
      events = told(tunnel)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    print({ done: events })
  },

  async 'failing-open'() {
    const codes: unknown[] = []
    for (const wrong of [{ key: -1 }, { name: 'eth1' }, { remote: 'fd56::5', local: '192.168.56.4' }]) {
      await openTunnel({ ...OPTIONS, ...wrong }).catch((error) => codes.push(error.code))
    }
    await (await openTunnel(OPTIONS)).close()
    print({ done: codes })
  },

  /** What is refused of a running tunnel has changed nothing: the numbers that are sent go on. */
  async 'refused-changes'() {
    const first = await openTunnel({ ...OPTIONS, sequence: true })
    const second = await openTunnel({ ...OPTIONS, name: 'tap1', key: 7 })
    const codes: unknown[] = []
    const refused = (change: () => void) => {
      try {
        change()
        codes.push('taken')
      } catch (error) {
        codes.push((error as { code: string }).code)
      }
    }
    print({ open: true })
    await signalled()
    const before = first.peers()[0]!.txFrames
    refused(() => first.changePeer(remote, { remote, key: 7 }))
    refused(() => first.moveLocal('fd56::4'))
    refused(() => first.moveLocal('192.168.56.99'))
    const after = first.peers()[0]!.txFrames
    print({ refused: { codes, local: first.local, before, after } })
    await signalled()
    // Both claims may be taken again.
    first.changePeer(remote, { remote, key: 8 })
    second.changePeer(remote, { remote, key: 9 })
    second.changePeer(remote, { remote, key: 7 })
    await first.close()
    await second.close()
    print({ done: true })
  },

  async throws() {
    await openTunnel(OPTIONS)
    print({ open: true })
    await signalled()
    setTimeout(() => {
      throw new Error('on purpose')
    })
  },

  async rejects() {
    await openTunnel(OPTIONS)
    print({ open: true })
    await signalled()
    void Promise.reject(new Error('on purpose'))
  },

  async exits() {
    await openTunnel(OPTIONS)
    print({ open: true })
    await signalled()
    process.exit(3)
  },

  /** Ends when the test deletes the TAP, since nobody listens for the error. */
  async unheard() {
    await openTunnel(OPTIONS)
    print({ open: true })
  },

  async forgets() {
    await openTunnel(OPTIONS)
    print({ open: true })
  },

  async ticks() {
    await openTunnel({ ...OPTIONS, up: false })
    print({ open: true })
    ticksPerSecond()
  },
}

/** Runs the scene after `worker-` in a thread; with `terminate-` before it, ends that thread from outside. */
function inWorker(inner: string, terminate: boolean): void {
  const worker = new Worker(fileURLToPath(import.meta.url), { argv: [inner, remote, ...(io ? [io] : [])] })
  worker.on('exit', (code) => print({ worker: code }))
  if (terminate) process.once('SIGUSR2', () => void worker.terminate())
  else process.on('SIGUSR2', () => worker.postMessage('go'))
}

const [, thread, inner = ''] = /^(worker|terminated)-(.*)/.exec(scene) ?? []
if (isMainThread && thread) inWorker(inner, thread === 'terminated')
else await scenes[scene]!()
