/**
 * Adds up doubles without letting what rounding cuts off go to waste: it is kept beside the sum and
 * added at the end, so that a million small numbers count for what they are beside a great one.
 *
 * Source: A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974.
 */
export class CompensatedSum {
  #sum = 0;
  #cutOff = 0;

  add(value: number): void {
    const sum = this.#sum + value;
    this.#cutOff +=
      Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum;
    this.#sum = sum;
  }

  /** No finite number once a sum has left the range of doubles. */
  get value(): number {
    return this.#sum + this.#cutOff;
  }
}
