// Steps between what a tunnel has and what is wanted of it; taken back in the opposite order.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type LiveStep, makeSteps, undoSteps } from '#tsgre/daemon/live-steps.js'

const step = (told: string[], words: string, turn: number, trouble?: 'make' | 'undo'): LiveStep => {
  const does = (what: 'make' | 'undo') => () => {
    told.push(`${what} ${words}`)
    if (trouble === what) throw new Error('no')
  }
  return { words, turn, make: does('make'), undo: does('undo') }
}

test('steps of a lower turn come first, whichever tunnel they are of', () => {
  const told: string[] = []
  const made: LiveStep[] = []
  makeSteps([step(told, 'a', 2), step(told, 'b', 0), step(told, 'c', 2), step(told, 'd', 1)], made)
  assert.equal(told, ['make b', 'make d', 'make a', 'make c'])
  assert.is(made.length, 4)
})

test('a step that fails is not among those to take back, which go the other way', () => {
  const told: string[] = []
  const made: LiveStep[] = []
  assert.throws(() => makeSteps([step(told, 'a', 0), step(told, 'b', 1), step(told, 'c', 2, 'make')], made), /^no$/)
  assert.equal(undoSteps(made), [])
  assert.equal(told, ['make a', 'make b', 'make c', 'undo b', 'undo a'])
})

test('what cannot be taken back is told, and keeps the others from nothing', () => {
  const told: string[] = []
  const made: LiveStep[] = []
  makeSteps([step(told, 'a', 0), step(told, 'b', 1, 'undo')], made)
  assert.equal(undoSteps(made), ['b: no'])
  assert.is(told.at(-1), 'undo a')
})

test.run()
