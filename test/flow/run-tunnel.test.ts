// The life of a tunnel on ports of one's own: its events, its ends, its errors.

import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { StateError, SystemError } from '#tsgre/errors.js'
import { runTunnel } from '#tsgre/index.js'
import { memoryPorts } from '#tsgre/io/memory-port.js'
import type { Port } from '#tsgre/io/port.js'
import type { Tunnel } from '#tsgre/tunnel/tunnel.js'
import { receive, send } from '../rig/batches.js'
import { plainFrame } from '../rig/frames.js'

const FRAME = plainFrame(60)

/** Two ports for a tunnel, their far sides, and which of them were closed how often. */
function ports() {
  const [overlay, user] = memoryPorts()
  const [underlay, network] = memoryPorts()
  const closed: string[] = []
  const noted = (name: string, port: Port): Port => ({
    fd: port.fd,
    mtu: port.mtu,
    read: port.read.bind(port),
    write: port.write.bind(port),
    watch: port.watch?.bind(port),
    close: () => {
      closed.push(name)
      port.close()
    },
  })
  return { overlay: noted('overlay', overlay), underlay: noted('underlay', underlay), user, network, closed }
}

/** The names of the events as they come; of errors also the code. */
function eventsOf(tunnel: Tunnel): string[] {
  const events: string[] = []
  tunnel.on('up', () => events.push('up'))
  tunnel.on('error', (error) => events.push(`error ${error.code}`))
  tunnel.on('closed', () => events.push('closed'))
  return events
}

async function turns(count = 10): Promise<void> {
  for (let i = 0; i < count; i++) await nextTurn()
}

test('emits up once, after the caller could listen, and closed once', async () => {
  const { overlay, underlay } = ports()
  const tunnel = await runTunnel(overlay, underlay)
  const events = eventsOf(tunnel)
  await turns()
  assert.equal(events, ['up'])
  await tunnel.close()
  await turns()
  assert.equal(events, ['up', 'closed'])
})

test('carries frames from the first turn, without a frame to wake it', async () => {
  const { overlay, underlay, user, network } = ports()
  send(user, [FRAME])
  const tunnel = await runTunnel(overlay, underlay)
  await turns()
  assert.is(receive(network).length, 1)
  await tunnel.close()
})

test('closing closes both ports, once', async () => {
  const { overlay, underlay, closed } = ports()
  const tunnel = await runTunnel(overlay, underlay)
  await tunnel.close()
  await tunnel.close()
  assert.equal(closed.sort(), ['overlay', 'underlay'])
})

test('closing twice gives the same promise', async () => {
  const { overlay, underlay } = ports()
  const tunnel = await runTunnel(overlay, underlay)
  const first = tunnel.close()
  assert.is(tunnel.close(), first)
  await first
  assert.is(tunnel.close(), first)
})

test('emits no up after it was closed at once', async () => {
  const { overlay, underlay } = ports()
  const tunnel = await runTunnel(overlay, underlay)
  const events = eventsOf(tunnel)
  await tunnel.close()
  await turns()
  assert.equal(events, ['closed'])
})

test('carries nothing after closing, and its stats stay', async () => {
  const { overlay, underlay, user, network } = ports()
  const tunnel = await runTunnel(overlay, underlay)
  send(user, [FRAME, FRAME])
  await turns()
  await tunnel.close()
  send(user, [FRAME])
  await turns()
  assert.is(receive(network).length, 2)
  assert.is(tunnel.stats().txFrames, 2)
  tunnel.pause(true)
})

test('await using closes it at the end of the block', async () => {
  const { overlay, underlay, closed } = ports()
  let events: string[] = []
  {
    await using tunnel = await runTunnel(overlay, underlay)
    events = eventsOf(tunnel)
    await turns()
  }
  assert.equal(events, ['up', 'closed'])
  assert.is(closed.length, 2)
})

test('Symbol.asyncDispose is close', async () => {
  const { overlay, underlay } = ports()
  const tunnel = await runTunnel(overlay, underlay)
  assert.is(tunnel[Symbol.asyncDispose](), tunnel.close())
  await tunnel.close()
})

test('an aborted signal refuses to start, with its reason, and leaves the ports to the caller', async () => {
  const { overlay, underlay, closed } = ports()
  const reason = new Error('not today')
  try {
    await runTunnel(overlay, underlay, { signal: AbortSignal.abort(reason) })
    assert.unreachable()
  } catch (error) {
    assert.is(error, reason)
  }
  assert.equal(closed, [])
})

test('a signal that aborts later closes the tunnel, without an error', async () => {
  const { overlay, underlay, closed } = ports()
  const abort = new AbortController()
  const tunnel = await runTunnel(overlay, underlay, { signal: abort.signal })
  const events = eventsOf(tunnel)
  await turns()
  abort.abort()
  await turns()
  assert.equal(events, ['up', 'closed'])
  assert.is(closed.length, 2)
})

test('a signal outlives the tunnel without holding it', async () => {
  const { overlay, underlay } = ports()
  const abort = new AbortController()
  let listeners = 0
  const { signal } = abort
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = ((...args: Parameters<typeof add>) => listeners++ && add(...args)) as typeof add
  signal.removeEventListener = ((...args: Parameters<typeof remove>) => listeners-- && remove(...args)) as typeof remove
  const tunnel = await runTunnel(overlay, underlay, { signal })
  assert.is(listeners, 1)
  await tunnel.close()
  assert.is(listeners, 0)
  abort.abort()
})

/** A port whose `call` throws from the moment it is armed. */
function breaking(port: Port, call: 'read' | 'write', error: Error) {
  const broken = {
    ...port,
    armed: false,
    [call]: (...args: Parameters<Port['read']>) => {
      if (broken.armed) throw error
      return port[call](...args)
    },
  }
  return broken as Port & { armed: boolean }
}

for (const call of ['read', 'write'] as const) {
  for (const which of ['overlay', 'underlay'] as const) {
    test(`an ${which} whose ${call} throws a SystemError ends with one error, then closed`, async () => {
      const { overlay, underlay, user, network, closed } = ports()
      const failure = new SystemError('EBADF', { syscall: call })
      const port = breaking({ overlay, underlay }[which], call, failure)
      const tunnel = await runTunnel(
        ...([which === 'overlay' ? port : overlay, which === 'underlay' ? port : underlay] as const),
      )
      const events = eventsOf(tunnel)
      const errors: unknown[] = []
      tunnel.on('error', (error) => errors.push(error))
      await turns()
      port.armed = true
      send(user, [FRAME])
      send(network, [Uint8Array.from([0, 0, 0x65, 0x58, ...FRAME])])
      await turns()
      assert.equal(events, ['up', 'error EBADF', 'closed'])
      assert.is(errors[0], failure)
      assert.equal(closed.sort(), ['overlay', 'underlay'])
      send(user, [FRAME])
      await turns()
      await tunnel.close()
      assert.is(events.length, 3)
    })
  }
}

test('an underlay that fails in the first turn gives error and closed, and no up after them', async () => {
  const { overlay, underlay } = ports()
  const port = breaking(underlay, 'read', new SystemError('ENOTSOCK', { syscall: 'recvmmsg' }))
  port.armed = true
  const tunnel = await runTunnel(overlay, port)
  const events = eventsOf(tunnel)
  await turns()
  assert.equal(events, ['error ENOTSOCK', 'closed'])
})

test('a port that throws something else ends the tunnel as a dead pump, with its cause', async () => {
  const { overlay, underlay } = ports()
  const cause = new RangeError('a bug')
  const port = breaking(underlay, 'read', cause)
  port.armed = true
  const tunnel = await runTunnel(overlay, port)
  const error = await new Promise<Error>((resolve) => tunnel.once('error', resolve))
  assert.instance(error, StateError)
  assert.is((error as StateError).code, 'TSGRE_PUMP_DIED')
  assert.match(error.message, /a bug/)
  assert.is(error.cause, cause)
  await tunnel.close()
})

test('an error listener that throws does not keep the ports from being closed', async () => {
  const { overlay, underlay, closed } = ports()
  const port = breaking(underlay, 'read', new SystemError('EBADF', { syscall: 'recvmmsg' }))
  port.armed = true
  const unhandled: unknown[] = []
  const note = (error: unknown) => unhandled.push(error)
  process.once('unhandledRejection', note)
  const tunnel = await runTunnel(overlay, port)
  tunnel.on('error', () => {
    throw new Error('in the listener')
  })
  await turns()
  process.off('unhandledRejection', note)
  assert.is(closed.length, 2)
  assert.match((unhandled[0] as Error).message, /in the listener/)
})

test('describes itself by its ports', async () => {
  const [overlay] = memoryPorts(1400)
  const [underlay] = memoryPorts(1500)
  const tunnel = await runTunnel(overlay, underlay)
  const { name, local, remote, mtu } = tunnel
  assert.equal([name, local, remote, mtu], ['', '', '', 1400])
  await tunnel.close()
})

/** An underlay port over a FIFO: full until somebody reads, as a socket is, and seen by poll(2). */
function fifoPort() {
  const folder = mkdtempSync(join(tmpdir(), 'tsgre-fifo-'))
  const path = join(folder, 'fifo')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  const block = new Uint8Array(4096)
  const tryWrite = () => {
    try {
      return writeSync(writer, block) === block.length
    } catch {
      return false // EAGAIN
    }
  }
  const port: Port = {
    fd: writer,
    mtu: 1500,
    read: (into) => {
      into.clear()
      return 0
    },
    write: (from) => {
      while (from.head < from.count && tryWrite()) from.advance()
    },
    close: () => {
      closeSync(reader)
      closeSync(writer)
      rmSync(folder, { recursive: true })
    },
  }
  const drain = () => {
    for (;;) {
      try {
        if (readSync(reader, block) === 0) return
      } catch {
        return
      }
    }
  }
  return { port, drain }
}

test('an underlay with a descriptor that was full goes on as soon as it is writable', async () => {
  const { overlay, user } = ports()
  const { port, drain } = fifoPort()
  await using tunnel = await runTunnel(overlay, port)
  send(
    user,
    Array.from({ length: 50 }, () => FRAME),
  )
  await sleep(50)
  const before = tunnel.stats().txFrames
  assert.ok(before > 0 && before < 50, `${before} of 50 went before it was full`)
  for (let i = 0; i < 20 && tunnel.stats().txFrames < 50; i++) {
    drain()
    await sleep(20)
  }
  assert.is(tunnel.stats().txFrames, 50)
})

test.run()
