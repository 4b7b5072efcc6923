// Mistyped command lines: what is wrong, what was meant, what is missing, and whose --help says more.

import { spawnSync } from 'node:child_process'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tree } from '#tsgre/cli/commands.js'
import { usageOf } from '#tsgre/cli/usage.js'
import { nearest } from '#tsgre/daemon/options/nearest.js'
import { tsgreArgv } from '../../rig/daemon.js'

for (const [line, said, help] of [
  ['--kay 7', '--kay 7: there is no such option here; did you mean --key?', 'tsgre'],
  [
    '--remote a --kay=7 --tpa t',
    '--kay 7: there is no such option here; did you mean --key?\n--tpa t: there is no such option here; did you mean --tap?',
    'tsgre',
  ],
  ['--no-csmu', '--no-csmu: there is no such option here', 'tsgre'],
  ['-k', '-k: there is no such option here', 'tsgre'],
  ['--weather fine', '--weather fine: there is no such option here', 'tsgre'],
  ['--remote', '--remote: its value is missing; give it as in --remote ADDRESS', 'tsgre'],
  ['statsu', 'statsu: there is no such command; did you mean tsgre status?', 'tsgre'],
  ['--remote a --tap t up', 'up: there is no such command', 'tsgre'],
  [
    'peers add',
    'ADDRESS is missing: the address or name of the other host; write tsgre peers add ADDRESS [NAME]',
    'tsgre peers add',
  ],
  [
    'peers remove --tap t',
    'ADDRESS is missing: the address or name of the other host; write tsgre peers remove ADDRESS [NAME]',
    'tsgre peers remove',
  ],
  ['peers rm x', 'rm: there is no such command; did you mean tsgre peers remove?', 'tsgre peers'],
  ['help status', 'help: there is no such command; write tsgre status --help', 'tsgre'],
  ['capture --drop -c 1', '--drop: there is no such option here; did you mean --drops?', 'tsgre capture'],
  ['pair --a x --b y --c z', '--c z: there is no such option here', 'tsgre pair'],
  ['peers ad 192.0.2.5', 'ad: there is no such command; did you mean tsgre peers add?', 'tsgre peers'],
  ['peers add a b c', 'c: one word too many; write tsgre peers add ADDRESS [NAME]', 'tsgre peers add'],
  ['peers --tap', '--tap: its value is missing; give it as in --tap NAME', 'tsgre peers'],
  [
    'config check',
    'FILE is missing: a path, or NAME for /etc/tsgre/NAME.yaml; write tsgre config check FILE',
    'tsgre config check',
  ],
  ['config chekc x', 'chekc: there is no such command; did you mean tsgre config check?', 'tsgre config'],
  ['config', 'say what to do: tsgre config check, show, schema or keys', 'tsgre config'],
  ['docker plna', 'plna: there is no such command; did you mean tsgre docker plan?', 'tsgre docker'],
  [
    'doctor a',
    'a: tsgre doctor takes no name and no other word, options alone; --tap NAME says which tunnel',
    'tsgre doctor',
  ],
  ['stop a b', 'b: one word too many; write tsgre stop [NAME]', 'tsgre stop'],
  ['man x', 'x: tsgre man takes no name and no other word, options alone', 'tsgre man'],
  ['status --jsno', '--jsno: there is no such option here; did you mean --json?', 'tsgre status'],
  ['capture -z 3', '-z 3: there is no such option here', 'tsgre capture'],
  [
    '--remote 192.0.2.5 --tap t --bridge none -- --keepalive 5',
    '--keepalive: behind -- it is no option; write it in front of --',
    'tsgre',
  ],
  ['--remote 192.0.2.5 --tap t -- foo', 'foo: there is no such command', 'tsgre'],
  ['--remote 192.0.2.5 --tap t --route 10.0.0.0/8 -- 10.1.0.0/16', '10.1.0.0/16: there is no such command', 'tsgre'],
  ['--tap t -- status', 'status: there is no such command', 'tsgre'],
  [
    '--remote 192.0.2.5 --tap -- t',
    '--tap: its value is missing; give it as in --tap NAME\nt: there is no such command',
    'tsgre',
  ],
  ['cleanup -- --dry-run', '--dry-run: behind -- it is no option; write it in front of --', 'tsgre cleanup'],
  ['stop -- a b', 'b: one word too many; write tsgre stop [NAME]', 'tsgre stop'],
  ['completion -- tcsh', 'tcsh: takes bash, zsh or fish', 'tsgre completion'],
  ['completion tcsh', 'tcsh: takes bash, zsh or fish', 'tsgre completion'],
] as const) {
  test(`tells of tsgre ${line}: ${said}`, () => {
    const [program, ...words] = tsgreArgv(line.split(' '))
    const { status, stdout, stderr } = spawnSync(program!, words, { encoding: 'utf8', timeout: 60_000 })
    assert.equal([status, stdout, stderr], [2, '', `tsgre: ${said}\nSee ${help} --help.\n`])
  })
}

test('words behind -- are those of the command, whatever they begin with', () => {
  for (const [line, said] of [
    ['config check -- -nosuch.yaml', /^tsgre: -nosuch\.yaml: there is no such file/],
    ['config check -- /nosuch', /^tsgre: \/nosuch: there is no such file/],
    ['config -- check x', /^tsgre: check: there is no such command\n/],
    ['stop --json -- --json', /no tsgre named --json runs/],
  ] as const) {
    const [program, ...words] = tsgreArgv(line.split(' '))
    const { stderr } = spawnSync(program!, words, { encoding: 'utf8', timeout: 60_000 })
    assert.match(stderr, said)
  }
  const [program, ...words] = tsgreArgv(['completion', '--', 'bash'])
  assert.match(spawnSync(program!, words, { encoding: 'utf8', timeout: 60_000 }).stdout, /complete/)
})

test('what a list takes is no word too many', () => {
  const argv = ['--tap', 't', '--route', '10.0.0.0/8', '10.1.0.0/16', '--kay', '7']
  assert.match(usageOf(argv, tree(), '').words, /^--kay 7: .*--key\?$/)
})

test('where nothing is found the words of the parser stand', () => {
  assert.equal(usageOf(['stop'], tree(), 'so'), { words: 'so', command: 'tsgre stop' })
  assert.is(usageOf([], tree(), 'Missing required arguments: a, b').words, '--a, --b: missing')
})

test("two letters in each other's place are one mistake", () => {
  assert.equal(
    ['tpa', 'jsno', 'chekc', 'ttll', 'tunnel_mtu', 'xyz'].map((word) =>
      nearest(word, ['tap', 'json', 'check', 'ttl', 'tunnel-mtu']),
    ),
    ['tap', 'json', 'check', 'ttl', 'tunnel-mtu', undefined],
  )
})

test.run()
