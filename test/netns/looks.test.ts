// What a running tunnel asks this host, and how often: every question is a process, and a busy host has many changes.

import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'

const REMOTES = ['192.168.56.5', '192.168.56.77', '192.168.56.78']
const ADDRESSES = '-json address show'
const LOOK = [ADDRESSES, ...REMOTES.map((remote) => `-json route get ${remote}`)]

/** A tunnel that calls `ip` by way of a script, which writes down what is asked, and holds back addresses while there is a gate. */
class Asking {
  readonly rig = new Hosts({ overlay: 'none' })
  readonly log = this.rig.file('log')
  readonly gate = this.rig.file('gate')

  static async start(): Promise<Asking> {
    const made = new Asking()
    const script = `${dirname(made.log)}/ip`
    const hold = `[ "$*" != '${ADDRESSES}' ] || while [ -e ${made.gate} ]; do sleep 0.02; done`
    writeFileSync(script, `#!/bin/sh\necho "$*" >> ${made.log}\n${hold}\nPATH=$REST exec ip "$@"\n`)
    chmodSync(script, 0o755)
    const path = [`REST=${process.env.PATH}`, `PATH=${dirname(script)}:${process.env.PATH}`]
    const remotes = REMOTES.flatMap((remote) => ['--remote', remote])
    const child = made.rig.spawn('A', ['env', ...path, ...tsgreArgv(['--tap', 'tap0', ...remotes])])
    await child.waitFor(/^tsgre: tap0 up/)
    made.forget()
    return made
  }

  forget(): void {
    writeFileSync(this.log, '')
  }

  /** What a look at the ways to the remotes asks, in its order. */
  asked(): string[] {
    return readFileSync(this.log, 'utf8')
      .split('\n')
      .filter((line) => line === ADDRESSES || line.includes('route get'))
  }

  get looks(): number {
    return this.asked().filter((line) => line === ADDRESSES).length
  }

  [Symbol.dispose](): void {
    this.rig.close()
  }
}

test('a look asks for the addresses once, and for the route to each remote once', async () => {
  using host = await Asking.start()
  // One may have been under way when the list was begun anew.
  const whole = () => host.asked().slice(host.asked().indexOf(ADDRESSES))
  while (host.looks === 0 || whole().length < 3 * LOOK.length) await sleep(50)
  assert.equal(whole().slice(0, 3 * LOOK.length), [...LOOK, ...LOOK, ...LOOK])
})

test('changes that come while a look is under way are seen by one that follows, not by one each', async () => {
  using host = await Asking.start()
  while (host.asked().length < 3 * LOOK.length) await sleep(50) // those of the start
  writeFileSync(host.gate, '')
  host.forget()
  for (let i = 1; i <= 15; i++) {
    host.rig.ip('A', `address add 10.104.0.${i}/32 dev lo`)
    await sleep(150) // a change by itself: what comes within 100 ms is one
  }
  assert.is(host.looks, 1)
  rmSync(host.gate)
  for (const deadline = Date.now() + 15_000; host.looks === 1; await sleep(50))
    assert.ok(Date.now() < deadline, 'the last change was not looked at')
  for (let before = -1; before !== host.looks; await sleep(1000)) before = host.looks
  // The one of every 20 seconds may fall into it.
  assert.ok(host.looks <= 3, `${host.looks} looks`)
})

test.run()
