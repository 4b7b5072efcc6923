// The way back from changes to this machine. Rule: a change pushes its undo before it is made, so that no failure between
// the two leaves it standing; an undo therefore bears that its change never happened.

/** An undo that did not work; the others ran all the same. */
export interface UndoFailure {
  readonly description: string
  readonly error: Error
}

interface Step {
  readonly description: string
  readonly undo: () => Promise<void>
}

export class UndoStack {
  readonly #steps: Step[] = []
  #unwinding: Promise<UndoFailure[]> | undefined

  /** `description` names what is put back, as in "docker0 loses the port tap0". */
  push(description: string, undo: () => Promise<void>): void {
    this.#steps.push({ description, undo })
  }

  /** Runs every undo once, the latest first; a second call meanwhile waits for the first. Never rejects. */
  unwind(): Promise<UndoFailure[]> {
    this.#unwinding ??= this.#unwind().finally(() => {
      this.#unwinding = undefined
    })
    return this.#unwinding
  }

  async #unwind(): Promise<UndoFailure[]> {
    const failures: UndoFailure[] = []
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step.undo()
      } catch (error) {
        failures.push({
          description: step.description,
          error: error instanceof Error ? error : new Error(String(error)),
        })
      }
    }
    return failures
  }
}
