// A file for a capture that cannot be opened: told with the option, and the way out.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fileOutput } from '#tsgre/cli/capture-output.js'
import { failureOf } from '../../rig/failure-of.js'

for (const [path, code, words] of [
  [
    '/nonexist/x',
    'ENOENT',
    'open(/nonexist/x): ENOENT (--write /nonexist/x: there is no directory /nonexist; make it, or name another file)',
  ],
  ['/tmp', 'EISDIR', 'open(/tmp): EISDIR (--write /tmp: that is a directory; name a file in it)'],
] as const) {
  test(`names option and way out where ${path} cannot be opened`, async () => {
    const output = fileOutput(path)
    output.take(new DataView(new ArrayBuffer(32)))
    const failure = await failureOf(output.flush())
    assert.equal([failure.code, failure.message], [code, words])
  })
}

test.run()
