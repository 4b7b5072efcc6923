import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { allCommands } from '#tsgre/cli/command-tree.js'
import { tree } from '#tsgre/cli/commands.js'
import { manPage } from '#tsgre/cli/man-page.js'
import { prose, roff } from '#tsgre/cli/roff.js'
import { OPTIONS } from '#tsgre/daemon/options/option-table.js'
import { textOf } from '../../rig/notes.js'

test('docs/tsgre.8 is what `npm run docs` makes', () => {
  assert.is(textOf('docs/tsgre.8'), manPage(tree()))
})

test('the page has every option of the tunnel once under OPTIONS, and every command with its own', () => {
  const [options, commands] = manPage(tree()).split('.SH COMMANDS') as [string, string]
  const tags = [...options.matchAll(/^\.TP\n\\fB\\-\\-(.+?)\\fR/gm)].map(([, name]) => name!.replaceAll('\\-', '-'))
  assert.equal(
    tags,
    OPTIONS.map(({ name }) => name),
  )
  for (const { path, options, commands: below } of allCommands(tree())) {
    if (path.length === 0 || below.length > 0) continue
    const [, section] = commands.split(`\n.SS ${roff(['tsgre', ...path].join(' '))}`)
    assert.ok(section, path.join(' '))
    const own = section!.split('\n.SS ')[0]!
    for (const { name } of options) assert.ok(own.includes(roff(`--${name}`)), `${path.join(' ')} --${name}`)
  }
})

test('words stay words: no line and no character of theirs is taken for roff', () => {
  assert.is(roff("--a\\b 'c' `d` ^ ~ …"), '\\-\\-a\\eb \\(aqc\\(aq \\(gad\\(ga \\(ha \\(ti \\[u2026]')
  assert.is(roff('.TH\nx\n.SH'), '\\&.TH\nx\n\\&.SH')
  assert.is(prose(`${'x'.repeat(75)} y .yaml z`), `${'x'.repeat(75)} y\n\\&.yaml z`)
})

test.run()
