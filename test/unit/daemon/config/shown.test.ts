// What a configuration file asks for, said in full; and what of the docs is made of the code.

import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { keyTable } from '#tsgre/cli/config.js'
import { configSchema } from '#tsgre/daemon/config/json-schema.js'
import { parseConfig } from '#tsgre/daemon/config/load-config.js'
import { shownConfig } from '#tsgre/daemon/config/shown.js'
import { remotesOf, tunnelChange, waitingKeys } from '#tsgre/daemon/config/tunnel-change.js'
import { fileOf } from '../../../rig/root.js'

test('takes the examples, which ask for what they say', () => {
  const load = (name: string) => parseConfig(readFileSync(fileOf(`docs/examples/${name}.yaml`), 'utf8'), `${name}.yaml`)
  const [two] = load('two-hosts').tunnels
  assert.equal([two!.name, two!.remote, two!.routes], ['tap0', '192.168.56.5', ['10.103.200.0/24']])
  const { name, metrics, tunnels } = load('mesh')
  assert.equal([name, metrics], ['mesh', { address: '127.0.0.1', port: 9747 }])
  assert.equal(
    tunnels.map((tunnel) => [tunnel.name, tunnel.keepalive, tunnel.key]),
    [
      ['tap0', { interval: 10, count: 3 }, undefined],
      ['lab0', { interval: 10, count: 3 }, 42],
    ],
  )
  assert.equal(tunnels[0]!.remote, [
    { remote: '192.168.56.5' },
    { remote: 'hostc.example' },
    { remote: '192.168.56.7', key: 7, receiveChecksum: 'forbid' },
    { remote: '192.168.56.8', checksum: true, receiveChecksum: 'require' },
  ])
})

test('what is shown of a file asks for the same, and JSON is YAML', () => {
  const text = readFileSync(fileOf('docs/examples/mesh.yaml'), 'utf8')
  const shown = shownConfig(parseConfig(text, 'mesh.yaml'))
  const again = parseConfig(JSON.stringify(shown), 'mesh.json')
  assert.equal(shownConfig(again), shown)
})

test('a process that runs by a file has nothing to change for what is shown of it', () => {
  const text = readFileSync(fileOf('docs/examples/mesh.yaml'), 'utf8')
  const bare = 'tap: tap0\nremote: 192.168.56.5\n'
  for (const before of [parseConfig(text, 'mesh.yaml'), parseConfig(bare, 'bare.yaml')]) {
    const after = parseConfig(JSON.stringify(shownConfig(before)), before.file)
    assert.equal(waitingKeys(before, after), [])
    for (const [at, tunnel] of before.tunnels.entries())
      assert.is(tunnelChange(tunnel, after.tunnels[at]!, remotesOf(tunnel)), undefined)
  }
})

test('docs/config.md and docs/config.schema.json are what the code makes', () => {
  assert.ok(readFileSync(fileOf('docs/config.md'), 'utf8').endsWith(keyTable()), 'npm run docs makes it anew')
  assert.is(readFileSync(fileOf('docs/config.schema.json'), 'utf8'), `${JSON.stringify(configSchema(), null, 2)}\n`)
})

test.run()
