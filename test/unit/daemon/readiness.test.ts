// What a service manager hears, on a real socket that is another process's.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Readiness } from '#tsgre/daemon/readiness.js'
import { Notified } from '../../rig/notified.js'

/** A Readiness with what it warned of. */
function take(env: NodeJS.ProcessEnv): { readiness: Readiness; warnings: string[] } {
  const warnings: string[] = []
  return { readiness: Readiness.take((message) => warnings.push(message), env), warnings }
}

for (const kind of ['path', 'abstract'] as const) {
  test(`tells ready, status, reloading and stopping in order, to a socket with a name that is ${kind}`, async () => {
    await using manager = await Notified.start(kind)
    const { readiness, warnings } = take({ NOTIFY_SOCKET: manager.socket })
    const before = process.hrtime.bigint() / 1000n
    readiness.ready('tap0 up')
    readiness.status('3 peers\nREADY=0')
    readiness.reloading()
    readiness.ready('tap0 up, again')
    readiness.stopping()
    await manager.count(5)
    readiness.close()
    const [ready, status, reloading, again, stopping] = manager.messages
    assert.equal(ready, { pid: process.pid, lines: ['READY=1', 'STATUS=tap0 up'] })
    assert.equal(status!.lines, ['STATUS=3 peers READY=0'])
    assert.is(reloading!.lines[0], 'RELOADING=1')
    const [, usec] = /^MONOTONIC_USEC=(\d+)$/.exec(reloading!.lines[1]!)!
    assert.ok(BigInt(usec!) >= before && BigInt(usec!) <= process.hrtime.bigint() / 1000n, usec)
    assert.equal(again!.lines, ['READY=1', 'STATUS=tap0 up, again'])
    assert.equal(stopping!.lines, ['STOPPING=1', 'STATUS=stopping'])
    assert.equal(warnings, [])
  })
}

test('takes its variables out of the environment, and nothing else', () => {
  const env = { NOTIFY_SOCKET: '@tsgre-nobody', WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1', PATH: '/bin' }
  take(env)
  assert.equal(env, { PATH: '/bin' })
})

test('feeds the watchdog again and again while it is alive, and not a time more when it is not', async () => {
  await using manager = await Notified.start()
  const { readiness } = take({ NOTIFY_SOCKET: manager.socket, WATCHDOG_USEC: '40000', WATCHDOG_PID: `${process.pid}` })
  let alive = true
  readiness.watch(() => alive)
  await manager.count(4)
  assert.ok(manager.messages.every(({ lines }) => lines.join() === 'WATCHDOG=1'))
  alive = false
  readiness.status('dead')
  await manager.heard('STATUS=dead')
  await sleep(100)
  assert.equal(manager.messages.at(-1)!.lines, ['STATUS=dead'])
  readiness.stopping()
  await manager.heard('STOPPING=1')
  const told = manager.messages.length
  await manager.count(told + 2)
  assert.equal(manager.messages.at(-1)!.lines, ['WATCHDOG=1'], 'while it stops it is fed')
  readiness.close()
})

test('feeds no watchdog where there is none, and none over another process', async () => {
  for (const env of [{}, { WATCHDOG_USEC: '0' }, { WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' }]) {
    await using manager = await Notified.start()
    const { readiness } = take({ NOTIFY_SOCKET: manager.socket, ...env })
    readiness.watch(() => true)
    await sleep(50)
    readiness.status('end')
    await manager.heard('STATUS=end')
    assert.is(manager.messages.length, 1)
    readiness.close()
  }
})

test('says nothing and makes no fuss without a socket', () => {
  const { readiness, warnings } = take({ WATCHDOG_USEC: '1000' })
  readiness.ready('up')
  readiness.watch(() => true)
  readiness.stopping()
  readiness.close()
  assert.equal(warnings, [])
})

test('takes a name of 107 octets, and warns once of a longer one and of what is no name', async () => {
  for (const socket of [`/${'x'.repeat(107)}`, `@${'x'.repeat(108)}`, 'vsock:2:1234', 'notify', '@']) {
    const { readiness, warnings } = take({ NOTIFY_SOCKET: socket })
    readiness.ready('up')
    readiness.stopping()
    assert.is(warnings.length, 1, socket)
    assert.match(warnings[0]!, /NOTIFY_SOCKET .*is no path or @name/)
  }
  const { readiness, warnings } = take({ NOTIFY_SOCKET: `/${'x'.repeat(106)}` })
  readiness.ready('up')
  assert.match(warnings.join(), /^the service manager does not hear .*ENOENT\)$/)
})

test('lives on when the receiver is gone, with one warning', async () => {
  const manager = await Notified.start()
  const { readiness, warnings } = take({ NOTIFY_SOCKET: manager.socket })
  readiness.ready('up')
  await manager.heard('READY=1')
  await manager.child.stop('SIGKILL')
  for (let i = 0; i < 3; i++) readiness.status('who hears this?')
  await manager[Symbol.asyncDispose]()
  readiness.stopping()
  assert.is(warnings.length, 1)
  assert.match(warnings[0]!, /ECONNREFUSED/)
})

test('what a busy receiver has no room for goes when it reads again, in order', async () => {
  await using manager = await Notified.start()
  const { readiness, warnings } = take({ NOTIFY_SOCKET: manager.socket })
  process.kill(manager.child.pid, 'SIGSTOP')
  // net.unix.max_dgram_qlen messages wait in the kernel, ours behind them.
  const length = Number(readFileSync('/proc/sys/net/unix/max_dgram_qlen', 'utf8'))
  for (let i = 0; i <= length + 8; i++) readiness.status(`${i}`)
  process.kill(manager.child.pid, 'SIGCONT')
  await manager.count(length + 9)
  assert.equal(
    manager.messages.map(({ lines }) => lines[0]),
    Array.from({ length: length + 9 }, (_, i) => `STATUS=${i}`),
  )
  assert.equal(warnings, [])
  readiness.close()
})

test.run()
