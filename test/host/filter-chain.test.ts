// What rules do with one kind of packet, read from texts as iptables-save and nft print them; that the kernel agrees is seen in
// netns/doctor.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readCidr } from '#tsgre/host/cidr.js'
import { type BaseChain, type FilteredPacket, judge } from '#tsgre/host/filter-chain.js'
import { readIptables } from '#tsgre/host/iptables-rules.js'
import { readNftables } from '#tsgre/host/nft-rules.js'
import { readFilters } from '#tsgre/host/read-filters.js'

const GRE: FilteredPacket = {
  family: 4,
  protocol: 47,
  port: undefined,
  state: 'new',
  in: 'eth1',
  out: '',
  from: readCidr('192.0.2.2/32'),
  to: readCidr('192.0.2.1/32'),
  toType: 'local',
  bridged: false,
}
const UDP: FilteredPacket = { ...GRE, protocol: 17, port: 4754 }
const FORWARDED: FilteredPacket = {
  ...GRE,
  protocol: undefined,
  in: 'br0',
  out: 'br0',
  toType: 'unicast',
  bridged: true,
}

function iptables(lines: readonly string[], policy = 'ACCEPT', chain = 'INPUT'): BaseChain {
  const chains = [...new Set(lines.flatMap((line) => (/^-A (\S+)/.exec(line) ?? []).slice(1)))]
  const names = chains.filter((name) => name !== chain).map((name) => `:${name} - [0:0]`)
  return readIptables(
    ['*filter', `:${chain} ${policy} [0:0]`, ...names, ...lines, 'COMMIT'].join('\n'),
    'iptables',
    4,
  )[0]!
}

for (const [lines, packet, verdict, policy] of [
  [['-A INPUT -p gre -j DROP'], GRE, 'drop'],
  [['-A INPUT -p gre -j DROP'], UDP, 'accept'],
  [['-A INPUT -s 192.0.2.0/24 -p gre -j ACCEPT', '-A INPUT -p gre -j DROP'], GRE, 'accept'],
  [['-A INPUT ! -s 192.0.2.0/24 -p gre -j ACCEPT'], GRE, 'drop', 'DROP'],
  [['-A INPUT ! -p gre -j DROP'], GRE, 'accept'],
  [['-A INPUT -i eth+ -j REJECT --reject-with icmp-port-unreachable'], GRE, 'drop'],
  [['-A INPUT -i lo -j ACCEPT'], GRE, 'drop', 'DROP'],
  [['-A INPUT -p udp -m udp --dport 4000:5000 -j DROP'], UDP, 'drop'],
  [['-A INPUT -p udp -m multiport --dports 53,4754 -j DROP'], UDP, 'drop'],
  [['-A INPUT -p udp -m udp --dport 53 -j DROP'], UDP, 'accept'],
  [['-A INPUT -m conntrack --ctstate INVALID -j DROP'], GRE, 'accept'],
  [['-A INPUT -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP'], GRE, 'drop'],
  [['-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT'], GRE, 'accept', 'DROP'],
  [['-A INPUT -m set --match-set bad src -j DROP'], GRE, 'unclear'],
  [['-A INPUT -m set --match-set bad src -j DROP'], GRE, 'drop', 'DROP'],
  [['-A INPUT -m set --match-set bad src -p udp -j DROP'], GRE, 'accept'],
  [['-A INPUT -m limit --limit 3/min -j LOG --log-prefix "-j DROP "'], GRE, 'accept'],
  [['-A INPUT -m comment --comment "a -p udp b" -j DROP'], GRE, 'drop'],
  [['-A INPUT -j NFQUEUE --queue-num 0'], GRE, 'unclear'],
  [['-A INPUT -j sub', '-A sub -p gre -j RETURN', '-A sub -j DROP'], GRE, 'accept'],
  [['-A INPUT -j sub', '-A sub -m mark --mark 0x1 -j RETURN', '-A sub -j DROP'], GRE, 'unclear'],
  [['-A INPUT -g sub', '-A INPUT -j DROP', '-A sub -p udp -j DROP'], GRE, 'accept'],
  [['-A INPUT -m mark --mark 0x1 -g sub', '-A INPUT -j DROP', '-A sub -j ACCEPT'], GRE, 'unclear'],
  [['-A INPUT -j loop', '-A loop -j loop'], GRE, 'accept'],
] as const) {
  test(`iptables: ${verdict} by ${lines.join(' · ')}${policy ? ' · policy DROP' : ''}${packet === UDP ? ', UDP' : ''}`, () => {
    assert.is(judge(iptables(lines, policy), packet).verdict, verdict)
  })
}

test('iptables: frames of a bridge are told from what is routed, and rules for a part of them do not decide', () => {
  const lines = ['-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT']
  assert.is(judge(iptables(lines, 'DROP', 'FORWARD'), FORWARDED).verdict, 'accept')
  assert.is(judge(iptables(lines, 'DROP', 'FORWARD'), { ...FORWARDED, bridged: false }).verdict, 'drop')
  assert.is(judge(iptables(['-A FORWARD -p tcp -j ACCEPT'], 'DROP', 'FORWARD'), FORWARDED).verdict, 'unclear')
})

test('iptables: the rule, or the policy, is named, and the table where to put another', () => {
  const [raw, filter] = readIptables(
    '*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p gre -j DROP\nCOMMIT\n*filter\n:INPUT DROP [0:0]\nCOMMIT\n*nat\n:OUTPUT DROP [0:0]\nCOMMIT',
    'ip6tables',
    6,
  )
  assert.is(judge(raw!, { ...GRE, family: 6 }).by, '"ip6tables -A PREROUTING -p gre -j DROP"')
  assert.is(raw!.insert({ iptables: '-p gre', nft: '' }), 'ip6tables -t raw -I PREROUTING -p gre -j ACCEPT')
  assert.is(judge(filter!, GRE).by, 'its policy')
  assert.is(filter!.where, 'ip6tables, table filter, chain INPUT')
})

const match = (left: object, right: unknown, op = '==') => ({ match: { op, left, right } })
const payload = (protocol: string, field: string) => ({ payload: { protocol, field } })
const meta = (key: string) => ({ meta: { key } })
const DROP = { drop: null }
const ACCEPT = { accept: null }

function nft(rules: readonly (readonly object[])[], policy = 'accept', more: readonly object[] = []): BaseChain {
  const base = { family: 'inet', table: 't' }
  const nftables = [
    { chain: { ...base, name: 'c', type: 'filter', hook: 'input', prio: 0, policy } },
    ...more,
    ...rules.map((expr, handle) => ({ rule: { ...base, chain: 'c', handle, expr } })),
  ]
  return readNftables(JSON.stringify({ nftables }))[0]!
}

for (const [what, rules, verdict, policy] of [
  ['protocol by name', [[match(meta('l4proto'), 'gre'), DROP]], 'drop'],
  ['protocol by number', [[match(payload('ip', 'protocol'), 47), DROP]], 'drop'],
  ['another protocol', [[match(meta('l4proto'), { set: ['tcp', 'udp'] }), DROP]], 'accept'],
  ['every protocol but ours', [[match(meta('l4proto'), 'gre', '!='), DROP]], 'accept'],
  ['a header it does not have', [[match(payload('tcp', 'dport'), 22, '!='), DROP]], 'accept'],
  ['a header of the other family', [[match(payload('ip6', 'saddr'), '2001:db8::1', '!='), DROP]], 'accept'],
  [
    'an address in a prefix',
    [[match(payload('ip', 'saddr'), { prefix: { addr: '192.0.2.0', len: 24 } }), DROP]],
    'drop',
  ],
  ['an address in a range', [[match(payload('ip', 'saddr'), { range: ['192.0.2.1', '192.0.2.9'] }), DROP]], 'unclear'],
  ['an interface with a star', [[match(meta('iifname'), 'eth*'), DROP]], 'drop'],
  ['its state', [[match({ ct: { key: 'state' } }, ['established', 'related'], 'in'), ACCEPT]], 'drop', 'drop'],
  ['a mark', [[match(meta('mark'), 1), DROP]], 'unclear'],
  ['a rate', [[{ limit: { rate: 5, per: 'second' } }, ACCEPT], [DROP]], 'unclear'],
  ['counters and logs', [[{ counter: {} }, { log: {} }, DROP]], 'drop'],
  ['a type of address', [[match({ fib: { result: 'type', flags: ['daddr'] } }, 'local'), ACCEPT]], 'accept', 'drop'],
  [
    'a map of verdicts',
    [
      [
        {
          vmap: {
            key: meta('l4proto'),
            data: {
              set: [
                ['tcp', ACCEPT],
                ['gre', DROP],
              ],
            },
          },
        },
      ],
    ],
    'drop',
  ],
  ['a map without it', [[{ vmap: { key: meta('iifname'), data: { set: [['lo', ACCEPT]] } } }]], 'drop', 'drop'],
  [
    'two at once',
    [[match({ concat: [meta('l4proto'), meta('iifname')] }, { set: [{ concat: ['gre', 'eth1'] }] }), DROP]],
    'drop',
  ],
  [
    'two of which one is another',
    [[match({ concat: [meta('l4proto'), meta('iifname')] }, { set: [{ concat: ['gre', 'eth2'] }] }), DROP]],
    'accept',
  ],
  ['a condition of iptables', [[{ xt: { type: 'match', name: 'recent' } }, DROP]], 'unclear'],
  ['what is of iptables, from an nft before 1.0.6', [[{ xt: null }, DROP]], 'unclear'],
  ['the same beside a condition that says no', [[match(meta('l4proto'), 'tcp'), { xt: null }, DROP]], 'accept'],
] as const) {
  test(`nft: ${verdict} by ${what}${policy ? ', policy drop' : ''}`, () => {
    assert.is(judge(nft(rules, policy), GRE).verdict, verdict)
  })
}

test('nft: named sets and maps are looked into, and what is not in the list cannot be told', () => {
  const set = (name: string, elem: readonly unknown[]) => ({ set: { family: 'inet', table: 't', name, elem } })
  const rule = [[match(payload('ip', 'saddr'), '@s'), DROP]]
  assert.is(judge(nft(rule, 'accept', [set('s', ['192.0.2.2'])]), GRE).verdict, 'drop')
  assert.is(judge(nft(rule, 'accept', [set('s', [{ elem: { val: '192.0.2.2', timeout: 9 } }])]), GRE).verdict, 'drop')
  assert.is(judge(nft(rule, 'accept', [set('s', ['192.0.2.3'])]), GRE).verdict, 'accept')
  assert.is(judge(nft(rule), GRE).verdict, 'unclear')
  const map = [[{ vmap: { key: meta('l4proto'), data: '@s' } }]]
  assert.is(judge(nft(map, 'accept', [set('s', [['gre', DROP]])]), GRE).verdict, 'drop')
})

test('tables that are left out are not read, whatever stands in them', () => {
  const rule = { family: 'ip', table: 'filter', chain: 'INPUT', handle: 1, expr: [{ jump: null }] }
  const own = { chain: { family: 'ip', table: 'mine', name: 'c', type: 'filter', hook: 'input' } }
  const chains = readNftables(JSON.stringify({ nftables: [{ rule }, own] }), ['ip filter'])
  assert.equal(
    chains.map(({ name }) => name),
    ['c'],
  )
})

test('an answer of nft that is not understood is told, and the rules of iptables are judged all the same', async () => {
  const save = '*filter\n:INPUT DROP [0:0]\nCOMMIT\n'
  const { chains, trouble } = await readFilters(async (command) => {
    if (command === 'nft') return '{"nftables": null}'
    return command === 'iptables-save' ? save : ''
  })
  assert.is(judge(chains[0]!, GRE).verdict, 'drop')
  assert.match(trouble[0]!, /^nft -j list ruleset: what it prints is not understood: /)
})

test('one back end is read once under its two names, and its tables not again through nft', async () => {
  const save =
    '# Generated by iptables-save (nf_tables)\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m recent --rcheck -j DROP\nCOMMIT\n'
  const chain = {
    family: 'ip',
    table: 'filter',
    name: 'INPUT',
    type: 'filter',
    hook: 'input',
    prio: 0,
    policy: 'accept',
  }
  const own = { ...chain, table: 'mine' }
  const ruleset = JSON.stringify({ nftables: [{ chain }, { chain: own }] })
  const { chains, trouble } = await readFilters(async (command) => {
    if (command === 'nft') return ruleset
    return /^iptables(-nft)?-save$/.test(command) ? save : ''
  })
  assert.equal(
    chains.map(({ where }) => where),
    ['iptables, table filter, chain INPUT', 'nft, table ip mine, chain INPUT'],
  )
  assert.equal(trouble, [])
})

test.run()
