// Standard normal numbers of a seed: those of torch.randn(count, generator=torch.Generator().manual_seed(seed)), so
// that a seed means the same motion here and in Python. torch's CPU generator is the Mersenne Twister (Matsumoto &
// Nishimura 1998) and makes normal numbers by Box & Muller (1958), in blocks of sixteen.

const SIZE = 624, SHIFT = 397, BLOCK = 16, HALF = 8;

/** A function that returns uniform numbers in [0, 1) of 24 bits. */
function uniform(seed) {
  const state = new Uint32Array(SIZE);
  state[0] = Number(seed & 0xffffffffn);
  for (let at = 1; at < SIZE; at++) state[at] = Math.imul(1812433253, state[at - 1] ^ (state[at - 1] >>> 30)) + at;
  let next = SIZE;
  return () => {
    if (next === SIZE) {
      for (let at = 0; at < SIZE; at++) {
        const mixed = (state[at] & 0x80000000) | (state[(at + 1) % SIZE] & 0x7fffffff);
        state[at] = state[(at + SHIFT) % SIZE] ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
      }
      next = 0;
    }
    let number = state[next++];
    number ^= number >>> 11;
    number ^= (number << 7) & 0x9d2c5680;
    number ^= (number << 15) & 0xefc60000;
    number ^= number >>> 18;
    return (number & 0xffffff) / 2 ** 24;
  };
}

/** Makes a block of normal numbers of its uniform ones. */
function toNormal(numbers, start) {
  for (let at = start; at < start + HALF; at++) {
    const radius = Math.sqrt(-2 * Math.log(1 - numbers[at])), angle = 2 * Math.PI * numbers[at + HALF];
    numbers[at] = radius * Math.cos(angle);
    numbers[at + HALF] = radius * Math.sin(angle);
  }
}

/**
 * @param {bigint} seed
 * @param {number} count at least 16
 * @returns {Float32Array}
 */
export function normal(seed, count) {
  const draw = uniform(seed), numbers = Float32Array.from({ length: count }, draw);
  for (let start = 0; start + BLOCK <= count; start += BLOCK) toNormal(numbers, start);
  if (count % BLOCK) { // the last block is drawn anew
    for (let at = count - BLOCK; at < count; at++) numbers[at] = draw();
    toNormal(numbers, count - BLOCK);
  }
  return numbers;
}
