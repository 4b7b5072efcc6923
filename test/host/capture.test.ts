// The command `tsgre capture` as a person uses it: lines, files, pipes, Ctrl-C, and what it refuses. The tunnel behind it has no pump.

import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Child } from '../rig/child.js'
import { output, tsharkFields } from '../rig/tshark.js'
import { run } from './command.js'

const COMMAND = fileURLToPath(new URL('../rig/capture-command.js', import.meta.url))
const node = (...argv: string[]) => [process.execPath, COMMAND, ...argv]

const test = suite('tsgre capture')
let folder = ''
test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsgre-capture-'))
})
test.after(() => rmSync(folder, { recursive: true, force: true }))

const capture = (frames: number, ms: number, ...argv: string[]) =>
  run(process.execPath, [COMMAND, String(frames), String(ms), 'capture', ...argv])

/** In a shell, for its pipes. */
const shell = (line: string) => run('bash', ['-o', 'pipefail', '-c', line])

test('prints a line a packet, and how many there were', async () => {
  const { code, stdout, stderr } = await capture(2, 0)
  assert.is(code, 0, stderr)
  const [first, second] = stdout.split('\n')
  const mac = '[0-9a-f:]{17}'
  const time = String.raw`\d\d:\d\d:\d\d\.\d{6}`
  assert.match(
    first!,
    new RegExp(`^${time} tx 192.168.56.5 1600 B ${mac} > ${mac} EtherType 0x88b5, dropped: too-big$`),
  )
  assert.match(second!, new RegExp(`^${time} tx 192.168.56.5 154 B ${mac} > ${mac} IPv4 [\\d.]+ > [\\d.]+ TCP$`))
  assert.is(stderr, 'tsgre: 2 captured\n')
})

test('writes to a pipe what tshark reads', async () => {
  const { code, stdout, stderr } = await shell(
    `${node('4', '0', 'capture', '-w', '-').join(' ')} | tshark -n -r - -T fields -e frame.len`,
  )
  assert.is(code, 0, stderr)
  assert.is(stdout, '1600\n154\n1600\n154\n')
})

test('writes a file for its owner alone, also over one that everybody could read', async () => {
  const path = join(folder, 'mode.pcapng')
  writeFileSync(path, 'x'.repeat(100_000), { mode: 0o644 })
  const { code, stdout, stderr } = await capture(3, 0, '-w', path)
  assert.is(code, 0, stderr)
  assert.is(stdout, '')
  assert.is(statSync(path).mode & 0o777, 0o600)
  assert.is(tsharkFields(readFileSync(path), ['frame.number']).length, 3)
})

test('ends after as many as were asked for, and the file is whole', async () => {
  const path = join(folder, 'count.pcapng')
  const { code, stderr } = await capture(100, 5, '-c', '7', '--write', path)
  assert.is(code, 0, stderr)
  assert.is(stderr, 'tsgre: 7 captured\n')
  assert.match(output('capinfos', ['-c', path]), /Number of packets: *7/)
})

test('at Ctrl-C the file ends with a whole block', async () => {
  const path = join(folder, 'broken-off.pcapng')
  const child = new Child(node('10', '3', 'capture', '-w', path))
  while (!existsSync(path) || statSync(path).size < 5000) await new Promise((resolve) => setTimeout(resolve, 20))
  const { code, stderr } = await child.stop('SIGINT')
  assert.is(code, 0, stderr)
  const count = Number(/^tsgre: (\d+) captured$/m.exec(stderr)?.[1])
  assert.ok(count >= 10)
  assert.is(tsharkFields(readFileSync(path), ['frame.number']).length, count)
  assert.match(output('capinfos', [path]), /Number of stat entries = 1/)
})

for (const argv of [[], ['-w', '-']]) {
  test(`ends quietly when its reader has seen enough (${argv.join(' ') || 'lines'})`, async () => {
    const { code, stdout, stderr } = await shell(
      `${node('50', '1', 'capture', ...argv).join(' ')} | head -c 200 | wc -c; echo \${PIPESTATUS[0]}`,
    )
    assert.is(code, 0)
    assert.equal(stdout.trim().split(/\s+/), ['200', '0'])
    assert.is(stderr, '')
  })
}

test('shows only what the expression says', async () => {
  const { stdout, stderr } = await capture(6, 0, '--filter', 'tcp')
  assert.is(stdout.split('\n').length - 1, 3, stderr)
  assert.not.match(stdout, /too-big/)
})

test('shows only what was dropped, and of each so many octets', async () => {
  const path = join(folder, 'drops.pcapng')
  await capture(6, 0, '--drops', '--snaplen', '20', '-w', path)
  const found = tsharkFields(readFileSync(path), ['frame.cap_len', 'frame.len', 'frame.comment'])
  assert.equal(found, Array(3).fill(['20', '1600', 'tx to 192.168.56.5; dropped: too-big']))
})

test('leaves a file alone where the capture cannot begin', async () => {
  const path = join(folder, 'kept.pcapng')
  writeFileSync(path, 'kept')
  assert.is((await capture(1, 0, 'nobody', '-w', path)).code, 1)
  assert.is(readFileSync(path, 'utf8'), 'kept')
})

const REFUSED: readonly (readonly [argv: string[], words: RegExp])[] = [
  [['--inner', '--outer'], /exclude each other/],
  [['-c', '0'], /--count 0: it is a number, 1 or more/],
  [['-c', '1', '-c', '2'], /--count is given 2 times/],
  [['--snaplen', '9999999'], /--snaplen 9999999: it is 0 \(all\) to 262144 octets/],
  [['--filter', 'icmp or or'], /--filter "icmp or or": tcpdump: can't parse filter expression: syntax error/],
  [['--outer', '--filter', 'ether host 02:00:00:00:00:01'], /--filter .*: tcpdump: /],
  [['--remote', '192.0.2.9'], /tap0 has no such peer; it has 192\.168\.56\.5/],
]

for (const [argv, words] of REFUSED) {
  test(`refuses ${argv.join(' ')}, and writes no file`, async () => {
    const path = join(folder, 'refused.pcapng')
    const { code, stderr } = await capture(1, 0, ...argv, '-w', path)
    assert.is(code, 2, stderr)
    assert.match(stderr, words)
    assert.not.ok(existsSync(path))
  })
}

test('says which file it could not write', async () => {
  const { code, stderr } = await capture(1, 0, '-w', join(folder, 'no', 'such.pcapng'))
  assert.is(code, 1)
  assert.match(stderr, /open\(.*such\.pcapng\): ENOENT/)
})

test('does not write octets to a terminal', async () => {
  // script(1) gives it one
  const said = await new Promise<string>((resolve) => {
    execFile('script', ['-qec', node('1', '0', 'capture', '-w', '-').join(' '), '/dev/null'], (_, stdout) =>
      resolve(stdout),
    )
  })
  assert.match(said, /-w -: a terminal cannot show a pcapng; pipe it/)
})

test.run()
