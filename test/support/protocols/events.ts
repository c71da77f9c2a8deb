/** The server-sent events of a stream that has ended: the name, and the JSON that came with it. */
export function eventsIn(text: string): { readonly name: string; readonly data: string }[] {
  const blocks = text.split("\n\n").filter((block) => /^(event|data):/m.test(block));
  return blocks.map((block) => ({
    name: /^event: (.*)$/m.exec(block)?.[1] ?? "message",
    data: /^data: (.*)$/m.exec(block)?.[1] ?? "",
  }));
}
