import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { breaches, importsOf } from '../rig/architecture.js'
import { ROOT } from '../rig/root.js'

const SRC = new URL('src/', ROOT)

function sources(): Map<string, string> {
  const paths = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
  return new Map(paths.sort().map((path) => [path, readFileSync(new URL(path, SRC), 'utf8')]))
}

function breach(path: string, wanted: string): string[] {
  return breaches(new Map([[path, `import { a } from '${wanted}'`]]))
}

test('src imports from its own folder or from further left', () => {
  const files = sources()
  assert.ok(files.has('drops.ts'), 'no sources found')
  assert.is(breaches(files).join('\n'), '')
})

test('takes an import from the same folder and from further left', () => {
  for (const [path, wanted] of [
    ['wire/gre.ts', './checksum.js'],
    ['wire/gre.ts', '../drops.js'],
    ['tunnel/pump.ts', '../wire/gre.js'],
    ['cli/commands/up.ts', '../print.js'],
    ['cli/commands/up.ts', '../../host/links.js'],
    ['host/links.ts', '../errors.js'],
    ['host/links.ts', '../sys/errno.js'],
    ['cli/main.ts', '../../package.json'],
  ]) {
    assert.equal(breach(path, wanted), [], `${path} ${wanted}`)
  }
})

test('refuses an import from further right, by name', () => {
  assert.equal(breach('wire/gre.ts', '../tunnel/pump.js'), [
    'src/wire/gre.ts imports ../tunnel/pump.js: tunnel is not left of wire',
  ])
  assert.is(breach('errors.ts', './wire/gre.js').length, 1)
  assert.is(breach('io/deep/tap.ts', '../../cli/main.js').length, 1)
})

test('refuses host an import of tunnel and of io, though both are left of it', () => {
  assert.is(breach('host/links.ts', '../tunnel/tunnel.js').length, 1)
  assert.is(breach('host/links.ts', '../io/tap.js').length, 1)
  assert.is(breach('daemon/run-daemon.ts', '../tunnel/tunnel.js').length, 0)
})

test('lets index.ts at the root import anything, and nobody import index.ts', () => {
  assert.is(breach('index.ts', './cli/main.js').length, 0)
  assert.is(breach('tunnel/tunnel.ts', '../index.js').length, 1)
  assert.is(breach('io/index.ts', './tap.js').length, 0)
})

test('keeps the FFI to sys', () => {
  assert.is(breach('sys/libc.ts', 'koffi').length, 0)
  assert.equal(breach('io/tap.ts', 'koffi'), ['src/io/tap.ts imports koffi: only sys imports the FFI'])
  assert.is(breach('index.ts', 'koffi').length, 1)
})

test('keeps packages and Node itself out of the pure folders', () => {
  assert.is(breach('wire/gre.ts', 'node:fs').length, 1)
  assert.is(breach('offload/segment.ts', 'yargs').length, 1)
  assert.is(breach('sys/libc.ts', 'node:os').length, 0)
})

test('refuses a folder that has no place in the order', () => {
  assert.is(breach('utils/text.ts', '../errors.js').length, 1)
  assert.is(breach('wire/gre.ts', '../utils/text.js').length, 1)
})

test('refuses ways around: the product by its name, and paths out of src', () => {
  assert.is(breach('wire/gre.ts', '#tsgre/tunnel/pump.js').length, 1)
  assert.is(breach('wire/gre.ts', 'tsgre/io').length, 1)
  assert.is(breach('wire/gre.ts', '../../test/rig/random.js').length, 1)
})

test('finds imports in every form, and none in comments', () => {
  const text = `
    // import { z } from './no.js', nor from './not.js'
    /* import './nor.js' */
    import a from './a.js' // and why
    import type { B } from "./b.js"
    import {
      c,
    } from './c.js'
    export * from './d.js'
    import './e.js'
    const f = await import('./f.js')
    const g = require('./g.js')
    const h = new Worker(new URL('./h.js', import.meta.url))
    const site = 'https://example.org' + "from nowhere"
  `
  assert.equal(
    importsOf(text),
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `./${name}.js`),
  )
})

test.run()
