import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { execute, typed } from '#tsgre/host/execute.js'
import { errorOf } from './script.js'

test('gives stdout', async () => {
  assert.is(await execute('printf', ['%s\\n', 'two words']), 'two words\n')
})

test('hands arguments over unread: there is no shell', async () => {
  assert.is(await execute('printf', ['%s', '$HOME;`id`|*']), '$HOME;`id`|*')
})

test('a failure names the command as typed, with its stderr', async () => {
  const error = await errorOf(() => execute('ip', ['link', 'show', 'dev', 'no such']))
  assert.is(error.name, 'HostError')
  assert.is(error.code, 'TSGRE_COMMAND_FAILED')
  assert.is(error.command, "ip link show dev 'no such'")
  assert.is(error.message, `ip link show dev 'no such': ${String(error.stderr).trim()}`)
  assert.match(String(error.stderr), /no such/)
})

test('a failure without stderr still says something', async () => {
  const error = await errorOf(() => execute('false', []))
  assert.match(error.message, /^false: Command failed/)
})

test('a missing command names the Debian package that has it', async () => {
  const path = process.env.PATH
  process.env.PATH = '/nonexistent'
  try {
    const error = await errorOf(() => execute('ip', ['-json', 'route']))
    assert.is(error.code, 'TSGRE_COMMAND_FAILED')
    assert.is(
      error.message,
      'ip -json route: there is no command ip in PATH; on Debian it is in the package iproute2 (apt-get install iproute2)',
    )
  } finally {
    process.env.PATH = path
  }
})

test('a missing command of no known package is named all the same', async () => {
  const error = await errorOf(() => execute('tsgre-no-such-command', []))
  assert.is(error.message, 'tsgre-no-such-command: there is no command tsgre-no-such-command in PATH')
})

test('a typed line quotes just the words a shell would break', () => {
  assert.is(typed('ip', ['route', 'add', '2001:db8::/64', 'dev', "o'b"]), "ip route add 2001:db8::/64 dev 'o'\\''b'")
  assert.is(typed('ip', ['']), "ip ''")
})

test.run()
