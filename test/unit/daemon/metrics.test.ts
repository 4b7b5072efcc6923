import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FAMILIES, Metrics } from '#tsgre/daemon/metrics.js'
import { DROP_REASONS } from '#tsgre/drops.js'
import { textOf } from '../../rig/notes.js'
import { parsePrometheus } from '../../rig/prometheus.js'
import { drops, instanceStatus, peerStatus, tunnelStatus } from '../../rig/statuses.js'
import { StillInstance } from '../../rig/still-instance.js'

const NASTY = 'b"\\\n.example'

function busy(): StillInstance {
  const instance = new StillInstance()
  const one = peerStatus('192.168.56.5', {
    txFrames: 3,
    txBytes: 2 ** 40,
    rxFrames: 4,
    rxBytes: 5,
    rtt: 0.5,
    loss: 0.25,
    lastReceived: 1_700_000_000_500,
    drops: drops({ loop: 2 }),
    fdbEntries: 7,
  })
  const two = peerStatus('192.168.56.6', { asked: NASTY, liveness: 'down', blocked: true, drops: drops({ loop: 1 }) })
  const problem = { code: 'loop', text: '', remedy: '', remote: undefined }
  const tunnel = tunnelStatus([one, two], { drops: drops({ loop: 10 }), problems: [problem, problem], txBytes: 9 })
  const status = instanceStatus([tunnel, tunnelStatus([one], { name: 'tap1', state: 'failed' })])
  instance.now = () => status
  return instance
}

/** The value of one sample, by its name and labels as a query has them. */
function reader(text: string) {
  const families = parsePrometheus(text)
  return (name: string, labels: Record<string, string> = {}) => {
    const wanted = Object.entries(labels)
    const found = families.get(name)?.samples.filter((s) => wanted.every(([label, value]) => s.labels[label] === value))
    return found?.map(({ value }) => value)
  }
}

test('a strict parser takes it, with every name there is', async () => {
  const families = parsePrometheus(await new Metrics(busy()).text())
  assert.equal(
    [...families.keys()],
    FAMILIES.map(({ name }) => name),
  )
  for (const { name, kind, help, labels } of FAMILIES) {
    const family = families.get(name)!
    assert.is(family.type, kind)
    assert.is(family.help, help)
    assert.ok(family.samples.length > 0, name)
    for (const sample of family.samples) assert.equal(Object.keys(sample.labels).sort(), [...labels].sort(), name)
  }
})

test('names tell units, and counters end in _total', () => {
  for (const { name, kind } of FAMILIES) {
    assert.is(name.endsWith('_total'), kind === 'counter', name)
    assert.match(name, /^tsgre_[a-z_]+$/)
  }
})

test('the page has every metric with its labels, and no other', () => {
  const rows = [...textOf('docs/control-socket.md').matchAll(/^\| `(tsgre_\w+)` \| ([^|]*) \| (.*) \|$/gm)]
  assert.equal(
    rows.map(([, ...cells]) => cells),
    FAMILIES.map(({ name, labels, help }) => [name, labels.join(', ') || 'none', help]),
  )
})

test('a name with quotes, backslash and line end comes through', async () => {
  const value = reader(await new Metrics(busy()).text())
  assert.equal(value('tsgre_peer_info', { peer: NASTY }), [1])
})

test('has the numbers of the status, in seconds where it is time', async () => {
  const value = reader(await new Metrics(busy()).text())
  const peer = { tunnel: 'tap0', peer: '192.168.56.5' }
  assert.equal(value('tsgre_peer_transmit_bytes_total', peer), [2 ** 40])
  assert.equal(value('tsgre_tunnel_transmit_bytes_total', { tunnel: 'tap0' }), [9])
  assert.equal(value('tsgre_peer_round_trip_seconds', peer), [0.0005])
  assert.equal(value('tsgre_peer_last_received_timestamp_seconds', peer), [1_700_000_000.5])
  assert.equal(value('tsgre_tunnel_up'), [1, 0])
  assert.equal(value('tsgre_peer_state', { tunnel: 'tap0', peer: NASTY }), [0, 1, 0])
  assert.equal(value('tsgre_tunnel_problems', { code: 'loop' }), [2])
})

test('leaves out what was not measured', async () => {
  const value = reader(await new Metrics(busy()).text())
  assert.equal(value('tsgre_peer_round_trip_seconds', { peer: NASTY }), [])
  assert.equal(value('tsgre_peer_last_received_timestamp_seconds', { peer: NASTY }), [])
})

test('drops add up to those of the tunnel, for every reason', async () => {
  const value = reader(await new Metrics(busy()).text())
  assert.equal(value('tsgre_drops_total', { tunnel: 'tap0', reason: 'loop' }), [2, 1, 7])
  for (const reason of DROP_REASONS) assert.is(value('tsgre_drops_total', { tunnel: 'tap0', reason })?.length, 3)
})

test('what is gone at the next look is gone', async () => {
  const instance = busy()
  const metrics = new Metrics(instance)
  await metrics.text()
  instance.now = () => instanceStatus([tunnelStatus([])])
  const value = reader(await metrics.text())
  assert.equal(value('tsgre_peer_info'), [])
  assert.equal(value('tsgre_tunnel_up'), [1])
})

test('two scrapes at once do not mix', async () => {
  const metrics = new Metrics(busy())
  const texts = await Promise.all([metrics.text(), metrics.text(), metrics.text()])
  assert.is(new Set(texts).size, 1)
  parsePrometheus(texts[0]!)
})

interface Panel {
  readonly title: string
  readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[]
  readonly panels?: readonly Panel[]
}

/** Of one expression: the labels it names in braces and behind by, without the words of the language. */
function labelsOf(expr: string): string[] {
  const braces = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside]) =>
    [...inside!.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label!),
  )
  const grouped = [...expr.matchAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g)]
  return [...braces, ...grouped.flatMap(([, list]) => list!.split(',').map((label) => label.trim()))].filter(Boolean)
}

test('every metric and every label the dashboard asks for is there', () => {
  const dashboard = JSON.parse(textOf('docs/grafana.json'))
  const panels: Panel[] = dashboard.panels.flatMap((panel: Panel) => [panel, ...(panel.panels ?? [])])
  const queries = [
    ...panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target }))),
    ...dashboard.templating.list.flatMap(({ name, query }: { name: string; query?: { query?: string } | string }) => {
      const text = typeof query === 'string' ? query : (query?.query ?? '')
      return text.startsWith('label_values') ? [{ title: name, expr: text, legendFormat: undefined }] : []
    }),
  ]
  assert.ok(queries.length >= 10)
  const used = new Set<string>()
  for (const { title, expr, legendFormat = '' } of queries) {
    const names = [...expr.matchAll(/\btsgre_\w+/g)].map(([name]) => name)
    assert.ok(names.length > 0, `${title}: ${expr}`)
    const families = names.map((name) => FAMILIES.find((family) => family.name === name))
    assert.ok(!families.includes(undefined), `${title}: not all of ${names} are there`)
    const known = new Set([...families.flatMap((family) => family!.labels), 'instance', 'job'])
    const [, asked] = /^label_values\(.+,\s*(\w+)\)$/.exec(expr) ?? []
    const shown = [...legendFormat.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, label]) => label!)
    for (const label of [...labelsOf(expr), ...shown, ...(asked ? [asked] : [])])
      assert.ok(known.has(label), `${title}: ${label} is no label of ${names}`)
    if (/_total\b/.test(expr)) assert.match(expr, /\b(rate|increase)\(/, title)
    for (const name of names) used.add(name)
  }
  for (const must of ['tsgre_drops_total', 'tsgre_peer_state', 'tsgre_tunnel_problems']) assert.ok(used.has(must), must)
})

test.run()
