// The published schema and the reader agree: on the examples of the docs, and on what is wrong.

import { readdirSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { parseConfig } from '#tsgre/daemon/config/load-config.js'
import { shownConfig } from '#tsgre/daemon/config/shown.js'
import { fits } from '../../../rig/json-schema.js'
import { textOf } from '../../../rig/notes.js'
import { fileOf } from '../../../rig/root.js'

const SCHEMA = JSON.parse(textOf('docs/config.schema.json'))
const PAGE = textOf('docs/config.md')

function taken(text: string): boolean {
  try {
    parseConfig(text, '/a.yaml')
    return true
  } catch {
    return false
  }
}

const examples = [
  ...readdirSync(fileOf('docs/examples')).map((name) => [name, textOf(`docs/examples/${name}`)] as const),
  ...[...PAGE.matchAll(/```yaml\n(.*?)```/gs)].map(([, text], at) => [`docs/config.md ${at}`, text!] as const),
]
assert.ok(examples.length >= 3)
for (const [name, text] of examples) {
  test(`${name} fits the reader and the schema, also with its defaults written out`, () => {
    const config = parseConfig(text, `/${name}`)
    assert.ok(fits(parse(text), SCHEMA))
    assert.ok(fits(shownConfig(config), SCHEMA))
  })
}

const ONE = 'tap: tap0\nremote: 192.168.56.5\n'
for (const [claim, text, good] of [
  ['a key there is not', `${ONE}colour: red`, false],
  ['a number out of range', `${ONE}ttl: 300`, false],
  ['a number in quotes', `${ONE}ttl: "64"`, false],
  ['a word in place of a number', `${ONE}ttl: inherit`, true],
  ['another word', `${ONE}ttl: old`, false],
  ['a dotted key', `${ONE}key: 10.20.30.40`, true],
  ['a key too large', `${ONE}key: 4294967296`, false],
  ['yes', `${ONE}csum: yes`, false],
  ['no TAP', 'remote: 192.168.56.5', false],
  ['a list of tunnels', 'tunnels: [{tap: tap0, remote: a.example}]', true],
  ['a list of tunnels without a TAP', 'tunnels: [{remote: a.example}]', false],
  ['a map of tunnels', 'ttl: 3\ntunnels: {tap0: {remotes: [{address: a.example, key: 7}]}}', true],
  ['an empty list of tunnels', 'tunnels: []', false],
  ['an option of a remote that is none', 'tap: tap0\nremotes: [{address: a.example, ttl: 7}]', false],
  ['a remote without address', 'tap: tap0\nremotes: [{key: 7}]', false],
  ['an empty list of remotes', 'tap: tap0\nremotes: []', false],
  [
    'more remotes than there may be',
    `tap: tap0\nremotes: [${Array.from({ length: 129 }, (_, at) => `10.0.0.${at}`)}]`,
    false,
  ],
  ['a route that is none', `${ONE}route: 10.0.0.0`, false],
  ['two routes', `${ONE}routes: [10.0.0.0/8, fd00::/8]`, true],
  ['parts as a number and as text', `${ONE}keepalive: 5\nreorder: 64,10`, true],
  ['a port alone', `${ONE}metrics: 9747`, true],
  ['a name where metrics listen', `${ONE}metrics: host.example:9747`, false],
] as const) {
  test(`schema and reader ${good ? 'take' : 'refuse'} ${claim}`, () =>
    assert.equal([fits(parse(text), SCHEMA), taken(text)], [good, good]))
}

test.run()
