// What is wrong with a configuration file, by line, column and key, all of it at once; and what a good one comes to.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig, parseConfig } from '#tsgre/daemon/config/load-config.js'
import { BadConfigError, problemLine } from '#tsgre/daemon/config/problem.js'
import { failureOf } from '../../../rig/failure-of.js'

const FOLDER = mkdtempSync(join(tmpdir(), 'tsgre-config-'))
test.after(() => rmSync(FOLDER, { recursive: true }))

/** Without the file's name. */
function problems(text: string): string[] {
  try {
    parseConfig(text, 'F')
  } catch (error) {
    if (!(error instanceof BadConfigError)) throw error
    assert.is(error.message, error.problems.map((problem) => problemLine('F', problem)).join('\n'))
    return error.problems.map(({ line, column, key, message }) => `${line}:${column} ${key}: ${message}`)
  }
  return []
}

const ONE = 'tap: tap0\nremote: a.example\n'
const bomb = `a: &a [1]\n${[...'bcdefgh'].map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[at]}`)}]`).join('\n')}\n`
const remotes = (count: number) => Array.from({ length: count }, (_, at) => `10.0.${at >> 8}.${at & 255}`)

for (const [claim, text, expected] of [
  ['nothing', '', [/^1:1 : empty: say at least "tap: tap0"/]],
  ['a comment alone', '# tap: tap0\n', [/^1:1 : empty/]],
  ['a list', '- tap0\n', [/^1:1 : a list where keys/]],
  ['a text', 'tap0\n', [/^1:1 : a text where keys/]],
  ['a tab', 'tap: tap0\n\tremote: a\n', [/^2:1 : a tab; YAML is indented with spaces/]],
  ['a key twice', `${ONE}tap: tap1\n`, [/^3:1 : the key tap is there twice; keep one/]],
  ['a tunnel twice', 'tunnels:\n  tap0: {remote: a}\n  tap0: {remote: b}\n', [/^3:3 : the key tap0 is there twice/]],
  ['a second document', `${ONE}---\n${ONE}`, [/^3:1 : a second document begins here/]],
  ['a tag', 'tap: !foo tap0\nremote: a\n', [/^1:6 : the tag !foo means nothing here/]],
  ['an alias bomb', bomb, [/^1:1 : more than 100 values by aliases/]],
  ['an alias of nothing', `${ONE}local: *x\n`, [/^3:8 : \*x names nothing/]],
  ['a value inside of itself', 'tap: tap0\nremote: &x {address: *x}\n', [/^2:22 : \*x stands inside of itself/]],
  ['a key that is a list', `? [a]\n: 3\n${ONE}`, [/^1:3 : a key must be one word/]],
  ['zeros in front', `${ONE}key: 010\n`, [/^3:6 : 010 is 10 to some readers of YAML and octal to others; write 10/]],
  ['a key there is not', `${ONE}tttl: 3\n`, [/^3:1 tttl: there is no such key here; did you mean ttl\?/]],
  ['an underscore', `${ONE}tunnel_mtu: 1400\n`, [/^3:1 tunnel_mtu: .*did you mean tunnel-mtu\?/]],
  ['a key like no other', `${ONE}weather: fine\n`, [/^3:1 weather: there is no such key here$/]],
  ['an option of the command alone', `${ONE}dry-run: true\n`, [/^3:1 dry-run: there is no such key here/]],
  [
    'a number in quotes',
    `${ONE}ttl: "64"\n`,
    [/^3:6 ttl: "64": takes .* from 1 to 255 or inherit; write it without quotes/],
  ],
  ['a number out of range', `${ONE}ttl: 300\n`, [/^3:6 ttl: 300: takes a whole number from 1 to 255/]],
  ['half a number', `${ONE}tos: 3.5\n`, [/^3:6 tos: 3\.5: takes a whole number/]],
  ['yes', `${ONE}csum: yes\n`, [/^3:7 csum: "yes": takes true or false; write true/]],
  ['no', `${ONE}seq: no\n`, [/^3:6 seq: "no": takes true or false; write false/]],
  ['a key without value', `${ONE}mtu:\n`, [/^3:1 mtu: has no value: takes .*; or leave the key away/]],
  ['a number for a TAP', 'tap: 7\nremote: a\n', [/^1:6 tap: 7: .*write it in quotes: "7"/]],
  ['an impossible TAP', 'tap: a/b\nremote: a\n', [/^1:6 tap: .*a device name has no "\/"/]],
  ['a TAP that is its bridge', `${ONE}bridge: tap0\n`, [/^3:9 bridge: tap0: that is the TAP/]],
  ['a loopback address', 'tap: tap0\nremote: 127.0.0.1\n', [/^2:9 remote: 127\.0\.0\.1: a loopback address/]],
  [
    'keys of a tunnel beside tunnels',
    'tap: tap0\nremote: a\ntunnels: {tap1: {remote: b}}\n',
    [
      /^1:1 tap: .* beside tunnels; write it into each tunnel/,
      /^2:1 remote: .* beside tunnels; write it into each tunnel/,
    ],
  ],
  ['no TAP', 'remote: a\n', [/^1:1 tap: is missing/]],
  ['no remote', 'tap: tap0\n', [/^1:1 remote: is missing/]],
  ['a tunnel without remote', 'tunnels: {tap0: {}}\n', [/^1:17 tunnels\.tap0\.remote: is missing/]],
  ['no tunnel in a map', 'tunnels: {}\n', [/^1:10 tunnels: takes at least one tunnel/]],
  ['no tunnel in a list', 'tunnels: []\n', [/^1:10 tunnels: takes at least one tunnel/]],
  ['tunnels that are none', 'tunnels: 7\n', [/^1:10 tunnels: 7: takes a list of tunnels, or a map/]],
  [
    'two tunnels with one TAP',
    'tunnels:\n  - {tap: tap0, remote: a}\n  - {tap: tap0, remote: b}\n',
    [/^3:11 tunnels\[1\]\.tap: tap0 is the TAP of tunnels\[0\] already/],
  ],
  [
    'a TAP beside the name',
    'tunnels: {tap0: {tap: tap1, remote: a}}\n',
    [/^1:18 tunnels\.tap0\.tap: there is no such key here/],
  ],
  ['remote beside remotes', `${ONE}remotes: [b]\n`, [/^3:1 remotes: stands beside remote; keep remotes/]],
  ['route beside routes', `${ONE}route: 10.0.0.0/8\nroutes: []\n`, [/^4:1 routes: stands beside route; keep routes/]],
  ['no remotes', 'tap: tap0\nremotes: []\n', [/^2:10 remotes: takes at least one remote/]],
  ['too many remotes', `tap: tap0\nremotes: [${remotes(129)}]\n`, [/^2:10 remotes: takes at most 128 remotes/]],
  [
    'a remote twice',
    'tap: tap0\nremotes: [10.0.0.1, "10.0.0.1,key=3"]\n',
    [/^2:21 remotes\[1\]: .*give each remote once/],
  ],
  ['both families', 'tap: tap0\nremotes: [10.0.0.1, "fd00::1"]\n', [/^2:21 remotes\[1\]: .*of one family/]],
  ['what is no host', 'tap: tap0\nremote: a b\n', [/^2:9 remote: a b: not an IPv4 or IPv6 address, and not the name/]],
  [
    'a setting that is none',
    'tap: tap0\nremotes: ["a,ttl=4"]\n',
    [/^2:11 remotes\[0\]: a,ttl=4: "ttl=4" is no setting/],
  ],
  [
    'a key of a remote',
    'tap: tap0\nremotes: [{address: a, key: red}]\n',
    [/^2:29 remotes\[0\]\.key: "red": takes a number/],
  ],
  ['ikey beside key', `${ONE}ikey: 3\nkey: 4\n`, [/^4:6 key: .*sets both directions/]],
  ['host bits', `${ONE}route: 10.0.0.1/8\n`, [/^3:8 route: .*did you mean 10\.0\.0\.0\/8\?/]],
  ['carrier alone', `${ONE}carrier: true\n`, [/^3:10 carrier: whether a remote .*keepalive 10/]],
  ['an empty remote', 'tap: tap0\nremotes: [""]\n', [/^2:11 remotes\[0\]: "": takes the address or the name/]],
  ['a group for a remote', 'tap: tap0\nremotes: [b, 224.0.0.5]\n', [/^2:14 remotes\[1\]: 224\.0\.0\.5: .*one unicast/]],
  [
    'DF both ways',
    `${ONE}ignore-df: true\npmtudisc: true\n`,
    [/^3:12 ignore-df: pmtudisc sets DF and ignore-df clears/],
  ],
  ['a port that is not used', `${ONE}udp-port: 5000\n`, [/^3:11 udp-port: 5000 means something with encap udp only/]],
  [
    'a port of another kind',
    `${ONE}io: raw-socket\nencap: udp\n`,
    [/^4:8 encap: udp: io raw-socket carries protocol 47/],
  ],
  [
    'superframes without their port',
    `${ONE}io: raw-socket\noffload: tso\n`,
    [/^4:10 offload: tso: io raw-socket takes/],
  ],
  [
    'a bridge where nothing is to be set up',
    `${ONE}host-setup: false\nbridge: br0\n`,
    [/^4:9 bridge: host-setup: false leaves bridges, .*and bridge asks for one/],
  ],
  [
    'a route around the remote',
    'tap: tap0\nremote: 192.0.2.5\nroutes: [10.0.0.0/8, 192.0.2.0/24]\n',
    [/^3:22 routes\[1\]: 192\.0\.2\.0\/24: the remote 192\.0\.2\.5 lies in it/],
  ],
  [
    'a local of another family',
    'tap: tap0\nremote: 192.0.2.5\nlocal: fd00::1\n',
    [/^3:8 local: fd00::1: IPv6, but remote/],
  ],
  [
    'a remote that two tunnels have',
    'tunnels:\n  tap0:\n    remotes: [192.0.2.5, 192.0.2.6]\n  tap1:\n    remotes: [192.0.2.5]\n    bridge: none\n',
    [/^5:15 tunnels\.tap1\.remotes\[0\]: 192\.0\.2\.5: tap0 takes the packets without a key from it, and tap1 would/],
  ],
  [
    'a remote and key that two tunnels have, in two spellings',
    'key: 7\ntunnels:\n  - {tap: a, local: "fd00::1", remote: "fd00::5"}\n  - {tap: b, local: "fd00:0::1", remotes: [c, "fd00:0::5,ikey=0.0.0.7"]}\n',
    [/^4:47 tunnels\[1\]\.remotes\[1\]: fd00:0::5: a takes the packets with key 7 from it, and b would/],
  ],
  [
    'a UDP port that two tunnels have',
    'encap: udp\ntunnels:\n  a: {remote: 192.0.2.5}\n  b: {remote: 192.0.2.5, udp-port: 4754}\n',
    [/^4:36 tunnels\.b\.udp-port: 4754: a has that port/],
  ],
  [
    'a second one, a stranger and one without sense in a list, each by itself',
    'tap: tap0\nremotes: [192.0.2.5, "fd00::1", 192.0.2.6, "192.0.2.5,key=3", 255.255.255.255]\nttl: 300\nkeepalive: 0\n',
    [
      /^2:22 remotes\[1\]: .*of one family/,
      /^2:44 remotes\[3\]: .*give each remote once/,
      /^2:63 remotes\[4\]: .*one unicast/,
      /^3:6 ttl: /,
      /^4:12 keepalive: 0/,
    ],
  ],
  [
    'what is no value beside what cannot be together',
    'metrics: [1]\ntunnels:\n  - {tap: a, remote: 192.0.2.5, tttl: 3, carrier: true}\n  - {tap: a, routes: [10.0.0.1/8, 10.0.0.2/8]}\n  - 7\n',
    [
      /^1:10 metrics: is a list/,
      /^3:33 tunnels\[0\]\.tttl: /,
      /^3:51 tunnels\[0\]\.carrier: /,
      /^4:5 tunnels\[1\]\.remote: is missing/,
      /^4:11 tunnels\[1\]\.tap: a is the TAP of tunnels\[0\]/,
      /^4:23 tunnels\[1\]\.routes\[0\]: /,
      /^4:35 tunnels\[1\]\.routes\[1\]: /,
      /^5:5 tunnels\[2\]: 7: takes keys and values/,
    ],
  ],
  ['parts out of range', `${ONE}keepalive: 0\n`, [/^3:12 keepalive: 0: takes SECONDS\[,COUNT\]/]],
  ['a second part out of range', `${ONE}keepalive: 1,500\n`, [/^3:12 keepalive: 1,500: takes SECONDS\[,COUNT\]/]],
  ['a name to listen at', `${ONE}metrics: host.example:1\n`, [/^3:10 metrics: .*takes an address of this host/]],
  ['JSON', '{"tap": "tap0",\n "remote": "a", "ttl": 300}\n', [/^2:24 ttl: 300: takes/]],
  [
    'three at once, in the order of their lines',
    `${ONE}ttl: old\ncsum: on\ncolour: red\n`,
    [/^3:6 ttl: "old"/, /^4:7 csum: "on": .*write true/, /^5:1 colour: /],
  ],
  [
    'two tunnels, each with its own',
    'tunnels:\n  tap0: {remote: 10.0.0.1, carrier: true}\n  tap1: {remote: 10.0.0.2, mac: "01:00:00:00:00:00"}\n',
    [/^2:37 tunnels\.tap0\.carrier: /, /^3:33 tunnels\.tap1\.mac: /],
  ],
] as const) {
  test(`refuses ${claim}`, () => {
    const found = problems(text)
    assert.is(found.length, expected.length, found.join('\n'))
    for (const [at, pattern] of expected.entries()) assert.match(found[at]!, pattern)
  })
}

for (const [claim, text] of [
  ['keys that part them', 'tunnels: {a: {remote: 192.0.2.5}, b: {remote: 192.0.2.5, key: 0}}'],
  ['devices that part them', 'tunnels: {a: {remote: 192.0.2.5, dev: eth1}, b: {remote: 192.0.2.5, dev: eth2}}'],
  [
    'addresses of their own',
    'tunnels: {a: {remote: 192.0.2.5, local: 192.0.2.1}, b: {remote: 192.0.2.5, local: 192.0.2.2}}',
  ],
  ['first remotes that may lead elsewhere', 'tunnels: {a: {remotes: [192.0.2.6, 192.0.2.5]}, b: {remote: 192.0.2.5}}'],
  ['UDP for one of them', 'tunnels: {a: {remote: 192.0.2.5, encap: udp}, b: {remote: 192.0.2.5}}'],
] as const)
  test(`takes one remote of two tunnels with ${claim}`, () => assert.equal(problems(text), []))

test('of what was refused nothing more is said', () =>
  assert.is(problems(`${ONE}carrier: true\nkeepalive: [1]\nudp-port: 5000\nencap: upd\n`).length, 2))

test('what stands beside tunnels holds for those that say nothing else', () => {
  const { tunnels, metrics } = parseConfig(
    'ttl: 9\nkey: 0.0.0.7\nmetrics: 9747\ntunnels:\n  tap0: {remote: a}\n  tap1: {remotes: [b, {address: c, key: 8}], ttl: 10}\n',
    'F',
  )
  assert.equal(metrics, { address: '127.0.0.1', port: 9747 })
  assert.equal(
    tunnels.map(({ name, ttl, key, remote }) => ({ name, ttl, key, remote })),
    [
      { name: 'tap0', ttl: 9, key: 7, remote: 'a' },
      { name: 'tap1', ttl: 10, key: 7, remote: [{ remote: 'b' }, { remote: 'c', key: 8 }] },
    ],
  )
})

test('merge keys are read, and what stands beside them goes first', () => {
  const text = 'tunnels:\n  tap0: &d {remote: a, ttl: 7, mtu: 1400}\n  tap1: {<<: *d, remote: b, mtu: 1300}\n'
  const [, second] = parseConfig(text, 'F').tunnels
  assert.equal([second?.name, second?.remote, second?.ttl, second?.mtu], ['tap1', 'b', 7, 1300])
  assert.match(problems('tunnels:\n  tap0: &d {remote: a}\n  tap1: {<<: 7, remote: b}\n').join(), /merge/i)
})

test('a name stands for a file of the directory, and the file names the instance', async () => {
  writeFileSync(join(FOLDER, 'office.yml'), ONE)
  const { name, file } = await loadConfig('office', FOLDER)
  assert.equal([name, file], ['office', join(FOLDER, 'office.yml')])
  assert.match((await failureOf(loadConfig('nosuch', FOLDER))).message, /^nosuch: there is none of .*nosuch\.yaml, /)
})

test('refuses what is no configuration before it is read as one', async () => {
  const file = join(FOLDER, 'large.yaml')
  for (const [bytes, pattern] of [
    [Buffer.alloc((1 << 20) + 1, '#'), /larger than 1048576 bytes/],
    [Buffer.from([0x74, 0xff]), /not UTF-8 text/],
  ] as const) {
    writeFileSync(file, bytes)
    assert.match((await failureOf(loadConfig(file))).message, pattern)
  }
  writeFileSync(file, Buffer.concat([Buffer.from(ONE), Buffer.alloc((1 << 20) - ONE.length, '#')]))
  assert.is((await loadConfig(file)).tunnels.length, 1)
  assert.match(
    (await failureOf(loadConfig('/dev/zero'))).message,
    /^\/dev\/zero: that is a device.*name a regular file/,
  )
  assert.match((await failureOf(loadConfig(`${FOLDER}/`))).message, /that is a directory/)
})

test('refuses a FIFO that nobody writes to, at once', async () => {
  const fifo = join(FOLDER, 'fifo.yaml')
  execFileSync('mkfifo', [fifo])
  const opened = new Promise((resolve) => setTimeout(resolve, 2000, 'waits').unref())
  const refused = failureOf(loadConfig(fifo)).then(({ message }) => message)
  const told = await Promise.race([refused, opened])
  // Whoever waits is let go, or this test would never end.
  if (told === 'waits') writeFileSync(fifo, ONE)
  assert.match(String(told), `${fifo}: that is a FIFO`)
})

test.run()
