import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { planDaemonJson } from '#tsgre/host/docker-config.js'
import type { WantedKeys } from '#tsgre/host/docker-conflicts.js'
import { errorOf } from './script.js'

const BIP = '10.103.100.1/24'

test('edits the text where it must and leaves every other byte', () => {
  const table: [claim: string, before: string | undefined, wanted: WantedKeys, after: string][] = [
    [
      'no file',
      undefined,
      { bip: BIP, fixedCidr: '10.103.100.128/25', mtu: 1462 },
      '{\n  "bip": "10.103.100.1/24",\n  "fixed-cidr": "10.103.100.128/25",\n  "mtu": 1462\n}\n',
    ],
    ['an empty object', '{}', { mtu: 1462 }, '{\n  "mtu": 1462\n}\n'],
    ['an empty object on lines', '{\n}\n', { mtu: 1462 }, '{\n  "mtu": 1462\n}\n'],
    ['an empty file', '', { mtu: 1462 }, '{\n  "mtu": 1462\n}\n'],
    ['blank lines alone', '\n \n', { mtu: 1462 }, '{\n  "mtu": 1462\n}\n'],
    [
      'unknown keys, in their order',
      '{\n  "z": 1,\n  "a": {"b": [1, 2]},\n  "10": null\n}\n',
      { mtu: 1462 },
      '{\n  "z": 1,\n  "a": {"b": [1, 2]},\n  "10": null,\n  "mtu": 1462\n}\n',
    ],
    [
      'a key that is there, in its place',
      '{\n  "mtu": 1500,\n  "icc": false\n}\n',
      { mtu: 1462 },
      '{\n  "mtu": 1462,\n  "icc": false\n}\n',
    ],
    [
      'one key there and one new',
      '{\n  "bip": "172.30.0.1/16",\n  "icc": false\n}\n',
      { bip: BIP, mtu: 1462 },
      '{\n  "bip": "10.103.100.1/24",\n  "icc": false,\n  "mtu": 1462\n}\n',
    ],
    [
      'the last key replaced and one new behind it',
      '{\n  "mtu": 1500\n}\n',
      { bip: BIP, mtu: 1462 },
      '{\n  "mtu": 1462,\n  "bip": "10.103.100.1/24"\n}\n',
    ],
    ['indentation by four', '{\n    "icc": false\n}\n', { mtu: 1462 }, '{\n    "icc": false,\n    "mtu": 1462\n}\n'],
    ['indentation by tabs', '{\n\t"icc": false\n}\n', { mtu: 1462 }, '{\n\t"icc": false,\n\t"mtu": 1462\n}\n'],
    ['all on one line', '{"icc":false}\n', { mtu: 1462 }, '{"icc":false, "mtu": 1462}\n'],
    [
      'a blank line before the last key',
      '{\n  "a": 1,\n\n  "b": 2\n}\n',
      { mtu: 1462 },
      '{\n  "a": 1,\n\n  "b": 2,\n  "mtu": 1462\n}\n',
    ],
    [
      'lines that end in CR LF',
      '{\r\n  "icc": false\r\n}\r\n',
      { mtu: 1462 },
      '{\r\n  "icc": false,\r\n  "mtu": 1462\r\n}\r\n',
    ],
    ['a last line without its end', '{\n  "icc": false\n}', { mtu: 1462 }, '{\n  "icc": false,\n  "mtu": 1462\n}\n'],
    [
      'numbers too big for JavaScript, escapes, spelling',
      '{\n  "n": 12345678901234567890,\n  "s": "\\u00e9\\/ü",\n  "e": 1E5\n}\n',
      { mtu: 1462 },
      '{\n  "n": 12345678901234567890,\n  "s": "\\u00e9\\/ü",\n  "e": 1E5,\n  "mtu": 1462\n}\n',
    ],
    [
      'a key of the same name further inside',
      '{\n  "inner": {"mtu": 9000},\n  "mtu": 1500\n}\n',
      { mtu: 1462 },
      '{\n  "inner": {"mtu": 9000},\n  "mtu": 1462\n}\n',
    ],
    ['a key spelled with escapes', '{\n  "\\u006dtu": 1500\n}\n', { mtu: 1462 }, '{\n  "\\u006dtu": 1462\n}\n'],
    ['a value of the wrong kind', '{\n  "mtu": "1462"\n}\n', { mtu: 1462 }, '{\n  "mtu": 1462\n}\n'],
    [
      'an empty "bridge"',
      '{\n  "bridge": ""\n}\n',
      { bip: BIP },
      '{\n  "bridge": "",\n  "bip": "10.103.100.1/24"\n}\n',
    ],
    [
      'a "bridge" where no bip is wanted',
      '{\n  "bridge": "br0"\n}\n',
      { mtu: 1462 },
      '{\n  "bridge": "br0",\n  "mtu": 1462\n}\n',
    ],
  ]
  for (const [claim, before, wanted, after] of table) {
    const plan = planDaemonJson(before, wanted)
    assert.is(plan.after, after, claim)
    assert.is(plan.before, before, claim)
    const now = JSON.parse(plan.after)
    for (const { key, to } of plan.changed) assert.is(now[key], to, claim)
    assert.equal(planDaemonJson(plan.after, wanted).changed, [], `${claim}: a second time changes nothing`)
  }
})

test('says what each key was', () => {
  assert.equal(
    planDaemonJson('{"mtu": 1500, "bip": "10.103.100.1/24"}', { bip: BIP, mtu: 1462, fixedCidr: '10.103.100.0/25' })
      .changed,
    [
      { key: 'fixed-cidr', from: undefined, to: '10.103.100.0/25' },
      { key: 'mtu', from: 1500, to: 1462 },
    ],
  )
})

test('a file that says all that already comes back byte for byte', () => {
  const text = '{ "bip":"10.103.100.1/24" ,\n"mtu"  :1462 }'
  const plan = planDaemonJson(text, { bip: BIP, mtu: 1462 })
  assert.equal(plan.changed, [])
  assert.is(plan.after, text)
})

test('says that dockerd would refuse the empty file it was', () => {
  assert.match(planDaemonJson(' \n', { mtu: 1462 }, 'd.json').remark!, /^d\.json is empty, which dockerd refuses/)
  assert.is(planDaemonJson('{}', { mtu: 1462 }).remark, undefined)
  assert.is(planDaemonJson(undefined, { mtu: 1462 }).remark, undefined)
})

test('refuses what is not JSON, with line and column', async () => {
  for (const [text, at, why] of [
    ['{\n  "icc": false,\n}', '2:15', /a comma with nothing after it before "}"/],
    ['{"dns": ["8.8.8.8", ]}', '1:19', /a comma with nothing after it before "]"/],
    ['{\n  // mine\n  "icc": false\n}', '2:3', /a comment/],
    ['{\n  "icc": false // mine\n}', '2:16', /a comment/],
    ['{ "icc": /* x */ false }', '1:10', /a comment/],
    ['# mine\n{}', '1:1', /a comment/],
    ['{\n  "icc": false\n  "mtu": 1\n}', '3:3', /""" where "," or "}" should be/],
    ['{"icc" false}', '1:8', /":" after the key "icc"/],
    ['{icc: false}', '1:2', /a key in double quotes/],
    ["{'icc': false}", '1:2', /a key in double quotes/],
    ['{"icc": False}', '1:9', /"F" where a value should be/],
    ['{"icc": }', '1:9', /"}" where a value should be/],
    ['{"mtu": 01}', '1:10', /"1" where "," or "}" should be/],
    ['{"a": "b\nc"}', '1:7', /not closed on its line/],
    ['{"a": "\\x"}', '1:7', /wrong escape/],
    ['{"icc": false', '1:14', /the file ends where "," or "}" should be/],
    ['{', '1:2', /the file ends where a key/],
    ['{}\n}', '2:1', /something follows/],
    ['{},', '1:3', /something follows/],
    ['\ufeff{}', '1:1', /byte order mark/],
    ['[]', '1:1', /not a JSON object/],
    ['"bip"', '1:1', /not a JSON object/],
    ['null', '1:1', /not a JSON object/],
  ] as const) {
    const error = await errorOf(() => planDaemonJson(text, { mtu: 1462 }, 'd.json'))
    assert.is(error.name, 'ConfigError', text)
    assert.is(error.code, 'TSGRE_BAD_DAEMON_JSON')
    assert.is(error.option, 'config-file')
    assert.ok(error.message.startsWith(`d.json:${at}: `), `${JSON.stringify(text)}: ${error.message}`)
    assert.match(error.message, why)
  }
})

test('accepts exactly the objects that JSON.parse accepts', () => {
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"mtu"',
    '1',
    '-',
    '0',
    '.5',
    'e3',
    'true',
    'null',
    ' ',
    '\n',
    '"\\u00',
    '\t',
  ]
  let seed = 1
  const random = (below: number) => {
    seed = (seed * 48271) % 2147483647
    return seed % below
  }
  let good = 0
  for (let round = 0; round < 40_000; round++) {
    // Half of them start from something valid, so that both answers occur often.
    const base = random(2) ? ['{', '"a"', ':', '[', '1', ',', '0', '.5', ']', ',', '"b":true', '}'] : []
    const text = base.length > 0 ? base : ['{', '"a"', ':']
    for (let n = random(3); n > 0; n--) text.splice(random(text.length + 1), random(2), pieces[random(pieces.length)]!)
    const json = text.join('')
    let valid = false
    try {
      const value: unknown = JSON.parse(json)
      valid = typeof value === 'object' && value !== null && !Array.isArray(value)
    } catch {}
    let accepted = true
    try {
      planDaemonJson(json, {})
    } catch (error) {
      if ((error as { code?: string }).code !== 'TSGRE_BAD_DAEMON_JSON') throw error
      accepted = /set twice|where dockerd takes/.test(String(error))
    }
    if (json.trim() !== '') assert.is(accepted, valid, JSON.stringify(json))
    if (valid) good++
  }
  assert.ok(good > 1000 && good < 39_000)
})

test.run()
