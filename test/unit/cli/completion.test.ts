// The script for bash, run by bash. Those for zsh and fish are at least read by them, where they are on this machine.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { allCommands } from '#tsgre/cli/command-tree.js'
import { tree } from '#tsgre/cli/commands.js'
import { bashScript } from '#tsgre/cli/completion-bash.js'
import { fishScript } from '#tsgre/cli/completion-fish.js'
import { zshScript } from '#tsgre/cli/completion-zsh.js'
import { OPTIONS } from '#tsgre/daemon/options/option-table.js'

/** In place of /sys/class/net, /etc/tsgre and /run/tsgre. */
const folder = mkdtempSync(join(tmpdir(), 'tsgre-completion-'))
const [devices, configs, sockets] = ['net', 'etc', 'run'].map((name) => join(folder, name)) as [string, string, string]
for (const path of ['net/eth1', 'net/tap0', 'net/br0/bridge', 'etc', 'run'])
  mkdirSync(join(folder, path), { recursive: true })
for (const path of [
  'etc/mesh.yaml',
  'etc/pair.yml',
  'etc/notes',
  'run/mesh.sock',
  'run/my-lab.sock',
  'run/tap0.journal',
])
  writeFileSync(join(folder, path), '')

const script = bashScript(tree()).replaceAll('/sys/class/net', devices).replaceAll('/etc/tsgre', configs)

/** What each line is completed to; words are split at spaces, the last is the one that is typed. */
function complete(lines: readonly string[]): string[][] {
  const asked = lines.map((line) => {
    const words = line.split(' ').map((word) => `'${word}'`)
    return `COMP_WORDS=(tsgre ${words.join(' ')}) COMP_CWORD=${words.length}; _tsgre; (IFS='|'; echo "\${COMPREPLY[*]}")`
  })
  // Only readline has it, and here is none.
  const input = [script, 'compopt() { COMPREPLY+=("<files>"); }', ...asked].join('\n')
  const env = { PATH: process.env.PATH, TSGRE_RUN_DIR: sockets }
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-u'], {
    input,
    env,
    encoding: 'utf8',
    timeout: 100_000,
  })
  assert.equal([status, stderr], [0, ''])
  return stdout
    .slice(0, -1)
    .split('\n')
    .map((words) => words.split('|').filter(Boolean))
}

function completes(cases: readonly (readonly [line: string, to: readonly string[]])[]): void {
  const answers = complete(cases.map(([line]) => line))
  for (const [index, [line, to]] of cases.entries()) assert.equal(answers[index], [...to], `tsgre ${line}`)
}

test('bash completes commands, and those below them', () => {
  completes([
    ['sta', ['status']],
    ['docker ', ['plan', 'apply', 'undo', 'status']],
    ['docker a', ['apply']],
    ['fdb f', ['flush']],
    ['peers ', ['list', 'add', 'remove', 'mesh', 'my-lab']],
    ['status sta', []],
    ['nothing ', []],
  ])
})

test('bash completes options, and --no- where it turns something off', () => {
  completes([
    ['--enc', ['--encap']],
    ['--no-p', ['--no-pmtudisc']],
    ['--no-offl', ['--no-offload']],
    ['--no-probe', []],
    ['--ver', ['--version']],
    ['docker apply --b', ['--bip']],
    ['docker status --b', []],
    [
      'capture -',
      [
        '--inner',
        '--outer',
        '--tap',
        '--remote',
        '--drops',
        '--filter',
        '--snaplen',
        '-c',
        '--count',
        '-w',
        '--write',
        '--help',
        '-h',
      ],
    ],
    ['peers add 192.0.2.1 --ta', ['--tap']],
  ])
})

test('bash completes the values of options, joined by = too', () => {
  completes([
    ['--encap ', ['none', 'udp']],
    ['--encap u', ['udp']],
    ['--encap =', ['none', 'udp']],
    ['--encap = u', ['udp']],
    ['--encap=u', ['--encap=udp']],
    ['--checksum f', ['forbid']],
    ['doctor --encap ', ['none', 'udp']],
    ['--key ', []],
    ['--log-level d', ['debug']],
    ['completion ', ['bash', 'zsh', 'fish']],
  ])
})

test('bash completes devices, bridges, running instances, configuration files and other files', () => {
  completes([
    ['--tap ', ['br0', 'eth1', 'tap0']],
    ['--dev e', ['eth1']],
    ['--bridge ', ['br0']],
    ['status ', ['mesh', 'my-lab']],
    ['fdb flush my', ['my-lab']],
    ['peers add 192.0.2.1 ', ['mesh', 'my-lab']],
    ['peers add ', []],
    ['status mesh ', []],
    ['--config m', ['mesh', '<files>']],
    ['capture -w ', ['<files>']],
    ['docker apply --config-file ', ['<files>']],
  ])
})

test('bash takes the value of an option for no command', () => {
  completes([
    ['--tap status do', ['doctor', 'docker']],
    ['--tap = status do', ['doctor', 'docker']],
    ['--csum do', ['doctor', 'docker']],
    ['capture --tap mesh --remote status me', ['mesh']],
  ])
})

test('every option and command is in every script', () => {
  const scripts = [bashScript, zshScript, fishScript].map((make) => make(tree()))
  const names = new Set(
    allCommands(tree()).flatMap(({ path, options }) => [...path.slice(-1), ...options.map(({ name }) => name)]),
  )
  for (const { name } of OPTIONS) assert.ok(names.has(name), name)
  for (const name of names)
    for (const text of scripts) assert.match(text, new RegExp(`(?<![\\w-])(--|-l )?${name}(?![\\w-])`))
})

for (const [shell, make] of [
  ['zsh', zshScript],
  ['fish', fishScript],
] as const) {
  test(`${shell} finds nothing wrong with its script`, () => {
    const path = join(folder, shell)
    writeFileSync(path, make(tree()))
    const { status, stderr } = spawnSync(shell, ['-n', path], { encoding: 'utf8', timeout: 100_000 })
    assert.equal([status, stderr], [0, ''])
  })
}

test.after(() => rmSync(folder, { recursive: true, force: true }))
test.run()
