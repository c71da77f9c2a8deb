/** Percent-decoded, or as it is where that is no UTF-8. */
export function decodedOrRaw(text: string): string {
  return decoded(text) ?? text;
}

/** Percent-decoded; undefined where the text is not well encoded. */
export function decoded(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const SLASH = /(%2f)/i;

/**
 * The value of a variable. One that may have many segments keeps encoded slashes as they are, so that they
 * are not taken for those between segments.
 */
export function decodedCapture(raw: string, multiple: boolean): string | undefined {
  if (!multiple) return decoded(raw);
  let text = "";
  for (const part of raw.split(SLASH)) {
    const plain = SLASH.test(part) ? part : decoded(part);
    if (plain === undefined) return undefined;
    text += plain;
  }
  return text;
}

/** A name or a value of a query, where `+` stands for a space. */
export function decodedQuery(text: string): string | undefined {
  return decoded(text.includes("+") ? text.replaceAll("+", " ") : text);
}
