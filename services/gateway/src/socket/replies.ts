import type { JsonObject } from "@bufbuild/protobuf";
import type { Metadata } from "@gantry/rpc";

/** Tells a client what came of its event; resolves when its connection has taken that. */
export type Ack = (answer: JsonObject) => Promise<void>;

/** Metadata as an object; several values of a key are joined by commas, and bytes are base64. */
export function metadataJson(metadata: Metadata): Record<string, string> {
  const json: Record<string, string> = {};
  metadata.forEach((values, key) => {
    const texts = values.map((value) =>
      typeof value === "string" ? value : Buffer.from(value).toString("base64"),
    );
    json[key] = texts.join(", ");
  });
  return json;
}
