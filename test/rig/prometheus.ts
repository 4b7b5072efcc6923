// A strict reader of Prometheus' text format, 0.0.4: throws at whatever a scraper might take otherwise than it was meant.

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface MetricFamily {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly samples: Sample[]
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|[+-]Inf)$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)/y

export function parsePrometheus(text: string): Map<string, MetricFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map<string, MetricFamily>()
  const seen = new Set<string>()
  let help: [string, string] | undefined
  let family: MetricFamily | undefined
  for (const line of text.split('\n')) {
    if (line === '') continue
    if (line.startsWith('# HELP ')) {
      const [, name, words] = must(/^# HELP (\S+) (.+)$/.exec(line), line)
      help = [name!, words!]
    } else if (line.startsWith('# TYPE ')) {
      const [, name, type] = must(/^# TYPE (\S+) (counter|gauge)$/.exec(line), line)
      if (help?.[0] !== name) throw new Error(`${name} has no HELP before its TYPE`)
      if (families.has(name!)) throw new Error(`${name} comes twice`)
      family = { name: name!, type: type as MetricFamily['type'], help: help![1], samples: [] }
      families.set(name!, family)
    } else {
      const sample = parseSample(line)
      if (sample.name !== family?.name) throw new Error(`${sample.name} stands below ${family?.name}`)
      const identity = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
      if (seen.has(identity)) throw new Error(`${identity} comes twice`)
      seen.add(identity)
      if (family.type === 'counter' && !(sample.value >= 0 && sample.name.endsWith('_total')))
        throw new Error(`${line}: no counter`)
      family.samples.push(sample)
    }
  }
  return families
}

function parseSample(line: string): Sample {
  const [, name, labels = '', value] = must(SAMPLE.exec(line), line)
  return { name: name!, labels: parseLabels(labels), value: Number(value!.replace('Inf', 'Infinity')) }
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  for (LABEL.lastIndex = 0; LABEL.lastIndex < text.length; ) {
    const [, name, value] = must(LABEL.exec(text), text)
    if (Object.hasOwn(labels, name!)) throw new Error(`label ${name} comes twice`)
    labels[name!] = value!.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped))
  }
  return labels
}

function must(match: RegExpExecArray | null, line: string): RegExpExecArray {
  if (match === null) throw new Error(`not understood: ${line}`)
  return match
}
