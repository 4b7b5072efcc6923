// `tsgre top` on a real terminal: driven in tmux, its screen read back.

import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Child, completion } from '../rig/child.js'
import { tsgreArgv } from '../rig/daemon.js'
import { Instances } from '../rig/instances.js'
import { Terminal } from '../rig/terminal.js'

const TOP = tsgreArgv(['top'])
const rig = new Instances()
const terminals: Terminal[] = []
let made = 0

async function terminal(): Promise<Terminal> {
  const run = async (argv: readonly string[]) => (await completion(new Child(argv, { env: rig.env }))).stdout
  const opened = await Terminal.open(run, join(rig.folder, `tmux${made++}`), 80, 24)
  terminals.push(opened)
  return opened
}

const hasRates = (lines: string[]) => lines.some((line) => / 192\.168\.56\.5 +up +\d+(\.\d)?M /.test(line))
const hasFoot = (rows: number) => (lines: string[]) => lines[rows - 1]?.startsWith('q quits') ?? false

/** Whether the other screen is shown, and the cursor. */
const modes = async (top: Terminal) =>
  (await top.tmux('display-message', '-p', '-t', 't', '#{alternate_on} #{cursor_flag}')).trim()

test.before(() => rig.start('hosts').then(() => {}))

test.after.each(async () => {
  for (const opened of terminals.splice(0)) await opened.close()
})

test.after(async () => {
  await rig.stop()
  rig.close()
})

test('shows rates in 80x24, follows the size of the window, and q gives the terminal back', async () => {
  const top = await terminal()
  await top.start(TOP)
  const large = await top.lines((lines) => hasRates(lines) && hasFoot(24)(lines))
  assert.match(large[0]!, /^ tsgre hosts +\d\d:\d\d:\d\d$/)
  assert.is(large[1], '! 192.168.56.6 is down')
  assert.match(large.join('\n'), 'PEER          STATE    TX/s   pps  RX/s   pps drop/s      RTT')
  await top.resize(40, 10)
  const small = await top.lines((lines) => hasRates(lines) && hasFoot(10)(lines))
  assert.match(small.join('\n'), /PEER {10}STATE {4}TX\/s {2}RX\/s$/m)
  await top.resize(120, 30)
  await top.lines((lines) => hasRates(lines) && hasFoot(30)(lines))
  await top.press('q')
  const after = await top.lines((lines) => lines.some((line) => line === 'ended with 0'))
  assert.not.ok(
    after.some((line) => line.includes('PEER')),
    'the screen from before is back',
  )
  assert.is(await modes(top), '0 1')
  // The terminal echoes what is typed and takes lines again.
  await top.type('echo typed')
  await top.lines((lines) => lines.some((line) => line.endsWith('echo typed')))
})

test('Ctrl-C quits too, and so does a signal', async () => {
  const top = await terminal()
  await top.start(TOP)
  await top.lines(hasRates)
  await top.press('C-c')
  await top.lines((lines) => lines.some((line) => line.startsWith('ended with')))
  assert.is(await modes(top), '0 1')
})

test('colours what is down, and nothing where NO_COLOR is set', async () => {
  const top = await terminal()
  await top.start(TOP)
  const coloured = await top.lines((lines) => lines.some((line) => line.includes('is down')), '-e')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that starts a colour
  assert.match(coloured.join('\n'), /\x1b\[31m(\x1b\[49m)?! 192\.168\.56\.6 is down/)
  await top.close()
  const other = await terminal()
  await other.start(TOP, 'NO_COLOR=1 ')
  const plain = await other.lines(hasRates, '-e')
  assert.not.match(plain.join('\n'), '\x1b[')
})

test('tells that the tsgre has ended, and shows the one that comes after it', async () => {
  const top = await terminal()
  await top.start(TOP)
  await top.lines(hasRates)
  await rig.stop()
  await top.lines((lines) => lines.some((line) => line.startsWith('no tsgre runs')))
  await rig.start('hosts')
  await top.lines(hasRates)
})

test.run()
