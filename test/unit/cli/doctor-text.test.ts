import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { asText } from '#tsgre/cli/doctor-text.js'
import { type Finding, fine, found } from '#tsgre/daemon/doctor/finding.js'

const [ONE, TWO] = ['192.168.56.5', '192.168.56.50']

function of(remote: string, finding: Finding): Finding {
  return { ...finding, remote }
}

/** The lines without what stands below a blank one, and that. */
function read(...findings: Finding[]): { lines: string[]; summary: string } {
  const lines = asText(findings, true).trimEnd().split('\n')
  return { lines: lines.slice(0, -2), summary: lines.at(-1)! }
}

test('prints in ASCII where the locale is none of UTF-8, and counts', () => {
  const findings = [found('tap-down', 't is down', 'ip link set t up'), found('no-answer', 'nothing')]
  assert.is(
    asText(findings, false),
    'NO tap           t is down [tap-down]\n                 -> ip link set t up\n?  answer        nothing [no-answer]\n\n1 problem, 1 question left open\n',
  )
})

test('names the remote of each line where there are several, and of none where there is one', () => {
  const mtu = (remote: string, size: number) => of(remote, fine('path-mtu', `packets of ${size} pass`))
  assert.equal(read(mtu(ONE, 1500)).lines, ['✓ path-mtu      packets of 1500 pass'])
  assert.equal(read(mtu(ONE, 1500), mtu(TWO, 1400)).lines, [
    '✓ path-mtu      192.168.56.5: packets of 1500 pass',
    '✓ path-mtu      192.168.56.50: packets of 1400 pass',
  ])
})

test('does not name a remote twice, nor take it for another whose address begins as its own', () => {
  const answers = (remote: string, who: string) => of(remote, fine('answer', `${who}: answers`))
  assert.equal(read(answers(ONE, ONE), answers(TWO, TWO)).lines, [
    '✓ answer        192.168.56.5: answers',
    '✓ answer        192.168.56.50: answers',
  ])
  assert.equal(read(answers(ONE, TWO), answers('2001:db8::5', '2001:db8::5')).lines, [
    '✓ answer        192.168.56.5: 192.168.56.50: answers',
    '✓ answer        2001:db8::5: answers',
  ])
})

test('what is the same of several remotes is one line and counts once, with what is to be done for each', () => {
  const drop = (remote: string) => of(remote, found('firewall-input', 'GRE is dropped', `accept ${remote}`))
  const { lines, summary } = read(drop(ONE), drop(TWO))
  assert.equal(lines, [
    '✗ firewall      192.168.56.5, 192.168.56.50: GRE is dropped [firewall-input]',
    '                → accept 192.168.56.5',
    '                → accept 192.168.56.50',
  ])
  assert.is(summary, '1 problem')
  const box = (remote: string) => of(remote, found('path-mtu-silent', 'packets do not pass', '--probe'))
  assert.is(read(box(ONE), box(TWO)).lines.length, 2)
  const bridge = fine('bridge', 'br0 is up')
  assert.equal(read(bridge, bridge).lines, ['✓ bridge        br0 is up'])
})

test('names the TAP where several tunnels have a remote, and there alone', () => {
  const on = (tap: string, remote: string, finding: Finding) => ({ ...of(remote, finding), tap })
  const answers = (remote: string) => fine('answer', `a tsgre answers at ${remote}`)
  assert.equal(read(on('tap0', ONE, answers(ONE)), on('tap1', ONE, found('no-answer', `${ONE} is silent`))).lines, [
    '✓ answer        192.168.56.5 on tap0: a tsgre answers at 192.168.56.5',
    '? answer        192.168.56.5 on tap1: 192.168.56.5 is silent [no-answer]',
  ])
  const pass = fine('firewall', 'it passes')
  assert.equal(read(on('tap0', ONE, pass), on('tap1', ONE, pass)).lines, [
    '✓ firewall      192.168.56.5 on tap0, 192.168.56.5 on tap1: it passes',
  ])
  assert.equal(read(on('tap0', ONE, answers(ONE)), on('tap1', TWO, answers(TWO))).lines, [
    '✓ answer        a tsgre answers at 192.168.56.5',
    '✓ answer        a tsgre answers at 192.168.56.50',
  ])
})

test('of many remotes it says how many', () => {
  const all = [1, 2, 3, 4, 5].map((i) => of(`192.0.2.${i}`, fine('kernel-gre', 'none')))
  assert.equal(read(...all).lines, ['✓ kernel-gre    all 5 remotes: none'])
  assert.equal(
    read(...all, of(ONE, fine('answer', ONE))).lines[0],
    '✓ kernel-gre    192.0.2.1, 192.0.2.2 and 3 more: none',
  )
})

test.run()
