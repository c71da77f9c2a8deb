/** Whether a text has at least so many Unicode characters. They are counted only where its length leaves doubt. */
export function hasAtLeast(text: string, characters: number): boolean {
  // A character is one or two UTF-16 code units.
  if (text.length < characters) return false;
  return text.length >= 2 * characters || countCharacters(text) >= characters;
}

/** Whether a text has at most so many Unicode characters. They are counted only where its length leaves doubt. */
export function hasAtMost(text: string, characters: number): boolean {
  if (text.length <= characters) return true;
  return text.length <= 2 * characters && countCharacters(text) <= characters;
}

function countCharacters(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i += 1) {
    if (isHighSurrogate(text.charCodeAt(i)) && isLowSurrogate(text.charCodeAt(i + 1))) i += 1;
    count += 1;
  }
  return count;
}

/** At most so many UTF-16 code units of the text; what is cut is marked by `…`, and no character is cut in two. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = isHighSurrogate(text.charCodeAt(most - 2)) ? most - 2 : most - 1;
  return `${text.slice(0, end)}…`;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
