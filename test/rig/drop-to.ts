// Becomes another user within a program that is loaded already: the files of this repository may lie where only root can read.

/** `UID` or `UID:GROUP`, the group beside its own of the same number; nothing for an empty text. For good. */
export function dropTo(text = ''): void {
  if (text === '') return
  const [user = 0, group] = text.split(':').map(Number)
  process.setgroups!(group === undefined ? [] : [group])
  process.setgid!(user)
  process.setuid!(user)
}
