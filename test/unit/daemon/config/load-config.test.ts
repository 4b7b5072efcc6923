// Configuration files: what is wrong with each is told with its place and its key, all of it at once; what is good asks for the same
// as the command line would.

import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { keyTable } from '#tsgre/cli/config.js'
import { configSchema } from '#tsgre/daemon/config/json-schema.js'
import { parseConfig } from '#tsgre/daemon/config/load-config.js'
import type { BadConfigError } from '#tsgre/daemon/config/problem.js'
import { shownConfig } from '#tsgre/daemon/config/shown.js'
import { fileOf } from '../../../rig/root.js'

const GOOD = 'tap: tap0\nremote: 192.168.56.5\n'

function problems(text: string): string[] {
  try {
    parseConfig(text, 'x.yaml')
  } catch (error) {
    assert.is((error as BadConfigError).code, 'TSGRE_BAD_CONFIG')
    assert.is((error as BadConfigError).option, 'config')
    return (error as Error).message.split('\n')
  }
  return []
}

const BAD: readonly (readonly [what: string, text: string, ...lines: RegExp[]])[] = [
  ['nothing', '', /^x\.yaml:1:1: empty: say at least "tap: tap0"/],
  ['a list', '- tap0\n', /^x\.yaml:1:1: a list where keys and values should be/],
  ['a word', 'tap0\n', /a text where keys and values should be/],
  ['no YAML', 'tap: [tap0\nremote: x\n', /^x\.yaml:\d+:\d+: /],
  ['a key twice', `${GOOD}tap: tap1\n`, /^x\.yaml:3:1: .*(twice|unique)/i],
  ['an unknown key', `${GOOD}kye: 7\n`, /^x\.yaml:3:1: kye: there is no such key here/],
  ['a number in quotes', `${GOOD}ttl: "64"\n`, /^x\.yaml:3:6: ttl: .*write it without quotes/],
  ['a number out of bounds', `${GOOD}ttl: 300\n`, /^x\.yaml:3:6: ttl: 300: takes .*1 to 255/],
  ['a switch that is a word', `${GOOD}csum: "yes"\n`, /^x\.yaml:3:7: csum: /],
  ['another choice', `${GOOD}oversize: cut\n`, /^x\.yaml:3:11: oversize: .*answer/],
  ['no remote', 'tap: tap0\n', /^x\.yaml:.*remote: is missing/],
  ['no TAP', 'remote: 192.168.56.5\n', /tap: /],
  ['remote beside remotes', `${GOOD}remotes: [192.168.56.6]\n`, /^x\.yaml:3:1: remotes: stands beside remote/],
  ['a bad setting of a remote', 'tap: tap0\nremotes:\n  - 192.168.56.5,kye=7\n', /^x\.yaml:3:5: remotes\[0\]: .*kye=7/],
  ['the same remote twice', 'tap: tap0\nremotes: [192.168.56.5, 192.168.56.5]\n', /^x\.yaml:2:\d+: remotes/],
  ['a carrier without keepalive', `${GOOD}carrier: true\n`, /^x\.yaml:3:\d+: carrier: /],
  ['a key beside ikey', `${GOOD}key: 7\nikey: 8\n`, /^x\.yaml:\d:\d+: i?key: /],
  [
    'one TAP in two tunnels',
    'tunnels:\n  - {tap: tap0, remote: 192.168.56.5}\n  - {tap: tap0, remote: 192.168.56.6}\n',
    /^x\.yaml:3:\d+: tunnels\[1\]\.tap: tap0 is the TAP of/,
  ],
  ['several at once', `${GOOD}ttl: 0\ntos: 300\nmtu: 5\n`, /:3:6: ttl/, /:4:6: tos/, /:5:6: mtu/],
  ['an alias bomb', `${bomb()}${GOOD}`, /^x\.yaml/],
]

function bomb(): string {
  const lines = Array.from({ length: 12 }, (_, i) => `x${i}: &x${i} [${Array(9).fill(i === 0 ? '1' : `*x${i - 1}`)}]`)
  return `${lines.join('\n')}\n`
}

for (const [what, text, ...lines] of BAD) {
  test(`tells what is wrong: ${what}`, () => {
    const told = problems(text)
    assert.ok(told.length >= lines.length, told.join('\n'))
    for (const [i, line] of lines.entries()) assert.match(told[i]!, line)
  })
}

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

test('docs/config.md and docs/config.schema.json are what the code makes', () => {
  assert.ok(readFileSync(fileOf('docs/config.md'), 'utf8').endsWith(keyTable()), 'npm run docs makes it anew')
  assert.is(readFileSync(fileOf('docs/config.schema.json'), 'utf8'), `${JSON.stringify(configSchema(), null, 2)}\n`)
})

test.run()
