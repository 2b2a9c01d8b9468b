// Left and right in words: what motionclip/sides.py does.

const SIDE_WORD = /\b(?:(left|right)(wards?)?|(counter[ -]?|anti[ -]?)?clockwise)\b/gi;

/** The sentence for the mirror image: left and right exchanged, and the senses of turning. */
export function mirrorWords(text) {
  return text.replace(SIDE_WORD, (_, side, suffix, against) => {
    if (side === undefined) return against ? "clockwise" : "counterclockwise";
    return (side.toLowerCase() === "left" ? "right" : "left") + (suffix ?? "");
  });
}
