import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tryAll } from '#tsgre/daemon/try-all.js'

test('steps are taken one after the other, also behind one that failed; the first error is thrown at the end', async () => {
  const told: string[] = []
  const step = (name: string, error?: Error) => async () => {
    await null
    told.push(name)
    if (error) throw error
  }
  await tryAll([step('a'), step('b')])
  assert.equal(told.splice(0), ['a', 'b'])
  const [first, second] = [new Error('first'), new Error('second')]
  const thrown = await tryAll([step('a', first), step('b'), step('c', second), step('d')]).catch((error) => error)
  assert.is(thrown, first)
  assert.equal(told, ['a', 'b', 'c', 'd'])
})

test('what fails before it waits is no other than what fails afterwards', async () => {
  let taken = false
  const steps = [
    () => {
      throw new Error('at once')
    },
    () => {
      taken = true
    },
  ]
  const thrown = await tryAll(steps).catch((error) => error)
  assert.is(thrown.message, 'at once')
  assert.ok(taken)
})

test.run()
