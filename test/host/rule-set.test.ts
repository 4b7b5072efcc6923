import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readCidr } from '#tsgre/host/cidr.js'
import { type Packets, parseRuleSet, type Range, verdictOf, withFirst } from '#tsgre/host/rule-set.js'

/** As dockerd 20.10 leaves the filter table; `last` is what --icc decides. */
const docker = (last = '-A FORWARD -i docker0 -o docker0 -j ACCEPT', user = '') => `-P INPUT ACCEPT
-P FORWARD DROP
-P OUTPUT ACCEPT
-N DOCKER
-N DOCKER-ISOLATION-STAGE-1
-N DOCKER-ISOLATION-STAGE-2
-N DOCKER-USER
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
${last}
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
${user}
-A DOCKER-USER -j RETURN
`
const NO_ICC = '-A FORWARD -i docker0 -o docker0 -j DROP'

const range = (network: string, except?: string): Range => ({
  network: readCidr(network)!,
  except: except ? readCidr(except) : undefined,
})
const PACKETS: Packets = {
  in: 'docker0',
  out: 'docker0',
  from: range('10.103.100.0/24'),
  to: range('10.103.200.0/24'),
}
const BACK: Packets = { ...PACKETS, from: PACKETS.to, to: PACKETS.from }

const verdict = (text: string, packets = PACKETS) => verdictOf(parseRuleSet(text), packets)

test('finds that Docker lets packets through as it comes, and not with --icc=false', () => {
  for (const packets of [PACKETS, BACK]) {
    assert.is(verdict(docker(), packets), 'accept')
    assert.is(verdict(docker(NO_ICC), packets), 'drop')
  }
})

test('a bridge Docker does not know meets the policy', () => {
  assert.is(verdict(docker(), { ...PACKETS, in: 'br0', out: 'br0' }), 'drop')
  assert.is(verdict('-P FORWARD ACCEPT\n', PACKETS), 'accept')
  assert.is(verdict('-P FORWARD DROP\n', PACKETS), 'drop')
  assert.is(verdict('', PACKETS), 'accept', 'no table, no rule')
})

for (const [what, rule, expected] of [
  ['its very networks', '-s 10.103.100.0/24 -d 10.103.200.0/24', 'accept'],
  ['networks that hold them', '-s 10.0.0.0/8 -d 10.103.0.0/16', 'accept'],
  ['the way back only', '-s 10.103.200.0/24 -d 10.103.100.0/24', 'drop'],
  ['a part of them', '-s 10.103.100.128/25 -d 10.103.200.0/24', 'drop'],
  ['one host of them', '-s 10.103.100.2/32 -d 10.103.200.0/24', 'drop'],
  ['all but others', '! -s 192.168.0.0/16', 'accept'],
  ['all but a part of them', '! -s 10.103.100.2/32', 'drop'],
  ['one protocol', '-s 10.103.100.0/24 -p tcp', 'drop'],
  ['one port', '-p tcp -m tcp --dport 80', 'drop'],
  ['a mark', '-m mark --mark 0x1', 'drop'],
  ['an address type', '-m addrtype --dst-type LOCAL', 'drop'],
  ['new connections', '-m conntrack --ctstate NEW,ESTABLISHED', 'accept'],
  ['no new connections', '-m state --state RELATED,ESTABLISHED', 'drop'],
  ['connections that are not invalid', '-m conntrack ! --ctstate INVALID', 'accept'],
  ['a name with a wildcard', '-i docker+ -o dock+', 'accept'],
  ['another device', '-i eth+', 'drop'],
  ['a comment with blanks, quotes and a rule in it', '-m comment --comment "let \\"-j DROP\\" pass"', 'accept'],
] as const) {
  test(`a rule for ${what}: ${expected}`, () => {
    assert.is(verdict(docker(NO_ICC, `-A DOCKER-USER ${rule} -j ACCEPT`)), expected)
  })
}

test('the first rule that decides decides, a RETURN ends its chain alone, a goto its caller too', () => {
  const rules = (...lines: string[]) => `-P FORWARD DROP\n-N ONE\n-N TWO\n${lines.join('\n')}\n`
  assert.is(verdict(rules('-A FORWARD -j DROP', '-A FORWARD -j ACCEPT')), 'drop')
  assert.is(verdict(rules('-A FORWARD -j REJECT --reject-with icmp-port-unreachable', '-A FORWARD -j ACCEPT')), 'drop')
  assert.is(verdict(rules('-A ONE -j RETURN', '-A ONE -j DROP', '-A FORWARD -j ONE', '-A FORWARD -j ACCEPT')), 'accept')
  assert.is(verdict(rules('-A ONE -g TWO', '-A ONE -j ACCEPT', '-A FORWARD -j ONE')), 'drop')
  assert.is(verdict(rules('-A ONE -j TWO', '-A ONE -j ACCEPT', '-A FORWARD -j ONE')), 'accept')
  assert.is(verdict(rules('-A FORWARD -j LOG --log-prefix "-j DROP "', '-A FORWARD -j ACCEPT')), 'accept')
})

test('comes to an end where chains jump in a circle', () => {
  assert.is(verdict('-P FORWARD DROP\n-N ONE\n-N TWO\n-A ONE -j TWO\n-A TWO -j ONE\n-A FORWARD -j ONE\n'), 'drop')
})

test('a rule put first is asked first', () => {
  const words = ['-s', '10.103.100.0/24', '-d', '10.103.200.0/24', '-j', 'ACCEPT']
  const user = '-A DOCKER-USER -j DROP'
  assert.is(verdictOf(withFirst(parseRuleSet(docker(NO_ICC, user)), 'DOCKER-USER', words), PACKETS), 'accept')
  const earlier = docker(NO_ICC).replace('-A FORWARD -j DOCKER-USER', '-A FORWARD -j DROP\n-A FORWARD -j DOCKER-USER')
  assert.is(verdictOf(withFirst(parseRuleSet(earlier), 'DOCKER-USER', words), PACKETS), 'drop')
})

test('everything but a part of a network is let through by a rule that excepts the part, or less', () => {
  const packets: Packets = { ...PACKETS, to: range('10.103.0.0/16', '10.103.100.0/24') }
  for (const [rule, expected] of [
    ['! -d 10.103.100.0/24', 'accept'],
    ['! -d 10.103.100.0/25', 'accept'],
    ['! -d 10.103.0.0/17', 'drop'],
    ['! -d 10.104.0.0/16', 'accept'],
    ['-d 10.103.0.0/16', 'accept'],
    ['-d 10.103.200.0/24', 'drop'],
  ] as const)
    assert.is(verdict(docker(NO_ICC, `-A DOCKER-USER -s 10.103.100.0/24 ${rule} -j ACCEPT`), packets), expected, rule)
})

test.run()
