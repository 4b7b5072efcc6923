import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { OFFLOADS, reaches } from '#tsgre/offload/gso.js'

test('each level reaches itself and those before it, and no further', () => {
  OFFLOADS.forEach((offload, i) => {
    OFFLOADS.forEach((wanted, j) => {
      assert.is(reaches(offload, wanted), j <= i, `${offload} ${wanted}`)
    })
  })
})

test.run()
