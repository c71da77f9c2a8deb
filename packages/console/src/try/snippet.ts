import { type DescField, type DescMethod, getOption, hasOption, ScalarType } from "@bufbuild/protobuf";
import { http } from "@gantry/proto/google/api/annotations_pb.js";
import type { Texts } from "./call.ts";

/** A call, as a snippet says it. */
export interface SnippetInput {
  /** Where the worker serves: `127.0.0.1:50051`. */
  readonly target: string;
  readonly desc: DescMethod;
  /** The request as protobuf's JSON. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly headers: Texts;
  readonly timeoutMs: number | undefined;
}

export const SNIPPETS = [
  { title: "buf curl", write: bufCurl },
  { title: "grpcurl", write: grpcurl },
  { title: "curl", write: curl },
  { title: "TypeScript", write: typeScript },
] as const;

function bufCurl({ target, desc, request, headers, timeoutMs }: SnippetInput): string {
  const limit = timeoutMs === undefined ? "" : `timeout ${timeoutMs / 1_000} `;
  return command([
    `${limit}npx buf curl --protocol grpc --http2-prior-knowledge`,
    ...headerFlags("-H", headers),
    `-d ${quoted(JSON.stringify(request))}`,
    `http://${target}${pathOf(desc)}`,
  ]);
}

function grpcurl({ target, desc, request, headers, timeoutMs }: SnippetInput): string {
  return command([
    "grpcurl -plaintext",
    ...(timeoutMs === undefined ? [] : [`-max-time ${timeoutMs / 1_000}`]),
    ...headerFlags("-H", headers),
    `-d ${quoted(JSON.stringify(request))}`,
    `${target} ${pathOf(desc).slice(1)}`,
  ]);
}

/** Connect for a method that answers one message with one; for a stream, the method's REST path. */
function curl(input: SnippetInput): string {
  const { target, desc, request, headers, timeoutMs } = input;
  if (desc.methodKind !== "unary") return curlRest(input);
  return command([
    "curl -H 'content-type: application/json'",
    ...(timeoutMs === undefined ? [] : [`-H 'connect-timeout-ms: ${timeoutMs}'`]),
    ...headerFlags("-H", headers),
    `-d ${quoted(JSON.stringify(request))}`,
    `http://${target}${pathOf(desc)}`,
  ]);
}

function curlRest({ target, desc, request, headers, timeoutMs }: SnippetInput): string {
  const rule = hasOption(desc, http) ? getOption(desc, http) : undefined;
  const template = rule?.pattern.case === "custom" ? undefined : rule?.pattern.value;
  if (!rule || template === undefined) {
    return `# ${desc.name} streams and has no REST path (google.api.http), and curl does not speak gRPC.`;
  }
  const rest = { ...request };
  const path = template.replaceAll(/\{([^}=]+)(?:=[^}]*)?\}/g, (_, name: string) => {
    const jsonName = desc.input.fields.find((field) => field.name === name)?.jsonName ?? name;
    const value = rest[jsonName];
    delete rest[jsonName];
    return encodeURIComponent(String(value ?? ""));
  });
  const query = new URLSearchParams(
    Object.entries(rest).map(([key, value]) => [key, String(value)]),
  ).toString();
  const hasBody = rule.body !== "";
  const body = rule.body === "*" ? rest : rest[rule.body];
  return command([
    `curl -N${rule.pattern.case === "get" ? "" : ` -X ${String(rule.pattern.case).toUpperCase()}`}`,
    ...(timeoutMs === undefined ? [] : [`-H 'grpc-timeout: ${timeoutMs}m'`]),
    ...headerFlags("-H", headers),
    ...(hasBody ? ["-H 'content-type: application/x-ndjson'", `-d ${quoted(JSON.stringify(body))}`] : []),
    quoted(`http://${target}${path}${!hasBody && query !== "" ? `?${query}` : ""}`),
  ]);
}

function typeScript({ target, desc, request, headers, timeoutMs }: SnippetInput): string {
  const service = desc.parent;
  const plain = desc.input.fields.every(isPlain);
  const file = service.file.proto.name.replace(/\.proto$/, "_pb.js");
  const inputFile = desc.input.file.proto.name.replace(/\.proto$/, "_pb.js");
  const schema = `${desc.input.name}Schema`;
  const one = plain ? object(desc, request) : `fromJson(${schema}, ${JSON.stringify(request)})`;
  const hasHeaders = Object.keys(headers).length > 0;
  const metadata = JSON.stringify(Object.entries(headers));
  const options = [
    ...(timeoutMs === undefined ? [] : [`timeoutMs: ${timeoutMs}`]),
    ...(hasHeaders ? [`headers: new Metadata(${metadata})`] : []),
  ];
  const streams = desc.methodKind === "client_streaming" || desc.methodKind === "bidi_streaming";
  const call = `client.${desc.localName}(${streams ? `[${one}]` : one}${options.length > 0 ? `, { ${options.join(", ")} }` : ""})`;
  const isMany = desc.methodKind === "server_streaming" || desc.methodKind === "bidi_streaming";
  const names = !plain && inputFile === file ? `${schema}, ${service.name}` : service.name;
  return [
    ...(plain ? [] : ['import { fromJson } from "@bufbuild/protobuf";']),
    'import { createClient } from "@gantry/client";',
    `import { ${names} } from "@gantry/proto/${file}";`,
    ...(!plain && inputFile !== file ? [`import { ${schema} } from "@gantry/proto/${inputFile}";`] : []),
    ...(hasHeaders ? ['import { Metadata } from "@gantry/rpc";'] : []),
    "",
    `await using client = createClient(${service.name}, ${JSON.stringify(target)});`,
    isMany ? `for await (const reply of ${call}) console.log(reply);` : `console.log(await ${call});`,
  ].join("\n");
}

/** Whether a field is in TypeScript what it is in JSON. */
function isPlain({ fieldKind, scalar }: DescField): boolean {
  return (fieldKind === "scalar" || fieldKind === "list") && scalar !== undefined && !OTHERWISE.has(scalar);
}

const { INT64, UINT64, SINT64, FIXED64, SFIXED64, BYTES, FLOAT, DOUBLE } = ScalarType;
/** 64-bit numbers and bytes are text in JSON, and so are some floats. */
const OTHERWISE: ReadonlySet<ScalarType> = new Set([
  INT64,
  UINT64,
  SINT64,
  FIXED64,
  SFIXED64,
  BYTES,
  FLOAT,
  DOUBLE,
]);

function object({ input }: DescMethod, request: SnippetInput["request"]): string {
  const fields = input.fields.filter(({ jsonName }) => request[jsonName] !== undefined);
  if (fields.length === 0) return "{}";
  return `{ ${fields.map(({ localName, jsonName }) => `${localName}: ${JSON.stringify(request[jsonName])}`).join(", ")} }`;
}

function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}

function headerFlags(flag: string, headers: Texts): string[] {
  return Object.entries(headers).map(([key, value]) => `${flag} ${quoted(`${key}: ${value}`)}`);
}

/** As a POSIX shell takes it, to the letter. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function command(parts: readonly string[]): string {
  return parts.join(" \\\n  ");
}
