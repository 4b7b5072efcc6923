// The rows themselves: what every reader of the table counts on.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Option } from '#tsgre/daemon/options/option.js'
import { OPTIONS, optionNamed } from '#tsgre/daemon/options/option-table.js'
import { readValue } from '#tsgre/daemon/options/read-value.js'

const names = (fits: (option: Option) => boolean) => OPTIONS.filter(fits).map(({ name }) => name)

test('no name and no field stands there twice', () => {
  assert.is(new Set(OPTIONS.map(({ name }) => name)).size, OPTIONS.length)
  const fields = OPTIONS.flatMap(({ field }) => field ?? [])
  assert.is(new Set(fields).size, fields.length)
  assert.throws(() => optionNamed('colour'), /there is no option colour/)
})

test('every default is a value that may be given', () => {
  for (const option of OPTIONS) {
    if (!('standard' in option) || option.standard === undefined) continue
    assert.not.throws(() => readValue(option, option.standard), option.name)
  }
})

test('only what can be changed under way says that it is: remotes, and what each has', () =>
  assert.equal(names(({ reload }) => reload === 'live').sort(), [
    'checksum',
    'csum',
    'ikey',
    'key',
    'okey',
    'remote',
    'seq',
  ]))

test('what waits for the next start is of the process, and the other way round', () =>
  assert.equal(
    names(({ reload }) => reload === 'process'),
    names(({ of }) => of === 'instance'),
  ))

test('what is not a field of its own is of the command alone, or a half of the key', () =>
  assert.equal(
    names(({ of, field }) => of !== 'command' && field === undefined),
    ['ikey', 'okey'],
  ))

test.run()
