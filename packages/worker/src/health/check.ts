/**
 * Asks a server for its health by `grpc.health.v1`, with Node.js's HTTP/2 and nothing else but the few lines of
 * protobuf that it takes: the question is put by a process of its own each time, beside the worker and within
 * its limits, and a gRPC library would more than double what that costs.
 */
import { connect, type SecureClientSessionOptions } from "node:http2";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Code, codeName } from "@gantry/rpc";

export interface HealthQuestion {
  /** `localhost:50051`. */
  readonly target: string;
  /** "": the server as a whole. */
  readonly service: string;
  /** Undefined: plaintext. */
  readonly tls: TlsFacts | undefined;
  readonly timeoutMs: number;
}

/** By what the server is known, and what it is shown. */
export type TlsFacts = Pick<
  SecureClientSessionOptions,
  "ca" | "cert" | "key" | "servername" | "allowPartialTrustChain" | "checkServerIdentity"
>;

/** No answer about health could be had: why, as a sentence. */
export class HealthError extends Error {
  override readonly name = "HealthError";
}

/** Of proto/vendor/grpc/health/v1/health.proto, whose generated code brings all of protobuf-es with it. */
const SERVICE_FIELD = 1;
const STATUS_FIELD = 1;
const STATUSES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"] as const;

/** What comes before each message of gRPC: a flag "compressed", and the length in 4 bytes. */
const PREFIX_BYTES = 5;
/** An answer has 2 bytes. */
const MAX_ANSWER_BYTES = 1_024;

/**
 * The status that the server tells, such as `SERVING` or `NOT_SERVING`.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 *
 * @throws HealthError
 */
export async function checkHealth(question: HealthQuestion): Promise<string> {
  const { code, message, answer } = await ask(question);
  if (code === Code.Ok) return statusIn(answer, question.target);
  throw new HealthError(sentenceFor(code, message, question));
}

/** How a call ended. */
interface Outcome {
  readonly code: number;
  readonly message: string;
  readonly answer: Buffer;
}

function ask({ target, service, tls, timeoutMs }: HealthQuestion): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const session = connect(`${tls ? "https" : "http"}://${target}`, tls);
    const fail = (sentence: string) => {
      reject(new HealthError(sentence));
      clearTimeout(timer);
      session.destroy();
    };
    const timer = setTimeout(() => fail(`${target} did not answer within ${timeoutMs} ms.`), timeoutMs);
    session.once("close", () => clearTimeout(timer));
    // One that is destroyed may fail once more.
    session.on("error", (error) => fail(connectionSentence(target, error, tls)));
    // Not sooner: a stream that waits for its connection ends before the connection tells why it failed.
    session.once("connect", () => {
      const stream = session.request({
        ":method": "POST",
        ":path": "/grpc.health.v1.Health/Check",
        "content-type": "application/grpc",
        te: "trailers",
        "grpc-timeout": `${timeoutMs}m`,
      });
      stream.once("error", (error) => fail(connectionSentence(target, error, tls)));
      let ending: Record<string, unknown> = {};
      stream.once("response", (headers) => {
        const status = headers[":status"];
        if (status === 200 && String(headers["content-type"]).startsWith("application/grpc"))
          ending = headers;
        else
          fail(`${target} answered like a web server, with HTTP status ${status}: expected a gRPC server.`);
      });
      stream.once("trailers", (trailers) => {
        ending = trailers;
      });
      let answer = Buffer.alloc(0);
      stream.on("data", (chunk: Buffer) => {
        answer = Buffer.concat([answer, chunk]);
        if (answer.byteLength > MAX_ANSWER_BYTES) fail(`${target} answered with more than a health status.`);
      });
      stream.once("close", () => {
        const code = ending["grpc-status"];
        if (code === undefined) {
          // Where the connection broke, it may say why now. A server that does not like a client's certificate,
          // or finds none, only hangs up.
          session.once("close", () => fail(`${target} hung up without an answer.${adviceOnHangUp(tls)}`));
          return session.close();
        }
        resolve({ code: Number(code), message: decodeMessage(ending["grpc-message"]), answer });
        session.close();
      });
      stream.end(framed(service));
    });
  });
}

/** A HealthCheckRequest, as gRPC frames it. */
function framed(service: string): Buffer {
  const message = new BinaryWriter().tag(SERVICE_FIELD, WireType.LengthDelimited).string(service).finish();
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
}

/** The status in a HealthCheckResponse that gRPC has framed. */
function statusIn(answer: Buffer, target: string): string {
  try {
    const whole = answer[0] === 0 && answer.readUInt32BE(1) === answer.byteLength - PREFIX_BYTES;
    if (!whole) throw new TypeError("not one message without compression");
    const reader = new BinaryReader(answer.subarray(PREFIX_BYTES));
    let status = 0;
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (field === STATUS_FIELD) status = reader.int32();
      else reader.skip(wireType, field);
    }
    return STATUSES[status] ?? `STATUS(${status})`;
  } catch {
    throw new HealthError(`${target} answered with ${answer.byteLength} bytes that are no health status.`);
  }
}

function sentenceFor(code: number, message: string, { target, service }: HealthQuestion): string {
  if (code === Code.NotFound) return `${target} knows no service ${JSON.stringify(service)}.`;
  if (code === Code.Unimplemented)
    return `${target} speaks gRPC, but tells nobody its health (grpc.health.v1).`;
  return `${target} answered ${codeName(code)}${message === "" ? "." : `: ${message}`}`;
}

/** What went wrong with the connection, and what to look at. */
function connectionSentence(target: string, error: Error, tls: TlsFacts | undefined): string {
  const code = "code" in error ? String(error.code) : "";
  const reason = "reason" in error ? String(error.reason) : error.message || code;
  if (code === "ECONNREFUSED") return `Nobody listens at ${target}: expected a worker there.`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `The host of ${target} has no address (${code}).`;
  const hungUp = !tls || code === "ECONNRESET";
  return `There is no ${tls ? "TLS " : ""}connection to ${target}: ${reason}.${hungUp ? adviceOnHangUp(tls) : ""}`;
}

/** Servers of TLS do that to a client that begins otherwise, or whose certificate they do not accept. */
function adviceOnHangUp(tls: TlsFacts | undefined): string {
  if (!tls) return " If the server speaks TLS, say so: --tls, or --ca <file>.";
  return " If it asks for a certificate, show one that it trusts: --cert and --key.";
}

/** The specification's percent-encoding of messages; what is encoded wrongly is shown as it came. */
function decodeMessage(text: unknown): string {
  if (typeof text !== "string") return "";
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
