/**
 * A symbolic size, canonical: a number where it is known, else the normal form of a polynomial over dimension
 * variables as text (`2 * batch + 1`). Equal sizes are equal values, so `===` decides equality within the polynomial
 * fragment; {@link compareDims} says more.
 *
 * A shape may hold one entry `...s`, which stands for any number of dimensions (see tensor.ts).
 */
export type Dim = number | string
