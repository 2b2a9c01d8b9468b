// WordPiece of BERT, lower-case: what the `tokenizers` package does with the model's tokenizer.json.

const CHINESE = /[\u{4e00}-\u{9fff}\u{3400}-\u{4dbf}\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{f900}-\u{faff}\u{2f800}-\u{2fa1f}]/gu;
const PUNCTUATION = /[\p{P}$+<=>^`|~]/gu;
const LONGEST_WORD = 100;

export class Tokenizer {
  /** @param {object} json the content of tokenizer.json */
  constructor(json) {
    this.vocabulary = new Map(Object.entries(json.model.vocab));
    this.special = new Map(json.added_tokens.map(token => [token.content, token.id]));
    const names = [...this.special.keys()].map(name => name.replace(/[[\]]/g, "\\$&"));
    this.specialNames = new RegExp(`(${names.join("|")})`);
  }

  /** Token numbers of a text, [CLS] and [SEP] included. */
  encode(text) {
    const parts = text.split(this.specialNames);
    const ids = parts.flatMap(part => this.special.has(part) ? [this.special.get(part)] : this.words(part).flatMap(word => this.pieces(word)));
    return [this.special.get("[CLS]"), ...ids, this.special.get("[SEP]")];
  }

  /** Words and single punctuation marks: lower case, without accents and control characters. */
  words(text) {
    const clean = text.replace(/[\t\n\r]/g, " ").replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\ufffd]/gu, "").replace(CHINESE, " $& ");
    const plain = clean.normalize("NFD").replace(/\p{Mn}/gu, "");
    const lower = Array.from(plain, character => character.toLowerCase()).join(""); // one by one: no final sigma
    return lower.replace(PUNCTUATION, " $& ").split(/\p{White_Space}+/u).filter(Boolean);
  }

  /** Of a word, the longest known piece first, then the longest that goes on from there. */
  pieces(word) {
    const characters = Array.from(word), ids = [];
    if (characters.length > LONGEST_WORD) return [this.special.get("[UNK]")];
    for (let start = 0; start < characters.length;) {
      let end = characters.length, id;
      for (; end > start; end--) {
        id = this.vocabulary.get((start ? "##" : "") + characters.slice(start, end).join(""));
        if (id !== undefined) break;
      }
      if (id === undefined) return [this.special.get("[UNK]")];
      ids.push(id);
      start = end;
    }
    return ids;
  }
}
