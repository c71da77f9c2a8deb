import type { DescEnum, DescField, DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import { comments } from "@gantry/proto/comments.js";

/** What the contract says of its parts, in comments. Contracts of other packages have none here. */
export function commentOf(
  desc: DescService | DescMethod | DescMessage | DescField | DescEnum,
): string | undefined {
  const name = "typeName" in desc ? desc.typeName : `${desc.parent.typeName}.${desc.name}`;
  return Object.hasOwn(comments, name) ? comments[name] : undefined;
}

/** The first sentence of what the contract says of a method, or its name as words: `Say hello`. */
export function summaryOf(method: DescMethod): string {
  const [sentence] = /^[\s\S]*?[.:!?](?=\s|$)/.exec(commentOf(method) ?? "") ?? [];
  if (sentence) return sentence.replaceAll(/\s+/g, " ").replace(/[.:]$/, "");
  const words = method.name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Sentences, each of them if it is there. */
export function text(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join("\n\n");
}
