// What is written for people, held against the code: every name there is has its place in the pages, and no page speaks of
// a name there is not.

import { existsSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { OPTIONS } from '#tsgre/daemon/options/option-table.js'
import { DROP_REASONS } from '#tsgre/drops.js'
import { ERROR_CODES } from '#tsgre/errors.js'
import { headingsOf, pagesOf, sources, textOf } from '../rig/notes.js'
import { ROOT } from '../rig/root.js'

const PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'native-notes/README.md']
const ALL = [...PAGES, ...pagesOf('docs'), ...pagesOf('native-notes')]

test('docs/errors.md has a heading for every code, in the order of ERROR_CODES, and no other', () => {
  assert.equal(headingsOf(textOf('docs/errors.md'), 3), [...ERROR_CODES])
})

test('docs/drops.md has a heading for every reason, in the order of DROP_REASONS, and no other', () => {
  assert.equal(headingsOf(textOf('docs/drops.md'), 2), [...DROP_REASONS])
})

test('every code is thrown somewhere in src', () => {
  const texts = [...sources()].filter(([path]) => path !== 'errors.ts').map(([, text]) => text)
  const dead = ERROR_CODES.filter((code) => !texts.some((text) => text.includes(`'${code}'`)))
  assert.equal(dead, [])
})

test('every reason is counted somewhere in src', () => {
  const texts = [...sources()].filter(([path]) => path !== 'drops.ts').map(([, text]) => text)
  const counted = (reason: string) =>
    texts.some((text) => text.includes(`DROP['${reason}']`) || text.includes(`DROP.${reason}`))
  assert.equal(
    DROP_REASONS.filter((reason) => !counted(reason)),
    [],
  )
})

test('no page names a code that is not in the list, save the two of the command alone', () => {
  const known = new Set<string>([
    ...ERROR_CODES,
    'TSGRE_USAGE',
    'TSGRE_INTERNAL',
    'TSGRE_LONG',
    'TSGRE_NO_REEXEC',
    'TSGRE_RUN_DIR',
  ])
  for (const page of ALL) {
    for (const [code] of textOf(page).matchAll(/\bTSGRE_[A-Z_]+\b/g)) assert.ok(known.has(code), `${page}: ${code}`)
  }
})

test('the first commands of the README are the demo and the tests, each in one line', () => {
  const block = /```\w*\n([\s\S]*?)```/g
  const blocks = [...textOf('README.md').matchAll(block)].map(([, text]) => text!.trim())
  const commands = blocks.find((text) => /^npm /.test(text))
  assert.is(commands, 'npm ci && npm run demo\nnpm ci && npm test')
})

test('the README has every option of the command, and no other', () => {
  const known = OPTIONS.map(({ name }) => name)
  const rows = textOf('README.md').matchAll(/^\| `--([\w-]+)/gm)
  assert.equal([...new Set([...rows].map(([, name]) => name!))].sort(), known.sort())
})

test('every link to a file of the repository leads to one', () => {
  for (const page of ALL) {
    for (const [, target] of textOf(page).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g))
      assert.ok(existsSync(new URL(target!, new URL(page, ROOT))), `${page} links to ${target}`)
  }
})

test('every link to a heading leads to one', () => {
  const anchor = (heading: string) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replace(/ /g, '-')
  for (const page of ALL) {
    for (const [, target, id] of textOf(page).matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)) {
      const text = target ? new URL(target, new URL(page, ROOT)).href.slice(ROOT.href.length) : page
      const anchors = [2, 3].flatMap((level) => headingsOf(textOf(text), level)).map(anchor)
      assert.ok(anchors.includes(id!), `${page} links to ${target}#${id}`)
    }
  }
})

test('no page names a folder of somebody’s machine', () => {
  for (const page of ALL) assert.not.match(textOf(page), /(?:^|[\s`(])\/(?:home|root|work|tmp|Users)\//, page)
})

test.run()
