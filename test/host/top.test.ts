// `tsgre top` on a real terminal: driven in tmux, its pane read back.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../rig/daemon.js'
import { Instances } from '../rig/instances.js'

const DEADLINE_MS = 20_000
const rig = new Instances()
/** Of its own for each test: one that is just ending takes no new session. */
let server = ''
let servers = 0

function tmux(...words: string[]): string {
  const env = { ...rig.env, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8' }
  return execFileSync('tmux', ['-S', server, '-f', '/dev/null', ...words], { env, encoding: 'utf8', stdio: 'pipe' })
}

/** The pane's lines once they satisfy `wanted`. */
async function pane(wanted: (lines: string[]) => boolean, ...how: string[]): Promise<string[]> {
  let lines: string[] = []
  for (const deadline = Date.now() + DEADLINE_MS; Date.now() < deadline; await sleep(100)) {
    lines = tmux('capture-pane', '-p', ...how, '-t', 't')
      .split('\n')
      .slice(0, -1)
    if (wanted(lines)) return lines
  }
  throw new Error(`the pane stays\n${lines.join('\n')}`)
}

/** A shell in a pane of that size, with the command typed into it. */
function type(columns: number, rows: number, before = ''): void {
  server = join(rig.folder, `tmux${servers++}`)
  const shell = ['env', 'PS1=$ ', 'sh']
  tmux('new-session', '-d', '-s', 't', '-x', String(columns), '-y', String(rows), ...shell)
  const command = tsgreArgv(['top'])
    .map((word) => `'${word}'`)
    .join(' ')
  tmux('send-keys', '-t', 't', '-l', `clear; ${before}${command}; echo "ended with $?"`)
  tmux('send-keys', '-t', 't', 'Enter')
}

const hasRates = (lines: string[]) => lines.some((line) => / 192\.168\.56\.5 +up +\d+(\.\d)?M /.test(line))
const hasFoot = (rows: number) => (lines: string[]) => lines[rows - 1]?.startsWith('q quits') ?? false

test.before(() => rig.start('hosts').then(() => {}))

test.after.each(() => {
  try {
    tmux('kill-server')
  } catch {
    // it went with its last session
  }
})

test.after(async () => {
  await rig.stop()
  rig.close()
})

test('shows rates in 80x24, follows the size of the window, and q gives the terminal back', async () => {
  type(80, 24)
  const large = await pane((lines) => hasRates(lines) && hasFoot(24)(lines))
  assert.match(large[0]!, /^ tsgre hosts +\d\d:\d\d:\d\d$/)
  assert.is(large[1], '! 192.168.56.6 is down')
  assert.match(large.join('\n'), 'PEER          STATE    TX/s   pps  RX/s   pps drop/s      RTT')
  tmux('resize-window', '-t', 't', '-x', '40', '-y', '10')
  const small = await pane((lines) => hasRates(lines) && hasFoot(10)(lines))
  assert.match(small.join('\n'), /PEER {10}STATE {4}TX\/s {2}RX\/s$/m)
  tmux('resize-window', '-t', 't', '-x', '120', '-y', '30')
  await pane((lines) => hasRates(lines) && hasFoot(30)(lines))
  tmux('send-keys', '-t', 't', 'q')
  const after = await pane((lines) => lines.some((line) => line === 'ended with 0'))
  assert.not.ok(
    after.some((line) => line.includes('PEER')),
    'the screen from before is back',
  )
  assert.is(tmux('display-message', '-p', '-t', 't', '#{alternate_on} #{cursor_flag}').trim(), '0 1')
  // The terminal echoes what is typed and takes lines again.
  tmux('send-keys', '-t', 't', '-l', 'echo typed')
  await pane((lines) => lines.some((line) => line.endsWith('echo typed')))
})

test('Ctrl-C quits too, and so does a signal', async () => {
  type(80, 24)
  await pane(hasRates)
  tmux('send-keys', '-t', 't', 'C-c')
  await pane((lines) => lines.some((line) => line.startsWith('ended with')))
  assert.is(tmux('display-message', '-p', '-t', 't', '#{alternate_on} #{cursor_flag}').trim(), '0 1')
})

test('colours what is down, and nothing where NO_COLOR is set', async () => {
  type(80, 24)
  const coloured = await pane((lines) => lines.some((line) => line.includes('is down')), '-e')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that starts a colour
  assert.match(coloured.join('\n'), /\x1b\[31m(\x1b\[49m)?! 192\.168\.56\.6 is down/)
  tmux('kill-server')
  type(80, 24, 'NO_COLOR=1 ')
  const plain = await pane(hasRates, '-e')
  assert.not.match(plain.join('\n'), '\x1b[')
})

test('tells that the tsgre has ended, and shows the one that comes after it', async () => {
  type(80, 24)
  await pane(hasRates)
  await rig.stop()
  await pane((lines) => lines.some((line) => line.startsWith('no tsgre runs')))
  await rig.start('hosts')
  await pane(hasRates)
})

test.run()
