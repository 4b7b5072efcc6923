// What loads only the tunnel's command must not hide another.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { COMMANDS } from '#tsgre/cli/commands.js'
import { COMMAND_NAMES, namesCommand } from '#tsgre/cli/names-command.js'

test('knows the name of every command', () => {
  const names = COMMANDS.map(({ command }) => String(command).split(' ')[0]!)
  assert.equal([...COMMAND_NAMES].sort(), names.sort())
})

test('takes for a tunnel what has its options alone, and nothing where help is asked for', () => {
  for (const line of ['--remote 192.0.2.5 --tap tap0', '--config mesh', '--json --remote=192.0.2.5', '--version'])
    assert.not.ok(namesCommand(line.split(' ')), line)
  for (const line of ['status', '--json status', 'nosuch', '--remote 192.0.2.5 --help', '-h', '--tap top', ''])
    assert.ok(namesCommand(line.split(' ').filter(Boolean)), line)
})

test.run()
