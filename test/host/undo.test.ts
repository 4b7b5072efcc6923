import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { UndoStack } from '#tsgre/host/undo.js'

function recording(...names: string[]) {
  const done: string[] = []
  const undo = new UndoStack()
  for (const name of names) {
    undo.push(name, async () => {
      await new Promise(setImmediate)
      done.push(name)
    })
  }
  return { done, undo }
}

test('unwinds the latest first', async () => {
  const { done, undo } = recording('address', 'port', 'up')
  assert.equal(await undo.unwind(), [])
  assert.equal(done, ['up', 'port', 'address'])
})

test('goes on past a failure and reports it by its description', async () => {
  const { done, undo } = recording('first')
  undo.push('the broken one', async () => {
    throw new Error('no')
  })
  undo.push('last', async () => {
    done.push('last')
  })
  const failures = await undo.unwind()
  assert.equal(done, ['last', 'first'])
  assert.equal(
    failures.map(({ description, error }) => [description, error.message]),
    [['the broken one', 'no']],
  )
})

test('a second unwind does nothing again', async () => {
  const { done, undo } = recording('once')
  await undo.unwind()
  assert.equal(await undo.unwind(), [])
  assert.equal(done, ['once'])
})

test('an unwind during an unwind waits for it and runs nothing twice or out of order', async () => {
  const { done, undo } = recording('a', 'b', 'c')
  const first = undo.unwind()
  await undo.unwind()
  assert.equal(done, ['c', 'b', 'a'])
  await first
})

test('what is pushed after an unwind is undone by the next', async () => {
  const { done, undo } = recording('early')
  await undo.unwind()
  undo.push('late', async () => {
    done.push('late')
  })
  await undo.unwind()
  assert.equal(done, ['early', 'late'])
})

test('whatever an undo throws arrives as an Error', async () => {
  const undo = new UndoStack()
  undo.push('odd', () => Promise.reject('a text'))
  const [failure] = await undo.unwind()
  assert.instance(failure!.error, Error)
  assert.is(failure!.error.message, 'a text')
})

test.run()
