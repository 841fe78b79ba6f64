// Things that tell others what happens to them.

export class Events {
  #listeners = new Map();

  /** Call a function whenever something of a name happens; returns what ends that. */
  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  emit(name, value) {
    for (const listener of this.#listeners.get(name) ?? []) listener(value);
  }
}
