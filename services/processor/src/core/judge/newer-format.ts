/** State that a newer version wrote: nothing of it may be guessed. */
export class NewerFormat extends Error {}
