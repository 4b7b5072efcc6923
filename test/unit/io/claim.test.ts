// One tunnel per identity, in a network of the test's own: abstract names belong to the network namespace.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError } from '#tsgre/errors.js'
import { claim, type Identity } from '#tsgre/io/claim.js'
import { inOwnNetwork } from '../../rig/reexec.js'

inOwnNetwork(import.meta.url)

const PLAIN: Identity = { local: '192.168.56.4', remote: '192.168.56.5', keyIn: undefined, dev: undefined }

/** Whether `wanted` is free while `held` are held. */
function free(wanted: Partial<Identity>, ...held: Partial<Identity>[]): boolean {
  const release = held.map((identity) => claim({ ...PLAIN, ...identity }))
  try {
    claim({ ...PLAIN, ...wanted })()
    return true
  } catch (error) {
    assert.instance(error, ConfigError)
    assert.is((error as ConfigError).code, 'TSGRE_IN_USE')
    return false
  } finally {
    for (const step of release) step()
  }
}

test('refuses a second claim of one identity, and says the way out', () => {
  const release = claim({ ...PLAIN, keyIn: 42 })
  assert.throws(
    () => claim({ ...PLAIN, keyIn: 42 }),
    (error: ConfigError) =>
      error.code === 'TSGRE_IN_USE' &&
      error.option === 'remote' &&
      error.value === '192.168.56.5' &&
      /--remote 192\.168\.56\.5: another tunnel with key 42 from 192\.168\.56\.4.*its own --key/.test(error.message),
  )
  release()
})

test('is free again after it was given back, also after a refusal', () => {
  assert.not(free({}, {}))
  assert.ok(free({}))
  assert.ok(free({}))
})

test('tells keys, no key and key 0 apart', () => {
  assert.ok(free({ keyIn: 42 }, { keyIn: 43 }, {}, { keyIn: 0 }))
  assert.ok(free({ keyIn: 0 }, {}))
  assert.ok(free({}, { keyIn: 0 }))
  assert.not(free({ keyIn: 0xffff_ffff }, { keyIn: 0xffff_ffff }))
})

test('tells addresses apart', () => {
  assert.ok(free({ remote: '192.168.56.6' }, {}))
  assert.ok(free({ local: '192.168.56.14' }, {}))
  assert.ok(free({ remote: '192.168.56.55' }, { remote: '192.168.56.5' }))
  assert.ok(free({ local: '192.168.56.5', remote: '192.168.56.4' }, {}))
})

test('lets two devices have one each, and neither beside a tunnel of all devices', () => {
  assert.ok(free({ dev: 'eth1' }, { dev: 'eth2' }))
  assert.not(free({ dev: 'eth1' }, { dev: 'eth1' }))
  assert.not(free({ dev: 'eth1' }, {}))
  assert.not(free({}, { dev: 'eth1' }))
  assert.not(free({}, { dev: 'eth1' }, { dev: 'eth2' }))
  assert.ok(free({ dev: 'eth1' }, { dev: 'eth10' }))
})

test('tells devices apart however long the addresses are', () => {
  const long = {
    local: `2001:db8:${'1111:'.repeat(5)}1111`,
    remote: `2001:db8:${'1111:'.repeat(5)}1112`,
    keyIn: 0xffff_ffff,
  }
  assert.ok(free({ ...long, dev: 'enp129s0f0np0.1' }, { ...long, dev: 'enp129s0f0np0.2' }))
  assert.not(free({ ...long, dev: 'enp129s0f0np0.1' }, { ...long, dev: 'enp129s0f0np0.1' }))
  assert.not(free(long, { ...long, dev: 'enp129s0f0np0.1' }))
})

/** Another process that holds the plain claim. */
async function holder() {
  const script = `
    import { claim } from '#tsgre/io/claim.js'
    claim(${JSON.stringify(PLAIN)})
    console.log('held')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return child
}

test('is held across processes, and freed by SIGKILL', async () => {
  const child = await holder()
  assert.not(free({}))
  assert.not(free({ dev: 'eth1' }))
  assert.ok(free({ keyIn: 1 }))
  child.kill('SIGKILL')
  await once(child, 'close')
  assert.ok(free({}))
})

test.run()
