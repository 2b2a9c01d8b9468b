// Words to motion: the graphs of `model/`, put together as its manifest.json says (and as text_to_motion in Python does).

import * as ort from "./libraries/ort.wasm.min.mjs";
import { normal } from "./noise.js";
import { mirrorWords } from "./sides.js";
import { Tokenizer } from "./tokenizer.js";

const SEEDS = 2n ** 64n;

ort.env.wasm.numThreads = 1; // more need headers that a plain file server does not send
ort.env.wasm.wasmPaths = new URL("./libraries/", import.meta.url).href;
ort.env.wasm.proxy = true; // computes in a worker, so that the page goes on

async function fetched(name) {
  const answer = await fetch(new URL(`./model/${name}`, import.meta.url));
  if (!answer.ok) throw new Error(`model/${name} cannot be loaded (${answer.status})`);
  return answer;
}

/**
 * A motion: T frames of the 24 joints.
 * @typedef {{frames: number, fps: number, rotations: Float32Array, root: Float32Array}} Motion
 * rotations: (T, 24, 3, 3), local, for column vectors; root: (T, 3), metres
 */

export class Model {
  /**
   * @param {(done: number, all: number) => void} onProgress called with bytes
   */
  static async load(onProgress = () => {}) {
    const manifest = await (await fetched("manifest.json")).json();
    const tokenizer = new Tokenizer(await (await fetched(manifest.tokenizer.file)).json());
    const names = ["text", "prior", "decoder"].filter(name => name in manifest.graphs);
    const all = names.reduce((sum, name) => sum + manifest.graphs[name].bytes, 0), graphs = {};
    let done = 0;
    for (const name of names) {
      const bytes = new Uint8Array(await (await fetched(manifest.graphs[name].file)).arrayBuffer());
      graphs[name] = await ort.InferenceSession.create(bytes);
      onProgress(done += bytes.length, all);
    }
    return new Model(manifest, tokenizer, graphs);
  }

  constructor(manifest, tokenizer, graphs) {
    Object.assign(this, { manifest, tokenizer, graphs });
  }

  /**
   * A motion for a sentence: of the takes that are drawn, the one that matches the words best and that a body can do.
   * @param {string} sentence
   * @param {{seconds?: number, seed?: bigint}} how
   * @returns {Promise<Motion>}
   */
  async make(sentence, { seconds = 4, seed = 0n } = {}) {
    const { fps, max_frames, words_to_motion: { draws, takes, excess } } = this.manifest;
    const frames = Math.round(seconds * fps);
    if (!(frames >= 2 && frames <= max_frames)) throw new RangeError(`${seconds} seconds; expected at most ${max_frames / fps}`);
    if (!(seed >= 0n && seed < SEEDS)) throw new RangeError(`seed ${seed}; expected a whole number from 0, below 2^64`);
    const words = await this.embed(sentence), other = mirrorWords(sentence);
    const mirrored = other === sentence ? words : await this.embed(other);
    const drawn = await this.draw(words, mirrored, frames, seed * BigInt(draws));
    let best, worth = -Infinity;
    for (const { latent, agreement } of drawn.takes.slice(0, takes)) {
      const take = await this.decode(latent, drawn.words, frames);
      const own = agreement + take.worth - excess * take.excess;
      if (own > worth) [best, worth] = [take, own];
    }
    return { frames, fps, rotations: best.rotations, root: best.root };
  }

  /** The latent of a sentence. */
  async embed(sentence) {
    const { most, first, last, unknown } = this.manifest.tokenizer, ids = this.tokenizer.encode(sentence);
    const empty = new Set([first, last, unknown].map(name => this.tokenizer.special.get(name)));
    if (ids.length > most) throw new RangeError(`a text of ${ids.length} tokens; expected at most ${most}`);
    if (ids.every(id => empty.has(id))) throw new RangeError("no word that the model knows; expected English words");
    const { latent } = await this.graphs.text.run({ ids: new ort.Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]) });
    return latent.data;
  }

  /** Latents of draws, most promising first, their agreement with the words, and the latent by which they are matched. */
  async draw(words, mirrored, frames, seed) {
    if (!this.graphs.prior) return { takes: [{ latent: words, agreement: 1 }], words };
    const { latent_dim: size, words_to_motion: { draws, guidance } } = this.manifest;
    const noise = new Float32Array(draws * (size - 1));
    for (let draw = 0; draw < draws; draw++) noise.set(normal((seed + BigInt(draw)) % SEEDS, size - 1), draw * (size - 1));
    const { latents, agreement, words: meant } = await this.graphs.prior.run({
      noise: new ort.Tensor("float32", noise, [1, draws, size - 1]),
      text: new ort.Tensor("float32", words, [1, size]),
      mirrored: new ort.Tensor("float32", mirrored.slice(), [1, size]), // words that name no side are their own mirror
      mask: new ort.Tensor("bool", new Uint8Array(frames).fill(1), [1, frames]),
      guidance: new ort.Tensor("float32", [guidance], []),
    });
    const of = (cosine, take) => ({ latent: latents.data.slice(take * size, (take + 1) * size), agreement: cosine });
    return { takes: Array.from(agreement.data, of), words: meant.data };
  }

  /** The motion of a latent, how far beyond what bodies do it is, and its worth for the latent of words. */
  async decode(latent, words, frames) {
    const { rotations, root, excess, worth } = await this.graphs.decoder.run({
      latent: new ort.Tensor("float32", latent, [1, latent.length]),
      mask: new ort.Tensor("bool", new Uint8Array(frames).fill(1), [1, frames]),
      words: new ort.Tensor("float32", words.slice(), [1, words.length]), // a copy, for what is sent is gone
    });
    return { rotations: rotations.data, root: root.data, excess: excess.data[0], worth: worth.data[0] };
  }
}
