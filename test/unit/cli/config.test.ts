// `tsgre config`, as it is typed.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../../rig/daemon.js'
import { fileOf } from '../../rig/root.js'

const FOLDER = mkdtempSync(join(tmpdir(), 'tsgre-config-'))
test.after(() => rmSync(FOLDER, { recursive: true }))
const MESH = fileOf('docs/examples/mesh.yaml')

function config(...args: string[]) {
  const [program, ...words] = tsgreArgv(['config', ...args])
  const { status, stdout, stderr } = spawnSync(program!, words, { encoding: 'utf8' })
  return { status, stdout, stderr }
}

function written(name: string, text: string): string {
  writeFileSync(join(FOLDER, name), text)
  return join(FOLDER, name)
}

test('check says of a good file what each tunnel has, and ends with 0', () =>
  assert.equal(config('check', MESH), {
    status: 0,
    stdout: `${MESH} is good\ntap0: 4 remotes, 192.168.56.5, hostc.example, 192.168.56.7, 192.168.56.8\nlab0: remote 192.168.56.5\n`,
    stderr: '',
  }))

test('check says all that is wrong with a bad one, by line, column and key, and ends with 2', () => {
  const file = written('bad.yaml', 'tap: tap0\nremote: a b\nttl: "64"\ntttl: 3\n')
  const { status, stdout, stderr } = config('check', file)
  assert.equal([status, stdout], [2, ''])
  const lines = stderr.trimEnd().split('\n')
  assert.is(lines.length, 3)
  assert.ok(lines[0]!.startsWith(`tsgre: ${file}:2:9: remote: `))
  assert.ok(lines[1]!.startsWith(`${file}:3:6: ttl: "64": `))
  assert.match(lines[2]!, /:4:1: tttl: .*did you mean ttl\?/)
})

test('what show prints, as YAML and as JSON, is shown the same again', () => {
  const json = config('show', MESH, '--json').stdout
  const yaml = config('show', MESH).stdout
  assert.is(config('show', written('again.json', json), '--json').stdout, json)
  assert.is(config('show', written('again.yaml', yaml), '--json').stdout, json)
  assert.is(JSON.parse(json).tunnels[0].ttl, 64)
})

test('reads what it is given open: a pipe on the standard input, and what the shell makes of <(…)', () => {
  const text = 'tap: tap0\nremote: 192.168.56.5\n'
  for (const script of [
    'printf "$2" | $1 config check /dev/stdin',
    '$1 config check <(printf "$2")',
    '$1 config check /dev/stdin <<< "$2"',
  ]) {
    const argv = ['-c', script, 'bash', tsgreArgv([]).join(' '), text]
    const { status, stdout, stderr } = spawnSync('bash', argv, { encoding: 'utf8' })
    assert.equal([status, stderr], [0, ''], script)
    assert.match(stdout, /is good\ntap0: remote 192\.168\.56\.5/)
  }
})

test.run()
